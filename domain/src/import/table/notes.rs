//! Notes: their fields, and how a row is read.

use csv::StringRecord;

use super::{
    field::{Field, Known, PlaceField},
    mapping::Mapping,
};
use crate::import::NoteRow;

/// A field of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteField {
    /// Which organisation it is about.
    Place(PlaceField),
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
    const OWN: &'static [Known<Self>] = &[
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

    const NEEDED: &'static [Self] = &[Self::Body, Self::HappenedAt];

    fn place(field: PlaceField) -> Option<Self> {
        Some(Self::Place(field))
    }
}

/// What a row says of an engagement.
pub(crate) fn read(mapping: &Mapping<NoteField>, row: &StringRecord) -> NoteRow {
    let filled = |field| mapping.filled(row, field);
    NoteRow {
        place: mapping.place(row),
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
