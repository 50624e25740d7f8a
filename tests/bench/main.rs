//! How fast the system is, measured on the delivered programs, side by side with what it is compared to, in one run.
//!
//! `tests/bench/run` builds everything optimised, starts PostgreSQL and Redis with their own defaults, and calls this
//! program with the names of the measurements to take; with none it takes all. Each prints a table in Markdown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a measurement that can't go on panics; its counts are far below what a float holds"
)]

mod clashes;
mod duplicates;
mod fill;
mod import;
mod mails;
mod relay;
mod search;
mod stage;
mod table;
mod timing;

use std::{env, process::ExitCode};

const NAMES: [&str; 5] = ["mails", "search", "import", "duplicates", "clashes"];

fn main() -> ExitCode {
    // Cargo adds `--bench` to what it was given.
    let asked: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if let Some(unknown) = asked.iter().find(|name| !NAMES.contains(&name.as_str())) {
        eprintln!(
            "There is no measurement {unknown}; there are {}.",
            NAMES.join(", ")
        );
        return ExitCode::FAILURE;
    }
    let runtime = worker::runtime::new().unwrap();
    runtime.block_on(async {
        for name in NAMES
            .iter()
            .filter(|name| asked.is_empty() || asked.iter().any(|asked| asked == *name))
        {
            match *name {
                "mails" => mails::measure().await,
                "search" => search::measure().await,
                "import" => import::measure().await,
                "duplicates" => duplicates::measure(),
                "clashes" => clashes::measure().await,
                _ => unreachable!("the name was looked up"),
            }
        }
    });
    ExitCode::SUCCESS
}
