//! What can be read from a column: the fields that every record of a kind has, and those that administrators defined.

use entity::ids::ProfileFieldId;

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

/// A field of profiles that administrators defined, which is read from a column too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defined {
    /// Its id.
    pub id: ProfileFieldId,
    /// What it is called.
    pub name: String,
    /// Whether every record needs it.
    pub is_required: bool,
}

impl Defined {
    /// What files call it. The word before its name keeps it apart from the fields that every record has, whatever it is called.
    #[must_use]
    pub fn column_of(name: &str) -> String {
        format!("field: {name}")
    }

    /// Whether this is exactly what files call it. Two fields may differ by no more than a space.
    pub(super) fn is_called(&self, given: &str) -> bool {
        same(given, &Self::column_of(&self.name))
    }

    /// Whether this is exactly its name.
    pub(super) fn is_named(&self, given: &str) -> bool {
        same(given, &self.name)
    }

    /// Whether this is what files call it but for spaces and signs.
    pub(super) fn is_nearly_called(&self, given: &str) -> bool {
        plain(given) == plain(&Self::column_of(&self.name))
    }

    /// Whether this is its name but for spaces and signs.
    pub(super) fn is_nearly_named(&self, given: &str) -> bool {
        plain(given) == plain(&self.name)
    }
}

/// Whether two texts are the same but for their case and the spaces around them.
fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// A header in small letters, without spaces and signs.
pub(super) fn plain(column: &str) -> String {
    column
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
