//! The first administrator: outside the embedded default there are no accounts to begin with (design 8).

use entity::{
    ids::UserId,
    user::{self, UserState},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use crate::{
    credential::{self, About},
    email_address::EmailAddress,
    error::{Error, RefusalCode, Refusals, Result},
    operator_access,
    store::Tx,
    viewer::Viewer,
};

/// Makes the first administrator, or one more.
pub async fn create_administrator(
    tx: &mut Tx,
    email: &str,
    name: &str,
    password: String,
) -> Result<UserId> {
    let mut refusals = Refusals::default();
    let given = email;
    let email = refusals.take(EmailAddress::from_input(email, "email"));
    refusals.add_if(
        name.trim().is_empty(),
        RefusalCode::Required,
        "name",
        "Give the name of the administrator.",
    );
    let hash =
        match credential::acceptable_hash(About::of([given, name]), "password", password).await {
            Ok(hash) => Some(hash),
            Err(Error::Refused(reasons)) => {
                for reason in reasons {
                    refusals.take::<()>(Err(reason));
                }
                None
            }
            Err(error) => return Err(error),
        };
    refusals.into_result()?;
    let (Some(email), Some(hash)) = (email, hash) else {
        return Err(Error::Fault(
            "an address or a password was neither taken nor refused".to_owned(),
        ));
    };
    if user::Entity::find()
        .filter(user::Column::Email.eq(email.as_str()))
        .one(tx.conn())
        .await?
        .is_some()
    {
        return Err(Error::refused(
            RefusalCode::Taken,
            "email",
            "An account with this e-mail address exists.",
        ));
    }
    let id = UserId::new_at(tx.now());
    user::Entity::insert(user::ActiveModel {
        id: Set(id),
        email: Set(email.into()),
        name: Set(name.trim().to_owned()),
        kind: Set(user::UserKind::Staff),
        is_super_user: Set(true),
        is_administrator: Set(true),
        state: Set(UserState::Active),
        faculty_id: Set(None),
        programme_id: Set(None),
        year_of_study: Set(None),
        contact_id: Set(None),
        email_verified_at: Set(Some(tx.now())),
        session_version: Set(1),
        booking_blocked_at: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    credential::keep_password(tx, id, hash).await?;
    tx.audit(
        &Viewer::system(),
        "administrator.create",
        id,
        None,
        Some(json!({ "email": given, "name": name.trim() })),
    )
    .await?;
    operator_access::found(tx, id).await?;
    Ok(id)
}
