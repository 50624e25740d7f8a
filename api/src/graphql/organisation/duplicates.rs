//! Organisations that are likely the same (policy 1).

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use domain::{
    duplicate::{self, Field},
    organisation::duplicates::{self, Signal},
};
use entity::{
    duplicate_pair::Model,
    ids::{DuplicatePairId, OrganisationId},
};

use super::Organisation;
use crate::graphql::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    store, viewer,
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
        Some(1.0 - f64::from(self.0.doubt) / 1e6)
    }

    /// What they have in common.
    async fn signals(&self) -> Option<Result<Vec<DuplicateSignal>>> {
        let signals = serde_json::from_value::<Vec<Signal>>(self.0.signals.clone());
        Some(
            signals
                .map(|signals| signals.into_iter().map(Into::into).collect())
                .map_err(|error| domain::Error::from(error).into()),
        )
    }

    /// What speaks for and against, the strongest first. The weights add up, with how likely any two are the same.
    async fn evidence(&self) -> Option<Result<Vec<DuplicateEvidence>>> {
        let evidence = serde_json::from_value::<Vec<duplicate::Evidence>>(self.0.evidence.clone());
        Some(
            evidence
                .map(|evidence| evidence.into_iter().map(Into::into).collect())
                .map_err(|error| domain::Error::from(error).into()),
        )
    }
}

/// What one field says for or against two organisations being the same.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct DuplicateEvidence {
    /// The field.
    field: Option<DuplicateField>,
    /// How far they agree in it: 0 differs, 1 is the same.
    agreement: Option<f64>,
    /// What that says, in bits: 1 makes it twice as likely that they are the same, -1 half as likely.
    weight: Option<f64>,
}

impl From<duplicate::Evidence> for DuplicateEvidence {
    fn from(evidence: duplicate::Evidence) -> Self {
        Self {
            field: Some(evidence.field.into()),
            agreement: Some(evidence.agreement),
            weight: Some(evidence.weight),
        }
    }
}

/// What is compared of two organisations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Field")]
pub enum DuplicateField {
    /// The names.
    Name,
    /// Address and postcode together.
    Place,
    /// The telephone numbers of contacts.
    Telephone,
    /// The domains of web site and mail.
    Domain,
    /// The company number.
    Number,
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
        Some(list(ctx, &PageArgs::new(first, after, last, before)).await)
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
        let dismissed = duplicates::dismiss(&mut tx, viewer(ctx)?, id, reason).await;
        DismissDuplicatePayload::commit(tx, dismissed).await
    }
}

async fn list(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<DuplicatePair>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "duplicateOrganisations",
        page,
        async |page| duplicates::list(store.reader(), viewer, &page).await,
        duplicates::key,
        DuplicatePair,
        move || {
            let (store, viewer) = counted.clone();
            async move { duplicates::count(store.reader(), &viewer).await }
        },
    )
    .await
}
