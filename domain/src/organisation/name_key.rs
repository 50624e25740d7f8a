//! A name reduced to what tells organisations apart.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Words that say what an organisation is in law, not which one it is.
const LEGAL: &[&str] = &[
    "ab",
    "ag",
    "asa",
    "bv",
    "cic",
    "cio",
    "co",
    "company",
    "companies",
    "corp",
    "corporation",
    "gmbh",
    "inc",
    "incorporated",
    "kg",
    "kgaa",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "nv",
    "oyj",
    "plc",
    "pte",
    "pty",
    "sa",
    "sarl",
    "se",
    "spa",
    "srl",
];

/// Words before a single letter that name a class of share: `Class A`.
const SHARES: &[&str] = &["class", "series"];

/// The key of a name: its letters and digits in lower case, without accents, legal suffix and class of share.
///
/// `Alphabet Inc. (Class A)` and `ALPHABET` have the same one. Spaces are left out, so that `J.P. Morgan` and `JPMorgan`
/// have the same one too. It is for comparing; nobody sees it.
#[must_use]
pub fn name_key(name: &str) -> String {
    let key = without_legal_form(&words(name)).concat();
    if key.is_empty() {
        name.trim().to_lowercase()
    } else {
        key
    }
}

/// The words of a name without an article before and a legal form behind them, while at least one is left.
#[must_use]
pub(crate) fn without_legal_form(words: &[String]) -> &[String] {
    let mut rest = match words {
        [first, others @ ..] if first == "the" && !others.is_empty() => others,
        _ => words,
    };
    while let Some(shorter) = without_suffix(rest) {
        rest = shorter;
    }
    rest
}

/// The words of a text in lower case, without accents and punctuation. `&` is the word `and`.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            '&' | '+' => folded.push_str(" and "),
            // Within a word: `O'Neil`, `S.p.A.`
            '\'' | '’' | '.' => {}
            'ß' | 'ẞ' => folded.push_str("ss"),
            'æ' | 'Æ' => folded.push_str("ae"),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ø' | 'Ø' => folded.push('o'),
            'ł' | 'Ł' => folded.push('l'),
            c if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
            _ => folded.push(' '),
        }
    }
    folded.split_whitespace().map(str::to_owned).collect()
}

/// The words before a suffix, while at least one is left.
fn without_suffix(words: &[String]) -> Option<&[String]> {
    let rest = match words {
        [rest @ .., class, letter]
            if SHARES.contains(&class.as_str()) && letter.chars().count() == 1 =>
        {
            rest
        }
        [rest @ .., last] if LEGAL.contains(&last.as_str()) || last == "the" || last == "and" => {
            rest
        }
        _ => return None,
    };
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::name_key;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for spellings in [
            &[
                "Alphabet Inc. (Class A)",
                "Alphabet Inc. (Class C)",
                "ALPHABET",
            ][..],
            &["Fox Corporation (Class B)", "Fox Corp", "fox"],
            &["News Corp (Class A)", "News Corporation"],
            &["Estée Lauder Companies (The)", "The Estee Lauder Company"],
            &["Marks & Spencer plc", "Marks and Spencer PLC"],
            &["J.P. Morgan", "JPMorgan", "JP Morgan & Co."],
            &["O'Reilly Auto Parts", "O’Reilly Auto-Parts, Inc."],
            &["Weiß GmbH & Co. KG", "Weiss"],
        ] {
            let keys: Vec<String> = spellings.iter().map(|name| name_key(name)).collect();
            assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        }
    }

    #[test]
    fn other_names_have_other_keys() {
        for (one, other) in [
            ("Fox Factory", "Fox Corporation"),
            ("Class Editori", "Editori"),
            ("American Airlines Group", "American Airlines"),
            ("3M", "M"),
        ] {
            assert_ne!(name_key(one), name_key(other));
        }
    }

    #[test]
    fn a_name_of_nothing_but_suffixes_and_signs_keeps_a_key() {
        assert_eq!(name_key("The Company"), "company");
        assert_eq!(name_key("The"), "the");
        assert_eq!(name_key(" !!! "), "!!!");
        assert_eq!(name_key("株式会社"), "株式会社");
    }
}
