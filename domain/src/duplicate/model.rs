//! The Fellegi-Sunter model of record linkage, whose weights are learnt from the records themselves by expectation and
//! maximisation, without anybody telling it which pairs are the same.
//!
//! For each level of agreement of each field, `m` is how often two records of the same thing agree so far, and `u` how
//! often two of different things do. `log2(m / u)` is the weight of the evidence, and weights add up. `u` comes from
//! pairs drawn at random, of which hardly any are the same; where agreement in one field brings about agreement in
//! another, from the pairs that agree in the one and are not the same. `m`, and how many pairs are the same at all, are what makes
//! the pairs that were compared most likely. Expectations from other data count as some pairs that were seen before, so
//! that a handful of records is judged with sense; thousands of them speak for themselves.

use serde::{Deserialize, Serialize};

use super::{
    compare::{Agreement, Agreements, FIELDS, Field, compare},
    record::Prepared,
};

/// What is expected of pairs that are the same, for each level of each field.
const EXPECTED_SAME: [&[f64]; FIELDS] = [
    &[0.03, 0.05, 0.08, 0.14, 0.20, 0.50],
    &[0.06, 0.03, 0.04, 0.10, 0.14, 0.18, 0.45],
    &[0.25, 0.10, 0.65],
    &[0.20, 0.80],
    &[0.05, 0.95],
];
/// What is expected of others.
const EXPECTED_OTHER: [&[f64]; FIELDS] = [
    &[0.90, 0.088, 0.009, 0.0026, 0.0003, 0.0001],
    &[0.93, 0.05, 0.008, 0.008, 0.0015, 0.0015, 0.001],
    &[0.995, 0.003, 0.002],
    &[0.998, 0.002],
    &[0.9999, 0.0001],
];
/// What is expected of others in company (see [`in_company`]).
const EXPECTED_IN_COMPANY: [&[f64]; FIELDS] = [
    &[0.90, 0.088, 0.009, 0.0026, 0.0003, 0.0001],
    &[0.93, 0.05, 0.008, 0.008, 0.0015, 0.0015, 0.001],
    &[0.88, 0.02, 0.10],
    &[0.80, 0.20],
    &[0.9999, 0.0001],
];
/// As how many pairs the expectations count.
const SAME_SEEN: f64 = 30.0;
const OTHERS_SEEN: f64 = 2_000.0;
const IN_COMPANY_SEEN: f64 = 20.0;
/// How many records of the same thing are expected for each record there is.
const SAME_FOR_EACH: f64 = 0.1;
/// The odds, as their binary logarithm, that one that was looked up is the same.
const ASKED: f64 = -7.0;
/// How many pairs are drawn at random.
const DRAWN: u32 = 200_000;
/// No evidence weighs more than this, in bits, and no contrary evidence more than that.
const MOST_FOR: f64 = 13.0;
const MOST_AGAINST: f64 = -6.0;
/// As how many records the expectations count when it is asked how common a value is.
const RECORDS_SEEN: f64 = 2_000.0;
/// What part of the pairs that have a value in common is expected to have it by chance, and as how many pairs that counts.
const BY_CHANCE: f64 = 0.5;
const CHANCES_SEEN: f64 = 4.0;
const LEAST_BY_CHANCE: f64 = 0.05;
const ROUNDS: usize = 40;
/// When no weight changes more than this in a round, it is over.
const SETTLED: f64 = 0.001;

/// What was learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The odds, as their binary logarithm, that two records drawn at random are the same.
    prior: f64,
    /// For each level of each field: how often those that are the same agree so far.
    same: Vec<Vec<f64>>,
    /// The same for others.
    other: Vec<Vec<f64>>,
    /// The same for others whose agreement in one field follows from their agreement in another.
    in_company: Vec<Vec<f64>>,
    /// For each field, what part of the pairs that have a value in common have it by chance.
    by_chance: Vec<f64>,
}

/// How much one field says for two records being the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The field.
    pub field: Field,
    /// How far they agree in it, from 0 to 1.
    pub agreement: f64,
    /// What that says, in bits: more than nothing for, less than nothing against.
    pub weight: f64,
}

impl Model {
    /// The expectations alone, for so many records.
    pub(super) fn expected(records: f64) -> Self {
        let pairs = (records * (records - 1.0) / 2.0).max(1.0);
        let lists = |from: [&[f64]; FIELDS]| from.iter().map(|levels| levels.to_vec()).collect();
        Self {
            prior: log_odds((records * SAME_FOR_EACH / pairs).clamp(1e-12, 0.05)),
            same: lists(EXPECTED_SAME),
            other: lists(EXPECTED_OTHER),
            in_company: lists(EXPECTED_IN_COMPANY),
            by_chance: vec![BY_CHANCE; FIELDS],
        }
    }

    /// The same, asked about one record and a few others that were looked up because they might be it.
    pub(super) fn asked(mut self) -> Self {
        self.prior = ASKED;
        self
    }

    /// Learns from records, and from how far the pairs that are worth comparing agree.
    pub(super) fn learn(all: &Prepared, compared: &[Agreements]) -> Self {
        let mut model = Self::expected(all.len());
        let drawn = drawn(all);
        let pairs = (all.len() * (all.len() - 1.0) / 2.0).max(1.0);
        let expected_same = all.len() * SAME_FOR_EACH;
        for _ in 0..ROUNDS {
            let mut same_seen = Seen::of(&EXPECTED_SAME, SAME_SEEN);
            let mut company_seen = Seen::of(&EXPECTED_IN_COMPANY, IN_COMPANY_SEEN);
            let mut other_seen = Seen::of(&EXPECTED_OTHER, OTHERS_SEEN);
            let mut same = 0.0;
            let mut chance = vec![(BY_CHANCE * CHANCES_SEEN, CHANCES_SEEN); FIELDS];
            for agreements in compared {
                let probability = model.probability(agreements);
                same += probability;
                for (field, seen) in Field::ALL.into_iter().zip(&mut chance) {
                    if has_in_common(field, agreements) {
                        seen.0 += 1.0 - probability;
                        seen.1 += 1.0;
                    }
                }
                same_seen.add(agreements, probability, |_| true);
                company_seen.add(agreements, 1.0 - probability, |field| {
                    in_company(field, agreements)
                });
            }
            for agreements in &drawn {
                let probability = model.probability(agreements);
                other_seen.add(agreements, 1.0 - probability, |field| {
                    !in_company(field, agreements)
                });
            }
            let learnt = same_seen.parts();
            let moved = moved(&learnt, &model.same);
            model.same = learnt;
            model.other = other_seen.parts();
            model.in_company = company_seen.parts();
            model.by_chance = chance
                .iter()
                .map(|(by_chance, all)| (by_chance / all).max(LEAST_BY_CHANCE))
                .collect();
            // The expectation counts little where there is much to learn from.
            let mixed = (same + 0.05 * expected_same) / 1.05;
            model.prior = log_odds((mixed / pairs).clamp(1e-12, 0.05));
            if moved < SETTLED {
                break;
            }
        }
        model
    }

    /// How likely two records are the same, from 0 to 1.
    pub(super) fn probability(&self, agreements: &Agreements) -> f64 {
        probability(self.weigh(agreements))
    }

    fn weigh(&self, agreements: &Agreements) -> f64 {
        let evidence = Field::ALL.into_iter().zip(agreements);
        let weights = evidence
            .filter_map(|(field, agreement)| Some(self.weight(field, (*agreement)?, agreements)));
        self.prior + weights.sum::<f64>()
    }

    /// Why two records are the same or not, the strongest reason first.
    pub(super) fn explain(&self, agreements: &Agreements) -> Vec<Evidence> {
        let mut evidence: Vec<Evidence> = Field::ALL
            .into_iter()
            .zip(agreements)
            .filter_map(|(field, agreement)| {
                let agreement = (*agreement)?;
                let highest = u32::try_from(field.levels() - 1).unwrap_or(1);
                Some(Evidence {
                    field,
                    agreement: f64::from(agreement.level) / f64::from(highest),
                    weight: self.weight(field, agreement, agreements),
                })
            })
            .collect();
        evidence.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        evidence
    }

    fn weight(&self, field: Field, agreement: Agreement, all: &Agreements) -> f64 {
        let same = &self.same[field as usize];
        let company = in_company(field, all);
        let other = if company {
            &self.in_company[field as usize]
        } else {
            &self.other[field as usize]
        };
        // More agreement never says less.
        let weight = (0..=usize::from(agreement.level))
            .map(|level| (same[level] / other[level]).log2())
            .fold(f64::NEG_INFINITY, f64::max);
        // What many have in common says less than what two have.
        let rareness = agreement.common.filter(|_| !company).map_or(0.0, |common| {
            let usual = other[usize::from(agreement.level)];
            let there = (common.others + RECORDS_SEEN * usual) / (common.records + RECORDS_SEEN);
            (usual / (there * self.by_chance[field as usize])).log2()
        });
        (weight + rareness).clamp(MOST_AGAINST, MOST_FOR)
    }
}

/// Whether agreement in a field may follow from agreement in another, of two that are not the same: tenants of one house
/// share its switchboard, and branches of one name its site on the web.
fn in_company(field: Field, agreements: &Agreements) -> bool {
    let at_least = |other: Field, level: u8| {
        agreements[other as usize].is_some_and(|agreement| agreement.level >= level)
    };
    match field {
        Field::Telephone => at_least(Field::Place, 5),
        Field::Domain => at_least(Field::Name, 3) || at_least(Field::Place, 5),
        Field::Name | Field::Place | Field::Number => false,
    }
}

/// Whether two records have a value of a field in common that others may have by chance.
fn has_in_common(field: Field, agreements: &Agreements) -> bool {
    agreements[field as usize].is_some_and(|agreement| agreement.common.is_some())
        && !in_company(field, agreements)
}

/// How often each level of each field was seen.
struct Seen(Vec<Vec<f64>>);

impl Seen {
    /// The expectations, as so many pairs.
    fn of(expected: &[&[f64]; FIELDS], pairs: f64) -> Self {
        let counts = |levels: &&[f64]| levels.iter().map(|part| part * pairs).collect();
        Self(expected.iter().map(counts).collect())
    }

    fn add(&mut self, agreements: &Agreements, times: f64, counts: impl Fn(Field) -> bool) {
        for ((levels, agreement), field) in self.0.iter_mut().zip(agreements).zip(Field::ALL) {
            if let Some(agreement) = agreement
                && counts(field)
            {
                levels[usize::from(agreement.level)] += times;
            }
        }
    }

    fn parts(&self) -> Vec<Vec<f64>> {
        let parts = |levels: &Vec<f64>| {
            let sum: f64 = levels.iter().sum();
            levels.iter().map(|count| count / sum).collect()
        };
        self.0.iter().map(parts).collect()
    }
}

fn moved(new: &[Vec<f64>], old: &[Vec<f64>]) -> f64 {
    let both = new.iter().flatten().zip(old.iter().flatten());
    both.map(|(new, old)| (new - old).abs()).fold(0.0, f64::max)
}

/// How far pairs agree that are drawn at random: hardly any of them are the same.
fn drawn(all: &Prepared) -> Vec<Agreements> {
    let records = all.records.len() as u64;
    // A fixed sequence, so that the same records are judged alike every time (Knuth's multiplier, modulo 2^64).
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % records.max(1)).unwrap_or(0)
    };
    (0..u64::from(DRAWN).min(records * records / 2))
        .map(|_| (next(), next()))
        .filter(|(one, other)| one != other)
        .map(|(one, other)| compare(all, &all.records[one], &all.records[other]))
        .collect()
}

fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).log2()
}

fn probability(weight: f64) -> f64 {
    let odds = weight.clamp(-60.0, 60.0).exp2();
    odds / (1.0 + odds)
}
