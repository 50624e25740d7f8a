use serde_json::json;

use super::*;
use crate::data_protection::rows::ERASED_WORD;

fn traces(names: &[&str], addresses: &[&str], telephones: &[&str]) -> Traces {
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Traces::compile(&Known {
        names: set(names),
        addresses: set(addresses),
        telephones: set(telephones),
    })
    .unwrap()
}

#[test]
fn names_and_addresses_go_however_they_are_written() {
    let traces = traces(&["Zoë O'Neil"], &["zoe@acme.test"], &[]);
    for text in ["Zoë O'Neil", "ZOË  O'NEIL", "o'neil, zoë", "Zoe@ACME.test"] {
        assert_eq!(
            traces.taken_out(text, false).as_deref(),
            Some(ERASED_WORD),
            "{text}"
        );
    }
    for text in ["Zoë", "O'Neil", "zoe@acme", "Zoë and O'Neil"] {
        assert_eq!(traces.taken_out(text, false), None, "{text}");
    }
}

#[test]
fn numbers_go_by_their_digits() {
    for written in [
        "0113 496 0123",
        "+44 113 496 0123",
        "00441134960123",
        "+44 (0)113 496 0123",
    ] {
        let traces = traces(&[], &[], &[written]);
        for text in [
            "01134960123",
            "0113-496-0123",
            "(0113) 496 0123",
            "+44 113 4960123",
            "+44 (0) 113 496 0123",
            "0044 113.496.0123",
            "113 496 0123",
        ] {
            assert_eq!(
                traces.taken_out(text, false).as_deref(),
                Some(ERASED_WORD),
                "{written}: {text}"
            );
        }
        for text in ["0113 496 0124", "0114 496 0123", "496 0123"] {
            assert_eq!(traces.taken_out(text, false), None, "{written}: {text}");
        }
    }
    let abroad = traces(&[], &[], &["+1 212 555 0100"]);
    assert_eq!(
        abroad.taken_out("001-212-5550100", false).as_deref(),
        Some(ERASED_WORD)
    );
    assert_eq!(abroad.taken_out("212 555 0100", false), None);
    assert!(
        traces(&[], &[], &["12345"]).anywhere.is_empty(),
        "too short to be told from others"
    );
}

#[test]
fn what_goes_on_is_somebody_elses() {
    let traces = traces(&["An Li"], &["smith@acme.co"], &["343 1234"]);
    for text in [
        "Susan Lindholm",
        "Ali, Andrew",
        "j.smith@acme.co",
        "smith@acme.com",
        "smith@acme.co.uk",
        "020 3431 2345",
    ] {
        assert_eq!(traces.taken_out(text, false), None, "{text}");
    }
    for (text, left) in [
        ("Ask An Li.", "Ask [erased]."),
        ("Susan Lindt, An Li", "Susan Lindt, [erased]"),
        ("to smith@acme.co.", "to [erased]."),
        ("(343 1234)", "([erased])"),
    ] {
        assert_eq!(
            traces.taken_out(text, false).as_deref(),
            Some(left),
            "{text}"
        );
    }
}

#[test]
fn a_name_without_a_piece_that_every_database_finds_is_looked_for_in_every_row() {
    let traces = traces(&["Иван Петров"], &["ivan@acme.test"], &[]);
    let mut sql = Sql::default();
    let condition = traces.may_name(&mut sql, "body", DbBackend::Postgres);
    assert_eq!(condition.as_deref(), Some("1 = 1"));
    assert_eq!(
        traces.taken_out("ИВАН ПЕТРОВ", false).as_deref(),
        Some(ERASED_WORD)
    );
}

#[test]
fn single_words_go_from_rows_about_the_person_alone_and_only_whole() {
    let traces = traces(&["Madonna", "Will Marsh"], &[], &[]);
    let own = |text| traces.taken_out(text, true);
    assert_eq!(own("MADONNA called").as_deref(), Some("[erased] called"));
    assert_eq!(own("Will will call").as_deref(), Some("[erased] will call"));
    for text in ["Madonnas", "Marshall", "the marsh"] {
        assert_eq!(own(text), None, "{text}");
    }
    assert_eq!(traces.taken_out("Madonna and Will", false), None);
}

#[test]
fn values_are_looked_through_at_every_depth() {
    let traces = traces(&["Ada Lovelace"], &[], &[]);
    let value =
        json!({ "a": ["ADA LOVELACE", 1, { "b": "by Ada Lovelace" }], "c": null, "d": "Bob" });
    let left = json!({ "a": ["[erased]", 1, { "b": "by [erased]" }], "c": null, "d": "Bob" });
    assert_eq!(traces.taken_out_of(&value, false), Some(left));
    assert_eq!(traces.taken_out_of(&json!({ "d": ["Bob"] }), false), None);
}
