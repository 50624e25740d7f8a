//! What a person may ask for under data protection law: everything about them, and that it goes.

use std::{fs, path::PathBuf};

use clap::{Args, Subcommand};
use domain::{
    Store, Viewer,
    data_protection::{self, Run},
};

use super::CommandError;

/// Export or erase everything about a person.
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Write everything about a person over all tables to a file, as JSON.
    Export(ExportArgs),
    /// Take a person out of every table.
    Erase(EraseArgs),
}

/// Whose data is wanted, and where.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The id of an account or of a contact, or an e-mail address.
    person: String,
    /// The folder to write `person.json` to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Who is to be erased, and why.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The id of an account or of a contact, or an e-mail address.
    person: String,
    /// Who asked for it, and when; kept in the audit log.
    #[arg(long)]
    reason: String,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

/// Carries out `mycareer person …`.
pub async fn run(command: PersonCommand, store: &Store) -> Result<(), CommandError> {
    match command {
        PersonCommand::Export(args) => export(args, store).await,
        PersonCommand::Erase(args) => erase(args, store).await,
    }
}

async fn export(args: ExportArgs, store: &Store) -> Result<(), CommandError> {
    let mut tx = store.begin().await?;
    let export = data_protection::export(&mut tx, &Viewer::system(), &args.person).await?;
    tx.commit().await?;
    let path = args.out.join("person.json");
    let text = serde_json::to_string_pretty(&export).map_err(domain::Error::from)?;
    fs::create_dir_all(&args.out)
        .and_then(|()| fs::write(&path, text))
        .map_err(|source| CommandError::Io {
            what: format!("{} can't be written", path.display()),
            source,
        })?;
    println!("{} has it all.", path.display());
    Ok(())
}

async fn erase(args: EraseArgs, store: &Store) -> Result<(), CommandError> {
    let run = if args.dry_run { Run::Dry } else { Run::Real };
    let mut tx = store.begin().await?;
    let erased =
        data_protection::erase(&mut tx, &Viewer::system(), &args.person, &args.reason, run).await?;
    for change in erased {
        match change.column {
            Some(column) => println!(
                "{}.{column}: {} texts named them; what else these say of them is for you to read",
                change.table, change.rows
            ),
            None => println!("{}: {} rows", change.table, change.rows),
        }
    }
    if args.dry_run {
        println!("Nothing was changed.");
    } else {
        tx.commit().await?;
    }
    Ok(())
}
