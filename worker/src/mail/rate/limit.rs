//! The limits as they are set.

use std::{num::NonZeroU32, str::FromStr, time::Duration};

/// So many mails in any window of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Mails at most.
    pub mails: NonZeroU32,
    /// The window's length.
    pub window: Duration,
}

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
}

impl Rate {
    /// The window that is kept: a little longer than the one asked for, see [`super`].
    pub(super) fn kept_window(&self) -> Duration {
        self.window + (self.window / 1000).max(Duration::from_millis(1))
    }
}

/// A rate that can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a rate; write mails per time, such as 50/s, 600/min, 1000/h or 20/10s")]
pub struct RateSyntaxError(String);

/// `50/s`, `600/min`, `1000/h`, or with a number before the unit: `20/10s`.
impl FromStr for Rate {
    type Err = RateSyntaxError;

    fn from_str(text: &str) -> Result<Self, RateSyntaxError> {
        let parse = || {
            let (mails, per) = text.split_once('/')?;
            let unit_at = per.find(|c: char| c.is_ascii_alphabetic())?;
            let (count, unit) = per.split_at(unit_at);
            let count: u64 = if count.is_empty() {
                1
            } else {
                count.trim().parse().ok()?
            };
            let seconds = match unit {
                "s" => 1,
                "min" => 60,
                "h" => 3600,
                "d" => 86_400,
                _ => return None,
            };
            let window = Duration::from_secs(
                count
                    .checked_mul(seconds)
                    .filter(|seconds| (1..=86_400).contains(seconds))?,
            );
            Some(Self {
                mails: mails.trim().parse().ok()?,
                window,
            })
        };
        parse().ok_or_else(|| RateSyntaxError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let read = |text: &str| {
            text.parse::<Rate>()
                .map(|rate| (rate.mails.get(), rate.window.as_secs()))
        };
        assert_eq!(read("50/s"), Ok((50, 1)));
        assert_eq!(read("600/min"), Ok((600, 60)));
        assert_eq!(read("1000/h"), Ok((1000, 3600)));
        assert_eq!(read("20/10s"), Ok((20, 10)));
        for wrong in [
            "", "50", "0/s", "-1/s", "50/", "50/0s", "50/week", "50/2d", "1.5/s", "50/s/s",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
