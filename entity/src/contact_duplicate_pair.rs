//! Two contacts that are likely the same person (policy 1).

use sea_orm::entity::prelude::*;

use crate::{
    duplicate_pair::DuplicatePairState,
    ids::{ContactId, DuplicatePairId, UserId},
    personal_data::personal_data,
};

/// A row of `contact_duplicate_pair`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_duplicate_pair")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DuplicatePairId,
    /// The contact that was made first.
    pub one_id: ContactId,
    /// The other; unique with the one.
    pub other_id: ContactId,
    /// The first pair that was found of all those that belong together: it names no contact, so that whoever must not know of
    /// one of them doesn't learn of it by its company. The pair itself may be gone.
    pub group_id: DuplicatePairId,
    /// How unlikely it is that they are the same, in millionths.
    pub doubt: i32,
    /// What they have in common, as a list of words.
    pub signals: Json,
    /// What speaks for and against, with weights.
    pub evidence: Json,
    /// Where it stands.
    pub state: DuplicatePairState,
    /// When it was last found.
    pub found_at: DateTimeUtc,
    /// Who said that they are not the same.
    pub dismissed_by: Option<UserId>,
    /// When.
    pub dismissed_at: Option<DateTimeUtc>,
    /// Why.
    pub reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "contact_duplicate_pair": "Which contacts are likely one person, what their records have in common, and who said that they are not.";
    erasure: Delete;
    retention: Until::Erasure.because("it goes with the contacts");
    Subject(Contact) => one_id, other_id;
    Hand => dismissed_by;
    Words => reason;
    Nothing => id, group_id, doubt, signals, evidence, state, found_at, dismissed_at;
}
