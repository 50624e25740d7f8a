//! Links in letters that work once. What they hold is kept as a hash alone.

use chrono::TimeDelta;
use entity::{
    ids::UserId,
    one_time_token::{self, TokenPurpose},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    email_address::EmailAddress,
    error::{Error, RefusalCode, Result},
    session::{hash_of, random_word},
    store::{Store, Tx},
};

/// Where links lead that choose a password, before the token.
pub const PASSWORD_PATH: &str = "/account/password/";
/// Where links lead that prove an address, before the token.
pub const VERIFY_PATH: &str = "/account/verify/";

/// A link that works now.
#[derive(Clone, Debug)]
pub struct Link {
    /// What for.
    pub purpose: TokenPurpose,
    /// For which account.
    pub user_id: UserId,
    /// The address that it proves.
    pub email: Option<String>,
}

/// Makes a token. Those for the same purpose that the account had stop working.
pub async fn make(
    tx: &mut Tx,
    purpose: TokenPurpose,
    user_id: UserId,
    email: Option<&EmailAddress>,
    lifetime: TimeDelta,
) -> Result<String> {
    // Two browsers may be on their way in at once.
    if purpose != TokenPurpose::SignIn {
        one_time_token::Entity::delete_many()
            .filter(one_time_token::Column::UserId.eq(user_id))
            .filter(one_time_token::Column::Purpose.eq(purpose))
            .exec(tx.conn())
            .await?;
    }
    let token = random_word();
    one_time_token::Entity::insert(one_time_token::ActiveModel {
        token_hash: Set(hash_of(&token)),
        purpose: Set(purpose),
        user_id: Set(user_id),
        email: Set(email.map(|email| email.as_str().to_owned())),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + lifetime),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(token)
}

/// What a link is for, without using it; `None` when it doesn't work, or not for one of these purposes.
pub async fn read(store: &Store, token: &str, purposes: &[TokenPurpose]) -> Result<Option<Link>> {
    let found = one_time_token::Entity::find_by_id(hash_of(token))
        .one(store.reader())
        .await?;
    Ok(found
        .filter(|row| row.expires_at > store.now() && purposes.contains(&row.purpose))
        .map(Link::from))
}

/// Uses a link up. Of two who use it at once, one has it.
pub async fn take(tx: &mut Tx, token: &str, purposes: &[TokenPurpose]) -> Result<Link> {
    let hash = hash_of(token);
    let found = one_time_token::Entity::find_by_id(hash.clone())
        .one(tx.conn())
        .await?
        .filter(|row| row.expires_at > tx.now() && purposes.contains(&row.purpose))
        .ok_or_else(not_valid)?;
    let deleted = one_time_token::Entity::delete_by_id(hash)
        .exec(tx.conn())
        .await?
        .rows_affected;
    if deleted == 0 {
        return Err(not_valid());
    }
    Ok(found.into())
}

/// The answer to a link that doesn't work.
pub(super) fn not_valid() -> Error {
    Error::refused(
        RefusalCode::LinkNotValid,
        "token",
        "This link was used before or is too old. Ask for a new one.",
    )
}

impl From<one_time_token::Model> for Link {
    fn from(row: one_time_token::Model) -> Self {
        Self {
            purpose: row.purpose,
            user_id: row.user_id,
            email: row.email,
        }
    }
}
