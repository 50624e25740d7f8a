//! A topic of bulk mail, which recipients can have without the others (policy 2.5).

use sea_orm::entity::prelude::*;

use crate::ids::MailTopicId;
use crate::personal_data::personal_data;

/// A row of `mail_topic`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_topic")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailTopicId,
    /// Its name, as recipients read it.
    pub name: String,
    /// The name in lower case; unique.
    pub name_key: String,
    /// What mails about it tell of, as recipients read it.
    pub description: Option<String>,
    /// When it was taken out of use.
    pub archived_at: Option<DateTimeUtc>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "mail_topic": nobody;
    id, name, name_key, description, archived_at, created_at
}
