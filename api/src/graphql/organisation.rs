//! Organisations: the employers that the university works with (policy 2.2).

pub mod duplicates;
mod input;
mod logo;
mod object;
pub(super) mod related;

use async_graphql::{Context, Object, Result};
use domain::organisation as organisations;
use entity::organisation;

pub use self::{
    duplicates::DuplicateQuery,
    input::{
        ArchiveOrganisationInput, CreateOrganisationInput, OrganisationFilter,
        RestoreOrganisationInput, UpdateOrganisationInput,
    },
    logo::{OrganisationLogo, SetOrganisationLogoInput, SetOrganisationLogoPayload},
    object::{
        Organisation, OrganisationKind, OrganisationSize, OrganisationState, RecordSource, find,
    },
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    store, viewer,
};

/// Queries about organisations.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrganisationQuery;

/// Mutations about organisations.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrganisationMutation;

payload! {
    /// What became of a new organisation.
    CreateOrganisationPayload {
        /// The organisation.
        organisation: Organisation,
    }
}

payload! {
    /// What became of a change of an organisation.
    UpdateOrganisationPayload {
        /// The organisation as it is now.
        organisation: Organisation,
    }
}

payload! {
    /// What became of putting an organisation away.
    ArchiveOrganisationPayload {
        /// The organisation as it is now.
        organisation: Organisation,
    }
}

payload! {
    /// What became of fetching an organisation from the archive.
    RestoreOrganisationPayload {
        /// The organisation as it is now.
        organisation: Organisation,
    }
}

#[Object]
impl OrganisationQuery {
    /// Organisations, by name.
    async fn organisations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<OrganisationFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Organisation>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    filter: organisations::Filter,
    page: &PageArgs,
) -> Result<Connection<Organisation>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let filter = domain::segment::resolve(store.reader(), viewer, filter).await?;
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "organisations",
        page,
        async |page| organisations::list(store.reader(), viewer, &filter, &page).await,
        organisations::key,
        Organisation,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { organisations::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl OrganisationMutation {
    /// Adds an organisation. One that looks like an organisation that exists is refused, unless `confirmNotDuplicate`.
    async fn create_organisation(
        &self,
        ctx: &Context<'_>,
        input: CreateOrganisationInput,
    ) -> Result<CreateOrganisationPayload> {
        let mut tx = begin(ctx).await?;
        let (profile, confirmed) = input.into_profile();
        let created = organisations::create(&mut tx, viewer(ctx)?, profile, confirmed).await;
        CreateOrganisationPayload::commit(tx, created).await
    }

    /// Changes an organisation. What is not given stays as it is; `null` empties a field.
    async fn update_organisation(
        &self,
        ctx: &Context<'_>,
        input: UpdateOrganisationInput,
    ) -> Result<UpdateOrganisationPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let edit = |profile: &mut organisations::Profile| input.apply(profile);
        let updated = organisations::update(&mut tx, viewer(ctx)?, id, version, edit).await;
        UpdateOrganisationPayload::commit(tx, updated).await
    }

    /// Puts an organisation away: it is kept, and no longer used. Students have it no longer and no bulk mail goes to it.
    async fn archive_organisation(
        &self,
        ctx: &Context<'_>,
        input: ArchiveOrganisationInput,
    ) -> Result<ArchiveOrganisationPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, reason) = (input.id.0, input.version, input.reason.as_deref());
        let archived = organisations::archive(&mut tx, viewer(ctx)?, id, version, reason).await;
        ArchiveOrganisationPayload::commit(tx, archived).await
    }

    /// Fetches an organisation from the archive: it stands again where it stood before.
    async fn restore_organisation(
        &self,
        ctx: &Context<'_>,
        input: RestoreOrganisationInput,
    ) -> Result<RestoreOrganisationPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let restored = organisations::restore(&mut tx, viewer(ctx)?, id, version).await;
        RestoreOrganisationPayload::commit(tx, restored).await
    }

    /// Gives an organisation a logo, or takes it away. Employers do for their own.
    async fn set_organisation_logo(
        &self,
        ctx: &Context<'_>,
        input: SetOrganisationLogoInput,
    ) -> Result<SetOrganisationLogoPayload> {
        viewer(ctx)?.signed_in()?;
        // Looked at before the transaction begins: it takes a while.
        let picture = match logo::picture(input.logo.as_deref()).await {
            Ok(picture) => picture,
            Err(error) => return SetOrganisationLogoPayload::of::<organisation::Model>(Err(error)),
        };
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.organisation_id.0, input.version);
        let set = Box::pin(organisations::set_logo(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            picture,
        ))
        .await;
        SetOrganisationLogoPayload::commit(tx, set).await
    }
}
