//! Logos: made anew from what is sent, as photos are, so that nothing is kept or shown but the picture.

use entity::{
    access_grant::Permission,
    ids::{OrganisationId, OrganisationLogoId},
    organisation, organisation_logo,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use serde_json::json;

use super::standing;
use crate::{
    change,
    error::{Error, RefusalCode, Result},
    profile::Photo,
    store::Tx,
    viewer::Viewer,
};

/// Where a logo is, without the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoPlace {
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// What its address ends in.
    pub token: String,
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
}

/// The logos of these organisations, which exist for the viewer.
pub async fn logos_of(db: &impl ConnectionTrait, ids: &[OrganisationId]) -> Result<Vec<LogoPlace>> {
    let rows: Vec<(OrganisationId, String, i32, i32)> = organisation_logo::Entity::find()
        .select_only()
        .columns([
            organisation_logo::Column::OrganisationId,
            organisation_logo::Column::Token,
            organisation_logo::Column::Width,
            organisation_logo::Column::Height,
        ])
        .filter(organisation_logo::Column::OrganisationId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(organisation_id, token, width, height)| LogoPlace {
            organisation_id,
            token,
            width,
            height,
        })
        .collect())
}

/// The logo at the address that ends in `token`, as JPEG.
pub async fn logo(db: &impl ConnectionTrait, token: &str) -> Result<Option<Vec<u8>>> {
    Ok(organisation_logo::Entity::find()
        .filter(organisation_logo::Column::Token.eq(token))
        .one(db)
        .await?
        .map(|row| row.bytes))
}

/// Gives the organisation at `version` another logo, or none.
///
/// Operators do, and an employer for its own organisation, live at once (policy 2.2).
pub async fn set_logo(
    tx: &mut Tx,
    viewer: &Viewer,
    id: OrganisationId,
    version: i32,
    picture: Option<Photo>,
) -> Result<organisation::Model> {
    let own = viewer.person().and_then(|person| person.organisation_id);
    if own != Some(id) {
        viewer.require(Permission::EditOrganisation)?;
    }
    let current = standing::lock_at(tx, viewer, id, version).await?;
    if own == Some(id) && !super::is_kept_by_its_employer(current.state) {
        return Err(Error::refused_whole(
            RefusalCode::WrongState,
            super::SUSPENDED,
        ));
    }
    let had = organisation_logo::Entity::delete_many()
        .filter(organisation_logo::Column::OrganisationId.eq(id))
        .exec(tx.conn())
        .await?
        .rows_affected
        > 0;
    let has = picture.is_some();
    if !had && !has {
        return Ok(current);
    }
    if let Some(picture) = picture {
        organisation_logo::ActiveModel {
            id: Set(OrganisationLogoId::new_at(tx.now())),
            organisation_id: Set(id),
            token: Set(format!("{:032x}", rand::random::<u128>())),
            width: Set(picture.width),
            height: Set(picture.height),
            bytes: Set(picture.bytes),
            uploaded_at: Set(tx.now()),
        }
        .insert(tx.conn())
        .await?;
    }
    let version = version + 1;
    let mut row = current.into_active_model();
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    let at = has.then(|| tx.now());
    tx.audit(
        viewer,
        "organisation.set_logo",
        id,
        Some(json!({ "hasLogo": had })),
        Some(json!({ "hasLogo": has, "logoAt": at, change::VERSION: version })),
    )
    .await?;
    Ok(updated)
}
