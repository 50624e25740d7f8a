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
    /// What whoever follows it must know the secret to.
    pub challenge: Option<String>,
}

/// A link that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewLink<'a> {
    /// What for.
    pub purpose: TokenPurpose,
    /// For which account.
    pub user_id: UserId,
    /// The address that it goes to, and proves. It works as long as that is the account's, or is to become it.
    pub email: Option<&'a EmailAddress>,
    /// What whoever follows it must know the secret to.
    pub challenge: Option<&'a str>,
    /// How long it works.
    pub lifetime: TimeDelta,
}

/// Makes a token. Those for the same purpose that the account had stop working.
pub async fn make(tx: &mut Tx, new: NewLink<'_>) -> Result<String> {
    // Two browsers may be on their way in at once.
    if new.purpose != TokenPurpose::SignIn {
        one_time_token::Entity::delete_many()
            .filter(one_time_token::Column::UserId.eq(new.user_id))
            .filter(one_time_token::Column::Purpose.eq(new.purpose))
            .exec(tx.conn())
            .await?;
    }
    let token = random_word();
    one_time_token::Entity::insert(one_time_token::ActiveModel {
        token_hash: Set(hash_of(&token)),
        purpose: Set(new.purpose),
        user_id: Set(new.user_id),
        email: Set(new.email.map(|email| email.as_str().to_owned())),
        challenge: Set(new.challenge.map(str::to_owned)),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + new.lifetime),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(token)
}

/// Every link of an account stops working: it has another password or address, or is closed, and whoever has an old
/// letter must not get in by it.
pub async fn forget(tx: &Tx, user_id: UserId) -> Result<()> {
    one_time_token::Entity::delete_many()
        .filter(one_time_token::Column::UserId.eq(user_id))
        .exec(tx.conn())
        .await?;
    Ok(())
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
            challenge: row.challenge,
        }
    }
}
