//! Key accounts: whom to ask before a contact is contacted (policy 2.3).

mod loaders;
mod types;

use async_graphql::{Context, InputObject, Object, Result};
use domain::key_account::{self as accounts, Filter, Named};
use entity::{
    ids::{ContactId, KeyAccountId, OrganisationId, UserId},
    key_account::Model,
};

pub use self::{
    loaders::{accounts_of, find, is_withheld, standing},
    types::{ContactWithGuidance, KeyAccount, KeyAccountScope, KeyAccountState},
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    store, viewer,
};

/// Queries about key accounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyAccountQuery;

/// Mutations of key accounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyAccountMutation;

/// What a list of key accounts is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct KeyAccountFilter {
    /// The organisation that is claimed.
    organisation_id: Option<Id<OrganisationId>>,
    /// The Key Account Operator.
    operator_id: Option<Id<UserId>>,
    /// Whether the claim stands.
    state: Option<KeyAccountState>,
}

impl From<KeyAccountFilter> for Filter {
    fn from(given: KeyAccountFilter) -> Self {
        Self {
            organisation_id: given.organisation_id.map(|id| id.0),
            operator_id: given.operator_id.map(|id| id.0),
            state: given.state.map(Into::into),
        }
    }
}

/// A contact to be named, with how they are to be approached.
#[derive(Clone, Debug, InputObject)]
pub struct KeyAccountContactInput {
    /// The contact, who works at the organisation.
    contact_id: Id<ContactId>,
    /// What others must know before they contact them. It becomes a note of kind `GUIDANCE_ON_CONTACT`.
    guidance: String,
}

impl From<KeyAccountContactInput> for Named {
    fn from(given: KeyAccountContactInput) -> Self {
        Self {
            contact_id: given.contact_id.0,
            guidance: given.guidance,
        }
    }
}

/// A claim on an organisation.
#[derive(Debug, InputObject)]
pub struct ClaimKeyAccountInput {
    /// The organisation.
    organisation_id: Id<OrganisationId>,
    /// The contacts whom others don't contact before they have liaised; at least one where the organisation has many touch
    /// points, at most 100.
    #[graphql(default)]
    contacts: Vec<KeyAccountContactInput>,
}

/// A key account that is given up.
#[derive(Debug, InputObject)]
pub struct ReleaseKeyAccountInput {
    /// The key account.
    key_account_id: Id<KeyAccountId>,
}

/// Further contacts of a key account.
#[derive(Debug, InputObject)]
pub struct AddKeyAccountContactsInput {
    /// The key account.
    key_account_id: Id<KeyAccountId>,
    /// The contacts, at most 100.
    contacts: Vec<KeyAccountContactInput>,
}

/// A contact that is given back to everybody.
#[derive(Debug, InputObject)]
pub struct RemoveKeyAccountContactInput {
    /// The key account.
    key_account_id: Id<KeyAccountId>,
    /// The contact.
    contact_id: Id<ContactId>,
}

/// A key account that goes to another operator.
#[derive(Debug, InputObject)]
pub struct HandOverKeyAccountInput {
    /// The key account.
    key_account_id: Id<KeyAccountId>,
    /// The operator who has it from now on, and may claim key accounts.
    to_user_id: Id<UserId>,
}

payload! {
    /// What became of a claim.
    ClaimKeyAccountPayload {
        /// The key account.
        key_account: KeyAccount,
    }
}

payload! {
    /// What became of giving a key account up.
    ReleaseKeyAccountPayload {
        /// The key account, which has ended.
        key_account: KeyAccount,
    }
}

payload! {
    /// What became of naming contacts.
    AddKeyAccountContactsPayload {
        /// The key account.
        key_account: KeyAccount,
    }
}

payload! {
    /// What became of giving a contact back.
    RemoveKeyAccountContactPayload {
        /// The key account.
        key_account: KeyAccount,
    }
}

payload! {
    /// What became of handing a key account over.
    HandOverKeyAccountPayload {
        /// The key account that has the contacts now.
        key_account: KeyAccount,
    }
}

#[Object]
impl KeyAccountQuery {
    /// Key accounts, the latest claimed first.
    async fn key_accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<KeyAccountFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<KeyAccount>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }

    /// A contact's details together with the guidance on contacting them (policy 2.3). That they were shown to the viewer is
    /// kept in the audit log when it is a key account contact. Null when there is no such contact.
    async fn contact_with_guidance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The contact.")] id: Id<ContactId>,
    ) -> Option<Result<ContactWithGuidance>> {
        with_guidance(ctx, id.0).await.transpose()
    }
}

async fn with_guidance(ctx: &Context<'_>, id: ContactId) -> Result<Option<ContactWithGuidance>> {
    let mut tx = begin(ctx).await?;
    let shown = accounts::show_with_guidance(&mut tx, viewer(ctx)?, id).await?;
    // What isn't recorded isn't shown.
    tx.commit().await?;
    Ok(shown.map(ContactWithGuidance))
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    page: &PageArgs,
) -> Result<Connection<KeyAccount>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "keyAccounts",
        page,
        async |page| accounts::list(store.reader(), viewer, &filter, &page).await,
        |row: &Model| row.id,
        KeyAccount,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { accounts::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl KeyAccountMutation {
    /// Claims an organisation for the viewer, whole, or the named contacts of one that has many touch points (policy 2.3).
    async fn claim_key_account(
        &self,
        ctx: &Context<'_>,
        input: ClaimKeyAccountInput,
    ) -> Result<ClaimKeyAccountPayload> {
        let mut tx = begin(ctx).await?;
        let named = input.contacts.into_iter().map(Into::into).collect();
        let id = input.organisation_id.0;
        let claimed = accounts::claim(&mut tx, viewer(ctx)?, id, named).await;
        ClaimKeyAccountPayload::commit(tx, claimed).await
    }

    /// Gives a key account up. Its contacts are everybody's again.
    async fn release_key_account(
        &self,
        ctx: &Context<'_>,
        input: ReleaseKeyAccountInput,
    ) -> Result<ReleaseKeyAccountPayload> {
        let mut tx = begin(ctx).await?;
        let released = accounts::release(&mut tx, viewer(ctx)?, input.key_account_id.0).await;
        ReleaseKeyAccountPayload::commit(tx, released).await
    }

    /// Names further contacts of a key account.
    async fn add_key_account_contacts(
        &self,
        ctx: &Context<'_>,
        input: AddKeyAccountContactsInput,
    ) -> Result<AddKeyAccountContactsPayload> {
        let mut tx = begin(ctx).await?;
        let named = input.contacts.into_iter().map(Into::into).collect();
        let id = input.key_account_id.0;
        let added = accounts::add_contacts(&mut tx, viewer(ctx)?, id, named).await;
        AddKeyAccountContactsPayload::commit(tx, added).await
    }

    /// Gives a contact of a key account back to everybody.
    async fn remove_key_account_contact(
        &self,
        ctx: &Context<'_>,
        input: RemoveKeyAccountContactInput,
    ) -> Result<RemoveKeyAccountContactPayload> {
        let mut tx = begin(ctx).await?;
        let (id, contact_id) = (input.key_account_id.0, input.contact_id.0);
        let removed = accounts::remove_contact(&mut tx, viewer(ctx)?, id, contact_id).await;
        RemoveKeyAccountContactPayload::commit(tx, removed).await
    }

    /// Hands a key account over to another operator. Contacts, guidance and what was agreed stay.
    async fn hand_over_key_account(
        &self,
        ctx: &Context<'_>,
        input: HandOverKeyAccountInput,
    ) -> Result<HandOverKeyAccountPayload> {
        let mut tx = begin(ctx).await?;
        let (id, to) = (input.key_account_id.0, input.to_user_id.0);
        let handed = accounts::hand_over_one(&mut tx, viewer(ctx)?, id, to).await;
        HandOverKeyAccountPayload::commit(tx, handed).await
    }
}
