//! The command line: serving is what happens when no command is given.

pub mod admin;
pub mod audit;
pub mod bounce;
pub mod duplicates;
pub mod export;
pub mod import;
pub mod keys;
mod output;
pub mod person;
pub mod schema;
pub mod serve;

use std::sync::Arc;

use clap::{Parser, Subcommand};
use domain::{Store, clock::SystemClock};
use worker::engine::EngineSignals;

use crate::{
    server::{self, StartError},
    settings::Settings,
};

/// Why a command could not be carried out, in words for whoever gave it.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The system can't be started, or its database not be opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The rules refuse it, or the database failed.
    #[error(transparent)]
    Domain(#[from] domain::Error),
    /// A file or the network failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// Anything else, told already in full.
    #[error("{0}")]
    Told(String),
}

/// MyCareer: the client relationship system of a university careers service.
#[derive(Debug, Parser)]
#[command(name = "mycareer", version, about, long_about = None)]
pub struct Cli {
    /// What to do; the system is served when nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The settings, which all commands share.
    #[command(flatten)]
    pub settings: Settings,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API (the default).
    Serve,
    /// Bring records in from files.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Write records to a CSV file.
    Export(export::ExportArgs),
    /// Find organisations, or contacts, that are likely the same.
    #[command(subcommand)]
    Duplicates(duplicates::Duplicates),
    /// Manage administrators.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Look after the keys that access tokens are signed with.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Look after the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Take a report of failed delivery or a complaint from standard input, as a mail server hands it over.
    Bounce(bounce::BounceArgs),
    /// Export or erase everything about a person.
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Print the schema of the API, in SDL: the file `schema.graphql`.
    Schema,
    /// Print who may do what, as a table: the file `docs/permissions.md`.
    Permissions,
    /// Print what is kept of people, why and how long: the file `docs/data-protection.md`.
    DataProtection,
}

/// Carries out what was asked for.
pub async fn run(cli: Cli) -> Result<(), CommandError> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(cli.settings).await,
        Command::Import(command) => import::run(command, &open_store(&cli.settings).await?).await,
        Command::Export(args) => export::run(&args, &open_store(&cli.settings).await?).await,
        Command::Duplicates(duplicates::Duplicates::File(args)) => duplicates::file(&args),
        Command::Duplicates(command) => {
            duplicates::run(command, &open_store(&cli.settings).await?).await
        }
        Command::Admin(command) => admin::run(command, &open_store(&cli.settings).await?).await,
        Command::Keys(command) => keys::run(command, &open_store(&cli.settings).await?).await,
        Command::Audit(command) => audit::run(command, &open_store(&cli.settings).await?).await,
        Command::Bounce(args) => bounce::run(&args, &open_store(&cli.settings).await?).await,
        Command::Person(command) => person::run(command, &open_store(&cli.settings).await?).await,
        Command::Schema => schema::print_sdl(),
        Command::Permissions => schema::print_permissions(),
        Command::DataProtection => {
            print!("{}", domain::data_protection::markdown());
            Ok(())
        }
    }
}

/// The database as the settings have it, brought to the current schema. What a command changes is announced as any change is.
async fn open_store(settings: &Settings) -> Result<Store, CommandError> {
    let settings = settings.clone().resolve().map_err(StartError::from)?.engine;
    server::make_data_dir(&settings)?;
    let signals = EngineSignals::connect(&settings).map_err(StartError::from)?;
    Ok(server::open(&settings, Arc::new(SystemClock), &signals).await?)
}
