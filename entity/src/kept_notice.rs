//! A notice that is kept for somebody's daily digest.

use sea_orm::entity::prelude::*;

use super::notice_choice::NoticeTopic;
use crate::ids::{KeptNoticeId, UserId};
use crate::personal_data::personal_data;

/// A row of `kept_notice`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kept_notice")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeptNoticeId,
    /// Whom it is for.
    pub user_id: UserId,
    /// What it is about.
    pub topic: NoticeTopic,
    /// What it is for; unique, so that it is written once.
    pub purpose_key: String,
    /// The template of its mail.
    pub template: String,
    /// What that is filled with.
    pub fields: Json,
    /// When it was written.
    pub kept_at: DateTimeUtc,
    /// The day, in the university's time, whose digest it was in.
    pub digested_on: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "kept_notice": "A notice that waits for somebody's daily digest.";
    erasure: Delete;
    retention: RowFor(90, "kept_at").because("what was in a digest isn't told again");
    Subject(Account) => user_id;
    Value(EmptyObject) => fields;
    Nothing => id, topic, purpose_key, template, kept_at, digested_on;
}
