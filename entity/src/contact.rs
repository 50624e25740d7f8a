//! A contact: a person at an organisation.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{ContactId, OrganisationId};
use crate::personal_data::personal_data;

/// Whether a contact is still at the organisation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContactState {
    /// They are.
    Active,
    /// They have left, or can no longer be reached.
    Inactive,
}

/// What a contact has to do with the university, by which mail suits them.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
pub enum SubscriberType {
    /// Nothing in particular, or nobody has said.
    #[default]
    General,
    /// They recruit graduates and students.
    Recruitment,
    /// They take students on placements.
    Placements,
    /// They come to events.
    Events,
    /// They look after the partnership as a whole.
    Partnership,
}

/// A row of `contact`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactId,
    /// Where they work.
    pub organisation_id: OrganisationId,
    /// Their name.
    pub name: String,
    /// Their job title.
    pub job_title: Option<String>,
    /// Their e-mail address, in lower case.
    pub email: Option<String>,
    /// Their telephone number.
    pub telephone: Option<String>,
    /// Whether they agreed to be shown to students; no unless asked (policy 3).
    pub visible_to_students: bool,
    /// Whether they are still there.
    pub state: ContactState,
    /// What they have to do with the university.
    pub subscriber_type: SubscriberType,
    /// When they opted out of bulk e-mail.
    pub bulk_opted_out_at: Option<DateTimeUtc>,
    /// Whether they must not be sent any mail.
    pub do_not_email: bool,
    /// Since when mail is held back after bounces.
    pub on_hold_at: Option<DateTimeUtc>,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// Where they work.
    #[sea_orm(belongs_to, from = "organisation_id", to = "id")]
    pub organisation: BelongsTo<super::organisation::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "contact": "A person at an organisation: name, job title, e-mail address, telephone number, consent.";
    erasure: Keep("notes and mails to the organisation refer to it; nothing of the person is left in it");
    retention: Until::LapsesFor(3 * 365, "updated_at", ("state", "INACTIVE"))
        .because("three years after they left, nobody will ask for them at the organisation");
    Subject(Contact) => id;
    Value(Word) => name;
    Value(Null) => job_title, email, telephone;
    Nothing => organisation_id, visible_to_students, state, subscriber_type, bulk_opted_out_at, do_not_email, on_hold_at, version,
        created_at, updated_at;
}
