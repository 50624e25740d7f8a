//! A member of staff who took part in an engagement, besides the one who wrote it down.

use sea_orm::entity::prelude::*;

use crate::ids::{NoteId, UserId};
use crate::personal_data::personal_data;

/// A row of `note_colleague`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "note_colleague")]
pub struct Model {
    /// The note.
    #[sea_orm(primary_key, auto_increment = false)]
    pub note_id: NoteId,
    /// Who took part.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "note_colleague": "Which members of staff took part in an engagement.";
    erasure: Delete;
    retention: Until::Erasure.because("colleagues ask who was there");
    Subject(Account) => user_id;
    Nothing => note_id;
}
