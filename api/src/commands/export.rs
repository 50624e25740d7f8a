//! `mycareer export`: records as CSV. Whoever has the machine has the database, so nothing is left out; the log says that it
//! was written.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use domain::{
    Store, Viewer,
    export::{self, Kind},
};
use indicatif::ProgressBar;

use super::{CommandError, output::Output};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Organisations.
    Organisations,
    /// Contacts, with whether they may be sent mail.
    Contacts,
    /// Notes.
    Notes,
}

/// What is written, and where to.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// What to write.
    pub what: What,
    /// The file to write; without it the rows are printed.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Writes records to a file, a few hundred rows at a time.
pub async fn run(args: &ExportArgs, store: &Store) -> Result<(), CommandError> {
    let kind = match args.what {
        What::Organisations => Kind::Organisations,
        What::Contacts => Kind::Contacts,
        What::Notes => Kind::Notes,
    };
    let unwritable = |source: io::Error| CommandError::Io {
        what: args
            .out
            .as_ref()
            .map_or_else(|| "the rows".to_owned(), |out| out.display().to_string()),
        source,
    };
    let mut out = Output::to(args.out.clone()).map_err(unwritable)?;
    let viewer = Viewer::system();
    let mut tx = store.begin().await?;
    let begun = export::begin(&mut tx, &viewer, kind).await?;
    tx.commit().await?;
    let bar = ProgressBar::new(begun.extent.rows);
    out.write_all(export::head(&begun)?.as_bytes())
        .map_err(unwritable)?;
    let mut after = None;
    while let Some((lines, last)) =
        export::next(store.reader(), &viewer, store.now(), &begun, after).await?
    {
        out.write_all(lines.as_bytes()).map_err(unwritable)?;
        bar.inc(export::CHUNK);
        after = Some(last);
    }
    out.finish().map_err(unwritable)?;
    bar.finish_and_clear();
    eprintln!("{} {} were written.", begun.extent.rows, kind.name());
    Ok(())
}
