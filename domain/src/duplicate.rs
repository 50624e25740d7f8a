//! Records that are likely the same (policy 1: avoid duplication).
//!
//! - [`record`](Record): what is compared, in one spelling;
//! - `block`: which pairs are worth comparing, so that the work grows with the records and not with their square;
//! - `compare`: how far two records agree, field by field, in a few levels;
//! - `ways`: in which ways pairs agree, each kept once;
//! - `model`: what each level says, learnt from the records themselves (Fellegi-Sunter, by EM);
//! - `cluster`: which belong together when several are the same;
//! - [`kept`]: what was found of organisations and contacts, as it is kept, listed and dismissed.

mod block;
mod cluster;
mod compare;
pub mod kept;
mod model;
mod normal;
mod record;
mod ways;

pub use self::{
    compare::Field,
    model::{Evidence, Model},
    record::{Employer, Kind, Record},
};
use self::{compare::compare, record::Prepared, ways::Ways};

/// From which probability on two records are likely the same.
pub const LIKELY: f64 = 0.4;
/// Pairs that are less likely than this are not thought about any further.
const THINKABLE: f64 = 0.05;

/// Two records that are likely the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The place of the one among the records.
    pub one: usize,
    /// The place of the other, which is behind it.
    pub other: usize,
    /// How likely, from 0 to 1.
    pub score: f64,
    /// Why, the strongest reason first.
    pub evidence: Vec<Evidence>,
    /// Pairs with the same number belong together.
    pub group: usize,
}

/// What was found among some records.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// The pairs, the likeliest first.
    pub matches: Vec<Match>,
    /// What was learnt about these records.
    pub model: Model,
    /// How many pairs were compared.
    pub compared: usize,
}

/// Finds the records that are likely the same.
#[must_use]
pub fn find(kind: Kind, records: &[Record]) -> Findings {
    let all = Prepared::of(kind, records);
    let pairs = block::pairs(&all);
    let agree = |one: u32, other: u32| {
        compare(
            &all,
            &all.records[one as usize],
            &all.records[other as usize],
        )
    };
    let mut ways = Ways::default();
    let compared: Vec<u32> = pairs.iter().map(|(a, b)| ways.add(agree(*a, *b))).collect();
    let model = Model::learn(&all, &ways);
    let scores: Vec<f64> = ways
        .iter()
        .map(|(agreements, _)| model.probability(agreements))
        .collect();
    let links: Vec<(u32, u32, f64)> = pairs
        .iter()
        .zip(compared)
        .map(|((one, other), way)| (*one, *other, scores[way as usize]))
        .filter(|(.., score)| *score >= THINKABLE)
        .collect();
    let groups = cluster::groups(&links, LIKELY, |one, other| {
        model.probability(&agree(one, other))
    });
    let mut matches = Vec::new();
    for (group, members) in groups.iter().enumerate() {
        for (nth, one) in members.iter().enumerate() {
            for other in &members[nth + 1..] {
                let agreements = agree(*one, *other);
                matches.push(Match {
                    one: *one as usize,
                    other: *other as usize,
                    score: model.probability(&agreements),
                    evidence: model.explain(&agreements),
                    group,
                });
            }
        }
    }
    matches.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then((a.one, a.other).cmp(&(b.one, b.other)))
    });
    Findings {
        matches,
        model,
        compared: pairs.len(),
    }
}

/// How likely one record is the same as each of some others, by what was learnt before. Those that are likely the same,
/// the likeliest first.
#[must_use]
pub fn alike(kind: Kind, model: Option<&Model>, record: &Record, others: &[Record]) -> Vec<Match> {
    let records: Vec<Record> = std::iter::once(record).chain(others).cloned().collect();
    let all = Prepared::of(kind, &records);
    let model = model
        .cloned()
        .unwrap_or_else(|| Model::expected(kind, all.len()));
    let model = model.asked();
    let mut matches: Vec<Match> = (1..records.len())
        .filter(|at| block::may_be_one(&all, 0, u32::try_from(*at).unwrap_or(u32::MAX)))
        .map(|at| {
            let mut agreements = compare(&all, &all.records[0], &all.records[at]);
            // These few say nothing about what is rare.
            for agreement in agreements.iter_mut().flatten() {
                agreement.common = None;
            }
            Match {
                one: 0,
                other: at,
                score: model.probability(&agreements),
                evidence: model.explain(&agreements),
                group: 0,
            }
        })
        .filter(|found| found.score >= LIKELY)
        .collect();
    matches.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.other.cmp(&b.other)));
    matches
}

/// The first and the last word of a person's name, in full; the last is the surname. None of a single word.
#[must_use]
pub fn surname(name: &str) -> Option<(String, String)> {
    let mut words = normal::person_words(name);
    let last = words.pop()?;
    let first = words.into_iter().next()?;
    Some((first, last))
}

#[cfg(test)]
mod tests;
