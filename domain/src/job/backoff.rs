//! How long a failed job waits before it is tried again.

use std::time::Duration;

/// The wait after a first failure.
const FIRST: Duration = Duration::from_secs(2);
/// The longest wait.
const LONGEST: Duration = Duration::from_hours(1);

/// The wait after attempt number `attempt` (from 1) has failed: 2 s, 4 s, 8 s and so on up to an hour, spread by a fifth
/// either way so that what failed together does not come back together. `jitter` is a random number from 0 to 1.
#[must_use]
pub fn backoff(attempt: i32, jitter: f64) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1))
        .unwrap_or(0)
        .min(16);
    let wait = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    wait.mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let waits: Vec<u64> = [1, 2, 3, 11, 12, 40, i32::MAX]
            .map(|attempt| backoff(attempt, 0.5).as_secs())
            .into();
        assert_eq!(waits, [2, 4, 8, 2048, 3600, 3600, 3600]);
    }

    #[test]
    fn the_wait_is_spread_by_a_fifth_either_way() {
        assert_eq!(backoff(3, 0.0), Duration::from_millis(6_400));
        assert_eq!(backoff(3, 1.0), Duration::from_millis(9_600));
    }

    #[test]
    fn an_attempt_that_never_was_waits_like_the_first() {
        assert_eq!(backoff(0, 0.5), backoff(1, 0.5));
        assert_eq!(backoff(i32::MIN, 0.5), backoff(1, 0.5));
    }
}
