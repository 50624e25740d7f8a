//! Contacts that are likely the same person (policy 1).

use async_graphql::{Context, Enum, InputObject, Object, Result};
use domain::{
    contact::duplicates::{Candidate, Signal},
    duplicate::{
        Evidence,
        kept::{self, Table},
    },
};
use entity::{
    contact_duplicate_pair::{Entity, Model},
    ids::DuplicatePairId,
};

use super::Contact;
use crate::graphql::{
    begin,
    connection::{Connection, PageArgs},
    duplicate::{self, DuplicateEvidence},
    errors::{Payload, payload},
    id::Id,
    viewer,
};

/// The query for contacts that are likely the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContactDuplicateQuery;

/// The mutation of contacts that are likely the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContactDuplicateMutation;

/// Two contacts that are likely the same person.
#[derive(Clone, Debug)]
pub struct ContactDuplicatePair(Model);

impl From<Model> for ContactDuplicatePair {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// Two contacts that are likely the same person. For operators who need not liaise first about either: for others it isn't
/// there (policy 2.3).
#[Object]
impl ContactDuplicatePair {
    /// The id of the pair, for `dismissContactDuplicate`.
    async fn pair_id(&self) -> Option<Id<DuplicatePairId>> {
        Some(Id(self.0.id))
    }

    /// The one that was made first.
    async fn one(&self, ctx: &Context<'_>) -> Option<Result<Contact>> {
        super::find(ctx, self.0.one_id).await.transpose()
    }

    /// The one that was made later. `mergeContacts` makes one of them when they are of one organisation.
    async fn other(&self, ctx: &Context<'_>) -> Option<Result<Contact>> {
        super::find(ctx, self.0.other_id).await.transpose()
    }

    /// Pairs with the same are one cluster: all their contacts are likely one person.
    async fn cluster_id(&self) -> Option<Id<DuplicatePairId>> {
        Some(Id(self.0.group_id))
    }

    /// How likely it is, from 0 to 1.
    async fn score(&self) -> Option<f64> {
        Some(Entity::told(&self.0).score())
    }

    /// What they have in common.
    async fn signals(&self) -> Option<Result<Vec<ContactDuplicateSignal>>> {
        Some(duplicate::told::<Signal, _>(&self.0.signals))
    }

    /// What speaks for and against, the strongest first. The weights add up, with how likely any two are the same.
    async fn evidence(&self) -> Option<Result<Vec<DuplicateEvidence>>> {
        Some(duplicate::told::<Evidence, _>(&self.0.evidence))
    }
}

/// Something that two contacts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Signal")]
pub enum ContactDuplicateSignal {
    /// The name, but for case, titles, order and short forms.
    SameName,
    /// Nearly the name, or an initial of it.
    SimilarName,
    /// The e-mail address.
    Email,
    /// What stands before the @ of an address.
    Mailbox,
    /// The telephone number.
    Telephone,
    /// Where they work.
    SameOrganisation,
    /// They work at organisations that are likely the same.
    LikelySameOrganisation,
    /// The job title, or words of it.
    JobTitle,
}

/// The pair that is none.
#[derive(Debug, InputObject)]
pub struct DismissContactDuplicateInput {
    /// The pair.
    pair_id: Id<DuplicatePairId>,
    /// Why they are not the same, for the audit log.
    reason: Option<String>,
}

payload! {
    /// What became of saying that two contacts are not the same.
    DismissContactDuplicatePayload {
        /// The pair, which is not listed any more.
        pair: ContactDuplicatePair,
    }
}

#[Object]
impl ContactDuplicateQuery {
    /// Pairs of contacts that are likely the same person, the most alike first. They are looked for every night, after an
    /// import, and when a contact is added. Those with a contact about whom the viewer must liaise first are left out.
    async fn duplicate_contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<ContactDuplicatePair>>> {
        let page = PageArgs::new(first, after, last, before);
        let name = "duplicateContacts";
        Some(duplicate::list::<Candidate, _>(ctx, name, &page, ContactDuplicatePair).await)
    }
}

#[Object]
impl ContactDuplicateMutation {
    /// Says that two contacts are not the same person. They are not told of again.
    async fn dismiss_contact_duplicate(
        &self,
        ctx: &Context<'_>,
        input: DismissContactDuplicateInput,
    ) -> Result<DismissContactDuplicatePayload> {
        let mut tx = begin(ctx).await?;
        let (id, reason) = (input.pair_id.0, input.reason.as_deref());
        let dismissed = Box::pin(kept::dismiss::<Candidate>(
            &mut tx,
            viewer(ctx)?,
            id,
            reason,
        ))
        .await;
        DismissContactDuplicatePayload::commit(tx, dismissed).await
    }
}
