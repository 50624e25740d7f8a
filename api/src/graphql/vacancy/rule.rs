//! Organisations whose vacancies are published at once.

use async_graphql::{Context, Object, Result};
use chrono::{DateTime, Utc};
use entity::{
    ids::{OrganisationId, VacancyRuleId},
    vacancy_rule::Model,
};

use super::loaders::RulesOf;
use crate::graphql::{
    event::OpportunityKind,
    id::Id,
    person::{self, Person},
    rows::rows,
};

/// That the vacancies of an organisation are published at once.
#[derive(Clone, Debug)]
pub struct VacancyRule(pub(super) Model);

impl From<Model> for VacancyRule {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// That the vacancies of an organisation are published without waiting for an operator.
#[Object]
impl VacancyRule {
    /// Its id.
    async fn id(&self) -> Option<Id<VacancyRuleId>> {
        Some(Id(self.0.id))
    }

    /// Which kind of vacancies; null means all.
    async fn kind(&self) -> Option<OpportunityKind> {
        self.0.kind.map(Into::into)
    }

    /// Why the organisation is trusted.
    async fn reason(&self) -> Option<&str> {
        Some(&self.0.reason)
    }

    /// Who said so.
    async fn set_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.set_by).await.transpose()
    }

    /// When.
    async fn set_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.set_at)
    }

    /// When it ended; null while it holds.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.ended_at
    }
}

/// The rules that hold for an organisation.
pub(in crate::graphql) async fn rules_of(
    ctx: &Context<'_>,
    id: OrganisationId,
) -> Result<Vec<VacancyRule>> {
    let found = rows(ctx)?.load_one(RulesOf(id)).await?;
    let found = found.unwrap_or_default();
    Ok(found.into_iter().map(VacancyRule).collect())
}
