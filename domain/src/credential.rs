//! What people sign in with.
//!
//! An account has credentials: a password at most, and room for passkeys. Who the university signs in has none of ours.
//! A password is chosen through a link in a letter, or anew by whoever knows the old one.

mod address;
mod invitation;
mod link;
mod password;
mod recovery;
mod rules;

use entity::{
    credential::{self, CredentialKind},
    ids::{CredentialId, UserId},
    user,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr,
};

use crate::{error::Result, store::Tx};

pub use address::{change_email, verify_email};
pub use invitation::invite_employer;
pub use link::{Link, PASSWORD_PATH, VERIFY_PATH, read as read_link};
pub use password::hash as hash_password;
pub use recovery::{change_password, request_password_reset, reset_password};
pub use rules::{LONGEST, MINIMUM_LENGTH};

pub(crate) use address::ask_to_verify;
pub(crate) use link::{NewLink, forget as forget_links, make as make_link, take as take_link};
pub(crate) use rules::{About, acceptable_hash};

/// The password of an account, when it has one.
pub(crate) async fn password_of(
    db: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<credential::Model>> {
    Ok(credential::Entity::find()
        .filter(credential::Column::UserId.eq(user_id))
        .filter(credential::Column::Kind.eq(CredentialKind::Password))
        .one(db)
        .await?)
}

/// The credential that `given` is the password of. It takes as long when there is no account or no password.
pub(crate) async fn check_password(
    db: &impl ConnectionTrait,
    account: Option<&user::Model>,
    given: String,
) -> Result<Option<CredentialId>> {
    let known = match account {
        Some(account) => password_of(db, account.id).await?,
        None => None,
    };
    let (id, hash) = known
        .map(|credential| (credential.id, credential.password_hash))
        .unzip();
    let matches = password::matches(given, hash.flatten()).await?;
    Ok(id.filter(|_| matches))
}

/// Notes that somebody signed in with it.
pub(crate) async fn used(tx: &mut Tx, id: CredentialId) -> Result<()> {
    credential::Entity::update_many()
        .col_expr(credential::Column::LastUsedAt, Expr::value(tx.now()))
        .filter(credential::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Makes `hash` the password of an account, instead of the one it may have. Links that are on their way stop working.
pub(crate) async fn keep_password(tx: &mut Tx, user_id: UserId, hash: String) -> Result<()> {
    link::forget(tx, user_id).await?;
    credential::Entity::delete_many()
        .filter(credential::Column::UserId.eq(user_id))
        .filter(credential::Column::Kind.eq(CredentialKind::Password))
        .exec(tx.conn())
        .await?;
    credential::Entity::insert(credential::ActiveModel {
        id: Set(CredentialId::new_at(tx.now())),
        user_id: Set(user_id),
        kind: Set(CredentialKind::Password),
        password_hash: Set(Some(hash)),
        external_id: Set(None),
        public_key: Set(None),
        sign_counter: Set(None),
        transports: Set(None),
        is_backed_up: Set(None),
        label: Set(None),
        created_at: Set(tx.now()),
        last_used_at: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}
