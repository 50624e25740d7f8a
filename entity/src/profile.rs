//! What somebody says of themselves (policy 1). Their name and faculty stand in the account.

use sea_orm::entity::prelude::*;

use crate::{ids::UserId, list::TextList, personal_data::personal_data};

/// A row of `profile`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "profile")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The post of a member of staff.
    pub post: Option<String>,
    /// What they are interested in.
    pub interests: TextList,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "profile": "What somebody says of themselves: post and interests.";
    erasure: Delete;
    retention: Until::Erasure.because("people shape it themselves");
    Subject(Account) => user_id;
    Value(Null) => post;
    Value(EmptyObject) => interests;
    Nothing => version, updated_at;
}
