//! A contact of a key account: other operators liaise first (policy 2.3).

use sea_orm::entity::prelude::*;

use crate::ids::{ContactId, KeyAccountContactId, KeyAccountId, NoteId};
use crate::personal_data::personal_data;

/// A row of `key_account_contact`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_account_contact")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyAccountContactId,
    /// The key account.
    pub key_account_id: KeyAccountId,
    /// The contact.
    pub contact_id: ContactId,
    /// The note that says how the contact is to be approached.
    pub guidance_note_id: NoteId,
    /// Since when it is one.
    pub named_at: DateTimeUtc,
    /// Until when it was one; none while it is.
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "key_account_contact": "That a contact is one of a key account.";
    erasure: Keep("nothing of the person is left in the contact that it names");
    retention: Until::Always.because("it goes with the key account (policy 2.3)");
    Subject(Contact) => contact_id;
    Nothing => id, key_account_id, guidance_note_id, named_at, ended_at;
}
