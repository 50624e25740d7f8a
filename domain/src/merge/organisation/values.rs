//! Which values are kept when two organisations become one.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::OrganisationField;
use crate::{
    error::Result,
    history::written,
    merge::{
        MergedValue,
        rows::{Row, field_name},
    },
    organisation::name_key,
};

/// How many trading names and domains an organisation has at most.
const MOST_NAMES: usize = 20;

/// Which value of each column is kept.
pub(super) fn settle(
    old: &Row,
    other: &Row,
    take: &[OrganisationField],
) -> Result<Vec<(&'static str, Value)>> {
    let of = |row: &Row, column: &str| row.get(column).cloned().unwrap_or(Value::Null);
    let mut settled = Vec::new();
    for field in OrganisationField::ALL {
        let column = field.column();
        let (own, others) = (of(old, column), of(other, column));
        let kept = if own.is_null() || (take.contains(&field) && !others.is_null()) {
            others
        } else {
            own
        };
        settled.push((column, kept));
    }
    let name = settled
        .first()
        .and_then(|(_, name)| name.as_str())
        .unwrap_or_default()
        .to_owned();
    settled.push(("name_key", json!(name_key(&name))));
    // Whoever knew the other by its name finds the one that is left by it.
    let texts = |row: &Row, column: &str| -> Result<Vec<String>> {
        Ok(serde_json::from_value(of(row, column))?)
    };
    let names = [
        texts(old, "trading_names")?,
        vec![of(old, "name"), of(other, "name")]
            .into_iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        texts(other, "trading_names")?,
    ]
    .concat();
    let own: HashSet<String> = texts(old, "trading_names")?.into_iter().collect();
    let names = few(names, |given| {
        *given != name && (own.contains(given) || name_key(given) != name_key(&name))
    });
    settled.push(("trading_names", json!(names)));
    let domains = [texts(old, "email_domains")?, texts(other, "email_domains")?].concat();
    settled.push(("email_domains", json!(few(domains, |_| true))));
    // policy 3: consent is both records' or nobody's.
    let shows = "shows_contacts_to_students";
    let consent = of(old, shows) == json!(true) && of(other, shows) == json!(true);
    settled.push((shows, json!(consent)));
    Ok(settled)
}

/// The first of each, as many as are kept.
fn few(mut names: Vec<String>, keep: impl Fn(&String) -> bool) -> Vec<String> {
    let mut seen = HashSet::new();
    names.retain(|name| keep(name) && seen.insert(name.clone()));
    names.truncate(MOST_NAMES);
    names
}

/// The values in which the two differ, and which one is kept.
pub(crate) fn differing(
    old: &Row,
    other: &Row,
    settled: &[(&'static str, Value)],
) -> Vec<MergedValue> {
    settled
        .iter()
        .filter(|(column, kept)| {
            !matches!(*column, "name_key" | "parent_id")
                && (old.get(*column) != other.get(*column) || old.get(*column) != Some(kept))
        })
        .map(|(column, kept)| MergedValue {
            field: field_name(column),
            survivor: old.get(*column).and_then(written),
            merged: other.get(*column).and_then(written),
            kept: written(kept),
        })
        .collect()
}
