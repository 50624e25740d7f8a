//! Accounts as others meet them: whoever has a booking, whoever organises an event.

use entity::{ids::UserId, user};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::{
    email_address::EmailAddress,
    error::{Error, Result},
};

/// The people with these ids. Whoever calls this has the ids from rows that exist for the viewer.
pub async fn find_all(db: &impl ConnectionTrait, ids: &[UserId]) -> Result<Vec<user::Model>> {
    Ok(user::Entity::find()
        .filter(user::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// The address of an account, for a letter to it.
pub(crate) fn address_of(person: &user::Model) -> Result<EmailAddress> {
    person
        .email
        .parse()
        .map_err(|error| Error::Fault(format!("the address of {}: {error}", person.id)))
}
