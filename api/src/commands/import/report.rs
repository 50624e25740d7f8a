//! What became of the rows of a file, for people.

use std::fmt;

use domain::import::{Line, Outcome};

/// What became of the rows of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Report<D> {
    /// What was done.
    pub outcome: Outcome<D>,
    /// The columns that were not read.
    pub ignored: Vec<String>,
    /// Whether it was only tried.
    pub dry_run: bool,
}

impl<D: Line> fmt::Display for Report<D> {
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
        write!(f, "created {created}, unchanged {unchanged}, ")?;
        match likely_duplicates {
            Some(alike) => write!(f, "likely duplicates {}, ", alike.count)?,
            None if self.dry_run => f.write_str("likely duplicates not looked for, ")?,
            None => f.write_str("likely duplicates to be looked for by the worker, ")?,
        }
        write!(f, "refused {}", refused.count)?;
        if !self.ignored.is_empty() {
            write!(
                f,
                "\n\nColumns that were not read: {}",
                self.ignored.join(", ")
            )?;
        }
        if let Some(alike) = likely_duplicates {
            let lines = alike.first.iter().map(Line::line);
            told(f, "Likely duplicates", lines, alike.count)?;
        }
        let lines = refused.first.iter();
        let lines = lines.map(|row| {
            let reasons: Vec<String> = row.reasons.iter().map(ToString::to_string).collect();
            format!("line {}: {}", row.line, reasons.join(" "))
        });
        told(f, "Refused", lines, refused.count)
    }
}

fn told(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    lines: impl ExactSizeIterator<Item = String>,
    count: u64,
) -> fmt::Result {
    if count == 0 {
        return Ok(());
    }
    write!(f, "\n\n{title}:")?;
    let more = count.saturating_sub(lines.len() as u64);
    for line in lines {
        write!(f, "\n  {line}")?;
    }
    if more > 0 {
        write!(f, "\n  and {more} more")?;
    }
    Ok(())
}
