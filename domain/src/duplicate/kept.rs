//! Pairs that are likely the same, as they are kept: found by a search among all records, looked through by people, and
//! dismissed for good. What is compared of a record, and for whom it exists, its kind says ([`Subject`]).

mod table;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Debug,
    hash::Hash,
};

use chrono::{DateTime, Utc};
use entity::{
    access_grant::Permission,
    duplicate_model,
    duplicate_pair::DuplicatePairState,
    ids::{DuplicatePairId, UserId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QuerySelect,
    Select,
    sea_query::{Expr, OnConflict, SelectStatement},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

pub(crate) use self::table::keeps_pairs;
pub use self::table::{Columns, Found, Table, Told};
use super::{Evidence, Findings, Kind, Match, Model, Record, find};
use crate::{
    error::{Error, Refusals, Result},
    page::{Page, Slice},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How many pairs are written at once.
const CHUNK: usize = 500;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;

/// What a list of pairs is ordered by: the doubt, and the id.
pub type Key = (i32, DuplicatePairId);

/// What of a record is looked at when it is asked whether it is there twice.
pub trait Subject: Clone + Debug + Send + Sync + 'static {
    /// What the records are of.
    const KIND: Kind;
    /// What several of them are called.
    const PLURAL: &'static str;
    /// How they are known.
    type Id: Copy + Debug + Ord + Hash + Send + Sync;
    /// Something that two have in common.
    type Signal: Copy + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// Where their pairs are kept.
    type Table: Table<Id = Self::Id>;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// Its name.
    fn name(&self) -> &str;

    /// What speaks for two of them being the same.
    fn signals(evidence: &[Evidence], one: &Self, other: &Self) -> Vec<Self::Signal>;

    /// All that can be the same as another, the oldest first, with what is compared of them.
    fn all(
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<(Self, Record)>>> + Send;

    /// Those of these that still can, locked in the order of their ids: they stay until the transaction ends.
    fn left(tx: &Tx, ids: &[Self::Id]) -> impl Future<Output = Result<Vec<Self::Id>>> + Send;

    /// Those of these of which may still be told what was compared of them.
    fn open_still(
        tx: &Tx,
        compared: &[&Self],
    ) -> impl Future<Output = Result<Vec<Self::Id>>> + Send {
        let _ = tx;
        let ids = compared.iter().map(|subject| subject.id()).collect();
        async { Ok(ids) }
    }

    /// The ids of those that still can, and whose pairs `viewer` may know of.
    fn open_to(viewer: &Viewer, now: DateTime<Utc>) -> SelectStatement;
}

/// Two records that are likely the same, in the order of their ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<S: Subject> {
    /// The older one.
    pub one: S,
    /// The newer one.
    pub other: S,
    /// How likely, from 0 to 1.
    pub score: f64,
    /// What they have in common.
    pub signals: Vec<S::Signal>,
    evidence: Vec<Evidence>,
    first: S::Id,
}

impl<S: Subject> Pair<S> {
    /// The two in the order of their ids, which count time: whoever was found as the other before is so again, and what was
    /// dismissed is not found anew.
    fn of(a: &S, b: &S, score: f64, evidence: Vec<Evidence>, first: S::Id) -> Self {
        let (one, other) = if a.id() <= b.id() { (a, b) } else { (b, a) };
        Self {
            one: one.clone(),
            other: other.clone(),
            score,
            signals: S::signals(&evidence, one, other),
            evidence,
            first,
        }
    }
}

/// What a search among all records has found.
#[derive(Debug)]
pub struct Search<S> {
    begun_at: DateTime<Utc>,
    subjects: Vec<S>,
    findings: Findings,
}

/// The row of a table that keeps pairs of such records.
pub type Row<S> = <<S as Subject>::Table as EntityTrait>::Model;

impl<S: Subject> Search<S> {
    /// Compares all that are worth comparing. Takes seconds for thousands of them and changes nothing.
    pub async fn among_all(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Self> {
        Self::among(S::all(db, now).await?, now).await
    }

    /// Compares these, as they were at a time.
    pub(crate) async fn among(all: Vec<(S, Record)>, at: DateTime<Utc>) -> Result<Self> {
        let (subjects, records): (Vec<S>, Vec<Record>) = all.into_iter().unzip();
        let findings = tokio::task::spawn_blocking(move || find(S::KIND, &records))
            .await
            .map_err(|error| Error::Fault(format!("the search for duplicates ended: {error}")))?;
        Ok(Self {
            begun_at: at,
            subjects,
            findings,
        })
    }

    /// How many records were looked at, and how many pairs of them compared.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.subjects.len(), self.findings.compared)
    }

    /// The pairs, the likeliest first.
    #[must_use]
    pub fn pairs(&self) -> Vec<Pair<S>> {
        let mut first: HashMap<usize, S::Id> = HashMap::new();
        for found in &self.findings.matches {
            for subject in [found.one, found.other] {
                let Some(id) = self.subjects.get(subject).map(S::id) else {
                    continue;
                };
                let least = first.entry(found.group).or_insert(id);
                *least = id.min(*least);
            }
        }
        let mut pairs: Vec<Pair<S>> = self
            .findings
            .matches
            .iter()
            .filter_map(|found| {
                let (one, other) = (
                    self.subjects.get(found.one)?,
                    self.subjects.get(found.other)?,
                );
                let first = first.get(&found.group).copied().unwrap_or(one.id());
                let evidence = found.evidence.clone();
                Some(Pair::of(one, other, found.score, evidence, first))
            })
            .collect();
        pairs.sort_by(|a, b| {
            doubt(a.score)
                .cmp(&doubt(b.score))
                .then_with(|| a.one.name().cmp(b.one.name()))
                .then((a.one.id(), a.other.id()).cmp(&(b.one.id(), b.other.id())))
        });
        pairs
    }

    /// The pairs with one of these records in them.
    pub(crate) fn pairs_with(&self, ids: &HashSet<S::Id>) -> Vec<Pair<S>> {
        let mut pairs = self.pairs();
        pairs.retain(|pair| ids.contains(&pair.one.id()) || ids.contains(&pair.other.id()));
        pairs
    }

    /// Keeps what was found in place of what earlier searches did. Pairs that were dismissed stay so; left out are records that
    /// went meanwhile, and those of which may no longer be told what was compared of them. Answers how many pairs were found.
    pub async fn keep(&self, tx: &mut Tx) -> Result<usize> {
        let columns = S::Table::COLUMNS;
        let pairs = self.pairs();
        let left = left(tx, &pairs).await?;
        hold_pairs(tx, S::KIND).await?;
        S::Table::delete_many()
            .filter(columns.state.eq(DuplicatePairState::Open))
            .filter(columns.found_at.lte(self.begun_at))
            .exec(tx.conn())
            .await?;
        write(tx, &pairs, &left).await?;
        let model = duplicate_model::ActiveModel {
            kind: Set(S::KIND.as_str().to_owned()),
            learnt: Set(serde_json::to_value(&self.findings.model)?),
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
        let told = json!({ S::PLURAL: self.subjects.len(), "pairs": pairs.len() });
        let system = Viewer::system();
        tx.audit(&system, "duplicate.scan", S::PLURAL, None, Some(told))
            .await?;
        Ok(pairs.len())
    }
}

/// In millionths.
fn doubt(score: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a score is from 0 to 1")]
    let doubt = ((1.0 - score) * 1e6) as i32;
    doubt
}

/// Waits until nobody else changes pairs of this kind. Whoever changes several of them does, after they have locked the records:
/// neither do two wait for each other, nor does one overlook what the other writes.
pub(crate) async fn hold_pairs(tx: &Tx, kind: Kind) -> Result<()> {
    tx.hold(&format!("duplicate_pairs/{}", kind.as_str())).await
}

/// The records of some pairs, each once, in the order of their ids.
fn subjects<S: Subject>(pairs: &[Pair<S>]) -> Vec<&S> {
    let all: BTreeMap<S::Id, &S> = pairs
        .iter()
        .flat_map(|pair| [&pair.one, &pair.other])
        .map(|subject| (subject.id(), subject))
        .collect();
    all.into_values().collect()
}

/// Those records of some pairs that can still be the same as another, locked.
async fn left<S: Subject>(tx: &Tx, pairs: &[Pair<S>]) -> Result<HashSet<S::Id>> {
    let ids: Vec<S::Id> = subjects(pairs).into_iter().map(S::id).collect();
    let mut left = HashSet::new();
    for some in ids.chunks(CHUNK) {
        left.extend(S::left(tx, some).await?);
    }
    Ok(left)
}

/// Writes the pairs whose records are left.
async fn write<S: Subject>(tx: &Tx, pairs: &[Pair<S>], left: &HashSet<S::Id>) -> Result<()> {
    // The ids of clusters come from their likeliest pairs.
    let mut leading: HashMap<S::Id, DuplicatePairId> = HashMap::new();
    let mut open = HashSet::new();
    for some in subjects(pairs).chunks(CHUNK) {
        open.extend(S::open_still(tx, some).await?);
    }
    open.retain(|id| left.contains(id));
    let there = |pair: &&Pair<S>| open.contains(&pair.one.id()) && open.contains(&pair.other.id());
    for some in pairs.chunks(CHUNK) {
        let mut rows = Vec::with_capacity(some.len());
        for pair in some.iter().filter(there) {
            let id = DuplicatePairId::new_at(tx.now());
            rows.push(S::Table::row(Found {
                told: Told {
                    id,
                    one: pair.one.id(),
                    other: pair.other.id(),
                    doubt: doubt(pair.score),
                },
                first: pair.first,
                leading: *leading.entry(pair.first).or_insert(id),
                signals: serde_json::to_value(&pair.signals)?,
                evidence: serde_json::to_value(&pair.evidence)?,
                at: tx.now(),
            }));
        }
        if rows.is_empty() {
            continue;
        }
        S::Table::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx.conn())
            .await?;
    }
    Ok(())
}

/// What the last search has learnt.
pub(crate) async fn learnt(db: &impl ConnectionTrait, kind: Kind) -> Result<Option<Model>> {
    let row = duplicate_model::Entity::find_by_id(kind.as_str().to_owned())
        .one(db)
        .await?;
    Ok(row
        .map(|row| serde_json::from_value(row.learnt))
        .transpose()?)
}

/// Which of some records are likely the one that is given, the most alike first.
pub(crate) async fn alike<S: Subject>(
    db: &impl ConnectionTrait,
    given: &Record,
    candidates: Vec<(S, Record)>,
) -> Result<Vec<(S, Match)>> {
    let (subjects, records): (Vec<S>, Vec<Record>) = candidates.into_iter().unzip();
    let model = learnt(db, S::KIND).await?;
    let found = super::alike(S::KIND, model.as_ref(), given, &records);
    let mut subjects: Vec<Option<S>> = subjects.into_iter().map(Some).collect();
    Ok(found
        .into_iter()
        .filter_map(|found| {
            let subject = subjects.get_mut(found.other - 1)?.take()?;
            Some((subject, found))
        })
        .collect())
}

/// Keeps that a new record is likely one of those.
pub(crate) async fn note<S: Subject>(tx: &Tx, new: &S, alike: Vec<(S, Match)>) -> Result<()> {
    let pairs: Vec<Pair<S>> = alike
        .into_iter()
        .map(|(one, found)| {
            Pair::of(
                &one,
                new,
                found.score,
                found.evidence,
                one.id().min(new.id()),
            )
        })
        .collect();
    let left = left(tx, &pairs).await?;
    write(tx, &pairs, &left).await
}

/// The pairs that somebody should look at, of records that can still be the same, as far as `viewer` may know of them.
pub(crate) fn open<S: Subject>(viewer: &Viewer, now: DateTime<Utc>) -> Select<S::Table> {
    let columns = S::Table::COLUMNS;
    S::Table::find()
        .filter(columns.state.eq(DuplicatePairState::Open))
        .filter(columns.one.in_subquery(S::open_to(viewer, now)))
        .filter(columns.other.in_subquery(S::open_to(viewer, now)))
}

/// One page of the pairs that are likely the same, as far as `viewer` may know of them, the most alike first.
pub async fn list<S: Subject>(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    page: &Page<Key>,
) -> Result<Slice<Row<S>>> {
    let columns = S::Table::COLUMNS;
    let key = [columns.doubt.into_expr(), columns.id.into_expr()];
    page.read(db, open::<S>(viewer, now), key, Order::Asc).await
}

/// The key of a pair in the list.
#[must_use]
pub fn key<S: Subject>(row: &Row<S>) -> Key {
    let told = S::Table::told(row);
    (told.doubt, told.id)
}

/// How many pairs are likely the same, as far as `viewer` may know of them.
pub async fn count<S: Subject>(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<u64> {
    Ok(open::<S>(viewer, now).count(db).await?)
}

/// Says that two records are not the same: they are not told of again.
pub async fn dismiss<S: Subject>(
    tx: &mut Tx,
    viewer: &Viewer,
    id: DuplicatePairId,
    reason: Option<&str>,
) -> Result<Row<S>>
where
    S::Id: Serialize,
{
    viewer.require(Permission::EditOrganisation)?;
    let mut refusals = Refusals::default();
    let reason = Text::line("reason", LONGEST_REASON).optional(reason, &mut refusals);
    refusals.into_result()?;
    let columns = S::Table::COLUMNS;
    let pair = open::<S>(viewer, tx.now())
        .filter(columns.id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("pairId", "pair"))?;
    let told = S::Table::told(&pair);
    let told = json!({ "one": told.one, "other": told.other, "reason": reason });
    let by: Option<UserId> = viewer.user_id();
    S::Table::update_many()
        .col_expr(columns.state, Expr::value(DuplicatePairState::Dismissed))
        .col_expr(columns.dismissed_by, Expr::value(by))
        .col_expr(columns.dismissed_at, Expr::value(Some(tx.now())))
        .col_expr(columns.reason, Expr::value(reason))
        .filter(columns.id.eq(id))
        .exec(tx.conn())
        .await?;
    tx.audit(viewer, "duplicate.dismissed", id, None, Some(told))
        .await?;
    S::Table::find()
        .filter(columns.id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("pairId", "pair"))
}
