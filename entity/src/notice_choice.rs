//! Which notices reach somebody how, where they chose otherwise than the topic does by itself.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::personal_data::personal_data;

/// What a notice is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeTopic {
    /// The account itself: its sessions, its password.
    Security,
    /// Training, agreements, and access that lapses (policy 3).
    Access,
    /// The policy changed (policy 3).
    PolicyChange,
    /// Other announcements: the system changed (policy 3).
    Announcement,
    /// Faults and improvements that one has filed or discusses (policy 3).
    Suggestion,
    /// The work of the Super User Group (policy 3).
    SuperUserGroup,
    /// Liaison with key account operators (policy 2.3).
    Liaison,
    /// What staff record of employers, and what is due next (policy 2.2).
    Engagement,
    /// Events that one organises, takes part in or is booked for (policy 2.4).
    Event,
    /// Vacancies (policy 2.2).
    Vacancy,
    /// Bulk e-mails that one sends (policy 2.5).
    BulkEmail,
    /// What is coming on the calendar, once a week, for those who ask for it (policy 1).
    ComingEvents,
}

/// How a notice reaches somebody.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
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
pub enum NoticeChannel {
    /// Not at all.
    None,
    /// In one mail a day, with the others.
    DailyDigest,
    /// By a mail of its own, at once.
    MailAtOnce,
}

/// A row of `notice_choice`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notice_choice")]
pub struct Model {
    /// Whose choice it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// What it is about.
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: NoticeTopic,
    /// How it reaches them.
    pub channel: NoticeChannel,
    /// When they chose.
    pub chosen_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "notice_choice": "Which notices somebody wants, and how.";
    erasure: Delete;
    retention: Until::Erasure.because("it is a wish of theirs");
    Subject(Account) => user_id;
    Nothing => topic, channel, chosen_at;
}
