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
    record::{Common, Kind, Prepared},
    ways::Ways,
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
/// What is expected of people: whoever has an address is mostly one, colleagues share a switchboard, and a mailbox at another
/// host is kept by hardly anybody else.
const PEOPLE_SAME: [&[f64]; FIELDS] = [
    &[0.03, 0.02, 0.05, 0.15, 0.20, 0.55],
    &[0.15, 0.15, 0.70],
    &[0.35, 0.05, 0.60],
    &[0.08, 0.17, 0.10, 0.65],
    &[0.35, 0.20, 0.45],
];
const PEOPLE_OTHER: [&[f64]; FIELDS] = [
    &[0.97, 0.026, 0.001, 0.002, 0.0007, 0.0003],
    &[0.993, 0.005, 0.002],
    &[0.995, 0.003, 0.002],
    &[0.01, 0.988, 0.0015, 0.0005],
    &[0.80, 0.15, 0.05],
];
/// What is expected of colleagues.
const COLLEAGUES: [&[f64]; FIELDS] = [
    &[0.97, 0.026, 0.001, 0.002, 0.0007, 0.0003],
    &[0.993, 0.005, 0.002],
    &[0.60, 0.05, 0.35],
    &[0.80, 0.18, 0.01, 0.01],
    &[0.65, 0.23, 0.12],
];

/// What is expected of pairs before any was seen.
struct Expected {
    same: [&'static [f64]; FIELDS],
    other: [&'static [f64]; FIELDS],
    in_company: [&'static [f64]; FIELDS],
}

impl Expected {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Organisation => Self {
                same: EXPECTED_SAME,
                other: EXPECTED_OTHER,
                in_company: EXPECTED_IN_COMPANY,
            },
            Kind::Person => Self {
                same: PEOPLE_SAME,
                other: PEOPLE_OTHER,
                in_company: COLLEAGUES,
            },
        }
    }
}

/// As how many pairs the expectations count.
const SAME_SEEN: f64 = 30.0;
const OTHERS_SEEN: f64 = 2_000.0;
const IN_COMPANY_SEEN: f64 = 20.0;
/// How many times as often as expected those that are the same differ in a field at most, and how often at most. The branches of
/// a chain make more pairs than anything else in a list of shops, and all of them differ in place and number: without a bound
/// they would pass for what is to be found.
const DIFFER_MORE: f64 = 2.5;
const DIFFER_MOST: f64 = 0.5;
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
    /// What the records are of.
    #[serde(default)]
    kind: Kind,
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
    pub(super) fn expected(kind: Kind, records: f64) -> Self {
        let expected = Expected::of(kind);
        let pairs = (records * (records - 1.0) / 2.0).max(1.0);
        let lists = |from: [&[f64]; FIELDS]| from.iter().map(|levels| levels.to_vec()).collect();
        Self {
            kind,
            prior: log_odds((records * SAME_FOR_EACH / pairs).clamp(1e-12, 0.05)),
            same: lists(expected.same),
            other: lists(expected.other),
            in_company: lists(expected.in_company),
            by_chance: vec![BY_CHANCE; FIELDS],
        }
    }

    /// The same, asked about one record and a few others that were looked up because they might be it.
    pub(super) fn asked(mut self) -> Self {
        self.prior = ASKED;
        self
    }

    /// Learns from records, and from how far the pairs that are worth comparing agree.
    pub(super) fn learn(all: &Prepared, compared: &Ways) -> Self {
        let (kind, expected) = (all.kind, Expected::of(all.kind));
        let mut model = Self::expected(kind, all.len());
        let drawn = drawn(all);
        let pairs = (all.len() * (all.len() - 1.0) / 2.0).max(1.0);
        let expected_same = all.len() * SAME_FOR_EACH;
        for _ in 0..ROUNDS {
            let mut same_seen = Seen::of(kind, &expected.same, SAME_SEEN);
            let mut company_seen = Seen::of(kind, &expected.in_company, IN_COMPANY_SEEN);
            let mut other_seen = Seen::of(kind, &expected.other, OTHERS_SEEN);
            let mut same = 0.0;
            let mut chance = vec![(BY_CHANCE * CHANCES_SEEN, CHANCES_SEEN); FIELDS];
            for (agreements, pairs) in compared.iter() {
                let probability = model.probability(agreements);
                let (likely, unlikely) = (pairs * probability, pairs * (1.0 - probability));
                same += likely;
                for (field, seen) in kind.fields().into_iter().zip(&mut chance) {
                    // Each value counts once, however many have it: what the branches of a chain have in common says nothing
                    // of what two have.
                    if let Some(common) = in_common(kind, field, agreements) {
                        seen.0 += unlikely / f64::from(common.others);
                        seen.1 += pairs / f64::from(common.others);
                    }
                }
                same_seen.add(agreements, likely, |_| true);
                company_seen.add(agreements, unlikely, |field| {
                    in_company(kind, field, agreements)
                });
            }
            for (agreements, pairs) in drawn.iter() {
                let unlikely = pairs * (1.0 - model.probability(agreements));
                other_seen.add(agreements, unlikely, |field| {
                    !in_company(kind, field, agreements)
                });
            }
            let learnt = bounded(kind, &expected.same, same_seen.parts());
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
        let evidence = self.kind.fields().into_iter().zip(agreements);
        let weights = evidence
            .filter_map(|(field, agreement)| Some(self.weight(field, (*agreement)?, agreements)));
        self.prior + weights.sum::<f64>()
    }

    /// Why two records are the same or not, the strongest reason first.
    pub(super) fn explain(&self, agreements: &Agreements) -> Vec<Evidence> {
        let mut evidence: Vec<Evidence> = self
            .kind
            .fields()
            .into_iter()
            .zip(agreements)
            .filter_map(|(field, agreement)| {
                let agreement = (*agreement)?;
                let highest = u32::try_from(field.levels() - 1).unwrap_or(1);
                let least = field.least();
                let above = f64::from(agreement.level.saturating_sub(least));
                Some(Evidence {
                    field,
                    agreement: above / (f64::from(highest) - f64::from(least)),
                    weight: self.weight(field, agreement, agreements),
                })
            })
            .collect();
        evidence.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        evidence
    }

    fn weight(&self, field: Field, agreement: Agreement, all: &Agreements) -> f64 {
        let same = &self.same[field.place()];
        let company = in_company(self.kind, field, all);
        let other = if company {
            &self.in_company[field.place()]
        } else {
            &self.other[field.place()]
        };
        // More agreement never says less, and to differ says nothing for it.
        let differs = agreement.level < field.least();
        let least = if differs { 0 } else { field.least() };
        let weight = (usize::from(least)..=usize::from(agreement.level))
            .filter(|level| same[*level] > 0.0 && other[*level] > 0.0)
            .map(|level| (same[level] / other[level]).log2())
            .fold(f64::NEG_INFINITY, f64::max);
        // What many have in common says less than what two have.
        let rareness = agreement.common.filter(|_| !company).map_or(0.0, |common| {
            let usual = other[usize::from(agreement.level)];
            let there = (f64::from(common.others) + RECORDS_SEEN * usual)
                / (f64::from(common.records) + RECORDS_SEEN);
            (usual / (there * self.by_chance[field.place()])).log2()
        });
        let most = if differs { 0.0 } else { MOST_FOR };
        (weight + rareness).clamp(MOST_AGAINST, most)
    }
}

/// Whether agreement in a field may follow from agreement in another, of two that are not the same: tenants of one house
/// share its switchboard, and branches of one name its site on the web; colleagues have one switchboard and one host.
fn in_company(kind: Kind, field: Field, agreements: &Agreements) -> bool {
    let at_least = |other: Field, level: u8| {
        agreements[other.place()].is_some_and(|agreement| agreement.level >= level)
    };
    match field {
        Field::Telephone if kind == Kind::Person => at_least(Field::Organisation, 1),
        Field::Telephone => at_least(Field::Place, 5),
        Field::Domain => at_least(Field::Name, 3) || at_least(Field::Place, 5),
        Field::Email | Field::JobTitle => at_least(Field::Organisation, 1),
        Field::Name | Field::Place | Field::Number | Field::Organisation => false,
    }
}

/// How common a value of a field is that two records have in common and others may have by chance.
fn in_common(kind: Kind, field: Field, agreements: &Agreements) -> Option<Common> {
    agreements[field.place()]
        .and_then(|agreement| agreement.common)
        .filter(|_| !in_company(kind, field, agreements))
}

/// How often each level of each field was seen.
struct Seen {
    kind: Kind,
    levels: Vec<Vec<f64>>,
}

impl Seen {
    /// The expectations, as so many pairs.
    fn of(kind: Kind, expected: &[&[f64]; FIELDS], pairs: f64) -> Self {
        let counts = |levels: &&[f64]| levels.iter().map(|part| part * pairs).collect();
        Self {
            kind,
            levels: expected.iter().map(counts).collect(),
        }
    }

    fn add(&mut self, agreements: &Agreements, times: f64, counts: impl Fn(Field) -> bool) {
        let fields = self.kind.fields();
        for ((levels, agreement), field) in self.levels.iter_mut().zip(agreements).zip(fields) {
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
        self.levels.iter().map(parts).collect()
    }
}

/// What was learnt of those that are the same, with no field in which they differ more often than can be.
fn bounded(kind: Kind, expected: &[&[f64]; FIELDS], mut learnt: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for ((field, expected), parts) in kind.fields().into_iter().zip(expected).zip(&mut learnt) {
        // The lowest level that says that they differ, and those below.
        let least = usize::from(field.least()) + 1;
        let differ: f64 = parts[..least].iter().sum();
        let most = (expected[..least].iter().sum::<f64>() * DIFFER_MORE).min(DIFFER_MOST);
        if differ > most {
            for part in &mut parts[..least] {
                *part *= most / differ;
            }
            for part in &mut parts[least..] {
                *part *= (1.0 - most) / (1.0 - differ);
            }
        }
    }
    learnt
}

fn moved(new: &[Vec<f64>], old: &[Vec<f64>]) -> f64 {
    let both = new.iter().flatten().zip(old.iter().flatten());
    both.map(|(new, old)| (new - old).abs()).fold(0.0, f64::max)
}

/// How far pairs agree that are drawn at random: hardly any of them are the same.
fn drawn(all: &Prepared) -> Ways {
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
