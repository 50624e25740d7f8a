//! Which column of a file is which field of a record.

use std::str::FromStr;

use csv::StringRecord;
use serde::{Deserialize, Serialize};

use crate::{import::Where, spreadsheet};

/// A field with its name on the command line and the headers that are taken for it, in small letters and without spaces.
pub type Known<F> = (F, &'static str, &'static [&'static str]);

/// A field that can be read from a column.
pub trait Field: Copy + PartialEq + Send + Sync + 'static {
    /// The fields of this kind of record alone.
    const OWN: &'static [Known<Self>];

    /// Those of which every record needs a column.
    const NEEDED: &'static [Self];

    /// The field that names the organisation which a record is about; none where records are organisations themselves.
    #[must_use]
    fn place(_: PlaceField) -> Option<Self> {
        None
    }

    /// Every field.
    #[must_use]
    fn all() -> Vec<Known<Self>> {
        PLACE
            .iter()
            .filter_map(|(field, name, known)| Some((Self::place(*field)?, *name, *known)))
            .chain(Self::OWN.iter().copied())
            .collect()
    }

    /// Its name on the command line.
    #[must_use]
    fn name(self) -> &'static str {
        Self::all()
            .iter()
            .find(|(field, ..)| *field == self)
            .map_or("", |(_, name, _)| name)
    }
}

/// A field that names the organisation which a record is about. One of them is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceField {
    /// Its name.
    Name,
    /// Its id.
    Id,
    /// What it was known by in the file that it was imported from.
    Key,
}

const PLACE: &[Known<PlaceField>] = &[
    (
        PlaceField::Name,
        "organisation",
        &["organisation", "organization", "company", "employer"],
    ),
    (PlaceField::Id, "organisation_id", &["organisationid"]),
    (PlaceField::Key, "organisation_key", &["organisationkey"]),
];

/// The names of all fields on the command line.
fn names<F: Field>() -> String {
    let names: Vec<&str> = F::all().iter().map(|(_, name, _)| *name).collect();
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
    /// Two mappings are for one field.
    #[error("the field {0} is mapped twice")]
    MappedTwice(&'static str),
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
    /// No column holds what every record needs.
    #[error(
        "no column is known to hold the {field}; say which with --map {field}=COLUMN. The columns are {columns}"
    )]
    NeedsField {
        /// What it needs.
        field: &'static str,
        /// The columns that there are.
        columns: String,
    },
}

/// Which column each field is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping<F> {
    /// The fields that have a column, with its place in the row.
    columns: Vec<(F, usize)>,
    /// The columns that are no field's.
    ignored: Vec<String>,
}

impl<F: Field> Mapping<F> {
    /// The mapping for a file with this header: what was given, then columns with well-known names.
    pub fn of(header: &StringRecord, given: &[Mapped]) -> Result<Self, MappingError> {
        if header.iter().all(|column| column.trim().is_empty()) {
            return Err(MappingError::NoHeader);
        }
        let mut columns: Vec<(F, usize)> = Vec::new();
        for mapped in given {
            let (field, name, _) = F::all()
                .into_iter()
                .find(|(_, name, _)| *name == mapped.field)
                .ok_or_else(|| MappingError::NoSuchField {
                    field: mapped.field.clone(),
                    fields: names::<F>(),
                })?;
            if columns.iter().any(|(taken, _)| *taken == field) {
                return Err(MappingError::MappedTwice(name));
            }
            columns.push((field, place(header, &mapped.column)?));
        }
        for (field, _, known) in F::all() {
            if columns.iter().any(|(mapped, _)| *mapped == field) {
                continue;
            }
            let found = header
                .iter()
                .enumerate()
                .find(|(at, column)| {
                    known.contains(&plain(column).as_str())
                        && columns.iter().all(|(_, taken)| taken != at)
                })
                .map(|(at, _)| at);
            columns.extend(found.map(|at| (field, at)));
        }
        let is_there = |field: &F| columns.iter().any(|(mapped, _)| mapped == field);
        let places: Vec<F> = [PlaceField::Name, PlaceField::Id, PlaceField::Key]
            .into_iter()
            .filter_map(F::place)
            .collect();
        let place = places.first().filter(|_| !places.iter().any(is_there));
        let own = F::NEEDED.iter().find(|field| !is_there(field));
        if let Some(field) = place.or(own) {
            return Err(MappingError::NeedsField {
                field: field.name(),
                columns: list(header),
            });
        }
        let ignored = header
            .iter()
            .enumerate()
            .filter(|(at, _)| columns.iter().all(|(_, taken)| taken != at))
            .map(|(_, column)| column.to_owned())
            .collect();
        Ok(Self { columns, ignored })
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
            .find(|(mapped, _)| *mapped == field)
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

/// A header in small letters, without spaces and signs.
fn plain(column: &str) -> String {
    column
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn list(header: &StringRecord) -> String {
    let names: Vec<String> = header.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{
        super::organisations::{OrganisationField, read},
        *,
    };

    fn of(
        header: &StringRecord,
        given: &[Mapped],
    ) -> Result<Mapping<OrganisationField>, MappingError> {
        Mapping::of(header, given)
    }

    fn header(columns: &[&str]) -> StringRecord {
        StringRecord::from(columns.to_vec())
    }

    #[test]
    fn well_known_columns_need_no_mapping() {
        let mapping = of(
            &header(&["Symbol", "Security", "GICS Sector", "Date added", "CIK"]),
            &[],
        )
        .unwrap();
        let row = header(&["MMM", "3M", "Industrials", "1957-03-04", "66740"]);
        let read = read(&mapping, &row);
        assert_eq!(read.source_key.as_deref(), Some("MMM"));
        assert_eq!(mapping.ignored(), ["Date added"]);
        let profile = read.profile;
        assert_eq!(profile.name, "3M");
        assert_eq!(profile.sector.as_deref(), Some("Industrials"));
        assert_eq!(profile.company_number.as_deref(), Some("66740"));
        assert_eq!(profile.address, None);
    }

    #[test]
    fn what_is_mapped_goes_before_what_is_known() {
        let given: Mapped = "name=Firm".parse().unwrap();
        let mapping = of(&header(&["Name", "Firm"]), &[given]).unwrap();
        assert_eq!(
            read(&mapping, &header(&["Ann", "Acme"])).profile.name,
            "Acme"
        );
    }

    #[test]
    fn several_values_stand_in_one_column() {
        let mapping = of(&header(&["Name", "Trading names"]), &[]).unwrap();
        let profile = read(&mapping, &header(&["Acme", "A1; A2;"])).profile;
        assert_eq!(profile.trading_names, ["A1", "A2"]);
    }

    #[test]
    fn wrong_mappings_are_refused_with_what_there_is() {
        let columns = header(&["Firm", "City", "City"]);
        for (given, message) in [
            (&[][..], "say which with --map name=COLUMN"),
            (
                &["name=Frim"],
                "no column \"Frim\"; its columns are \"Firm\", \"City\"",
            ),
            (&["name=City"], "two columns \"City\""),
            (&["name=Firm", "name=City"], "name is mapped twice"),
            (
                &["colour=Firm"],
                "no field \"colour\"; the fields are name, trading_names",
            ),
        ] {
            let given: Vec<Mapped> = given.iter().map(|text| text.parse().unwrap()).collect();
            let error = of(&columns, &given).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        assert_eq!(of(&header(&[]), &[]), Err(MappingError::NoHeader));
        assert!("name".parse::<Mapped>().is_err());
    }
}
