//! Which column of a file is which field of an organisation.

use std::{fmt, str::FromStr};

use csv::StringRecord;
use domain::organisation::Profile;

/// A field that can be read from a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its name.
    Name,
    /// Other names it trades under, with semicolons between them.
    TradingNames,
    /// The address of its web site.
    Website,
    /// The domains its people write from, with semicolons between them.
    EmailDomains,
    /// Its sector.
    Sector,
    /// Its sub-sector.
    SubSector,
    /// Its number in the register of companies.
    CompanyNumber,
    /// Where it is.
    Address,
    /// When it was founded.
    Founded,
    /// The name of its time zone; where it says nothing, the university's.
    TimeZone,
    /// What it is known by in its source.
    SourceKey,
}

/// Every field with its name on the command line and the headers that are taken for it, in small letters and without
/// spaces.
const FIELDS: &[(Field, &str, &[&str])] = &[
    (
        Field::Name,
        "name",
        &[
            "name",
            "organisation",
            "organization",
            "company",
            "companyname",
            "employer",
            "security",
        ],
    ),
    (
        Field::TradingNames,
        "trading_names",
        &["tradingnames", "tradingname", "tradingas"],
    ),
    (
        Field::Website,
        "website",
        &["website", "web", "url", "homepage"],
    ),
    (
        Field::EmailDomains,
        "email_domains",
        &["emaildomains", "emaildomain", "domain"],
    ),
    (
        Field::Sector,
        "sector",
        &["sector", "gicssector", "industry"],
    ),
    (
        Field::SubSector,
        "sub_sector",
        &["subsector", "gicssubindustry", "subindustry"],
    ),
    (
        Field::CompanyNumber,
        "company_number",
        &["companynumber", "registrationnumber", "cik"],
    ),
    (
        Field::Address,
        "address",
        &[
            "address",
            "headquarterslocation",
            "headquarters",
            "location",
        ],
    ),
    (Field::Founded, "founded", &["founded", "yearfounded"]),
    (Field::TimeZone, "time_zone", &["timezone"]),
    (
        Field::SourceKey,
        "source_key",
        &["sourcekey", "id", "key", "symbol"],
    ),
];

/// The names of all fields on the command line.
fn names() -> String {
    let names: Vec<&str> = FIELDS.iter().map(|(_, name, _)| *name).collect();
    names.join(", ")
}

impl Field {
    fn name(self) -> &'static str {
        FIELDS
            .iter()
            .find(|(field, ..)| *field == self)
            .map_or("", |(_, name, _)| name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Field {
    type Err = MappingError;

    fn from_str(given: &str) -> Result<Self, MappingError> {
        FIELDS
            .iter()
            .find(|(_, name, _)| *name == given)
            .map(|(field, ..)| *field)
            .ok_or_else(|| MappingError::NoSuchField(given.to_owned()))
    }
}

/// One `FIELD=COLUMN` of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The field.
    pub field: Field,
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
            field: field.trim().parse()?,
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
    #[error("there is no field {0:?}; the fields are {fields}", fields = names())]
    NoSuchField(String),
    /// Two mappings are for one field.
    #[error("the field {0} is mapped twice")]
    MappedTwice(Field),
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
    /// No column holds the name.
    #[error(
        "no column is known to hold the name; say which with --map name=COLUMN. The columns are {0}"
    )]
    NoName(String),
}

/// Which column each field is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The fields that have a column, with its place in the row.
    columns: Vec<(Field, usize)>,
}

impl Mapping {
    /// The mapping for a file with this header: what was given, then columns with well-known names.
    pub fn of(header: &StringRecord, given: &[Mapped]) -> Result<Self, MappingError> {
        if header.iter().all(|column| column.trim().is_empty()) {
            return Err(MappingError::NoHeader);
        }
        let mut columns: Vec<(Field, usize)> = Vec::new();
        for mapped in given {
            if columns.iter().any(|(field, _)| *field == mapped.field) {
                return Err(MappingError::MappedTwice(mapped.field));
            }
            columns.push((mapped.field, place(header, &mapped.column)?));
        }
        for (field, _, known) in FIELDS {
            if columns.iter().any(|(mapped, _)| mapped == field) {
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
            columns.extend(found.map(|at| (*field, at)));
        }
        if columns.iter().any(|(field, _)| *field == Field::Name) {
            Ok(Self { columns })
        } else {
            Err(MappingError::NoName(list(header)))
        }
    }

    /// The source key and the profile that a row holds.
    #[must_use]
    pub fn read(&self, row: &StringRecord) -> (Option<String>, Profile) {
        let text = |field| {
            self.columns
                .iter()
                .find(|(mapped, _)| *mapped == field)
                .and_then(|(_, at)| row.get(*at))
                .map(str::to_owned)
        };
        let several = |field| -> Vec<String> {
            let text = text(field).unwrap_or_default();
            text.split(';')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let mut profile = Profile {
            trading_names: several(Field::TradingNames),
            website: text(Field::Website).filter(|given| !given.trim().is_empty()),
            email_domains: several(Field::EmailDomains),
            sector: text(Field::Sector),
            sub_sector: text(Field::SubSector),
            company_number: text(Field::CompanyNumber),
            address: text(Field::Address),
            founded: text(Field::Founded),
            ..Profile::named(text(Field::Name).unwrap_or_default())
        };
        if let Some(zone) = text(Field::TimeZone)
            && !zone.trim().is_empty()
        {
            profile.time_zone = zone.trim().to_owned();
        }
        (text(Field::SourceKey), profile)
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
    use super::*;

    fn header(columns: &[&str]) -> StringRecord {
        StringRecord::from(columns.to_vec())
    }

    #[test]
    fn well_known_columns_need_no_mapping() {
        let mapping = Mapping::of(
            &header(&["Symbol", "Security", "GICS Sector", "Date added", "CIK"]),
            &[],
        )
        .unwrap();
        let (key, profile) = mapping.read(&header(&[
            "MMM",
            "3M",
            "Industrials",
            "1957-03-04",
            "66740",
        ]));
        assert_eq!(key.as_deref(), Some("MMM"));
        assert_eq!(profile.name, "3M");
        assert_eq!(profile.sector.as_deref(), Some("Industrials"));
        assert_eq!(profile.company_number.as_deref(), Some("66740"));
        assert_eq!(profile.address, None);
    }

    #[test]
    fn what_is_mapped_goes_before_what_is_known() {
        let given: Mapped = "name=Firm".parse().unwrap();
        let mapping = Mapping::of(&header(&["Name", "Firm"]), &[given]).unwrap();
        assert_eq!(mapping.read(&header(&["Ann", "Acme"])).1.name, "Acme");
    }

    #[test]
    fn several_values_stand_in_one_column() {
        let mapping = Mapping::of(&header(&["Name", "Trading names"]), &[]).unwrap();
        let (_, profile) = mapping.read(&header(&["Acme", "A1; A2;"]));
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
        ] {
            let given: Vec<Mapped> = given.iter().map(|text| text.parse().unwrap()).collect();
            let error = Mapping::of(&columns, &given).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        assert_eq!(Mapping::of(&header(&[]), &[]), Err(MappingError::NoHeader));
        assert!(
            "colour=X"
                .parse::<Mapped>()
                .unwrap_err()
                .to_string()
                .contains("company_number")
        );
        assert!("name".parse::<Mapped>().is_err());
    }
}
