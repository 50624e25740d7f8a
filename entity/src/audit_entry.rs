//! A line of the audit log: who did what to what, and when (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::{AuditEntryId, UserId};
use crate::personal_data::personal_data;

/// A row of `audit_entry`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// When.
    pub at: DateTimeUtc,
    /// Who; none for the system itself.
    pub actor_id: Option<UserId>,
    /// What was done.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    /// What it was.
    pub before: Option<Json>,
    /// What it became.
    pub after: Option<Json>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// Given by the database, upwards from 1; none for lines that are older than the numbers.
    pub number: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "audit_entry": "Who did what to what, and when.";
    erasure: Keep("the log of changes must stay whole; the account it names is a pseudonym then");
    retention: Until::DetailsFor(6 * 365, "at")
        .because("changes must be traceable (policy 3), and what they were in detail for as long as a claim can rest on it");
    Hand => actor_id;
    Subject(Written) => subject;
    Sealed => before, after;
    Nothing => id, at, action, request_id, number;
}
