//! Logos of organisations.

use std::collections::HashMap;

use async_graphql::{Context, InputObject, Result, SimpleObject, dataloader::Loader};
use domain::{
    organisation::{self as organisations, LogoPlace},
    profile::Photo,
};
use entity::ids::OrganisationId;

use super::Organisation;
use crate::{
    graphql::{
        errors::payload,
        file::decoded,
        id::Id,
        rows::{LoadError, Rows, rows},
    },
    http::photo,
};

/// The logo of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LogoOf(OrganisationId);

impl Loader<LogoOf> for Rows {
    type Value = LogoPlace;
    type Error = LoadError;

    async fn load(&self, keys: &[LogoOf]) -> Result<HashMap<LogoOf, LogoPlace>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = organisations::logos_of(self.store.reader(), &ids).await?;
        Ok(found
            .into_iter()
            .map(|place| (LogoOf(place.organisation_id), place))
            .collect())
    }
}

pub(super) async fn logo_of(
    ctx: &Context<'_>,
    id: OrganisationId,
) -> Result<Option<OrganisationLogo>> {
    let found = rows(ctx)?.load_one(LogoOf(id)).await?;
    Ok(found.map(|place| OrganisationLogo {
        url: photo::logo_address(&place.token),
        width: place.width,
        height: place.height,
    }))
}

/// A logo: JPEG, with nothing in it but the picture, on white.
#[derive(Clone, Debug, SimpleObject)]
pub struct OrganisationLogo {
    /// Its address, which nobody can guess; a new logo has a new one.
    url: String,
    /// In pixels.
    width: i32,
    /// In pixels.
    height: i32,
}

/// The logo that an organisation is to have.
#[derive(Debug, InputObject)]
pub struct SetOrganisationLogoInput {
    /// The organisation.
    pub(super) organisation_id: Id<OrganisationId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// A PNG, JPEG or WebP file of at most 700 kB in base 64, with or without `data:image/png;base64,` before it. Without it,
    /// the organisation has no logo any more.
    pub(super) logo: Option<String>,
}

payload! {
    /// What became of a logo.
    SetOrganisationLogoPayload {
        /// The organisation as it is now.
        organisation: Organisation,
    }
}

/// The picture of a file that was sent.
pub(super) async fn picture(given: Option<&str>) -> domain::Result<Option<Photo>> {
    match given {
        Some(text) => Ok(Some(Photo::read("logo", decoded("logo", text)?).await?)),
        None => Ok(None),
    }
}
