//! Contacts: the people at organisations (policy 2.2), shown to those who may see them (policy 3).

pub(super) mod duplicates;
mod hold;
mod input;
mod object;
mod own;
pub(super) mod posts;

use async_graphql::{Context, Object, Result, SimpleObject};
use domain::contact::{self as contacts, Filter, Profile, duplicates::of_contact};

use self::{
    duplicates::ContactDuplicatePair,
    hold::{LiftContactHoldInput, LiftContactHoldPayload},
    own::{
        CreateOwnContactInput, CreateOwnContactPayload, UpdateOwnContactInput,
        UpdateOwnContactPayload,
    },
    posts::{
        AddContactPostInput, AddContactPostPayload, EndContactPostInput, EndContactPostPayload,
    },
};
pub use self::{
    input::{ContactFilter, ContactState, CreateContactInput, SubscriberType, UpdateContactInput},
    object::{Contact, find},
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, UserError, outcome, payload},
    store, viewer,
};

/// Queries about contacts.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContactQuery;

/// Mutations about contacts.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContactMutation;

/// What became of a new contact.
#[derive(Debug, SimpleObject)]
pub struct CreateContactPayload {
    /// The contact.
    contact: Option<Contact>,
    /// Whom the contact is likely the same as, the most alike first: `mergeContacts`, or `dismissContactDuplicate`.
    likely_duplicates: Option<Vec<ContactDuplicatePair>>,
    /// Why nothing was changed; empty when it was.
    user_errors: Vec<UserError>,
}

payload! {
    /// What became of a change of a contact.
    UpdateContactPayload {
        /// The contact as it is now.
        contact: Contact,
    }
}

#[Object]
impl ContactQuery {
    /// Contacts whom the viewer may see, by name.
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<ContactFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Contact>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(ctx: &Context<'_>, filter: Filter, page: &PageArgs) -> Result<Connection<Contact>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "contacts",
        page,
        async |page| contacts::list(store.reader(), viewer, store.now(), &filter, &page).await,
        contacts::key,
        Contact,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { contacts::count(store.reader(), &viewer, store.now(), &filter).await }
        },
    )
    .await
}

#[Object]
impl ContactMutation {
    /// Adds a contact to an organisation, and tells whom they are likely the same as.
    async fn create_contact(
        &self,
        ctx: &Context<'_>,
        input: CreateContactInput,
    ) -> Result<CreateContactPayload> {
        let mut tx = begin(ctx).await?;
        let (viewer, (at, profile)) = (viewer(ctx)?, input.into_parts());
        let created = Box::pin(contacts::create(&mut tx, viewer, at, profile)).await;
        let (contact, user_errors) = outcome(created)?;
        let mut likely_duplicates = Vec::new();
        if let Some(contact) = &contact {
            likely_duplicates = of_contact(tx.conn(), viewer, tx.now(), contact.id).await?;
            tx.commit().await?;
        }
        Ok(CreateContactPayload {
            contact: contact.map(Contact),
            likely_duplicates: Some(likely_duplicates.into_iter().map(Into::into).collect()),
            user_errors,
        })
    }

    /// Lets mail go again to a contact who is on hold because mails came back, and to the other records with their address, and
    /// keeps why.
    async fn lift_contact_hold(
        &self,
        ctx: &Context<'_>,
        input: LiftContactHoldInput,
    ) -> Result<LiftContactHoldPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, reason) = (input.id.0, input.version, &input.reason);
        let freed = Box::pin(contacts::lift_hold(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            reason,
        ))
        .await;
        LiftContactHoldPayload::commit(tx, freed).await
    }

    /// Changes a contact. What is not given stays as it is; `null` empties a field.
    async fn update_contact(
        &self,
        ctx: &Context<'_>,
        input: UpdateContactInput,
    ) -> Result<UpdateContactPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let edit = |profile: &mut Profile| input.apply(profile);
        let updated = contacts::update(&mut tx, viewer(ctx)?, id, version, edit).await;
        UpdateContactPayload::commit(tx, updated).await
    }

    /// Says that a contact works at another organisation too, or what their job title there is.
    async fn add_contact_post(
        &self,
        ctx: &Context<'_>,
        input: AddContactPostInput,
    ) -> Result<AddContactPostPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, job_title) = (input.contact_id.0, input.version, input.job_title);
        let added = Box::pin(contacts::add_post(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            input.organisation_id.0,
            job_title.as_deref(),
        ))
        .await;
        AddContactPostPayload::commit(tx, added).await
    }

    /// Says that a contact no longer works at another organisation.
    async fn end_contact_post(
        &self,
        ctx: &Context<'_>,
        input: EndContactPostInput,
    ) -> Result<EndContactPostPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, at) = (input.contact_id.0, input.version, input.organisation_id.0);
        let ended = Box::pin(contacts::end_post(&mut tx, viewer(ctx)?, id, version, at)).await;
        EndContactPostPayload::commit(tx, ended).await
    }

    /// Adds a contact to one's own organisation. For employers.
    async fn create_own_contact(
        &self,
        ctx: &Context<'_>,
        input: CreateOwnContactInput,
    ) -> Result<CreateOwnContactPayload> {
        let mut tx = begin(ctx).await?;
        let created = Box::pin(contacts::create_own(&mut tx, viewer(ctx)?, input.into())).await;
        CreateOwnContactPayload::commit(tx, created).await
    }

    /// Changes a contact of one's own organisation. Whoever signs in keeps their own record. For employers.
    async fn update_own_contact(
        &self,
        ctx: &Context<'_>,
        input: UpdateOwnContactInput,
    ) -> Result<UpdateOwnContactPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let edit = |profile: &mut Profile| input.apply(profile);
        let updated = Box::pin(contacts::update_of_own(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            edit,
        ))
        .await;
        UpdateOwnContactPayload::commit(tx, updated).await
    }
}
