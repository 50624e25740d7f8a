//! Notes: their fields, and how a row is read.

use csv::StringRecord;
use domain::import::{NoteRow, Where};

use super::mapping::{Field, Mapping};

/// A field of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteField {
    /// The name of the organisation.
    Organisation,
    /// Its id.
    OrganisationId,
    /// What it was known by in the file that it was imported from.
    OrganisationKey,
    /// The address or the name of the contact.
    Contact,
    /// The kind of engagement.
    Kind,
    /// When it took place.
    HappenedAt,
    /// What was said and done.
    Body,
    /// What came of it.
    Outcome,
    /// What is to be done next.
    NextAction,
    /// By when.
    NextActionDueAt,
    /// The address of whoever wrote it.
    Author,
}

impl Field for NoteField {
    const ALL: &'static [(Self, &'static str, &'static [&'static str])] = &[
        (
            Self::Organisation,
            "organisation",
            &["organisation", "organization", "company", "employer"],
        ),
        (Self::OrganisationId, "organisation_id", &["organisationid"]),
        (
            Self::OrganisationKey,
            "organisation_key",
            &["organisationkey"],
        ),
        (
            Self::Contact,
            "contact",
            &["contact", "contactemail", "contactname"],
        ),
        (Self::Kind, "kind", &["kind", "type"]),
        (
            Self::HappenedAt,
            "happened_at",
            &["happenedat", "date", "when"],
        ),
        (Self::Body, "body", &["body", "note", "notes", "text"]),
        (Self::Outcome, "outcome", &["outcome"]),
        (Self::NextAction, "next_action", &["nextaction"]),
        (
            Self::NextActionDueAt,
            "next_action_due_at",
            &["nextactiondueat", "due"],
        ),
        (Self::Author, "author", &["author", "writtenby"]),
    ];

    const NEEDED: &'static [&'static [Self]] = &[
        &[Self::Body],
        &[Self::HappenedAt],
        &[
            Self::Organisation,
            Self::OrganisationId,
            Self::OrganisationKey,
        ],
    ];
}

/// What a row says of an engagement.
pub(super) fn read(mapping: &Mapping<NoteField>, row: &StringRecord) -> NoteRow {
    let filled = |field| mapping.filled(row, field);
    NoteRow {
        place: Where {
            id: filled(NoteField::OrganisationId),
            key: filled(NoteField::OrganisationKey),
            name: filled(NoteField::Organisation),
        },
        contact: filled(NoteField::Contact),
        kind: filled(NoteField::Kind),
        happened_at: filled(NoteField::HappenedAt),
        body: filled(NoteField::Body).unwrap_or_default(),
        outcome: filled(NoteField::Outcome),
        next_action: filled(NoteField::NextAction),
        next_action_due_at: filled(NoteField::NextActionDueAt),
        author: filled(NoteField::Author),
    }
}
