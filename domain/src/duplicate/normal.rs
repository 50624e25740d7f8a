//! Names, addresses and numbers in one spelling, for comparing. Nobody sees it.

use crate::organisation::name_key::{without_legal_form, words};

/// What stands for the same word in names.
const NAME_WORDS: &[(&str, &str)] = &[
    ("assoc", "association"),
    ("assn", "association"),
    ("bros", "brothers"),
    ("centre", "center"),
    ("cntr", "center"),
    ("comm", "community"),
    ("ctr", "center"),
    ("dept", "department"),
    ("dev", "development"),
    ("elem", "elementary"),
    ("engrg", "engineering"),
    ("eng", "engineering"),
    ("govt", "government"),
    ("grp", "group"),
    ("hldgs", "holdings"),
    ("hosp", "hospital"),
    ("inst", "institute"),
    ("intl", "international"),
    ("mfg", "manufacturing"),
    ("mgmt", "management"),
    ("natl", "national"),
    ("prof", "professional"),
    ("sch", "school"),
    ("saint", "st"),
    ("soc", "society"),
    ("svc", "service"),
    ("svcs", "service"),
    ("tech", "technology"),
    ("univ", "university"),
];

/// What stands for the same word in addresses.
const STREET_WORDS: &[(&str, &str)] = &[
    ("ave", "avenue"),
    ("av", "avenue"),
    ("blvd", "boulevard"),
    ("bldg", "building"),
    ("cl", "close"),
    ("cres", "crescent"),
    ("ct", "court"),
    ("dr", "drive"),
    ("e", "east"),
    ("est", "estate"),
    ("gdns", "gardens"),
    ("gr", "grove"),
    ("hse", "house"),
    ("hwy", "highway"),
    ("ind", "industrial"),
    ("ln", "lane"),
    ("n", "north"),
    ("pk", "park"),
    ("pkwy", "parkway"),
    ("pl", "place"),
    ("rd", "road"),
    ("s", "south"),
    ("sq", "square"),
    ("st", "street"),
    ("str", "street"),
    ("ter", "terrace"),
    ("terr", "terrace"),
    ("w", "west"),
];

/// What people are called for short.
const FIRST_NAMES: &[(&str, &str)] = &[
    ("abby", "abigail"),
    ("alex", "alexander"),
    ("andy", "andrew"),
    ("becky", "rebecca"),
    ("ben", "benjamin"),
    ("beth", "elizabeth"),
    ("bill", "william"),
    ("bob", "robert"),
    ("cath", "catherine"),
    ("charlie", "charles"),
    ("chris", "christopher"),
    ("dan", "daniel"),
    ("dave", "david"),
    ("ed", "edward"),
    ("fred", "frederick"),
    ("jen", "jennifer"),
    ("jenny", "jennifer"),
    ("jim", "james"),
    ("joe", "joseph"),
    ("jon", "jonathan"),
    ("kate", "katherine"),
    ("liz", "elizabeth"),
    ("maggie", "margaret"),
    ("meg", "margaret"),
    ("peggy", "margaret"),
    ("jo", "joanna"),
    ("matt", "matthew"),
    ("mike", "michael"),
    ("nick", "nicholas"),
    ("pam", "pamela"),
    ("pat", "patricia"),
    ("pete", "peter"),
    ("phil", "philip"),
    ("rich", "richard"),
    ("rob", "robert"),
    ("sam", "samuel"),
    ("steve", "stephen"),
    ("steven", "stephen"),
    ("sue", "susan"),
    ("tim", "timothy"),
    ("tom", "thomas"),
    ("tony", "anthony"),
    ("vicky", "victoria"),
    ("will", "william"),
];

/// Words before and behind a name that are no part of it.
const TITLES: &[&str] = &[
    "ba",
    "bsc",
    "dr",
    "mba",
    "miss",
    "mr",
    "mrs",
    "ms",
    "phd",
    "prof",
    "professor",
    "rev",
    "sir",
];

/// The words of a person's name, in full and without titles. What stands before a comma is the surname, and stands last.
pub(super) fn person_words(name: &str) -> Vec<String> {
    let turned = match name.split_once(',') {
        Some((surname, first)) if !first.trim().is_empty() => format!("{first} {surname}"),
        _ => name.to_owned(),
    };
    let all = words(&turned);
    let told: Vec<String> = all
        .iter()
        .filter(|word| !TITLES.contains(&word.as_str()))
        .map(|word| in_full(word, FIRST_NAMES).to_owned())
        .collect();
    if told.is_empty() { all } else { told }
}

/// What stands for the same word in job titles.
const TITLE_WORDS: &[(&str, &str)] = &[
    ("asst", "assistant"),
    ("coord", "coordinator"),
    ("dir", "director"),
    ("exec", "executive"),
    ("grad", "graduate"),
    ("jr", "junior"),
    ("mgr", "manager"),
    ("mgmt", "management"),
    ("ops", "operation"),
    ("recruiting", "recruitment"),
    ("snr", "senior"),
    ("sr", "senior"),
];

/// The words of a job title that say something, in full.
pub(super) fn title_words(title: &str) -> Vec<String> {
    words(title)
        .iter()
        .filter(|word| !STOP.contains(&word.as_str()))
        .map(|word| singular(in_full(word, TITLE_WORDS)))
        .collect()
}

/// Mailboxes that belong to a desk rather than to a person, without what is no letter in them.
const DESKS: &[&str] = &[
    "admin",
    "careers",
    "contact",
    "contactus",
    "enquiries",
    "events",
    "graduates",
    "graduaterecruitment",
    "hello",
    "hr",
    "humanresources",
    "info",
    "jobs",
    "mail",
    "marketing",
    "office",
    "people",
    "placements",
    "post",
    "reception",
    "recruitment",
    "recruiting",
    "sales",
    "students",
    "support",
    "talent",
    "team",
    "vacancies",
];

/// An e-mail address that is a person's own, and what stands before its @, in one spelling. That of a desk says nothing about
/// who sits there.
pub(super) fn own_email(given: &str) -> Option<(String, String)> {
    let address = given.trim().to_lowercase();
    let (before, host) = address.split_once('@')?;
    let before = before.split('+').next().unwrap_or(before);
    let mailbox: String = before.chars().filter(|c| c.is_alphanumeric()).collect();
    if mailbox.is_empty() || host.is_empty() || DESKS.contains(&mailbox.as_str()) {
        return None;
    }
    Some((format!("{before}@{host}"), mailbox))
}

/// Words that tell no two organisations apart.
const STOP: &[&str] = &["a", "and", "at", "for", "in", "of", "on", "the"];

/// Words before a number that says where in a building something is, and nothing about which building it is.
const WITHIN: &[&str] = &[
    "apt", "fl", "flat", "floor", "level", "office", "rm", "room", "ste", "suite", "unit",
];

/// The words of a name that tell organisations apart, in its order: without the legal form, in full, in the singular.
pub(super) fn name_words(name: &str) -> Vec<String> {
    let all = words(name);
    let kept = without_legal_form(&all);
    let told: Vec<String> = kept
        .iter()
        .filter(|word| !STOP.contains(&word.as_str()))
        .map(|word| singular(in_full(word, NAME_WORDS)))
        .collect();
    if told.is_empty() { all } else { told }
}

fn in_full<'a>(word: &'a str, list: &[(&'a str, &'a str)]) -> &'a str {
    list.iter()
        .find(|(short, _)| *short == word)
        .map_or(word, |(_, long)| long)
}

fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(one) if word.len() > 4 && !one.ends_with('s') => one.to_owned(),
        _ => word.to_owned(),
    }
}

/// An address taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Address {
    /// The number of the house, without a letter behind it.
    pub number: Option<String>,
    /// The other words in full, without the postcode.
    pub words: Vec<String>,
    /// The postcode that stands in it.
    pub postcode: Option<String>,
}

/// Takes an address apart.
pub(super) fn address(text: &str) -> Address {
    let mut given = words(text);
    let postcode = take_postcode(&mut given);
    let mut address = Address {
        postcode,
        ..Address::default()
    };
    let mut given = given.into_iter().peekable();
    while let Some(word) = given.next() {
        if WITHIN.contains(&word.as_str()) {
            given.next_if(|next| next.len() <= 4 && (next.len() == 1 || begins_with_digit(next)));
            continue;
        }
        if address.number.is_none() && begins_with_digit(&word) && !is_ordinal(&word) {
            let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
            address.number = Some(digits.trim_start_matches('0').to_owned());
            // The end of a range, or the letter behind the number.
            given.next_if(|next| next.len() == 1 && next.chars().all(|c| ('a'..='d').contains(&c)));
            given.next_if(|next| begins_with_digit(next) && !is_ordinal(next));
            continue;
        }
        address.words.push(in_full(&word, STREET_WORDS).to_owned());
    }
    address
}

fn begins_with_digit(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

fn is_ordinal(word: &str) -> bool {
    ["st", "nd", "rd", "th"].iter().any(|end| {
        word.strip_suffix(end)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// Takes the postcode out of the words of an address: a British one, in one word or two, or five digits at the end.
fn take_postcode(words: &mut Vec<String>) -> Option<String> {
    for at in (0..words.len()).rev() {
        if is_british(&words[at]) {
            return Some(words.remove(at));
        }
        let is_second_half = at > 0 && words[at].len() == 3;
        if is_second_half && is_british(&format!("{}{}", words[at - 1], words[at])) {
            let inward = words.remove(at);
            let outward = words.remove(at - 1);
            return Some(format!("{outward}{inward}"));
        }
    }
    let last = words.last()?;
    let is_zip = words.len() > 2 && last.len() == 5 && last.bytes().all(|b| b.is_ascii_digit());
    if is_zip { words.pop() } else { None }
}

/// `ls29jt`: one or two letters, a digit, perhaps one more sign; a digit and two letters.
fn is_british(word: &str) -> bool {
    let bytes = word.as_bytes();
    if !word.is_ascii() || !(5..=7).contains(&bytes.len()) {
        return false;
    }
    let (outward, inward) = bytes.split_at(bytes.len() - 3);
    let letters = outward
        .iter()
        .take_while(|b| b.is_ascii_alphabetic())
        .count();
    let rest = &outward[letters.min(outward.len())..];
    (1..=2).contains(&letters)
        && rest.first().is_some_and(u8::is_ascii_digit)
        && rest.len() <= 2
        && inward[0].is_ascii_digit()
        && inward[1..].iter().all(u8::is_ascii_alphabetic)
}

/// A postcode in letters and digits; none when nothing is left. Of a long American one the first five digits.
pub(super) fn postcode(given: &str) -> Option<String> {
    let code: String = words(given).concat();
    let code = match code.get(..5) {
        Some(zip) if code.len() == 9 && code.bytes().all(|b| b.is_ascii_digit()) => zip.to_owned(),
        _ => code,
    };
    (code.len() >= 3).then_some(code)
}

/// The part of a postcode that names a district.
pub(super) fn district(postcode: &str) -> &str {
    let letters_first = postcode.starts_with(|c: char| c.is_ascii_alphabetic());
    let keep = if letters_first {
        postcode.len().saturating_sub(3)
    } else {
        3
    };
    postcode.get(..keep).unwrap_or(postcode)
}

/// The digits of a telephone number that tell it from others: without the country's and the leading zero. None when there
/// are too few.
pub(super) fn telephone(given: &str) -> Option<String> {
    // Of several, or with an extension, the first.
    let digits: String = given
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| !c.is_alphabetic() && !matches!(c, '#' | ';' | '/'))
        .filter(char::is_ascii_digit)
        .collect();
    let digits = digits.trim_start_matches("00");
    let digits = digits
        .strip_prefix("44")
        .filter(|rest| rest.len() >= 9)
        .unwrap_or(digits);
    let digits = digits.trim_start_matches('0');
    let digits = match digits.strip_prefix('1') {
        Some(rest) if digits.len() == 11 => rest,
        _ => digits,
    };
    let all_alike = digits
        .bytes()
        .all(|b| Some(&b) == digits.as_bytes().first());
    (digits.len() >= 6 && !all_alike).then(|| digits.to_owned())
}

/// The digits and letters of a company number, without leading zeros.
pub(super) fn company_number(given: &str) -> Option<String> {
    let number = words(given).concat();
    let significant = number.trim_start_matches('0');
    (!significant.is_empty()).then(|| significant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_is_left_without_its_legal_form() {
        assert_eq!(
            name_words("The Smith Bros. Svcs (Leeds) Ltd"),
            ["smith", "brother", "service", "leed"]
        );
        assert_eq!(
            name_words("Society of St Vincent"),
            ["society", "st", "vincent"]
        );
        assert_eq!(name_words("The Of Ltd"), ["the", "of", "ltd"]);
    }

    #[test]
    fn a_person_is_named_without_titles_in_full_and_in_order() {
        for given in ["Dr Bob O'Neill", "O'Neill, Robert", "ROBERT O'NEILL MBA"] {
            assert_eq!(
                person_words(given),
                person_words("Robert O'Neill"),
                "{given}"
            );
        }
        assert_eq!(person_words("Dr"), ["dr"]);
    }

    #[test]
    fn an_address_of_a_desk_is_nobodys_own() {
        let own = own_email("Ann.Lee+fair@Looms.example");
        assert_eq!(
            own,
            Some(("ann.lee@looms.example".to_owned(), "annlee".to_owned()))
        );
        assert_eq!(own_email("Graduate-Recruitment@looms.example"), None);
        assert_eq!(own_email("no address"), None);
    }

    #[test]
    fn an_address_is_a_number_words_and_a_postcode() {
        let one = address("Unit 4, 12a High St., Leeds LS2 9JT");
        assert_eq!(one.number.as_deref(), Some("12"));
        assert_eq!(one.words, ["high", "street", "leeds"]);
        assert_eq!(one.postcode.as_deref(), Some("ls29jt"));
        let other = address("3-5 W. 79th St, Ste 200, Chicago 60620");
        assert_eq!(other.number.as_deref(), Some("3"));
        assert_eq!(other.words, ["west", "79th", "street", "chicago"]);
        assert_eq!(other.postcode.as_deref(), Some("60620"));
        assert_eq!(address("Cathedral Square").postcode, None);
    }

    #[test]
    fn a_telephone_number_has_one_spelling() {
        for given in [
            "0113 496 0123",
            "+44 (0)113 496 0123",
            "0044 113 4960123",
            "0113-4960123 ext. 7",
        ] {
            assert_eq!(telephone(given).as_deref(), Some("1134960123"), "{given}");
        }
        assert_eq!(telephone("1 (773) 555-0134").as_deref(), Some("7735550134"));
        assert_eq!(telephone("n/a"), None);
        assert_eq!(telephone("0000 000 0000"), None);
    }

    #[test]
    fn a_postcode_names_a_district() {
        assert_eq!(district(&postcode("LS2 9JT").unwrap()), "ls2");
        assert_eq!(district(&postcode("60620-1234").unwrap()), "606");
    }
}
