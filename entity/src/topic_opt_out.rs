//! That a contact wants no bulk mail about a topic (policy 2.5).

use sea_orm::entity::prelude::*;

use crate::ids::{ContactId, MailTopicId};
use crate::personal_data::personal_data;

/// A row of `topic_opt_out`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "topic_opt_out")]
pub struct Model {
    /// The contact.
    #[sea_orm(primary_key, auto_increment = false)]
    pub contact_id: ContactId,
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mail_topic_id: MailTopicId,
    /// Since when.
    pub opted_out_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "topic_opt_out": "Which topics of bulk mail a contact wants nothing about.";
    erasure: Delete;
    retention: Until::Erasure.because("a wish holds until it is changed (policy 2.5)");
    Subject(Contact) => contact_id;
    Nothing => mail_topic_id, opted_out_at;
}
