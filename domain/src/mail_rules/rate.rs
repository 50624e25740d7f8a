//! How fast mail goes out: so many mails in any window of time.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use serde::{Serialize, Serializer};

/// So many mails in any window of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Mails at most.
    pub mails: NonZeroU32,
    /// The window's length.
    pub window: Duration,
}

impl Rate {
    /// How long so many mails take at least.
    #[must_use]
    pub fn time_for(&self, mails: u64) -> Duration {
        let seconds = u128::from(mails) * self.window.as_millis() / u128::from(self.mails.get());
        Duration::from_millis(u64::try_from(seconds).unwrap_or(u64::MAX))
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.window.as_secs();
        write!(f, "{}/", self.mails)?;
        let (unit, length) = UNITS
            .into_iter()
            .rev()
            .find(|(_, length)| seconds.is_multiple_of(*length))
            .unwrap_or(("s", 1));
        match seconds / length {
            1 => f.write_str(unit),
            count => write!(f, "{count}{unit}"),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The units that people write, and their lengths in seconds.
const UNITS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3600), ("d", LONGEST)];
/// The longest window, in seconds.
const LONGEST: u64 = 86_400;

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
            let (_, seconds) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
            let window = Duration::from_secs(
                count
                    .checked_mul(seconds)
                    .filter(|seconds| (1..=LONGEST).contains(seconds))?,
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

    #[test]
    fn rates_are_written_as_they_are_read() {
        for (read, written) in [
            ("50/s", "50/s"),
            ("600/60s", "600/min"),
            ("20/10s", "20/10s"),
            ("1000/1h", "1000/h"),
            ("9/90min", "9/90min"),
            ("5/24h", "5/d"),
        ] {
            assert_eq!(read.parse::<Rate>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn so_many_mails_take_so_long() {
        let rate: Rate = "600/min".parse().unwrap();
        assert_eq!(rate.time_for(1200), Duration::from_mins(2));
        assert_eq!(rate.time_for(5), Duration::from_millis(500));
    }
}
