//! Duplicates among records of our own making, of which the truth is known: how many are found, how many of what is found
//! are right, and how long it takes.

#[path = "../../domain/src/duplicate/tests/made.rs"]
mod made;
#[path = "../../domain/src/duplicate/tests/people.rs"]
mod people;

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use domain::duplicate::{self, Employer, Kind, Record};

use crate::{
    table::{print, row, whole},
    timing::median,
};

/// Other ones than those by which the model was made.
const SEEDS: std::ops::Range<u64> = 101..106;

pub fn measure() {
    tell(
        "Duplicates",
        Kind::Organisation,
        "Organisations with abbreviations, other legal forms, slips of the finger, moved offices, shared switchboards and \
         branches that are none; many fields empty.",
    );
    tell(
        "Duplicates of contacts",
        Kind::Person,
        "Contacts with initials, short first names, titles, slips of the finger, several addresses, new employers and employers \
         that are there twice; namesakes, relatives at one firm, colleagues with one switchboard; many fields empty.",
    );
}

fn tell(title: &str, kind: Kind, what: &str) {
    let mut rows = vec![row([&"records", &"precision", &"recall", &"F1", &"time"])];
    for count in [1_000, 3_000] {
        let measured: Vec<[f64; 4]> = SEEDS.map(|seed| quality(kind, count, seed)).collect();
        let middle = |what: usize| median(measured.iter().map(|all| all[what]).collect());
        rows.push(row([
            &whole(count as f64),
            &format!("{:.3}", middle(0)),
            &format!("{:.3}", middle(1)),
            &format!("{:.3}", middle(2)),
            &format!("{:.2} s", middle(3)),
        ]));
    }
    let [.., time] = quality(kind, 100_000, 101);
    rows.push(row([
        &whole(100_000.0),
        &"",
        &"",
        &"",
        &format!("{time:.1} s"),
    ]));
    print(
        title,
        &format!(
            "{what} The middle of {} sets of records. The names are made of so few words that of 100,000 only the time says \
             something.",
            SEEDS.count()
        ),
        &rows,
    );
}

/// Precision, recall, F1 and the time in seconds.
fn quality(kind: Kind, count: usize, seed: u64) -> [f64; 4] {
    let made = match kind {
        Kind::Organisation => made::make(count, seed),
        Kind::Person => people::make(count, seed),
    };
    let begun = Instant::now();
    let findings = duplicate::find(kind, &made.records);
    let time = begun.elapsed().as_secs_f64();
    let found: HashSet<_> = findings
        .matches
        .iter()
        .map(|found| (found.one, found.other))
        .collect();
    let mut copies: HashMap<usize, usize> = HashMap::new();
    for of in &made.of {
        *copies.entry(*of).or_default() += 1;
    }
    let truth: usize = copies
        .values()
        .map(|copies| copies * (copies - 1) / 2)
        .sum();
    let right = found
        .iter()
        .filter(|(one, other)| made.of[*one] == made.of[*other])
        .count() as f64;
    let (precision, recall) = (right / found.len() as f64, right / truth as f64);
    [
        precision,
        recall,
        2.0 * precision * recall / (precision + recall),
        time,
    ]
}
