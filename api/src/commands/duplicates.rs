//! `mycareer duplicates`: which organisations, and which contacts, are likely the same.

use std::{fmt::Display, io, path::PathBuf, time::Instant};

use clap::{Args, Subcommand, ValueEnum};
use domain::{
    Store, Viewer,
    contact::duplicates as contacts,
    duplicate::{
        self, Employer, Kind, Record,
        kept::{self, Search, Subject, Table},
    },
    organisation::duplicates as organisations,
    page::Page,
};

use super::{CommandError, output::Output};

/// Find records that are likely the same.
#[derive(Debug, Subcommand)]
pub enum Duplicates {
    /// Look for them among all records, and keep what is found.
    Scan(ScanArgs),
    /// Write the pairs that were found as CSV: the two ids, and how likely they are the same.
    Export(ExportArgs),
    /// Look for them in a CSV file, which is not imported; writes the ids of its rows and how likely they are the same.
    File(Box<FileArgs>),
}

/// What the records are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Of {
    /// Organisations.
    Organisations,
    /// Contacts: the people at organisations.
    Contacts,
}

/// What is looked at.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Which records.
    #[arg(long, value_enum, default_value = "organisations")]
    of: Of,
}

/// Where the pairs go.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Of which records.
    #[arg(long, value_enum, default_value = "organisations")]
    of: Of,
    /// The file to write; without it they are printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Which file is looked at, and which columns are what. Columns with well-known names need none of it.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The CSV file: UTF-8, commas, a header.
    file: PathBuf,
    /// What its rows are.
    #[arg(long, value_enum, default_value = "organisations")]
    of: Of,
    /// The column that tells rows apart; without one they are numbered from 1.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// The column of the name.
    #[arg(long, value_name = "COLUMN")]
    name: Option<String>,
    /// The column of the address.
    #[arg(long, value_name = "COLUMN")]
    address: Option<String>,
    /// The column of the postcode.
    #[arg(long, value_name = "COLUMN")]
    postcode: Option<String>,
    /// The column of the telephone number.
    #[arg(long, value_name = "COLUMN")]
    telephone: Option<String>,
    /// The column of the web site or mail domain.
    #[arg(long, value_name = "COLUMN")]
    domain: Option<String>,
    /// The column of the company number.
    #[arg(long, value_name = "COLUMN")]
    number: Option<String>,
    /// The column of a contact's e-mail address.
    #[arg(long, value_name = "COLUMN")]
    email: Option<String>,
    /// The column of a contact's organisation.
    #[arg(long, value_name = "COLUMN")]
    organisation: Option<String>,
    /// The column of a contact's job title.
    #[arg(long, value_name = "COLUMN")]
    job_title: Option<String>,
    /// The file to write; without it the pairs are printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How many pairs are read at once.
const CHUNK: u64 = 1_000;

/// Looks for duplicates among the records of the database, or writes down which were found.
pub async fn run(command: Duplicates, store: &Store) -> Result<(), CommandError> {
    match command {
        Duplicates::Scan(args) => match args.of {
            Of::Organisations => scan::<organisations::Candidate>(store).await,
            Of::Contacts => scan::<contacts::Candidate>(store).await,
        },
        Duplicates::Export(args) => match args.of {
            Of::Organisations => export::<organisations::Candidate>(args, store).await,
            Of::Contacts => export::<contacts::Candidate>(args, store).await,
        },
        Duplicates::File(args) => file(&args),
    }
}

async fn scan<S: Subject>(store: &Store) -> Result<(), CommandError> {
    let begun = Instant::now();
    let search = Search::<S>::among_all(store.reader(), store.now()).await?;
    let mut tx = store.begin().await?;
    let pairs = search.keep(&mut tx).await?;
    tx.commit().await?;
    let (records, compared) = search.extent();
    println!(
        "{records} {}, {compared} pairs compared, {pairs} likely the same ({:.1} s).",
        S::PLURAL,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

async fn export<S: Subject>(args: ExportArgs, store: &Store) -> Result<(), CommandError>
where
    S::Id: Display,
{
    let mut out = writer(args.out)?;
    write_row(&mut out, ["one", "other", "score"])?;
    let mut page = Page::first(CHUNK);
    let system = Viewer::system();
    loop {
        let slice = kept::list::<S>(store.reader(), &system, store.now(), &page).await?;
        for pair in &slice.rows {
            let told = S::Table::told(pair);
            let (one, other) = (told.one.to_string(), told.other.to_string());
            write_row(&mut out, [one, other, format!("{:.6}", told.score())])?;
        }
        page.after = slice.rows.last().map(kept::key::<S>);
        if !slice.has_next {
            break;
        }
    }
    finish(out)
}

/// Looks for duplicates in a file alone. Needs no database.
pub fn file(args: &FileArgs) -> Result<(), CommandError> {
    let (ids, records) = read(args)?;
    let begun = Instant::now();
    let kind = match args.of {
        Of::Organisations => Kind::Organisation,
        Of::Contacts => Kind::Person,
    };
    let findings = duplicate::find(kind, &records);
    let mut out = writer(args.out.clone())?;
    write_row(&mut out, ["one", "other", "score"])?;
    for found in &findings.matches {
        let (Some(one), Some(other)) = (ids.get(found.one), ids.get(found.other)) else {
            continue;
        };
        write_row(
            &mut out,
            [one.clone(), other.clone(), format!("{:.6}", found.score)],
        )?;
    }
    finish(out)?;
    eprintln!(
        "{} rows, {} pairs compared, {} likely the same ({:.1} s).",
        records.len(),
        findings.compared,
        findings.matches.len(),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn read(args: &FileArgs) -> Result<(Vec<String>, Vec<Record>), CommandError> {
    let told = |error: csv::Error| CommandError::Told(format!("{}: {error}", args.file.display()));
    let mut rows = csv::Reader::from_path(&args.file).map_err(told)?;
    let header = rows.headers().map_err(told)?.clone();
    let column = |given: &Option<String>, known: &[&str]| -> Result<Option<usize>, CommandError> {
        let plain = |name: &str| -> String {
            name.chars()
                .filter(|c| c.is_alphanumeric())
                .flat_map(char::to_lowercase)
                .collect()
        };
        match given {
            Some(name) => header
                .iter()
                .position(|column| column == name)
                .map(Some)
                .ok_or_else(|| CommandError::Told(format!("there is no column {name:?}"))),
            None => Ok(known
                .iter()
                .find_map(|known| header.iter().position(|column| plain(column) == *known))),
        }
    };
    let id = column(&args.id, &["id", "key", "sourcekey"])?;
    let employers = ["organisation", "organization", "company", "employer"];
    let of_contacts = args.of == Of::Contacts;
    let names: &[&str] = if of_contacts {
        &["name", "fullname", "contact", "contactname"]
    } else {
        &[
            "name",
            "sitename",
            "organisation",
            "organization",
            "company",
        ]
    };
    let name = column(&args.name, names)?.ok_or_else(|| {
        CommandError::Told("no column is known to hold the name: --name COLUMN".to_owned())
    })?;
    let address = column(&args.address, &["address", "street", "addr"])?;
    let postcode = column(
        &args.postcode,
        &["postcode", "zip", "zipcode", "postalcode"],
    )?;
    let telephone = column(&args.telephone, &["telephone", "phone", "tel"])?;
    let domain = column(&args.domain, &["domain", "website", "emaildomain"])?;
    let number = column(&args.number, &["companynumber", "registrationnumber"])?;
    let email = column(&args.email, &["email", "emailaddress", "mail"])?;
    let organisation = column(&args.organisation, &employers)?.filter(|_| of_contacts);
    let job_title = column(&args.job_title, &["jobtitle", "title", "position"])?;

    let (mut ids, mut records) = (Vec::new(), Vec::new());
    for (nth, row) in (1_u32..).zip(rows.records()) {
        let row = row.map_err(told)?;
        let get = |column: Option<usize>| -> Option<String> {
            let given = row.get(column?)?.trim();
            (!given.is_empty()).then(|| given.to_owned())
        };
        ids.push(get(id).unwrap_or_else(|| nth.to_string()));
        records.push(Record {
            name: get(Some(name)).unwrap_or_default(),
            address: get(address),
            postcode: get(postcode),
            telephones: get(telephone).into_iter().collect(),
            domains: get(domain).into_iter().collect(),
            number: get(number),
            emails: get(email).into_iter().collect(),
            employer: get(organisation).map(|name| Employer {
                name,
                ..Employer::default()
            }),
            job_title: get(job_title),
            id: u128::from(nth),
            ..Record::default()
        });
    }
    Ok((ids, records))
}

type Out = csv::Writer<Output>;

fn writer(file: Option<PathBuf>) -> Result<Out, CommandError> {
    let out = Output::to(file).map_err(unwritable)?;
    Ok(csv::Writer::from_writer(out))
}

fn finish(out: Out) -> Result<(), CommandError> {
    let out = out
        .into_inner()
        .map_err(|error| unwritable(error.into_error()))?;
    out.finish().map_err(unwritable)
}

fn write_row<const N: usize>(
    out: &mut Out,
    row: [impl AsRef<[u8]>; N],
) -> Result<(), CommandError> {
    out.write_record(row)
        .map_err(|error| CommandError::Told(format!("the pairs can't be written: {error}")))
}

fn unwritable(source: io::Error) -> CommandError {
    CommandError::Io {
        what: "the pairs can't be written".to_owned(),
        source,
    }
}
