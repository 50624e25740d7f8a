//! Times, and what is said of many of them.

use std::time::{Duration, Instant};

/// The times of one question that was asked many times.
#[derive(Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds how long this takes.
    pub async fn of<T>(&mut self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = work.await;
        self.0.push(begun.elapsed());
        result
    }

    /// The time that so many of a hundred stay under, in milliseconds with one decimal.
    pub fn percentile(&self, percent: usize) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let time = sorted.get(last * percent / 100).copied();
        format!("{:.1} ms", time.unwrap_or_default().as_secs_f64() * 1e3)
    }
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
