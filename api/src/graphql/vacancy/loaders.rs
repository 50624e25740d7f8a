//! Vacancies, and what belongs to them, fetched for a whole list at once.

use std::collections::{BTreeMap, HashMap};

use async_graphql::dataloader::Loader;
use domain::vacancy as vacancies;
use entity::{
    ids::{OrganisationId, ProgrammeId, VacancyId},
    vacancy::{Column, Model},
    vacancy_rule,
};

use crate::graphql::rows::{LoadError, Rows, by_id};

/// The programmes that a vacancy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ProgrammesSuiting(pub VacancyId);

/// The last vacancies of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct VacanciesOf(pub OrganisationId, pub u64);

/// The rules that hold for an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RulesOf(pub OrganisationId);

by_id!(VacancyId => Model, visible |rows| vacancies::visible(&rows.viewer, rows.store.now()), Column::Id);

impl Loader<ProgrammesSuiting> for Rows {
    type Value = Vec<ProgrammeId>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ProgrammesSuiting],
    ) -> Result<HashMap<ProgrammesSuiting, Self::Value>, LoadError> {
        let ids: Vec<VacancyId> = keys.iter().map(|key| key.0).collect();
        let mut all: HashMap<ProgrammesSuiting, Self::Value> = HashMap::new();
        for row in vacancies::programmes_of(self.store.reader(), &ids).await? {
            let key = ProgrammesSuiting(row.vacancy_id);
            all.entry(key).or_default().push(row.programme_id);
        }
        Ok(all)
    }
}

impl Loader<VacanciesOf> for Rows {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[VacanciesOf],
    ) -> Result<HashMap<VacanciesOf, Self::Value>, LoadError> {
        let mut by_number: BTreeMap<u64, Vec<OrganisationId>> = BTreeMap::new();
        for key in keys {
            by_number.entry(key.1).or_default().push(key.0);
        }
        let (store, viewer) = (&self.store, &self.viewer);
        let mut all: HashMap<VacanciesOf, Self::Value> = HashMap::new();
        for (first, ids) in by_number {
            let found =
                vacancies::of_organisations(store.reader(), viewer, store.now(), &ids, first)
                    .await?;
            for row in found {
                let key = VacanciesOf(row.organisation_id, first);
                all.entry(key).or_default().push(row);
            }
        }
        Ok(all)
    }
}

impl Loader<RulesOf> for Rows {
    type Value = Vec<vacancy_rule::Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[RulesOf]) -> Result<HashMap<RulesOf, Self::Value>, LoadError> {
        let ids: Vec<OrganisationId> = keys.iter().map(|key| key.0).collect();
        let mut all: HashMap<RulesOf, Self::Value> = HashMap::new();
        for row in vacancies::rules_of(self.store.reader(), &self.viewer, &ids).await? {
            let key = RulesOf(row.organisation_id);
            all.entry(key).or_default().push(row);
        }
        Ok(all)
    }
}
