//! Whether anybody has tampered with the audit log.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use chrono::TimeDelta;
use entity::{audit_entry, audit_head, audit_seal};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};

use super::{AT_ONCE, BEGINNING, ERASED, hash_of_details, hash_of_link};
use crate::{error::Result, store::Store};

/// Lines that are older than this and have no seal are told of: nobody seals.
const SEALED_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// The most gaps that are looked for.
const MOST_GAPS: u64 = 1_000;
/// The most gaps that are told of one by one.
const MOST_NAMED: usize = 20;

/// The number after which lines are counted; older ones may have gaps.
const COUNTED_FROM: &str = "COALESCE((SELECT counted_from FROM audit_number), 0)";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many lines are sealed.
    pub sealed: i64,
    /// How many lines wait for their seal.
    pub unsealed: u64,
    /// How many of them have waited too long.
    pub overdue: u64,
    /// How many lines had their details taken out by an erasure that is in the log.
    pub erased: u64,
    /// The hash of the last seal, to be written down where the database's keepers can't reach it.
    pub head: String,
    /// The first thing that is wrong with the chain.
    pub fault: Option<Fault>,
    /// The numbers before that of the last line that have no line.
    pub gaps: Vec<Gap>,
    /// How many numbers were counted after that of the last line; below zero when the count was set back.
    pub after_the_last: i64,
}

/// Numbers of the log that follow each other and have no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{} to {}", self.first, self.last)
        }
    }
}

/// What is wrong, and at which seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The place in the chain.
    pub seq: i64,
    /// What is wrong there.
    pub what: &'static str,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.fault.is_none()
            && self.overdue == 0
            && self.gaps.is_empty()
            && self.after_the_last == 0
    }

    /// All that is wrong, a sentence each.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(fault) = &self.fault {
            faults.push(format!("At seal {}: {}.", fault.seq, fault.what));
        }
        if !self.gaps.is_empty() {
            let named: Vec<String> = self
                .gaps
                .iter()
                .take(MOST_NAMED)
                .map(ToString::to_string)
                .collect();
            let more = match self.gaps.len() - named.len() {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            faults.push(format!(
                "Lines were removed; these numbers have none: {}{more}.",
                named.join(", ")
            ));
        }
        if self.after_the_last > 0 {
            faults.push(format!(
                "The end was cut off: {} lines were counted after the last one.",
                self.after_the_last
            ));
        }
        if self.after_the_last < 0 {
            faults.push("The count of the lines was set back.".to_owned());
        }
        if self.overdue > 0 {
            faults.push(format!(
                "{} lines have waited more than five minutes for their seal: is a worker running?",
                self.overdue
            ));
        }
        faults
    }
}

/// Walks the whole chain. Every head that was kept must be part of it, and with `expected` one that was written down elsewhere
/// too: that shows whether its end was cut off, or made anew.
pub async fn verify(store: &Store, expected: Option<&str>) -> Result<Report> {
    let db = store.reader();
    let erasures: HashSet<String> = audit_entry::Entity::find()
        .select_only()
        .column(audit_entry::Column::Subject)
        .filter(audit_entry::Column::Action.eq(ERASED))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let mut report = Report {
        sealed: 0,
        unsealed: 0,
        overdue: 0,
        erased: 0,
        head: BEGINNING.to_owned(),
        fault: None,
        gaps: gaps(store).await?,
        after_the_last: after_the_last(store).await?,
    };
    let kept: BTreeMap<i64, String> = audit_head::Entity::find()
        .all(db)
        .await?
        .into_iter()
        .map(|head| (head.seq, head.hash))
        .collect();
    let mut met = expected.is_none_or(|head| head == BEGINNING);
    'chain: loop {
        let seals = audit_seal::Entity::find()
            .filter(audit_seal::Column::Seq.gt(report.sealed))
            .order_by_asc(audit_seal::Column::Seq)
            .limit(AT_ONCE)
            .all(db)
            .await?;
        if seals.is_empty() {
            break;
        }
        let entries: HashMap<_, _> = audit_entry::Entity::find()
            .filter(audit_entry::Column::Id.is_in(seals.iter().map(|seal| seal.entry_id)))
            .all(db)
            .await?
            .into_iter()
            .map(|entry| (entry.id, entry))
            .collect();
        for seal in seals {
            let seq = report.sealed + 1;
            if let Some(what) = wrong_with(
                &seal,
                seq,
                &report.head,
                entries.get(&seal.entry_id),
                &erasures,
            ) {
                report.fault = Some(Fault { seq, what });
                break 'chain;
            }
            if kept.get(&seq).is_some_and(|hash| *hash != seal.hash) {
                let what = "it isn't the one that ended the chain when its end was kept: the chain was made anew";
                report.fault = Some(Fault { seq, what });
                break 'chain;
            }
            report.erased += u64::from(seal.salt.is_none());
            report.sealed = seq;
            report.head = seal.hash;
            met |= expected == Some(report.head.as_str());
        }
    }
    let reached = kept
        .last_key_value()
        .is_none_or(|(seq, _)| *seq <= report.sealed);
    if report.fault.is_none() && !(met && reached) {
        let what = if reached {
            "the head that was written down is not in the chain: its end was cut off"
        } else {
            "the chain was longer when its end was kept: its end was cut off"
        };
        let seq = report.sealed + 1;
        report.fault = Some(Fault { seq, what });
    }
    let unsealed = || {
        audit_entry::Entity::find()
            .join(sea_orm::JoinType::LeftJoin, super::seal_of_entry())
            .filter(audit_seal::Column::Seq.is_null())
    };
    report.unsealed = unsealed().count(db).await?;
    report.overdue = unsealed()
        .filter(audit_entry::Column::At.lt(store.now() - SEALED_WITHIN))
        .count(db)
        .await?;
    Ok(report)
}

/// Where numbers are missing between lines, and before the first, since lines are counted.
async fn gaps(store: &Store) -> Result<Vec<Gap>> {
    let text = format!(
        "SELECT previous + 1, number - 1 FROM (
           SELECT number, COALESCE(LAG(number) OVER (ORDER BY number), {COUNTED_FROM}) AS previous
           FROM audit_entry WHERE number > {COUNTED_FROM}
         ) AS numbered
         WHERE number > previous + 1 ORDER BY number LIMIT {MOST_GAPS}"
    );
    let statement = Statement::from_string(store.backend(), text);
    let found = store.reader().query_all_raw(statement).await?;
    found
        .iter()
        .map(|row| {
            Ok(Gap {
                first: row.try_get_by_index(0)?,
                last: row.try_get_by_index(1)?,
            })
        })
        .collect()
}

/// How many numbers were counted after that of the last line. One statement: the count and the lines are of one moment.
async fn after_the_last(store: &Store) -> Result<i64> {
    let text = format!(
        "SELECT COALESCE((SELECT last FROM audit_number), 0)
           - COALESCE((SELECT MAX(number) FROM audit_entry WHERE number > {COUNTED_FROM}), {COUNTED_FROM})"
    );
    let found = store
        .reader()
        .query_one_raw(Statement::from_string(store.backend(), text))
        .await?;
    Ok(found
        .map_or(Ok(None), |row| row.try_get_by_index::<Option<i64>>(0))?
        .unwrap_or(0))
}

fn wrong_with(
    seal: &audit_seal::Model,
    seq: i64,
    previous: &str,
    entry: Option<&audit_entry::Model>,
    erasures: &HashSet<String>,
) -> Option<&'static str> {
    if seal.seq != seq {
        return Some("a seal is missing");
    }
    if seal.previous != previous {
        return Some("the seal doesn't follow the one before it");
    }
    let Some(entry) = entry else {
        return Some("its line is missing");
    };
    if hash_of_link(seq, previous, &seal.details_hash, entry) != seal.hash {
        return Some("its line was altered");
    }
    match &seal.salt {
        Some(salt) if hash_of_details(salt, entry) != seal.details_hash => {
            Some("what its line tells before and after was altered")
        }
        None if !erasures.contains(&entry.id.to_string()) => {
            Some("what its line tells was taken out, and no erasure says so")
        }
        _ => None,
    }
}
