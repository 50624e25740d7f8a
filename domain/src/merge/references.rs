//! What points at organisations and contacts. A new column that does is named here; a test compares this list with the
//! foreign keys of the database.

use entity::merge::MergeKind;

/// A column that points at records that can be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// How its rows go to another record.
    pub(super) way: Way,
}

/// How rows go to another record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// They are found by their `id`, and any number of them may point at one record.
    ById,
    /// A record has one row for each value of this column: of two, that of the record that is left stays.
    OneFor(&'static str),
    /// They are found by their `id`, and a record has one: of two, that of the record that is left stays.
    One,
    /// By a rule of their own.
    OwnRule,
}

/// Columns that point at a record without a foreign key.
pub const UNDECLARED: &[(&str, &str)] = &[
    ("duplicate_pair", "group_id"),
    ("merge_change", "contact_id"),
];

const fn by_id(table: &'static str, column: &'static str) -> Reference {
    Reference {
        table,
        column,
        way: Way::ById,
    }
}

const fn one(table: &'static str, column: &'static str) -> Reference {
    Reference {
        table,
        column,
        way: Way::One,
    }
}

const fn one_for(table: &'static str, column: &'static str, each: &'static str) -> Reference {
    Reference {
        table,
        column,
        way: Way::OneFor(each),
    }
}

const fn own_rule(table: &'static str, column: &'static str) -> Reference {
    Reference {
        table,
        column,
        way: Way::OwnRule,
    }
}

const TO_ORGANISATIONS: &[Reference] = &[
    by_id("contact", "organisation_id"),
    by_id("note", "organisation_id"),
    by_id("organisation", "parent_id"),
    by_id("key_account", "organisation_id"),
    one_for("organisation_tag", "organisation_id", "tag_id"),
    one_for("event_organisation", "organisation_id", "event_id"),
    one("organisation_logo", "organisation_id"),
    one_for("contact_post", "organisation_id", "contact_id"),
    one_for("organisation_field", "organisation_id", "profile_field_id"),
    by_id("registration", "organisation_id"),
    by_id("held_change", "organisation_id"),
    by_id("vacancy", "organisation_id"),
    by_id("vacancy_rule", "organisation_id"),
    own_rule("duplicate_pair", "one_id"),
    own_rule("duplicate_pair", "other_id"),
    by_id("duplicate_pair", "group_id"),
];

const TO_CONTACTS: &[Reference] = &[
    by_id("user_account", "contact_id"),
    by_id("note", "contact_id"),
    by_id("delivery", "contact_id"),
    by_id("key_account_contact", "contact_id"),
    by_id("liaison_request", "contact_id"),
    one_for("topic_opt_out", "contact_id", "mail_topic_id"),
    by_id("subject_access", "contact_id"),
    by_id("merge_change", "contact_id"),
    by_id("vacancy", "contact_id"),
    one_for("note_participant", "contact_id", "note_id"),
    one_for("contact_post", "contact_id", "organisation_id"),
    own_rule("contact_duplicate_pair", "one_id"),
    own_rule("contact_duplicate_pair", "other_id"),
];

/// Every column that points at records of this kind.
#[must_use]
pub const fn references_to(kind: MergeKind) -> &'static [Reference] {
    match kind {
        MergeKind::Organisation => TO_ORGANISATIONS,
        MergeKind::Contact => TO_CONTACTS,
    }
}
