//! Which column of a file is which field of a record.

#[cfg(test)]
mod tests;

use std::str::FromStr;

use csv::StringRecord;
use entity::ids::ProfileFieldId;
use serde::{Deserialize, Serialize};

use super::field::{Defined, Field, PlaceField, plain};
use crate::{import::Where, profile_field::Given, spreadsheet};

/// How a field that administrators defined and a name fit.
type Fit = fn(&Defined, &str) -> bool;

/// What is exactly the name of one field. What says that it is a field goes before what doesn't.
const EXACTLY: [Fit; 2] = [Defined::is_called, Defined::is_named];

/// What is so but for spaces and signs, and may be the name of several.
const NEARLY: [Fit; 2] = [Defined::is_nearly_called, Defined::is_nearly_named];

/// The names of all fields on the command line.
fn names<F: Field>(defined: &[Defined]) -> String {
    let names: Vec<String> = F::all()
        .iter()
        .map(|(_, name, _)| (*name).to_owned())
        .chain(defined.iter().map(|own| Defined::column_of(&own.name)))
        .collect();
    names.join(", ")
}

/// One `FIELD=COLUMN` of the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped {
    /// The name of the field.
    pub field: String,
    /// The header of the column.
    pub column: String,
}

impl FromStr for Mapped {
    type Err = MappingError;

    fn from_str(given: &str) -> Result<Self, MappingError> {
        let (field, column) = given
            .split_once('=')
            .ok_or_else(|| MappingError::NotAMapping(given.to_owned()))?;
        Ok(Self {
            field: field.trim().to_owned(),
            column: column.trim().to_owned(),
        })
    }
}

/// Why the columns of a file can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// A mapping has no equals sign.
    #[error("{0:?} is not a mapping; one looks like name=Company")]
    NotAMapping(String),
    /// A mapping is for a field that there is not.
    #[error("there is no field {field:?}; the fields are {fields}")]
    NoSuchField {
        /// What was given.
        field: String,
        /// Those that there are.
        fields: String,
    },
    /// A mapping is for what is nearly the name of several fields, and exactly that of none.
    #[error("{field:?} may be any of {fields}; write the name of the field exactly")]
    UnclearField {
        /// What was given.
        field: String,
        /// Those that it may be.
        fields: String,
    },
    /// Two mappings are for one field.
    #[error("the field {0} is mapped twice")]
    MappedTwice(String),
    /// The file has no header.
    #[error("the file is empty: its first line must name the columns")]
    NoHeader,
    /// A mapped column isn't there.
    #[error("the file has no column {column:?}; its columns are {columns}")]
    NoSuchColumn {
        /// The column.
        column: String,
        /// Those that there are.
        columns: String,
    },
    /// A column is there twice.
    #[error("the file has two columns {0:?}")]
    TwoColumns(String),
    /// A column has nearly the name of several fields, and exactly that of none.
    #[error(
        "the column {column:?} may be any of {fields}; name it exactly as one of them, or say in the mapping which field it is"
    )]
    UnclearColumn {
        /// The column.
        column: String,
        /// Those that it may be.
        fields: String,
    },
    /// No column holds what every record needs.
    #[error(
        "no column is known to hold the {field}; say which with --map {field}=COLUMN. The columns are {columns}"
    )]
    NeedsField {
        /// What it needs.
        field: String,
        /// The columns that there are.
        columns: String,
    },
}

/// What a column is read into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target<F> {
    /// A field that every record has.
    Own(F),
    /// One that administrators defined.
    Defined(ProfileFieldId),
}

/// Which column each field is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping<F> {
    /// The fields that have a column, with its place in the row.
    columns: Vec<(Target<F>, usize)>,
    /// The columns that are no field's.
    ignored: Vec<String>,
}

impl<F: Field> Mapping<F> {
    /// The mapping for a file with this header: what was given, then columns with well-known names, then those that have the names
    /// of fields that administrators defined.
    pub fn of(
        header: &StringRecord,
        given: &[Mapped],
        defined: &[Defined],
    ) -> Result<Self, MappingError> {
        if header.iter().all(|column| column.trim().is_empty()) {
            return Err(MappingError::NoHeader);
        }
        let mut mapping = Self {
            columns: Vec::new(),
            ignored: Vec::new(),
        };
        for mapped in given {
            let field = named::<F>(&mapped.field, defined)?;
            if mapping.has(field) {
                return Err(MappingError::MappedTwice(mapped.field.clone()));
            }
            let at = place(header, &mapped.column)?;
            mapping.columns.push((field, at));
        }
        for (field, _, known) in F::all() {
            mapping.find(Target::Own(field), header, |column| {
                known.contains(&plain(column).as_str())
            });
        }
        mapping.find_defined(header, defined)?;
        if let Some(field) = mapping.lacks(defined) {
            return Err(MappingError::NeedsField {
                field,
                columns: list(header),
            });
        }
        mapping.ignored = header
            .iter()
            .enumerate()
            .filter(|(at, _)| mapping.is_free(*at))
            .map(|(_, column)| column.to_owned())
            .collect();
        Ok(mapping)
    }

    fn has(&self, field: Target<F>) -> bool {
        self.columns.iter().any(|(mapped, _)| *mapped == field)
    }

    fn is_free(&self, at: usize) -> bool {
        self.columns.iter().all(|(_, taken)| *taken != at)
    }

    /// Reads the field from the first column that is its own and no other field's, unless it has one.
    fn find(&mut self, field: Target<F>, header: &StringRecord, is_its_own: impl Fn(&str) -> bool) {
        if self.has(field) {
            return;
        }
        let found = header
            .iter()
            .enumerate()
            .find(|(at, column)| is_its_own(column) && self.is_free(*at))
            .map(|(at, _)| at);
        self.columns.extend(found.map(|at| (field, at)));
    }

    /// Reads the fields that administrators defined from the columns that have exactly their names, then from those that have
    /// nearly their names. A column that has exactly the name of a field is no other's.
    fn find_defined(
        &mut self,
        header: &StringRecord,
        defined: &[Defined],
    ) -> Result<(), MappingError> {
        for fits in EXACTLY {
            for own in defined {
                self.find(Target::Defined(own.id), header, |column| fits(own, column));
            }
        }
        for (at, column) in header.iter().enumerate() {
            let meant = nearly(column, defined);
            let is_sought = |own: &&Defined| !self.has(Target::Defined(own.id));
            if meant.len() > 1
                && self.is_free(at)
                && exactly(column, defined).is_none()
                && meant.iter().any(is_sought)
            {
                return Err(MappingError::UnclearColumn {
                    column: column.to_owned(),
                    fields: columns_of(&meant),
                });
            }
        }
        for fits in NEARLY {
            for own in defined {
                self.find(Target::Defined(own.id), header, |column| {
                    fits(own, column) && exactly(column, defined).is_none()
                });
            }
        }
        Ok(())
    }

    /// The name of a field that every record needs and that has no column.
    fn lacks(&self, defined: &[Defined]) -> Option<String> {
        let is_there = |field: &F| self.has(Target::Own(*field));
        let places: Vec<F> = [PlaceField::Name, PlaceField::Id, PlaceField::Key]
            .into_iter()
            .filter_map(F::place)
            .collect();
        let place = places.first().filter(|_| !places.iter().any(is_there));
        let own = F::NEEDED.iter().find(|field| !is_there(field));
        place
            .or(own)
            .map(|field| field.name().to_owned())
            .or_else(|| {
                defined
                    .iter()
                    .find(|own| own.is_required && !self.has(Target::Defined(own.id)))
                    .map(|own| Defined::column_of(&own.name))
            })
    }

    /// The columns that are no field's, and so are not read.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// What a row says in the column of a field, if there is one.
    #[must_use]
    pub fn text(&self, row: &StringRecord, field: F) -> Option<String> {
        self.columns
            .iter()
            .find(|(mapped, _)| *mapped == Target::Own(field))
            .and_then(|(_, at)| row.get(*at))
            .map(|cell| spreadsheet::read(cell).to_owned())
    }

    /// The same, when it says anything.
    #[must_use]
    pub fn filled(&self, row: &StringRecord, field: F) -> Option<String> {
        self.text(row, field)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    /// What it says of the fields that administrators defined and that have a column.
    #[must_use]
    pub fn given(&self, row: &StringRecord) -> Vec<Given> {
        self.columns
            .iter()
            .filter_map(|(mapped, at)| match mapped {
                Target::Own(_) => None,
                Target::Defined(id) => Some(Given {
                    profile_field_id: *id,
                    value: row.get(*at).map(|cell| spreadsheet::read(cell).to_owned()),
                }),
            })
            .collect()
    }

    /// Which organisation a row is about.
    #[must_use]
    pub fn place(&self, row: &StringRecord) -> Where {
        let filled = |field| self.filled(row, F::place(field)?);
        Where {
            id: filled(PlaceField::Id),
            key: filled(PlaceField::Key),
            name: filled(PlaceField::Name),
        }
    }

    /// What it says there, with semicolons between them.
    #[must_use]
    pub fn several(&self, row: &StringRecord, field: F) -> Vec<String> {
        let text = self.text(row, field).unwrap_or_default();
        text.split(';')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// The field of this name: one that every record has, or else one that administrators defined.
fn named<F: Field>(given: &str, defined: &[Defined]) -> Result<Target<F>, MappingError> {
    let own = F::all().into_iter().find(|(_, name, _)| *name == given);
    if let Some((field, ..)) = own {
        return Ok(Target::Own(field));
    }
    if let Some(field) = exactly(given, defined) {
        return Ok(Target::Defined(field.id));
    }
    let meant = nearly(given, defined);
    match meant.as_slice() {
        [] => Err(MappingError::NoSuchField {
            field: given.to_owned(),
            fields: names::<F>(defined),
        }),
        [field] => Ok(Target::Defined(field.id)),
        several => Err(MappingError::UnclearField {
            field: given.to_owned(),
            fields: columns_of(several),
        }),
    }
}

/// The field that administrators defined and that has exactly this name.
fn exactly<'a>(given: &str, defined: &'a [Defined]) -> Option<&'a Defined> {
    EXACTLY
        .iter()
        .find_map(|fits| defined.iter().find(|own| fits(own, given)))
}

/// The fields that administrators defined and that have nearly this name.
fn nearly<'a>(given: &str, defined: &'a [Defined]) -> Vec<&'a Defined> {
    defined
        .iter()
        .filter(|own| NEARLY.iter().any(|fits| fits(own, given)))
        .collect()
}

/// What files call these fields.
fn columns_of(fields: &[&Defined]) -> String {
    let columns: Vec<String> = fields
        .iter()
        .map(|own| format!("{:?}", Defined::column_of(&own.name)))
        .collect();
    columns.join(", ")
}

fn place(header: &StringRecord, column: &str) -> Result<usize, MappingError> {
    let mut places = header
        .iter()
        .enumerate()
        .filter(|(_, name)| name.trim() == column)
        .map(|(at, _)| at);
    let at = places.next().ok_or_else(|| MappingError::NoSuchColumn {
        column: column.to_owned(),
        columns: list(header),
    })?;
    match places.next() {
        Some(_) => Err(MappingError::TwoColumns(column.to_owned())),
        None => Ok(at),
    }
}

fn list(header: &StringRecord) -> String {
    let names: Vec<String> = header.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}
