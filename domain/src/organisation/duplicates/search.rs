//! The search over all organisations, and keeping the pairs that it finds.

use super::{CHUNK, Candidate, KIND, Pair, comparable, signals};
use crate::{
    duplicate::{self, Findings, Record},
    error::{Error, Result},
    store::Tx,
    viewer::Viewer,
};
use chrono::{DateTime, Utc};
use entity::{
    contact, duplicate_model,
    duplicate_pair::{self, DuplicatePairState},
    ids::{DuplicatePairId, OrganisationId},
    organisation::{self},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::OnConflict,
};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// What a search among all organisations has found.
#[derive(Debug)]
pub struct Search {
    begun_at: DateTime<Utc>,
    candidates: Vec<Candidate>,
    findings: Findings,
}

/// Compares all organisations that are worth comparing. Takes seconds for thousands of them and changes nothing.
pub async fn search(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Search> {
    let candidates = comparable()
        .order_by_asc(organisation::Column::CreatedAt)
        .order_by_asc(organisation::Column::Name)
        .order_by_asc(organisation::Column::Id)
        .into_partial_model::<Candidate>()
        .all(db)
        .await?;
    let mut telephones = telephones(db).await?;
    let records: Vec<Record> = candidates
        .iter()
        .map(|candidate| candidate.record(telephones.remove(&candidate.id).unwrap_or_default()))
        .collect();
    let findings = tokio::task::spawn_blocking(move || duplicate::find(&records))
        .await
        .map_err(|error| Error::Fault(format!("the search for duplicates ended: {error}")))?;
    Ok(Search {
        begun_at: now,
        candidates,
        findings,
    })
}

/// The numbers under which the contacts of each organisation are called.
async fn telephones(db: &impl ConnectionTrait) -> Result<HashMap<OrganisationId, Vec<String>>> {
    let rows: Vec<(OrganisationId, Option<String>)> = contact::Entity::find()
        .select_only()
        .columns([contact::Column::OrganisationId, contact::Column::Telephone])
        .filter(contact::Column::Telephone.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    let mut telephones: HashMap<OrganisationId, Vec<String>> = HashMap::new();
    for (organisation, telephone) in rows {
        telephones
            .entry(organisation)
            .or_default()
            .extend(telephone);
    }
    Ok(telephones)
}

impl Search {
    /// How many organisations were looked at, and how many pairs of them compared.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.candidates.len(), self.findings.compared)
    }

    /// The pairs, the likeliest first.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair> {
        let mut first: HashMap<usize, usize> = HashMap::new();
        for found in &self.findings.matches {
            let least = first.entry(found.group).or_insert(found.one);
            *least = found.one.min(*least);
        }
        let mut pairs: Vec<Pair> = self
            .findings
            .matches
            .iter()
            .filter_map(|found| {
                let (one, other) = (
                    self.candidates.get(found.one)?,
                    self.candidates.get(found.other)?,
                );
                let group = first
                    .get(&found.group)
                    .and_then(|at| self.candidates.get(*at));
                Some(Pair {
                    one: one.clone(),
                    other: other.clone(),
                    score: found.score,
                    signals: signals(&found.evidence, one, other),
                    evidence: found.evidence.clone(),
                    group_id: group.map_or(one.id, |first| first.id),
                })
            })
            .collect();
        pairs.sort_by(|a, b| {
            doubt(a.score)
                .cmp(&doubt(b.score))
                .then_with(|| a.one.name.cmp(&b.one.name))
                .then((a.one.id, a.other.id).cmp(&(b.one.id, b.other.id)))
        });
        pairs
    }

    /// The pairs with one of these organisations in them.
    pub(in crate::organisation) fn pairs_with(&self, ids: &HashSet<OrganisationId>) -> Vec<Pair> {
        let mut pairs = self.pairs();
        pairs.retain(|pair| ids.contains(&pair.one.id) || ids.contains(&pair.other.id));
        pairs
    }
}

/// In millionths.
fn doubt(score: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a score is from 0 to 1")]
    let doubt = ((1.0 - score) * 1e6) as i32;
    doubt
}

/// Keeps what a search has found in place of what earlier ones did. Pairs that were dismissed stay so. Answers how many
/// pairs there are.
pub async fn keep(tx: &mut Tx, search: &Search) -> Result<usize> {
    duplicate_pair::Entity::delete_many()
        .filter(duplicate_pair::Column::State.eq(DuplicatePairState::Open))
        .filter(duplicate_pair::Column::FoundAt.lte(search.begun_at))
        .exec(tx.conn())
        .await?;
    let pairs = search.pairs();
    write(tx, &pairs).await?;
    let model = duplicate_model::ActiveModel {
        kind: Set(KIND.to_owned()),
        learnt: Set(serde_json::to_value(&search.findings.model)?),
        learnt_at: Set(tx.now()),
    };
    duplicate_model::Entity::insert(model)
        .on_conflict(
            OnConflict::column(duplicate_model::Column::Kind)
                .update_columns([
                    duplicate_model::Column::Learnt,
                    duplicate_model::Column::LearntAt,
                ])
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    let told = json!({ "organisations": search.candidates.len(), "pairs": pairs.len() });
    let system = Viewer::system();
    tx.audit(&system, "duplicate.scan", "organisations", None, Some(told))
        .await?;
    Ok(pairs.len())
}

pub(super) async fn write(tx: &Tx, pairs: &[Pair]) -> Result<()> {
    for some in pairs.chunks(CHUNK) {
        let rows = some
            .iter()
            .map(|pair| {
                Ok(duplicate_pair::ActiveModel {
                    id: Set(DuplicatePairId::new_at(tx.now())),
                    one_id: Set(pair.one.id),
                    other_id: Set(pair.other.id),
                    group_id: Set(pair.group_id),
                    doubt: Set(doubt(pair.score)),
                    signals: Set(serde_json::to_value(&pair.signals)?),
                    evidence: Set(serde_json::to_value(&pair.evidence)?),
                    state: Set(DuplicatePairState::Open),
                    found_at: Set(tx.now()),
                    dismissed_by: Set(None),
                    dismissed_at: Set(None),
                    reason: Set(None),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        duplicate_pair::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx.conn())
            .await?;
    }
    Ok(())
}
