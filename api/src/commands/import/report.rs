//! What became of the rows of a file, for people.

use std::fmt;

use domain::organisation::{duplicates::Signal, import::Outcome};

/// What became of the rows of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What was done.
    pub outcome: Outcome,
    /// Whether it was only tried.
    pub dry_run: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome {
            created,
            unchanged,
            refused,
            likely_duplicates,
        } = &self.outcome;
        if self.dry_run {
            writeln!(f, "This was a dry run: nothing was changed.")?;
        }
        write!(
            f,
            "created {created}, unchanged {unchanged}, likely duplicates {}, refused {}",
            likely_duplicates.len(),
            refused.len()
        )?;
        if !likely_duplicates.is_empty() {
            write!(f, "\n\nLikely duplicates:")?;
        }
        for pair in likely_duplicates {
            let signals: Vec<&str> = pair.signals.iter().map(|s| words(*s)).collect();
            write!(
                f,
                "\n  {} = {} ({:.0}%: {})",
                pair.one.name,
                pair.other.name,
                pair.score * 100.0,
                signals.join(", ")
            )?;
        }
        if !refused.is_empty() {
            write!(f, "\n\nRefused:")?;
        }
        for row in refused {
            write!(f, "\n  line {}: {}", row.line, row.reasons.join(" "))?;
        }
        Ok(())
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
