//! How far two records agree, field by field.

use super::record::{Common, Kind, Name, Prepared, Ready};
use crate::organisation::is_free_mail;

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
    /// Of people: where they work.
    Organisation,
    /// Of people: the e-mail addresses.
    Email,
    /// Of people: the job titles.
    JobTitle,
}

impl Kind {
    /// What is compared of such records.
    #[must_use]
    pub const fn fields(self) -> [Field; FIELDS] {
        match self {
            Self::Organisation => [
                Field::Name,
                Field::Place,
                Field::Telephone,
                Field::Domain,
                Field::Number,
            ],
            Self::Person => [
                Field::Name,
                Field::Organisation,
                Field::Telephone,
                Field::Email,
                Field::JobTitle,
            ],
        }
    }
}

impl Field {
    /// Its place among the fields of its kind.
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Name => 0,
            Self::Place | Self::Organisation => 1,
            Self::Telephone => 2,
            Self::Domain | Self::Email => 3,
            Self::Number | Self::JobTitle => 4,
        }
    }

    /// How many levels of agreement it has.
    #[must_use]
    pub const fn levels(self) -> usize {
        match self {
            Self::Name => 6,
            Self::Place => 7,
            Self::Email => 4,
            Self::Telephone | Self::Organisation | Self::JobTitle => 3,
            Self::Domain | Self::Number => 2,
        }
    }

    /// The level from which on two agree in anything: below, they only differ in one way or another.
    pub(super) const fn least(self) -> u8 {
        match self {
            Self::Email => 1,
            _ => 0,
        }
    }
}

/// How many digits two lines of one switchboard have in common at least.
const SHORTEST_TRUNK: usize = 7;

/// How many fields are compared.
pub const FIELDS: usize = 5;

/// How far two records agree in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    let name = names(all, one, other);
    let telephone = telephones(all, one, other);
    match all.kind {
        Kind::Organisation => [
            name,
            places(all, one, other),
            telephone,
            domains(all, one, other),
            numbers(all, one, other),
        ],
        Kind::Person => [
            name,
            workplaces(all, one, other),
            telephone,
            emails(all, one, other, name),
            titles(one, other),
        ],
    }
}

fn names(all: &Prepared, one: &Ready, other: &Ready) -> Option<Agreement> {
    let pairs = one
        .names
        .iter()
        .flat_map(|name| other.names.iter().map(move |with| (name, with)));
    pairs
        .map(|(name, with)| {
            // One word alone is no whole name of a person.
            let is_whole = all.kind == Kind::Organisation || name.words.len() > 1;
            if name.key == with.key && is_whole {
                return Agreement {
                    level: 5,
                    common: Some(all.common(name.key)),
                };
            }
            let alike = match all.kind {
                Kind::Organisation => alikeness(all, name, with),
                Kind::Person => persons(all, name, with),
            };
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

/// How alike the names of two people are. The surname stands last, and may be mistyped; of the first name the initial may do.
/// Namesakes of one family share the surname and no more.
fn persons(all: &Prepared, one: &Name, other: &Name) -> f64 {
    let ([first, .., last], [with, .., other_last]) =
        (one.words.as_slice(), other.words.as_slice())
    else {
        return match (one.words.last(), other.words.last()) {
            (Some(a), Some(b)) if a == b => 0.65,
            _ => 0.0,
        };
    };
    let text = |word: &u32| all.text(*word);
    let near = |a: &str, b: &str| {
        if a == b {
            return 1.0;
        }
        let alike = strsim::jaro_winkler(a, b);
        if alike >= 0.88 && strsim::osa_distance(a, b) <= 2 {
            alike
        } else {
            0.0
        }
    };
    let surname = near(text(last), text(other_last));
    let (a, b) = (text(first), text(with));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let given = if short.chars().count() == 1 && long.starts_with(short) {
        0.7
    } else if short.len() >= 3 && long.starts_with(short) {
        0.9
    } else {
        near(a, b)
    };
    // First and last name in the wrong order.
    let turned = near(text(first), text(other_last)).min(near(text(last), text(with)));
    let straight = if surname == 0.0 || given == 0.0 {
        0.0
    } else if given < 0.8 {
        0.8 * surname
    } else {
        surname.min(given)
    };
    straight.max(0.95 * turned)
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

/// 2 one in common, 1 one that is mistyped or lacks its area code, or of an organisation another line of one switchboard, 0
/// others.
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
            .map(|b| (all.text(*a), all.text(*b)))
            .any(|(a, b)| {
                nearly_one_number(a, b) || (all.kind == Kind::Organisation && one_switchboard(a, b))
            })
    });
    Some(Agreement::at(u8::from(nearly)))
}

fn nearly_one_number(one: &str, other: &str) -> bool {
    if one.ends_with(other) || other.ends_with(one) {
        return true;
    }
    one.len() == other.len() && strsim::osa_distance(one, other) == 1
}

/// Whether two numbers differ in their last two digits alone.
fn one_switchboard(one: &str, other: &str) -> bool {
    let end = one.len().saturating_sub(2);
    let trunk = one.get(..end).filter(|_| end >= SHORTEST_TRUNK);
    one.len() == other.len() && trunk.is_some_and(|trunk| other.starts_with(trunk))
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

/// 2 one employer in common, 1 employers that are likely the same, 0 others.
fn workplaces(all: &Prepared, one: &Ready, other: &Ready) -> Option<Agreement> {
    let (a, b) = (one.employer.as_ref()?, other.employer.as_ref()?);
    if let Some(shared) = rarest_in_common(all, &a.ids, &b.ids) {
        return Some(Agreement {
            level: 2,
            common: Some(all.common(shared)),
        });
    }
    let likely = (a.group.is_some() && a.group == b.group)
        || a.name.key == b.name.key
        || alikeness(all, &a.name, &b.name) >= 0.85;
    Some(Agreement::at(u8::from(likely)))
}

/// 3 one address in common, 2 the same before the @, 1 others, 0 others at one host: one person seldom has two of these.
///
/// Namesakes write from the same mailbox at every employer: where the names agree, that says nothing more.
fn emails(
    all: &Prepared,
    one: &Ready,
    other: &Ready,
    name: Option<Agreement>,
) -> Option<Agreement> {
    if one.emails.is_empty() || other.emails.is_empty() {
        return None;
    }
    let shared = |level: u8, value: u32| Agreement {
        level,
        common: Some(all.common(value)),
    };
    if let Some(address) = rarest_in_common(all, &one.emails, &other.emails) {
        return Some(shared(3, address));
    }
    if let Some(mailbox) = rarest_in_common(all, &one.mailboxes, &other.mailboxes) {
        let follows = name.is_some_and(|name| name.level >= 3);
        return (!follows).then(|| shared(2, mailbox));
    }
    let host = |address: &u32| all.text(*address).split_once('@').map(|(_, host)| host);
    let colleagues = one.emails.iter().any(|a| {
        let at = host(a).filter(|at| !is_free_mail(at));
        at.is_some() && other.emails.iter().any(|b| host(b) == at)
    });
    Some(Agreement::at(u8::from(!colleagues)))
}

/// 2 the same words, 1 some of them, 0 others.
fn titles(one: &Ready, other: &Ready) -> Option<Agreement> {
    if one.title.is_empty() || other.title.is_empty() {
        return None;
    }
    let level = if one.title == other.title {
        2
    } else {
        u8::from(one.title.iter().any(|word| other.title.contains(word)))
    };
    Some(Agreement::at(level))
}

fn rarest_in_common(all: &Prepared, one: &[u32], other: &[u32]) -> Option<u32> {
    let shared = one.iter().filter(|value| other.contains(value));
    shared.copied().min_by_key(|value| all.count_of(*value))
}
