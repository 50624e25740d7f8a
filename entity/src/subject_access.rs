//! That somebody asked for everything that is kept of a person, and what is made of it for them (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::{ContactId, SubjectAccessId, UserId};
use crate::personal_data::personal_data;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
pub enum SubjectAccessState {
    /// A job is to gather it.
    Requested,
    /// It is there to be fetched.
    Ready,
}

/// A row of `subject_access`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subject_access")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SubjectAccessId,
    /// Whose it is, by their account.
    pub user_id: Option<UserId>,
    /// Whose it is, by the contact that they are.
    pub contact_id: Option<ContactId>,
    /// Where they are told of it, in lower case.
    pub address: String,
    /// Who asked for it.
    pub requested_by: UserId,
    /// How far it is.
    pub state: SubjectAccessState,
    /// When it was asked for.
    pub requested_at: DateTimeUtc,
    /// When it was gathered.
    pub made_at: Option<DateTimeUtc>,
    /// Until when it can be fetched.
    pub expires_at: DateTimeUtc,
    /// When it was fetched first.
    pub fetched_at: Option<DateTimeUtc>,
    /// All of it, as JSON.
    pub document: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "subject_access": "That everything kept of somebody was asked for, and the copy that was made for them.";
    erasure: Delete;
    retention: RowFor(0, "expires_at").because("the copy is for its person alone, and they can ask for another");
    Subject(Account) => user_id;
    Subject(Contact) => contact_id;
    Subject(Address) => address;
    Hand => requested_by;
    Secret(Null) => document;
    Nothing => id, state, requested_at, made_at, expires_at, fetched_at;
}
