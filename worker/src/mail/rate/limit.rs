//! The limits as they are kept.

use std::time::Duration;

pub use domain::mail_rules::{Rate, RateSyntaxError};

/// The limits on all mail that goes out; the default is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimits {
    /// For all mail together.
    pub overall: Option<Rate>,
    /// For each domain of recipients.
    pub per_domain: Option<Rate>,
}

impl RateLimits {
    pub(super) fn any(&self) -> bool {
        self.overall.is_some() || self.per_domain.is_some()
    }

    /// Tells the metrics; infinity is no limit.
    pub(super) fn show(&self) {
        for (scope, rate) in [("overall", self.overall), ("domain", self.per_domain)] {
            let a_second = rate.map_or(f64::INFINITY, |rate| {
                f64::from(rate.mails.get()) / rate.window.as_secs_f64()
            });
            metrics::gauge!("mycareer_mail_rate_per_second", "limit" => scope).set(a_second);
        }
    }
}

/// The window that is kept: a little longer than the one asked for, see [`super`].
pub(super) fn kept_window(rate: &Rate) -> Duration {
    rate.window + (rate.window / 1000).max(Duration::from_millis(1))
}
