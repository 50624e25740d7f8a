//! The letters about registrations.

use entity::{contact, ids::OrganisationId, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use serde_json::json;

use crate::{
    error::Result,
    mail::{self, Letter},
    store::Tx,
};

/// To whoever registers with an address that has an account: they know best whether it was them.
pub(super) async fn known_already(tx: &mut Tx, account: &user::Model) -> Result<()> {
    let purpose = format!(
        "registered_already/{}/{}",
        account.id,
        tx.now().timestamp_micros()
    );
    let fields = json!({ "sign_in_link": "/sign-in" });
    let letter = Letter::to_account(account, "registered_already", purpose, fields)?;
    mail::post(tx, letter).await?;
    Ok(())
}

/// To one employer: what was decided, and why.
pub(super) async fn decided(
    tx: &mut Tx,
    account: &user::Model,
    organisation: &str,
    outcome: &str,
    reason: Option<&str>,
) -> Result<()> {
    let purpose = format!(
        "registration_decided/{}/{outcome}/{}",
        account.id,
        tx.now().timestamp_micros()
    );
    let fields = json!({
        "organisation": organisation,
        "outcome": outcome,
        "reason": reason,
        "organisation_link": "/my-organisation",
    });
    let letter = Letter::to_account(account, "registration_decided", purpose, fields)?;
    mail::post(tx, letter).await?;
    Ok(())
}

/// To everybody who signs in for an organisation.
pub(super) async fn decided_for_all(
    tx: &mut Tx,
    id: OrganisationId,
    organisation: &str,
    outcome: &str,
    reason: Option<&str>,
) -> Result<()> {
    for account in employers_of(tx, id).await? {
        decided(tx, &account, organisation, outcome, reason).await?;
    }
    Ok(())
}

/// Those who sign in for an organisation, with addresses that are proved.
pub(crate) async fn employers_of(tx: &Tx, id: OrganisationId) -> Result<Vec<user::Model>> {
    let contacts = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::OrganisationId.eq(id))
        .into_query();
    Ok(user::Entity::find()
        .filter(user::Column::ContactId.in_subquery(contacts))
        .filter(user::Column::EmailVerifiedAt.is_not_null())
        .all(tx.conn())
        .await?)
}
