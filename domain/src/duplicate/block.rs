//! Which pairs are worth comparing: those that share something telling. Never all of them.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::record::{Kind, Prepared, Ready};

/// Of what more records share than this, only those whose names stand beside each other are compared.
const LARGEST_BLOCK: usize = 50;
/// How many of those before it in the order of names a record is compared with.
const NEIGHBOURS: usize = 6;
/// A word of a name that more records have than this is no reason by itself.
const TELLING: u32 = 40;

/// The pairs that are worth comparing, each once, with the smaller place first.
pub(super) fn pairs(all: &Prepared) -> Vec<(u32, u32)> {
    let keys: Vec<String> = all
        .records
        .iter()
        .map(|record| {
            record
                .names
                .first()
                .map_or("", |name| all.text(name.key))
                .to_owned()
        })
        .collect();
    let mut blocks: HashMap<u64, Vec<u32>> = HashMap::new();
    for (place, record) in (0..).zip(&all.records) {
        let mut reasons = reasons(all, record);
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            blocks.entry(reason).or_default().push(place);
        }
    }
    let by_name = |places: &mut Vec<u32>| {
        places.sort_by(|a, b| keys[*a as usize].cmp(&keys[*b as usize]).then(a.cmp(b)));
    };
    let mut found: Vec<(u32, u32)> = Vec::new();
    for (_, mut places) in blocks {
        let within = if places.len() <= LARGEST_BLOCK {
            places.len()
        } else {
            by_name(&mut places);
            NEIGHBOURS
        };
        neighbours(&places, within, &mut found);
    }
    let mut places: Vec<u32> = (0..).zip(&all.records).map(|(place, _)| place).collect();
    by_name(&mut places);
    neighbours(&places, NEIGHBOURS, &mut found);
    // Where a name is mistyped at its beginning, its end is in order.
    let backwards: Vec<String> = keys.iter().map(|key| key.chars().rev().collect()).collect();
    places.sort_by(|a, b| {
        backwards[*a as usize]
            .cmp(&backwards[*b as usize])
            .then(a.cmp(b))
    });
    neighbours(&places, NEIGHBOURS, &mut found);
    found.sort_unstable();
    found.dedup();
    found.retain(|(one, other)| may_be_one(all, *one, *other));
    found
}

/// Whether two records may be the same at all: a division is not its head office.
pub(super) fn may_be_one(all: &Prepared, one: u32, other: u32) -> bool {
    let (one, other) = (&all.records[one as usize], &all.records[other as usize]);
    one.family != Some(other.id) && other.family != Some(one.id)
}

fn neighbours(places: &[u32], within: usize, found: &mut Vec<(u32, u32)>) {
    for (at, place) in places.iter().enumerate() {
        for other in &places[at.saturating_sub(within)..at] {
            found.push((*place.min(other), *place.max(other)));
        }
    }
}

/// What a record has that another may share, as numbers.
fn reasons(all: &Prepared, record: &Ready) -> Vec<u64> {
    let mut reasons = Vec::new();
    let mut give = |kind: u8, parts: [u32; 2]| {
        let mut hasher = DefaultHasher::new();
        (kind, parts).hash(&mut hasher);
        reasons.push(hasher.finish());
    };
    for name in &record.names {
        give(0, [name.key, 0]);
        if all.kind == Kind::Person {
            // A surname with an initial; and any word of the name at one employer.
            if let (Some(first), Some(last)) = (name.words.first(), name.words.last()) {
                let initial = all.text(*first).chars().next().map_or(0, u32::from);
                give(11, [initial, *last]);
            }
            for word in &name.words {
                for employer in record
                    .employer
                    .iter()
                    .flat_map(|at| at.ids.iter().chain(&at.group))
                {
                    give(12, [*word, *employer]);
                }
            }
        }
        let mut words = name.words.clone();
        words.sort_by(|a, b| all.count_of(*a).cmp(&all.count_of(*b)).then(a.cmp(b)));
        words.dedup();
        for (nth, word) in words.iter().enumerate().take(4) {
            if all.count_of(*word) <= TELLING {
                give(1, [*word, 0]);
            }
            for with in words.iter().skip(nth + 1).take(3) {
                give(2, [*word.min(with), *word.max(with)]);
            }
            for place in record.postcode.iter().chain(&record.house) {
                give(3, [*word, *place]);
            }
            if let Some(district) = record.district {
                give(4, [*word, district]);
            }
        }
    }
    for telephone in &record.telephones {
        give(5, [*telephone, 0]);
    }
    for address in record.domains.iter().chain(&record.emails) {
        give(6, [*address, 0]);
    }
    for mailbox in &record.mailboxes {
        give(13, [*mailbox, 0]);
    }
    if let Some(number) = record.number {
        give(7, [number, 0]);
    }
    if let Some(house) = record.house {
        let mut street = record.street.clone();
        street.sort_by_key(|word| all.count_of(*word));
        for word in street.iter().take(2) {
            give(8, [house, *word]);
        }
        if let Some(postcode) = record.postcode {
            give(9, [house, postcode]);
        }
    }
    if let (None, Some(postcode)) = (record.house, record.postcode) {
        give(10, [postcode, 0]);
    }
    reasons
}
