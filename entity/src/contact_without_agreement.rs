//! That a note tells of contact with a key account contact to which nobody had agreed (policy 2.3).

use sea_orm::entity::prelude::*;

use crate::ids::{KeyAccountId, NoteId};
use crate::personal_data::personal_data;

/// A row of `contact_without_agreement`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_without_agreement")]
pub struct Model {
    /// The note that tells of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub note_id: NoteId,
    /// The key account, whose operator was told.
    pub key_account_id: KeyAccountId,
    /// When it was recorded.
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "contact_without_agreement": nobody; note_id, key_account_id, recorded_at
}
