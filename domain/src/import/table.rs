//! Files of records: CSV in UTF-8 with a header, read a few hundred rows at a time. Memory doesn't grow with the rows of a file.

pub mod contacts;
mod field;
mod mapping;
pub mod notes;
pub mod organisations;
mod plain;

use std::{
    borrow::Cow,
    io::{self, Read},
};

use csv::{ByteRecord, StringRecord};

use self::plain::Plain;
pub use self::{
    field::{Defined, Field, PlaceField},
    mapping::{Mapped, Mapping, MappingError},
};
use super::{CHUNK, Import, Outcome, RefusedRow, Row};
use crate::{error::Error, store::Tx, viewer::Viewer};

/// Why a file was not imported. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be read as a table.
    #[error("it is not a table in CSV and UTF-8: {0}")]
    Malformed(#[from] csv::Error),
    /// Something in it is not text.
    #[error(
        "line {line}, column {column:?}: invalid utf-8. Save the file as CSV in UTF-8, and import it again"
    )]
    Encoding {
        /// The line.
        line: u64,
        /// The header of the column, or its number where there is none.
        column: String,
    },
    /// A row has more or fewer cells than there are columns.
    #[error(
        "line {line} has {has} cells, and the header has {needs}: put quotes around what has commas or lines in it"
    )]
    Ragged {
        /// The line that it begins on.
        line: u64,
        /// How many cells it has.
        has: usize,
        /// How many it needs.
        needs: usize,
    },
    /// A cell begins with a quote, and none ends it.
    #[error("a quote is opened and never closed")]
    OpenQuote,
    /// Its columns aren't those that are needed.
    #[error(transparent)]
    Columns(#[from] MappingError),
    /// The database refused or failed.
    #[error(transparent)]
    Domain(#[from] Error),
}

/// A file, and how it is read.
#[derive(Debug)]
pub struct File<'a, R> {
    /// Its name, for the audit log.
    pub name: Cow<'a, str>,
    /// What is in it.
    pub content: R,
    /// Which columns are which fields, where their names don't say it.
    pub mapped: &'a [Mapped],
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported<D> {
    /// What was done.
    pub outcome: Outcome<D>,
    /// The columns that were not read.
    pub ignored: Vec<String>,
}

/// Imports a file. Leaving the transaction without a commit makes a dry run of it. `tell` is told how many rows were read so
/// far.
pub async fn import<I: Import, R: Read + Send>(
    tx: &mut Tx,
    viewer: &Viewer,
    file: File<'_, R>,
    mut import: I,
    mut tell: impl FnMut(u64) + Send,
) -> Result<Imported<I::Duplicate>, ImportError> {
    // Two at once would lock the organisations of their files in different orders.
    tx.hold("import").await?;
    tx.plan_each_anew().await?;
    let name = file.name.clone();
    let defined = import.defined(tx, viewer).await?;
    let mut reading = Reading::<I, R>::of(file, &defined)?;
    while let Some(chunk) = reading.next()? {
        for refused in chunk.refused {
            import.refuse(refused);
        }
        import.add(tx, chunk.rows).await?;
        tell(reading.read);
    }
    let outcome = import.finish(tx, viewer, &name).await?;
    Ok(Imported {
        outcome,
        ignored: reading.mapping.ignored().to_vec(),
    })
}

/// A file that is being read, some rows at a time.
pub(crate) struct Reading<I: Import, R> {
    rows: Rows<R>,
    mapping: Mapping<I::Field>,
    /// How many rows were read so far.
    read: u64,
}

/// Some rows of a file.
pub(crate) struct Chunk<S> {
    /// What those say that are understood.
    pub rows: Vec<Row<S>>,
    /// Those that are not.
    pub refused: Vec<RefusedRow>,
}

impl<I: Import, R: Read> Reading<I, R> {
    pub(crate) fn of(file: File<'_, R>, defined: &[Defined]) -> Result<Self, ImportError> {
        let rows = Rows::of(file.content)?;
        let mapping = Mapping::of(&rows.header, file.mapped, defined)?;
        Ok(Self {
            rows,
            mapping,
            read: 0,
        })
    }

    /// The next [`CHUNK`] rows, or what is left of them; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk<I::Says>>, ImportError> {
        let mut chunk = Chunk {
            rows: Vec::with_capacity(CHUNK),
            refused: Vec::new(),
        };
        while chunk.rows.len() + chunk.refused.len() < CHUNK {
            let Some((line, row)) = self.rows.next()? else {
                break;
            };
            self.read += 1;
            match I::read(&self.mapping, &row) {
                Ok(says) => chunk.rows.push(Row { line, says }),
                Err(reasons) => chunk.refused.push(RefusedRow { line, reasons }),
            }
        }
        let is_over = chunk.rows.is_empty() && chunk.refused.is_empty();
        Ok((!is_over).then_some(chunk))
    }
}

/// Whether the columns of a file fit, and how many rows it has, as far as it can be read.
pub fn look<F: Field>(
    content: &[u8],
    mapped: &[Mapped],
    defined: &[Defined],
) -> Result<u64, ImportError> {
    let mut rows = Rows::of(content)?;
    Mapping::<F>::of(&rows.header, mapped, defined)?;
    let mut count = 0;
    while let Ok(Some(_)) = rows.next() {
        count += 1;
    }
    Ok(count)
}

/// The rows of a file.
struct Rows<R> {
    header: StringRecord,
    reader: csv::Reader<Plain<R>>,
}

impl<R: Read> Rows<R> {
    fn of(content: R) -> Result<Self, ImportError> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(Plain::new(content));
        let header = reader.byte_headers()?.clone();
        let header = StringRecord::from_byte_record(header).map_err(|error| {
            let field = error.utf8_error().field();
            ImportError::Encoding {
                line: 1,
                column: (field + 1).to_string(),
            }
        })?;
        Ok(Self { header, reader })
    }

    /// The next row, and the line that it begins on.
    fn next(&mut self) -> Result<Option<(u64, StringRecord)>, ImportError> {
        let mut record = ByteRecord::new();
        if !self.reader.read_byte_record(&mut record)? {
            return if self.reader.get_ref().has_open_quote() {
                Err(ImportError::OpenQuote)
            } else {
                Ok(None)
            };
        }
        // The reader counts from the end of the row before, and lines that are empty belong to neither.
        let lines = record.as_slice().split(|byte| *byte == b'\n').count() as u64;
        let line = self.reader.position().line().saturating_sub(lines);
        if record.len() != self.header.len() {
            return Err(ImportError::Ragged {
                line,
                has: record.len(),
                needs: self.header.len(),
            });
        }
        let wrong = |field| ImportError::Encoding {
            line,
            column: self.header.get(field).unwrap_or_default().to_owned(),
        };
        // No text has a zero byte; what was written in UTF-16 has many.
        if let Some(field) = record.iter().position(|cell| cell.contains(&0)) {
            return Err(wrong(field));
        }
        let row = StringRecord::from_byte_record(record)
            .map_err(|error| wrong(error.utf8_error().field()))?;
        Ok(Some((line, row)))
    }
}

impl From<io::Error> for ImportError {
    fn from(error: io::Error) -> Self {
        Self::Malformed(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(content: &str) -> Vec<(u64, String)> {
        let mut rows = Rows::of(content.as_bytes()).unwrap();
        let mut all = Vec::new();
        while let Some((line, row)) = rows.next().unwrap() {
            all.push((line, row[0].to_owned()));
        }
        all
    }

    #[test]
    fn a_row_stands_on_its_line_whatever_ends_the_lines() {
        let content = "name,city\nA,x\n\"B\nb\",x\n\n\nC,x\nD,x";
        let expected: Vec<(u64, String)> = [(2, "A"), (3, "B\nb"), (7, "C"), (8, "D")]
            .map(|(line, name)| (line, name.to_owned()))
            .into();
        for end in ["\n", "\r\n", "\r"] {
            for last in ["", end] {
                let content = content.replace('\n', end) + last;
                assert_eq!(lines(&content), expected, "{content:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line() {
        for (content, told) in [
            (
                &b"name,city\r\nA,x\r\nB\r\n"[..],
                "line 3 has 1 cells, and the header has 2",
            ),
            (
                b"name,city\nA,x\nB,\xff\n",
                "line 3, column \"city\": invalid utf-8",
            ),
            (b"\xff\xfen\0a\0\n", "line 1, column \"1\": invalid utf-8"),
            (
                b"name,city\nA\0,x\n",
                "line 2, column \"name\": invalid utf-8",
            ),
            (
                b"name,city\nA,\"x\nB,x\n",
                "a quote is opened and never closed",
            ),
        ] {
            let read = || -> Result<(), ImportError> {
                let mut rows = Rows::of(content)?;
                while rows.next()?.is_some() {}
                Ok(())
            };
            let error = read().unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
