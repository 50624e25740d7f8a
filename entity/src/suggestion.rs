//! A fault or an improvement that staff put forward (policy 3).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{SuggestionId, UserId};
use crate::personal_data::personal_data;

/// What is put forward.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SuggestionKind {
    /// Something doesn't work.
    Fault,
    /// Something could be better.
    Improvement,
}

/// Where a suggestion stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SuggestionState {
    /// It was put forward.
    Filed,
    /// The Super User Group discusses it.
    UnderDiscussion,
    /// It will be done.
    Planned,
    /// It is done.
    Done,
    /// It won't be done.
    Declined,
}

/// How much a suggestion matters to the Super User Group.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SuggestionPriority {
    /// When there is time.
    Low,
    /// In its turn.
    Medium,
    /// Before others.
    High,
}

/// A row of `suggestion`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suggestion")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SuggestionId,
    /// What it is.
    pub kind: SuggestionKind,
    /// What it is about, in a line.
    pub title: String,
    /// What is wrong, or what would be better.
    pub body: String,
    /// Where it stands.
    pub state: SuggestionState,
    /// How much it matters; none until somebody has said so.
    pub priority: Option<SuggestionPriority>,
    /// What came of it.
    pub outcome: Option<String>,
    /// Who filed it.
    pub filed_by: UserId,
    /// How many people voted for it.
    pub votes: i32,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When it was filed.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "suggestion": "Faults and improvements, and who put them forward.";
    erasure: Keep("what was put forward is for everybody; its filer is a pseudonym then");
    retention: Until::Always.because("later versions of the system answer it");
    Hand => filed_by;
    Words => title, body, outcome;
    Nothing => id, kind, state, priority, votes, version, created_at, updated_at;
}
