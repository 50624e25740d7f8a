//! Organisations that are likely the same (policy 1).

use async_graphql::{Context, Enum, InputObject, Object, Result};
use domain::{
    duplicate::{
        Evidence,
        kept::{self, Table},
    },
    organisation::duplicates::{Candidate, Signal},
};
use entity::{
    duplicate_pair::{Entity, Model},
    ids::{DuplicatePairId, OrganisationId},
};

use super::Organisation;
use crate::graphql::{
    begin,
    connection::{Connection, PageArgs},
    duplicate::{self, DuplicateEvidence},
    errors::{Payload, payload},
    id::Id,
    viewer,
};

/// The query for likely duplicates.
#[derive(Clone, Copy, Debug, Default)]
pub struct DuplicateQuery;

/// The mutation of likely duplicates.
#[derive(Clone, Copy, Debug, Default)]
pub struct DuplicateMutation;

/// Two organisations that are likely the same.
#[derive(Clone, Debug)]
pub struct DuplicatePair(Model);

impl From<Model> for DuplicatePair {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// Two organisations that are likely the same.
#[Object]
impl DuplicatePair {
    /// The id of the pair, for `dismissDuplicate`.
    async fn pair_id(&self) -> Option<Id<DuplicatePairId>> {
        Some(Id(self.0.id))
    }

    /// The one that was made first.
    async fn one(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        super::find(ctx, self.0.one_id).await.transpose()
    }

    /// The one that was made later.
    async fn other(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        super::find(ctx, self.0.other_id).await.transpose()
    }

    /// The first of all organisations that belong together with these two: pairs with the same one are one cluster.
    async fn cluster_id(&self) -> Option<Id<OrganisationId>> {
        Some(Id(self.0.group_id))
    }

    /// How likely it is, from 0 to 1.
    async fn score(&self) -> Option<f64> {
        Some(Entity::told(&self.0).score())
    }

    /// What they have in common.
    async fn signals(&self) -> Option<Result<Vec<DuplicateSignal>>> {
        Some(duplicate::told::<Signal, _>(&self.0.signals))
    }

    /// What speaks for and against, the strongest first. The weights add up, with how likely any two are the same.
    async fn evidence(&self) -> Option<Result<Vec<DuplicateEvidence>>> {
        Some(duplicate::told::<Evidence, _>(&self.0.evidence))
    }
}

/// Something that two organisations have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Signal")]
pub enum DuplicateSignal {
    /// The name, but for case, punctuation and legal suffix.
    SameName,
    /// Nearly the name.
    SimilarName,
    /// One trades under the name of the other, or both under one.
    TradingName,
    /// The company number.
    CompanyNumber,
    /// The domain of web site or mail.
    Domain,
    /// The telephone number of a contact.
    Telephone,
    /// The address.
    Address,
}

/// The pair that is none.
#[derive(Debug, InputObject)]
pub struct DismissDuplicateInput {
    /// The pair.
    pair_id: Id<DuplicatePairId>,
    /// Why they are not the same, for the audit log.
    reason: Option<String>,
}

payload! {
    /// What became of saying that two organisations are not the same.
    DismissDuplicatePayload {
        /// The pair, which is not listed any more.
        pair: DuplicatePair,
    }
}

#[Object]
impl DuplicateQuery {
    /// Pairs of organisations that are likely the same, the most alike first. They are looked for every night, after an
    /// import, and when an organisation is made.
    async fn duplicate_organisations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<DuplicatePair>>> {
        let page = PageArgs::new(first, after, last, before);
        let name = "duplicateOrganisations";
        Some(duplicate::list::<Candidate, _>(ctx, name, &page, DuplicatePair).await)
    }
}

#[Object]
impl DuplicateMutation {
    /// Says that two organisations are not the same. They are not told of again.
    async fn dismiss_duplicate(
        &self,
        ctx: &Context<'_>,
        input: DismissDuplicateInput,
    ) -> Result<DismissDuplicatePayload> {
        let mut tx = begin(ctx).await?;
        let (id, reason) = (input.pair_id.0, input.reason.as_deref());
        let dismissed = kept::dismiss::<Candidate>(&mut tx, viewer(ctx)?, id, reason).await;
        DismissDuplicatePayload::commit(tx, dismissed).await
    }
}
