//! Organisations that are likely the same (policy 1).

use async_graphql::{Context, Enum, Object, Result};
use domain::organisation::duplicates::{self, Pair, Signal};

use super::Organisation;
use crate::graphql::{
    connection::{Connection, PageArgs, connect},
    store, viewer,
};

/// The query for likely duplicates.
#[derive(Clone, Copy, Debug, Default)]
pub struct DuplicateQuery;

/// Two organisations that are likely the same.
#[derive(Clone, Debug)]
pub struct DuplicatePair(Pair);

/// Two organisations that are likely the same.
#[Object]
impl DuplicatePair {
    /// The one that was made first.
    async fn one(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        super::find(ctx, self.0.one.id).await.transpose()
    }

    /// The one that was made later.
    async fn other(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        super::find(ctx, self.0.other.id).await.transpose()
    }

    /// How likely it is, from 0 to 1.
    async fn score(&self) -> Option<f64> {
        Some(self.0.likeness.score)
    }

    /// What they have in common.
    async fn signals(&self) -> Option<Vec<DuplicateSignal>> {
        let signals = self.0.likeness.signals.iter();
        Some(signals.map(|signal| (*signal).into()).collect())
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
    /// The address.
    Address,
}

#[Object]
impl DuplicateQuery {
    /// Pairs of organisations that are likely the same, the most alike first.
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

async fn list(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<DuplicatePair>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "duplicateOrganisations",
        page,
        async |page| duplicates::list(store.reader(), viewer, &page).await,
        Pair::key,
        DuplicatePair,
        move || {
            let (store, viewer) = counted.clone();
            async move {
                let pairs = duplicates::scan(store.reader(), &viewer).await?;
                Ok(pairs.len() as u64)
            }
        },
    )
    .await
}
