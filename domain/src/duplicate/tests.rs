//! How well the same ones are found among records of our own making, of which the truth is known.

mod made;
mod people;

use std::collections::HashSet;

use super::*;

/// What F1 must reach on data that nobody has seen.
const BAR: f64 = 0.95;

/// Records by their places.
type Pairs = HashSet<(usize, usize)>;

struct Quality {
    precision: f64,
    recall: f64,
}

impl Quality {
    fn f1(&self) -> f64 {
        2.0 * self.precision * self.recall / (self.precision + self.recall)
    }
}

#[expect(clippy::cast_precision_loss, reason = "they are hundreds")]
fn quality(found: &Pairs, of: &[usize]) -> Quality {
    let mut truth = HashSet::new();
    for (one, what) in of.iter().enumerate() {
        for (other, _) in of
            .iter()
            .enumerate()
            .skip(one + 1)
            .filter(|(_, with)| *with == what)
        {
            truth.insert((one, other));
        }
    }
    let right = found.intersection(&truth).count() as f64;
    Quality {
        precision: right / found.len() as f64,
        recall: right / truth.len() as f64,
    }
}

/// What a rule of thumb finds: names whose letters are alike, in one postcode.
fn by_rule_of_thumb(records: &[Record]) -> Pairs {
    let all = Prepared::of(Kind::Organisation, records);
    block::pairs(&all)
        .into_iter()
        .filter(|(one, other)| {
            let (one, other) = (&all.records[*one as usize], &all.records[*other as usize]);
            let alike = compare::alikeness(&all, &one.names[0], &other.names[0]);
            alike >= 0.6 && one.postcode.is_some() && one.postcode == other.postcode
        })
        .map(|(one, other)| (one as usize, other as usize))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "they are three")]
fn mean(all: &[Quality], of: fn(&Quality) -> f64) -> f64 {
    all.iter().map(of).sum::<f64>() / all.len() as f64
}

/// The mean F1 of what is learnt from records, and of a rule of thumb, over three sets of them, which are also printed.
fn f1_of(
    kind: Kind,
    make: impl Fn(u64) -> (Vec<Record>, Vec<usize>),
    rule_of_thumb: fn(&[Record]) -> Pairs,
) -> (f64, f64) {
    let (mut learnt, mut by_thumb) = (Vec::new(), Vec::new());
    for seed in 1..=3 {
        let (records, of) = make(seed);
        let found = find(kind, &records)
            .matches
            .iter()
            .map(|found| (found.one, found.other))
            .collect();
        learnt.push(quality(&found, &of));
        by_thumb.push(quality(&rule_of_thumb(&records), &of));
    }
    for (name, all) in [("learnt", &learnt), ("by rule of thumb", &by_thumb)] {
        let (precision, recall) = (mean(all, |q| q.precision), mean(all, |q| q.recall));
        let f1 = mean(all, Quality::f1);
        println!("{kind:?}, {name}: precision {precision:.3}, recall {recall:.3}, F1 {f1:.3}");
    }
    (mean(&learnt, Quality::f1), mean(&by_thumb, Quality::f1))
}

#[test]
fn the_same_organisations_are_found_and_branches_and_neighbours_are_not() {
    let make = |seed| {
        let made = made::make(1_000, seed);
        (made.records, made.of)
    };
    let (learnt, by_thumb) = f1_of(Kind::Organisation, make, by_rule_of_thumb);
    assert!(learnt >= BAR);
    assert!(
        by_thumb < BAR - 0.1,
        "the control: the records are no easy ones"
    );
}

/// What F1 must reach among people.
const PEOPLE_BAR: f64 = 0.93;

/// What a rule of thumb finds among people: one name, or one address.
fn people_by_rule_of_thumb(records: &[Record]) -> Pairs {
    let all = Prepared::of(Kind::Person, records);
    block::pairs(&all)
        .into_iter()
        .filter(|(one, other)| {
            let (one, other) = (&all.records[*one as usize], &all.records[*other as usize]);
            one.names[0].key == other.names[0].key
                || one
                    .emails
                    .iter()
                    .any(|address| other.emails.contains(address))
        })
        .map(|(one, other)| (one as usize, other as usize))
        .collect()
}

#[test]
fn the_same_people_are_found_and_namesakes_and_colleagues_are_not() {
    let make = |seed| {
        let made = people::make(1_000, seed);
        (made.records, made.of)
    };
    let (learnt, by_thumb) = f1_of(Kind::Person, make, people_by_rule_of_thumb);
    assert!(learnt >= PEOPLE_BAR);
    assert!(
        by_thumb < PEOPLE_BAR - 0.05,
        "the control: they are no easy ones"
    );
}

fn named(name: &str) -> Record {
    Record {
        name: name.to_owned(),
        ..Record::default()
    }
}

fn pairs(records: &[Record]) -> Vec<(usize, usize)> {
    find(Kind::Organisation, records)
        .matches
        .iter()
        .map(|found| (found.one, found.other))
        .collect()
}

#[test]
fn a_handful_of_records_is_judged_with_sense() {
    let records = [
        "Acme Ltd",
        "Brook",
        "ACME Corporation",
        "Brighton Pier",
        "Other",
    ]
    .map(named);
    assert_eq!(pairs(&records), [(0, 2)]);
    assert_eq!(pairs(&[named("Acme")]), []);
    assert_eq!(pairs(&[]), []);
}

#[test]
fn what_is_missing_says_nothing_and_every_reason_is_given() {
    let mut records = ["Saltaire Looms Ltd", "SALTAIRE LOOMS", "Shipley Clocks"].map(named);
    records[0].telephones = vec!["0113 496 0123".to_owned()];
    records[0].postcode = Some("BD18 3LA".to_owned());
    records[1].telephones = vec!["+44 113 4960123".to_owned()];
    let findings = find(Kind::Organisation, &records);
    let [found] = findings.matches.as_slice() else {
        panic!("{:?}", findings.matches);
    };
    let fields: HashSet<Field> = found
        .evidence
        .iter()
        .map(|evidence| evidence.field)
        .collect();
    assert_eq!(fields, HashSet::from([Field::Name, Field::Telephone]));
    assert!(found.evidence.iter().all(|evidence| evidence.weight > 0.0));
}

#[test]
fn a_division_is_not_its_head_office() {
    let mut records = ["Acme", "Acme"].map(named);
    (records[0].id, records[1].id, records[1].family) = (1, 2, Some(1));
    assert_eq!(pairs(&records), []);
    records[1].family = None;
    assert_eq!(pairs(&records), [(0, 1)], "the control");
}

#[test]
fn the_same_records_are_judged_alike_every_time() {
    let made = made::make(300, 7);
    assert_eq!(
        find(Kind::Organisation, &made.records),
        find(Kind::Organisation, &made.records)
    );
}
