//! Somebody's photo, as it was made from what they sent.

use sea_orm::entity::prelude::*;

use crate::ids::UserId;
use crate::personal_data::personal_data;

/// A row of `profile_photo`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "profile_photo")]
pub struct Model {
    /// Whose it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// What its address ends in: 128 bits that nobody can guess, new with every photo.
    pub token: String,
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// The picture as JPEG, without anything else that the file had in it.
    pub bytes: Vec<u8>,
    /// When it was uploaded.
    pub uploaded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "profile_photo": "Somebody's photo.";
    erasure: Delete;
    retention: Until::Erasure.because("people take it away themselves");
    Subject(Account) => user_id;
    Value(Stays) => bytes;
    Secret(Stays) => token;
    Nothing => width, height, uploaded_at;
}
