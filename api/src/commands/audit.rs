//! Looking after the audit log: whether anybody tampered with it, and a copy of it for elsewhere.

use clap::{Args, Subcommand};
use domain::{
    Store, Viewer,
    audit::{self, Filter},
};

use super::CommandError;

/// Look after the audit log.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Check the chain of the audit log and the numbers of its lines, and print the hash of its last seal. Fails when anything
    /// is wrong, and says what.
    Verify(VerifyArgs),
    /// Print every line of the audit log as JSON, one a line.
    Export,
}

/// What the chain is held against.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The hash that an earlier run printed, to see that the end of the chain was not cut off.
    #[arg(long, value_name = "HASH")]
    expect: Option<String>,
}

/// Carries out `mycareer audit …`.
pub async fn run(command: Audit, store: &Store) -> Result<(), CommandError> {
    match command {
        Audit::Verify(args) => verify(store, args.expect.as_deref()).await,
        Audit::Export => export(store).await,
    }
}

async fn verify(store: &Store, expected: Option<&str>) -> Result<(), CommandError> {
    let report = audit::verify(store, expected).await?;
    println!(
        "{} lines are sealed, {} wait for their seal; the details of {} were erased.\nhead {}",
        report.sealed, report.unsealed, report.erased, report.head
    );
    if report.is_sound() {
        return Ok(());
    }
    let faults = report.faults().join("\n");
    Err(CommandError::Told(format!(
        "the audit log is not whole:\n{faults}"
    )))
}

async fn export(store: &Store) -> Result<(), CommandError> {
    let (everything, viewer) = (Filter::default(), Viewer::system());
    let mut tx = store.begin().await?;
    let last = audit::begin_export(&mut tx, &viewer, &everything).await?;
    tx.commit().await?;
    let Some(last) = last else {
        return Ok(());
    };
    let mut after = None;
    loop {
        let entries = audit::next_lines(store.reader(), &viewer, &everything, after, last).await?;
        let Some(end) = entries.last() else {
            return Ok(());
        };
        after = Some(end.id);
        for entry in entries {
            println!("{}", audit::line(&viewer, &entry));
        }
    }
}
