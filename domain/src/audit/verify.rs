//! Whether anybody has tampered with the audit log.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use entity::{audit_entry, audit_seal};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{AT_ONCE, BEGINNING, ERASED, hash_of_details, hash_of_link};
use crate::{error::Result, store::Store};

/// Lines that are older than this and have no seal are told of: nobody seals.
const SEALED_WITHIN: TimeDelta = TimeDelta::minutes(5);

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
        self.fault.is_none() && self.overdue == 0
    }
}

/// Walks the whole chain. With `expected`, a head that was written down earlier must be part of it: that shows whether
/// its end was cut off.
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
    };
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
            report.erased += u64::from(seal.salt.is_none());
            report.sealed = seq;
            report.head = seal.hash;
            met |= expected == Some(report.head.as_str());
        }
    }
    if report.fault.is_none() && !met {
        report.fault = Some(Fault {
            seq: report.sealed + 1,
            what: "the head that was written down is not in the chain: its end was cut off",
        });
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
