//! Where else contacts work.

use std::collections::{BTreeMap, HashMap};

use async_graphql::{Context, InputObject, Object, Result, dataloader::Loader};
use domain::contact as contacts;
use entity::{
    contact, contact_post,
    ids::{ContactId, OrganisationId},
};

use super::Contact;
use crate::graphql::{
    errors::payload,
    id::Id,
    organisation::{self, Organisation, related::few},
    rows::{LoadError, Rows, rows},
};

/// The posts of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PostsOf(ContactId);

/// The first contacts who have a post at an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct WithPostsAt(OrganisationId, u64);

impl Loader<PostsOf> for Rows {
    type Value = Vec<contact_post::Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[PostsOf]) -> Result<HashMap<PostsOf, Self::Value>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = contacts::posts_of(self.store.reader(), &self.viewer, &ids).await?;
        let mut all: HashMap<PostsOf, Self::Value> = HashMap::new();
        for post in found {
            all.entry(PostsOf(post.contact_id)).or_default().push(post);
        }
        Ok(all)
    }
}

impl Loader<WithPostsAt> for Rows {
    type Value = Vec<contact::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[WithPostsAt],
    ) -> Result<HashMap<WithPostsAt, Self::Value>, LoadError> {
        let mut by_number: BTreeMap<u64, Vec<OrganisationId>> = BTreeMap::new();
        for key in keys {
            by_number.entry(key.1).or_default().push(key.0);
        }
        let mut all: HashMap<WithPostsAt, Self::Value> = HashMap::new();
        for (first, ids) in by_number {
            let found =
                contacts::with_posts_at(self.store.reader(), &self.viewer, &ids, first).await?;
            for (id, row) in found {
                all.entry(WithPostsAt(id, first)).or_default().push(row);
            }
        }
        Ok(all)
    }
}

pub(super) async fn posts_of(ctx: &Context<'_>, id: ContactId) -> Result<Vec<ContactPost>> {
    let found = rows(ctx)?.load_one(PostsOf(id)).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(ContactPost)
        .collect())
}

/// The contacts who have a post at an organisation, whose record another organisation has.
pub(in crate::graphql) async fn with_posts_at(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<Contact>> {
    let found = rows(ctx)?.load_one(WithPostsAt(id, few(first)?)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Contact).collect())
}

/// A post of a contact at an organisation besides the one that has the record.
#[derive(Clone, Debug)]
pub struct ContactPost(contact_post::Model);

/// A post of a contact at an organisation besides the one that has the record.
#[Object]
impl ContactPost {
    /// Where they work too.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// Their job title there.
    async fn job_title(&self) -> Option<&str> {
        self.0.job_title.as_deref()
    }
}

/// A post of a contact at another organisation.
#[derive(Debug, InputObject)]
pub struct AddContactPostInput {
    /// The contact.
    pub(super) contact_id: Id<ContactId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// Where they work too.
    pub(super) organisation_id: Id<OrganisationId>,
    /// Their job title there.
    pub(super) job_title: Option<String>,
}

/// A post that a contact no longer has.
#[derive(Debug, InputObject)]
pub struct EndContactPostInput {
    /// The contact.
    pub(super) contact_id: Id<ContactId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// Where they no longer work.
    pub(super) organisation_id: Id<OrganisationId>,
}

payload! {
    /// What became of a post at another organisation.
    AddContactPostPayload {
        /// The contact as it is now.
        contact: Contact,
    }
}

payload! {
    /// What became of the end of a post.
    EndContactPostPayload {
        /// The contact as it is now.
        contact: Contact,
    }
}
