//! The policy table: who may read, give, filter by and sort by every coordinate of the API (policy 2.1 and 3).
//!
//! A coordinate is written as the GraphQL specification writes it: `Type.field`, `Type.field(argument:)`, `Input.field`,
//! `Enum.VALUE`. There is one file for every aggregate, in the notation of [`mod@table`]. What is absent is
//! denied, and the start-up stops when the schema has a coordinate without a row. The endpoint, the `@access` directives
//! in the schema, the sentences in its descriptions and `docs/permissions.md` all read this table and nothing else.
//!
//! What depends on data rather than on who asks (a contact's consent, the faculty of a grant, one's own booking) is not
//! written here: those rules stand in the modules of their aggregates, as conditions of the SQL that reads the rows.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::LazyLock,
};

mod account;
mod activity;
mod agreement;
mod announcement;
mod attendance;
mod audit;
mod booking;
mod calendar;
mod campaign;
mod clash;
mod communication;
mod contact;
mod credential;
mod data_protection;
mod event;
mod event_sharing;
mod export;
mod feedback;
mod group_booking;
mod job;
mod key_account;
mod liaison;
mod mail_rules;
mod mail_topic;
mod merge;
mod note;
mod operator_access;
mod organisation;
mod profile;
mod profile_field;
mod record_import;
mod registration;
mod relay;
mod report;
mod search;
mod segment;
mod session;
mod suggestion;
mod super_user_group;
mod table;
mod tag;
#[cfg(test)]
mod tests;
mod training_course;
mod university;
mod vacancy;
mod venue;
mod who;

pub use who::{Asker, PERMISSIONS, ROLES, Role, Who, names, permission_token, standings};

/// The tables of all aggregates.
const TABLES: &[&[&[&[Row]]]] = &[
    account::ROWS,
    activity::ROWS,
    agreement::ROWS,
    announcement::ROWS,
    audit::ROWS,
    attendance::ROWS,
    booking::ROWS,
    calendar::ROWS,
    campaign::ROWS,
    communication::ROWS,
    clash::ROWS,
    contact::ROWS,
    credential::ROWS,
    data_protection::ROWS,
    event::ROWS,
    event_sharing::ROWS,
    export::ROWS,
    feedback::ROWS,
    group_booking::ROWS,
    job::ROWS,
    key_account::ROWS,
    liaison::ROWS,
    mail_rules::ROWS,
    mail_topic::ROWS,
    merge::ROWS,
    note::ROWS,
    operator_access::ROWS,
    organisation::ROWS,
    profile::ROWS,
    profile_field::ROWS,
    record_import::ROWS,
    registration::ROWS,
    relay::ROWS,
    report::ROWS,
    search::ROWS,
    segment::ROWS,
    session::ROWS,
    suggestion::ROWS,
    super_user_group::ROWS,
    tag::ROWS,
    training_course::ROWS,
    university::ROWS,
    vacancy::ROWS,
    venue::ROWS,
];

/// Every row by its coordinate.
static INDEX: LazyLock<HashMap<&'static str, &'static Row>> =
    LazyLock::new(|| rows().map(|row| (row.coordinate, row)).collect());

/// What can be done with a coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Select a field, or call one of a root type.
    Read,
    /// Send an argument, an input field or an enum value.
    Give,
    /// Narrow a list by it.
    Filter,
    /// Order a list by it.
    Sort,
}

impl Use {
    /// Every use, in the order in which documents list them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Give, Self::Filter, Self::Sort];

    /// The name of the use in the schema.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Give => "give",
            Self::Filter => "filter",
            Self::Sort => "sort",
        }
    }

    /// The use in a sentence, between `can be` and `by`.
    const fn passive(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Give => "given",
            Self::Filter => "used as a filter",
            Self::Sort => "used to sort",
        }
    }
}

/// Who has which right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    read: Who,
    give: Who,
    filter: Who,
    sort: Who,
}

impl Rights {
    /// Nobody may do anything.
    pub const NONE: Self = Self {
        read: Who::NOBODY,
        give: Who::NOBODY,
        filter: Who::NOBODY,
        sort: Who::NOBODY,
    };

    /// Who may read.
    #[must_use]
    pub const fn read(self, read: Who) -> Self {
        Self { read, ..self }
    }

    /// Who may give.
    #[must_use]
    pub const fn give(self, give: Who) -> Self {
        Self { give, ..self }
    }

    /// Who may read and give.
    #[must_use]
    pub const fn both(self, who: Who) -> Self {
        self.read(who).give(who)
    }

    /// Who may filter.
    #[must_use]
    pub const fn filter(self, filter: Who) -> Self {
        Self { filter, ..self }
    }

    /// Who may sort.
    #[must_use]
    pub const fn sort(self, sort: Who) -> Self {
        Self { sort, ..self }
    }
}

/// A row of the policy table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    coordinate: &'static str,
    rights: Rights,
}

impl Row {
    /// A row.
    #[must_use]
    pub const fn new(coordinate: &'static str, rights: Rights) -> Self {
        Self { coordinate, rights }
    }

    /// The coordinate the row is about.
    #[must_use]
    pub const fn coordinate(&self) -> &'static str {
        self.coordinate
    }

    /// Who may use the coordinate in this way.
    #[must_use]
    pub const fn who(&self, usage: Use) -> Who {
        match usage {
            Use::Read => self.rights.read,
            Use::Give => self.rights.give,
            Use::Filter => self.rights.filter,
            Use::Sort => self.rights.sort,
        }
    }

    /// The uses that somebody has, with who has them.
    pub fn uses(&self) -> impl Iterator<Item = (Use, Who)> {
        Use::ALL
            .into_iter()
            .map(|usage| (usage, self.who(usage)))
            .filter(|(_, who)| !who.is_nobody())
    }

    /// What sending this argument, input field or enum value amounts to.
    #[must_use]
    pub const fn sent_as(&self) -> Use {
        if !self.rights.filter.is_nobody() {
            Use::Filter
        } else if !self.rights.sort.is_nobody() {
            Use::Sort
        } else {
            Use::Give
        }
    }

    /// Whether somebody of this standing may use the coordinate in this way.
    #[must_use]
    pub const fn allows(&self, standing: Who, usage: Use) -> bool {
        self.who(usage).meets(standing)
    }
}

/// Every row of the table.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES
        .iter()
        .copied()
        .flatten()
        .copied()
        .flatten()
        .copied()
        .flatten()
}

/// The row of a coordinate.
#[must_use]
pub fn row(coordinate: &str) -> Option<&'static Row> {
    INDEX.get(coordinate).copied()
}

/// Whether somebody may use a coordinate in this way. A coordinate without a row is denied.
#[must_use]
pub fn allows(asker: &impl Asker, coordinate: &str, usage: Use) -> bool {
    row(coordinate).is_some_and(|row| row.allows(asker.standing(), usage))
}

/// Those of the coordinates that have no row, in the order given.
#[must_use]
pub fn missing<'a>(coordinates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    coordinates
        .into_iter()
        .filter(|coordinate| row(coordinate).is_none())
        .map(str::to_owned)
        .collect()
}

/// Coordinates that more than one row is about: mistakes of the table.
#[must_use]
pub fn repeated() -> Vec<&'static str> {
    let mut seen = HashSet::new();
    rows()
        .map(Row::coordinate)
        .filter(|coordinate| !seen.insert(*coordinate))
        .collect()
}

/// What is done with a coordinate, between `can be` and `by`. Fields of `Mutation` are not read but called.
fn passive(row: &Row, usage: Use) -> &'static str {
    let is_of = |root: &str| row.coordinate.split('.').next() == Some(root);
    match usage {
        Use::Read if is_of("Mutation") => "called",
        Use::Read if is_of("Subscription") => "subscribed to",
        _ => usage.passive(),
    }
}

/// The row in a sentence, as the descriptions of the schema end: `Can be read by students and operators.`
#[must_use]
pub fn sentence(row: &Row) -> String {
    let parts: Vec<String> = row
        .uses()
        .map(|(usage, who)| format!("{} by {who}", passive(row, usage)))
        .collect();
    if parts.is_empty() {
        "Can be used by nobody.".to_owned()
    } else {
        format!("Can be {}.", parts.join("; "))
    }
}

/// Why somebody may not use a coordinate, for them to read.
#[derive(Clone, Copy, Debug)]
pub struct Denial {
    /// The row that denies it.
    pub row: &'static Row,
    /// What was wanted.
    pub usage: Use,
}

impl Denial {
    /// The reason, and what would open the coordinate to the asker: to sign in, or the training for the permission.
    #[must_use]
    pub fn reason(&self, asker: &impl Asker) -> String {
        let who = self.row.who(self.usage);
        let mut reason = self.to_string();
        if !asker.is(Role::SignedIn) && !who.is_nobody() {
            reason.push_str(" Sign in first.");
        } else {
            for permission in who.permissions() {
                reason.push(' ');
                reason.push_str(&asker.why_not(permission));
            }
        }
        reason
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} can be {} by {} only.",
            self.row.coordinate(),
            passive(self.row, self.usage),
            self.row.who(self.usage),
        )
    }
}
