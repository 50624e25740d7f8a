//! How far two records agree, field by field.

use super::record::{Common, Name, Prepared, Ready};

/// A field that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Field {
    /// The names.
    Name,
    /// Address and postcode together: they depend on each other.
    Place,
    /// The telephone numbers.
    Telephone,
    /// The domains of web site and mail.
    Domain,
    /// The company number.
    Number,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; FIELDS] = [
        Self::Name,
        Self::Place,
        Self::Telephone,
        Self::Domain,
        Self::Number,
    ];

    /// How many levels of agreement it has.
    #[must_use]
    pub const fn levels(self) -> usize {
        match self {
            Self::Name => 6,
            Self::Place => 7,
            Self::Telephone => 3,
            Self::Domain | Self::Number => 2,
        }
    }
}

/// How many fields are compared.
pub const FIELDS: usize = 5;

/// How far two records agree in one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Agreement {
    /// From 0, they differ, to the highest of the field, they have the same.
    pub level: u8,
    /// How common the value is, where both have the same.
    pub common: Option<Common>,
}

impl Agreement {
    fn at(level: u8) -> Self {
        Self {
            level,
            common: None,
        }
    }
}

/// How far two records agree; nothing is said of fields that one of them lacks.
pub(super) type Agreements = [Option<Agreement>; FIELDS];

pub(super) fn compare(all: &Prepared, one: &Ready, other: &Ready) -> Agreements {
    [
        names(all, one, other),
        places(all, one, other),
        telephones(all, one, other),
        domains(all, one, other),
        numbers(all, one, other),
    ]
}

fn names(all: &Prepared, one: &Ready, other: &Ready) -> Option<Agreement> {
    let pairs = one
        .names
        .iter()
        .flat_map(|name| other.names.iter().map(move |with| (name, with)));
    pairs
        .map(|(name, with)| {
            if name.key == with.key {
                return Agreement {
                    level: 5,
                    common: Some(all.common(name.key)),
                };
            }
            let alike = alikeness(all, name, with);
            Agreement::at(match alike {
                0.88.. => 4,
                0.74.. => 3,
                0.6.. => 2,
                0.4.. => 1,
                _ => 0,
            })
        })
        .max_by_key(|agreement| agreement.level)
}

/// How alike two names are, from 0 to 1: the better of what their words and their letters say.
pub(super) fn alikeness(all: &Prepared, one: &Name, other: &Name) -> f64 {
    let letters = dice(&one.pieces, &other.pieces);
    let (shared, weight, with) = shared_weight(all, &one.words, &other.words);
    let words = 2.0 * shared / (weight + with);
    // One may be said in fewer words, as long as these are telling.
    let within = 0.85 * shared / weight.min(with);
    let within = if one.words.len().min(other.words.len()) >= 2 {
        within
    } else {
        0.9 * within
    };
    let initials = if are_initials(all, one, other) || are_initials(all, other, one) {
        0.75
    } else {
        0.0
    };
    letters.max(words).max(within).max(initials)
}

/// What part of the pieces two names share.
fn dice(one: &[u32], other: &[u32]) -> f64 {
    let (mut at, mut with, mut shared) = (0, 0, 0_u32);
    while let (Some(a), Some(b)) = (one.get(at), other.get(with)) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => at += 1,
            std::cmp::Ordering::Greater => with += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                at += 1;
                with += 1;
            }
        }
    }
    let pieces = u32::try_from(one.len() + other.len()).map_or(f64::MAX, f64::from);
    2.0 * f64::from(shared) / pieces.max(1.0)
}

/// How much weight the words have that two lists share, nearly or wholly, and how much each list has in all.
fn shared_weight(all: &Prepared, one: &[u32], other: &[u32]) -> (f64, f64, f64) {
    let weigh = |words: &[u32]| words.iter().map(|word| all.weight_of(*word)).sum::<f64>();
    let (weight, with) = (weigh(one), weigh(other));
    let mut left: Vec<u32> = other.to_vec();
    let mut rest = Vec::new();
    let mut shared = 0.0;
    for word in one {
        match left.iter().position(|there| there == word) {
            Some(at) => shared += all.weight_of(left.swap_remove(at)),
            None => rest.push(*word),
        }
    }
    for word in rest {
        let best = left
            .iter()
            .enumerate()
            .map(|(at, there)| (at, word_alikeness(all.text(word), all.text(*there))))
            .filter(|(_, alike)| *alike > 0.0)
            .max_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((at, alike)) = best {
            let there = left.swap_remove(at);
            shared += alike * all.weight_of(word).min(all.weight_of(there));
        }
    }
    (shared, weight.max(f64::EPSILON), with.max(f64::EPSILON))
}

/// How alike two words are: a slip of the finger, or a short form. 0 for other words.
fn word_alikeness(one: &str, other: &str) -> f64 {
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    if long.starts_with(short) {
        return match short.len() {
            0 => 0.0,
            1 => 0.5,
            2 => 0.6,
            _ => 0.85,
        };
    }
    if short.len() < 4 || short.bytes().any(|b| b.is_ascii_digit()) {
        return 0.0;
    }
    let alike = strsim::jaro_winkler(one, other);
    if alike >= 0.88 { alike } else { 0.0 }
}

/// Whether the first is the initials of the other.
fn are_initials(all: &Prepared, one: &Name, other: &Name) -> bool {
    let [word] = one.words.as_slice() else {
        return false;
    };
    let word = all.text(*word);
    word.len() >= 3
        && other.words.len() == word.len()
        && word
            .chars()
            .zip(&other.words)
            .all(|(letter, word)| all.text(*word).starts_with(letter))
}

/// 6 the same house, 5 the same house number in nearly the same street, 4 the same street in the same postcode without
/// one of the numbers, 3 the same postcode and no more known, 2 the same postcode and another house, 1 the same district,
/// 0 elsewhere.
fn places(all: &Prepared, one: &Ready, other: &Ready) -> Option<Agreement> {
    let has_street = |ready: &Ready| !ready.street.is_empty();
    let both_streets = has_street(one) && has_street(other);
    let both_codes = one.postcode.is_some() && other.postcode.is_some();
    if !both_streets && !both_codes {
        return None;
    }
    let same_code = both_codes && one.postcode == other.postcode;
    let same_district = both_codes && one.district == other.district;
    if !both_streets {
        return Some(match (same_code, same_district) {
            (true, _) => Agreement {
                level: 3,
                common: one.postcode.map(|code| all.common(code)),
            },
            (_, true) => Agreement::at(1),
            _ => Agreement::at(0),
        });
    }
    let (shared, weight, with) = shared_weight(all, &one.street, &other.street);
    let street = (2.0 * shared / (weight + with)).max(0.95 * shared / weight.min(with));
    let houses = (one.house, other.house);
    let same_house = houses.0.is_some() && houses.0 == houses.1;
    let other_house = houses.0.is_some() && houses.1.is_some() && !same_house;
    let elsewhere = both_codes && !same_district;
    if houses == (None, None) {
        // Most likely no more than a town.
        let same_street = street >= 0.85;
        return Some(Agreement::at(match (same_code, same_street) {
            (true, true) => 4,
            (true, false) => 2,
            (false, same_street) => u8::from(same_district || (same_street && !both_codes)),
        }));
    }
    let level = if street >= 0.7 && same_house && !elsewhere {
        if street >= 0.9 && (same_code || !both_codes) {
            6
        } else {
            5
        }
    } else if street >= 0.7 && !other_house && (same_code || (!both_codes && street >= 0.85)) {
        4
    } else if same_code {
        2
    } else {
        u8::from(same_district || (!both_codes && street >= 0.7))
    };
    Some(Agreement::at(level))
}

/// 2 one in common, 1 one that is mistyped or lacks its area code, 0 others.
fn telephones(all: &Prepared, one: &Ready, other: &Ready) -> Option<Agreement> {
    if one.telephones.is_empty() || other.telephones.is_empty() {
        return None;
    }
    if let Some(shared) = rarest_in_common(all, &one.telephones, &other.telephones) {
        return Some(Agreement {
            level: 2,
            common: Some(all.common(shared)),
        });
    }
    let nearly = one.telephones.iter().any(|a| {
        other
            .telephones
            .iter()
            .any(|b| nearly_one_number(all.text(*a), all.text(*b)))
    });
    Some(Agreement::at(u8::from(nearly)))
}

fn nearly_one_number(one: &str, other: &str) -> bool {
    if one.ends_with(other) || other.ends_with(one) {
        return true;
    }
    one.len() == other.len() && strsim::osa_distance(one, other) == 1
}

fn domains(all: &Prepared, one: &Ready, other: &Ready) -> Option<Agreement> {
    if one.domains.is_empty() || other.domains.is_empty() {
        return None;
    }
    let shared = rarest_in_common(all, &one.domains, &other.domains);
    Some(Agreement {
        level: u8::from(shared.is_some()),
        common: shared.map(|domain| all.common(domain)),
    })
}

fn numbers(all: &Prepared, one: &Ready, other: &Ready) -> Option<Agreement> {
    let (a, b) = (one.number?, other.number?);
    Some(Agreement {
        level: u8::from(a == b),
        common: (a == b).then(|| all.common(a)),
    })
}

fn rarest_in_common(all: &Prepared, one: &[u32], other: &[u32]) -> Option<u32> {
    let shared = one.iter().filter(|value| other.contains(value));
    shared.copied().min_by_key(|value| all.count_of(*value))
}
