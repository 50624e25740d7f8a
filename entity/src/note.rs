//! A note: the record of an engagement with an employer (policy 2.2).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{ContactId, NoteId, OrganisationId, UserId};
use crate::personal_data::personal_data;

/// The kind of an engagement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoteKind {
    /// A meeting.
    Meeting,
    /// A telephone or video call.
    Call,
    /// An exchange of mails.
    Email,
    /// A visit.
    Visit,
    /// An event they took part in.
    Event,
    /// How a contact is to be approached (policy 2.3).
    GuidanceOnContact,
    /// Anything else.
    Other,
}

/// Who sees a note.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoteVisibility {
    /// All staff.
    #[default]
    Staff,
    /// Staff of the faculty of whoever wrote it, and administrators.
    Faculty,
}

/// A row of `note`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "note")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoteId,
    /// The organisation it is about.
    pub organisation_id: OrganisationId,
    /// The contact it is about.
    pub contact_id: Option<ContactId>,
    /// What kind of engagement it was.
    pub kind: NoteKind,
    /// Who sees it.
    pub visibility: NoteVisibility,
    /// When it took place.
    pub happened_at: DateTimeUtc,
    /// What was said and done.
    pub body: String,
    /// What came of it.
    pub outcome: Option<String>,
    /// What is to be done next.
    pub next_action: Option<String>,
    /// By when.
    pub next_action_due_at: Option<DateTimeUtc>,
    /// When it was done.
    pub next_action_done_at: Option<DateTimeUtc>,
    /// Who said so.
    pub next_action_done_by: Option<UserId>,
    /// Who wrote it.
    pub author_id: UserId,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "note": "What was said and done with a contact, and who wrote it down.";
    erasure: Keep("the engagement with the organisation must stay known (policy 2.2); names and addresses are taken out");
    retention: Until::Always.because("relationships with employers last for decades (policy 2.2)");
    Subject(Contact) => contact_id;
    Hand => author_id, next_action_done_by;
    Words => body, outcome, next_action;
    Nothing => id, organisation_id, kind, visibility, happened_at, next_action_due_at, next_action_done_at, created_at;
}
