//! What the log tells of before and after, without what is personal in it.

use std::{collections::HashSet, sync::LazyLock};

use entity::personal_data::{ALL, Holds};
use serde_json::Value;

/// Stands where something personal would.
const MASKED: &str = "[personal]";

/// What is nobody's by its name: columns that no table declares to be personal, in the spelling of the log.
static NOBODYS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let columns = || ALL.iter().flat_map(|holding| holding.columns());
    let personal: HashSet<&str> = columns()
        .filter(|(_, holds)| *holds != Holds::Nothing)
        .map(|(column, _)| column)
        .collect();
    columns()
        .map(|(column, _)| column)
        .filter(|column| !personal.contains(column))
        .flat_map(|column| [column.to_owned(), camel(column)])
        .collect()
});

/// The value without names, addresses, telephone numbers and words: what no table declares to be personal stays, as do
/// numbers, states, ids and moments. Everything else is masked, so that what is new is masked until it is declared.
#[must_use]
pub fn masked(value: &Value) -> Value {
    mask(value, false)
}

fn mask(value: &Value, nobodys: bool) -> Value {
    match value {
        Value::String(text) if nobodys && !text.contains('@') => value.clone(),
        Value::String(text) if is_id(text) || is_moment(text) => value.clone(),
        Value::String(_) => Value::String(MASKED.to_owned()),
        Value::Array(values) => values.iter().map(|value| mask(value, nobodys)).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), mask(value, NOBODYS.contains(key))))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Whether it is an id of ours, which leads to somebody only for those who may see them.
fn is_id(text: &str) -> bool {
    text.rsplit_once('_').is_some_and(|(prefix, suffix)| {
        prefix.len() == 3
            && suffix.len() == 26
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

fn is_moment(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

fn camel(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut all, word| {
        let mut letters = word.chars();
        all.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        all.push_str(letters.as_str());
        all
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::masked;

    #[test]
    fn what_is_personal_is_masked_and_what_is_nobodys_is_told() {
        let line = json!({
            "name": "Ann Lee", "email": "ann@example.org", "telephone": "0113 496 0000", "jobTitle": null,
            "state": "INACTIVE", "version": 3, "visibleToStudents": true,
            "updatedAt": "2026-10-05T08:00:00Z", "organisationId": "org_01h455vb4pex5vsknk084sn02q",
            "unheardOf": "could be anybody", "template": "ann@example.org",
            "rows": [["note", null, 2]],
        });
        assert_eq!(
            masked(&line),
            json!({
                "name": "[personal]", "email": "[personal]", "telephone": "[personal]", "jobTitle": null,
                "state": "INACTIVE", "version": 3, "visibleToStudents": true,
                "updatedAt": "2026-10-05T08:00:00Z", "organisationId": "org_01h455vb4pex5vsknk084sn02q",
                "unheardOf": "[personal]", "template": "[personal]",
                "rows": [["[personal]", null, 2]],
            })
        );
    }
}
