//! Taking reports about mail from a mail server: `mycareer bounce < message`.

use std::io::{self, Read};

use clap::Args;
use domain::{
    Store,
    mail_report::{self, Outcome, Source},
    suppression::AddressKey,
};
use worker::mail::report;

use super::CommandError;
use crate::http::intake::LONGEST_BODY;

/// What the mail server knows of the report besides its text.
#[derive(Debug, Args)]
pub struct BounceArgs {
    /// The address that the report was delivered to. Without it, the headers are asked.
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
}

/// Carries out `mycareer bounce`.
pub async fn run(args: &BounceArgs, store: &Store) -> Result<(), CommandError> {
    let mut message = Vec::new();
    // What is longer is cut off: reports say what matters first.
    io::stdin()
        .take(LONGEST_BODY as u64)
        .read_to_end(&mut message)
        .map_err(|source| CommandError::Io {
            what: "the report can't be read from standard input".to_owned(),
            source,
        })?;
    let outcome = take(store, &message, args.recipient.as_deref(), Source::Command).await?;
    println!(
        "{}",
        match outcome {
            Outcome::Suppressed => "The address gets no bulk mail any more.",
            Outcome::OnHold => "Mail to the contacts with this address is held back.",
            Outcome::Noted => "It has been noted.",
            Outcome::Known => "It was known already.",
        }
    );
    Ok(())
}

/// Reads a report and does what follows from it.
pub async fn take(
    store: &Store,
    message: &[u8],
    recipient: Option<&str>,
    source: Source,
) -> domain::Result<Outcome> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let report = report::read(&key, message, recipient)?;
    let mut tx = store.begin().await?;
    let outcome = mail_report::take(&mut tx, &report, source).await?;
    tx.commit().await?;
    Ok(outcome)
}
