//! `mycareer import`: records from files.
//!
//! A file is read and written a few hundred rows at a time, in one transaction: memory doesn't grow with its length, but for
//! the first 200,000 new organisations, which are compared; and a file that turns out to be broken at its end has changed nothing.

mod report;

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use domain::{
    Store, Viewer,
    import::{
        self, Alike, Import, Line, Never,
        table::{self, Mapped},
    },
    organisation::{duplicates::Pair, import::Organisations},
};
use indicatif::{ProgressBar, ProgressStyle};

use super::CommandError;

pub use report::Report;

/// What to import.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Organisations from a CSV file.
    #[command(after_long_help = "\
What happens to a row:
- created: it is new; the organisation is added as approved, with IMPORT as its source
- unchanged: its source key is known from an earlier import; what is there is left as it is
- refused: it can't be kept (no name, a text too long, a malformed web site, the source key of another row); it is told \
with its line and every reason, and the other rows are taken

What happens to a file: it is imported whole or not at all. One that is not CSV in UTF-8 with a header, that has a row \
with more or fewer fields than the header, a quote that is never closed, or that lacks a mapped column changes nothing.

The fields: name, trading_names and email_domains (several of them, with semicolons between), website, sector, \
sub_sector, company_number, address, founded, time_zone (such as Europe/London, which it is without one), source_key; and \
each field that administrators defined, by its name with \"field: \" before it. Those that are required need a column.

The source key tells whether a row is known. Without such a column the company number does, or else the name. Rows that \
are likely the same organisation are created and told as likely duplicates; what comes through a pipe, or has more than \
200,000 new ones, is compared afterwards, by the worker.")]
    Organisations(ImportArgs),
    /// Contacts of organisations that are there already, from a CSV file.
    #[command(after_long_help = "\
A file, and its rows, are taken as those of organisations are. A contact is known by their address at their organisation, or \
without one by their name; who is known is left as they are.

The fields: organisation (its name), organisation_id or organisation_key (what it was imported by), of which one is needed; \
name, job_title, email, telephone, state (ACTIVE, INACTIVE), subscriber_type (GENERAL, RECRUITMENT, \
PLACEMENTS, EVENTS, PARTNERSHIP), visible_to_students, bulk_opted_out, do_not_email and on_hold \
(yes or no; no when nothing is said).

Contacts who have the address of a contact of another organisation, or the name of another one of their own, are created and \
told as likely duplicates.")]
    Contacts(ImportArgs),
    /// Notes on organisations that are there already, from a CSV file.
    #[command(after_long_help = "\
A file, and its rows, are taken as those of organisations are. A note is known by its organisation, its time and its words.

The fields: organisation (its name), organisation_id or organisation_key, of which one is needed; contact (address or name), \
kind (MEETING, CALL, EMAIL, VISIT, EVENT, OTHER), happened_at, body, outcome, next_action, next_action_due_at, author (the \
address of a member of staff). Times are those of the university unless they say their zone; of a day, noon is meant.

Nobody is told of what happened long ago. Who wrote a note is reminded of what is still to be done.")]
    Notes(NotesArgs),
}

/// Which file is imported, and how.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// The CSV file: UTF-8, commas, a header.
    pub file: PathBuf,

    /// Which column a field is read from, as FIELD=COLUMN; may be repeated. Columns with well-known names need none.
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    pub map: Vec<Mapped>,

    /// Report what would happen, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Which file of notes is imported, and how.
#[derive(Clone, Debug, Args)]
pub struct NotesArgs {
    /// The file.
    #[command(flatten)]
    pub import: ImportArgs,

    /// The address of whoever wrote the notes that don't say it.
    #[arg(long, value_name = "ADDRESS")]
    pub author: Option<String>,
}

/// Why a file was not imported. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be opened.
    #[error("{} can't be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can't be read, or the database failed.
    #[error("{}: nothing was imported: {source}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<table::ImportError>,
    },
}

/// Imports a file, and prints what became of its rows.
pub async fn run(command: ImportCommand, store: &Store) -> Result<(), CommandError> {
    let told = match command {
        ImportCommand::Organisations(args) => told(organisations(&args, store).await),
        ImportCommand::Contacts(args) => told(contacts(&args, store).await),
        ImportCommand::Notes(args) => told(notes(&args, store).await),
    };
    if let Some(megabytes) = most_memory() {
        eprintln!("It took {megabytes} MB of memory at most.");
    }
    println!("{}", told.map_err(CommandError::Told)?);
    Ok(())
}

fn told<D: Line>(report: Result<Report<D>, ImportError>) -> Result<String, String> {
    report
        .map(|report| report.to_string())
        .map_err(|error| error.to_string())
}

/// Imports a file of organisations.
pub async fn organisations(args: &ImportArgs, store: &Store) -> Result<Report<Pair>, ImportError> {
    // What comes through a pipe is read once, and compared afterwards.
    if !args.file.is_file() {
        return self::import(args, store, Organisations::default()).await;
    }
    let (bar, file) = open(args)?;
    bar.set_message("looking for likely duplicates");
    let (db, now) = (store.reader(), store.now());
    let import = Organisations::default()
        .foreseeing(db, now, &Viewer::system(), file)
        .await
        .map_err(|source| refused(args, source))?;
    bar.finish_and_clear();
    self::import(args, store, import).await
}

/// Imports a file of contacts.
pub async fn contacts(args: &ImportArgs, store: &Store) -> Result<Report<Alike>, ImportError> {
    import(args, store, import::Contacts::by(Viewer::system())).await
}

/// Imports a file of notes.
pub async fn notes(args: &NotesArgs, store: &Store) -> Result<Report<Never>, ImportError> {
    let notes = import::Notes::by(Viewer::system(), args.author.clone());
    import(&args.import, store, notes).await
}

async fn import<I: Import>(
    args: &ImportArgs,
    store: &Store,
    import: I,
) -> Result<Report<I::Duplicate>, ImportError> {
    let (bar, file) = open(args)?;
    let failed = |error: domain::Error| refused(args, error.into());
    let mut tx = store.begin().await.map_err(failed)?;
    let imported = table::import(&mut tx, &Viewer::system(), file, import, |_| {})
        .await
        .map_err(|source| refused(args, source))?;
    if !args.dry_run {
        tx.commit().await.map_err(failed)?;
    }
    bar.finish_and_clear();
    Ok(Report {
        outcome: imported.outcome,
        ignored: imported.ignored,
        dry_run: args.dry_run,
    })
}

fn refused(args: &ImportArgs, source: table::ImportError) -> ImportError {
    ImportError::Refused {
        path: args.file.clone(),
        source: Box::new(source),
    }
}

/// The file, and a bar that moves as it is read. The bar is drawn on a terminal only.
fn open(
    args: &ImportArgs,
) -> Result<(ProgressBar, table::File<'_, impl Read + use<>>), ImportError> {
    let path = args.file.as_path();
    let unreadable = |source| ImportError::Open {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let bar = ProgressBar::new(file.metadata().map_err(unreadable)?.len());
    if let Ok(style) =
        ProgressStyle::with_template("{bar:40} {percent:>3}% of {total_bytes}  {msg} {eta}")
    {
        bar.set_style(style);
    }
    let content = bar.wrap_read(BufReader::new(file));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = table::File {
        name,
        content,
        mapped: &args.map,
    };
    Ok((bar, file))
}

/// The most memory that this process has had, in megabytes, where Linux counts it.
fn most_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024)
}
