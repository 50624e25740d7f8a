//! What an import tells of likely duplicates, in a line each.

use super::{Alike, Never, Why};
use crate::organisation::duplicates::{Pair, Signal};

/// Something that is told in a line.
pub trait Line {
    /// The line.
    fn line(&self) -> String;
}

impl Line for Pair {
    fn line(&self) -> String {
        let signals: Vec<&str> = self.signals.iter().map(|s| words(*s)).collect();
        format!(
            "{} = {} ({:.0}%: {})",
            self.one.name,
            self.other.name,
            self.score * 100.0,
            signals.join(", ")
        )
    }
}

impl Line for Alike {
    fn line(&self) -> String {
        let shared = match self.why {
            Why::Email => "same e-mail address",
            Why::Name => "same name",
        };
        format!(
            "line {}: {} = {}, {} ({shared})",
            self.line, self.name, self.known, self.at
        )
    }
}

impl Line for Never {
    fn line(&self) -> String {
        match *self {}
    }
}

const fn words(signal: Signal) -> &'static str {
    match signal {
        Signal::SameName => "same name",
        Signal::SimilarName => "similar name",
        Signal::TradingName => "trading name",
        Signal::CompanyNumber => "company number",
        Signal::Domain => "domain",
        Signal::Telephone => "telephone",
        Signal::Address => "address",
    }
}
