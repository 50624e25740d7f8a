//! A contact who took part in an engagement, besides the one whom the note is about.

use sea_orm::entity::prelude::*;

use crate::ids::{ContactId, NoteId};
use crate::personal_data::personal_data;

/// A row of `note_participant`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "note_participant")]
pub struct Model {
    /// The note.
    #[sea_orm(primary_key, auto_increment = false)]
    pub note_id: NoteId,
    /// The contact.
    #[sea_orm(primary_key, auto_increment = false)]
    pub contact_id: ContactId,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "note_participant": "Which contacts took part in an engagement.";
    erasure: Delete;
    retention: Until::Erasure.because("relationships with employers last for decades (policy 2.2)");
    Subject(Contact) => contact_id;
    Nothing => note_id;
}
