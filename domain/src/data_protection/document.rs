//! `docs/data-protection.md`, from the declarations.

use entity::personal_data::{ALL, Erasure, Holding, Holds, Until};

const HEAD: &str = "\
# What is kept of people, why, and for how long

Written by `mycareer data-protection` from the declarations beside each table. Whom a row is about can have everything in it
exported, and erased as the third column says; whoever only had a hand in a row stands in it as the id of an account, which
is a pseudonym after erasure. In free words, erasure takes out whole names, addresses and telephone numbers wherever they stand and
however they are written, those from earlier among them; single words of a name go from rows about the person alone, because
elsewhere they are parts of what is said of others.

When the record of a person lapses, what tables hold about that record goes as it does with erasure, and the details of it in the
audit log go too. Words that others wrote stay, and so do their other records. A contact with an account in use doesn't lapse.

| Table | What it holds | Erasure | Kept | Why |
| --- | --- | --- | --- | --- |
";

/// The document.
#[must_use]
pub fn markdown() -> String {
    let rows: String = ALL
        .iter()
        .filter_map(|holding| Some(row(holding, holding.what?)))
        .collect();
    let nobody: Vec<String> = ALL
        .iter()
        .filter(|holding| holding.what.is_none())
        .map(|holding| format!("`{}`", holding.table))
        .collect();
    format!(
        "{HEAD}{rows}\nThese tables hold nothing of people: {}.\n",
        nobody.join(", ")
    )
}

fn row(holding: &Holding, what: &str) -> String {
    let personal: Vec<String> = holding
        .columns()
        .filter(|(_, holds)| !matches!(holds, Holds::Nothing))
        .map(|(column, _)| format!("`{column}`"))
        .collect();
    format!(
        "| `{}` | {what} ({}) | {} | {} | {} |\n",
        holding.table,
        personal.join(", "),
        erasure(holding.erasure),
        kept(holding.retention.until),
        sentence(holding.retention.why),
    )
}

fn erasure(erasure: Erasure) -> String {
    match erasure {
        Erasure::Delete => "Rows are deleted.".to_owned(),
        Erasure::Keep(why) => format!("Rows stay without the person: {why}."),
    }
}

fn kept(until: Until) -> String {
    match until {
        Until::Always => "Always".to_owned(),
        Until::Erasure => "With the record of its person, which lapses or is erased".to_owned(),
        Until::OwnRule(rule) => sentence(rule),
        Until::RowFor(days, after) => format!("{} after `{after}`", span(days)),
        Until::RowByState(periods, after, column) => {
            let each: Vec<String> = periods
                .iter()
                .map(|(days, state)| format!("{} where `{column}` is {state}", span(*days)))
                .collect();
            format!("After `{after}`: {}", each.join(", "))
        }
        Until::ValuesFor(days, after) => {
            format!("Values {} after `{after}`; the row stays", span(days))
        }
        Until::LapsesFor(days, after, (column, value)) => format!(
            "It lapses {} after `{after}` where `{column}` is {value}; the row stays",
            span(days)
        ),
        Until::DetailsFor(days, after) => {
            format!("Details {} after `{after}`; the line stays", span(days))
        }
    }
}

fn span(days: u16) -> String {
    match (days / 365, days % 365) {
        (0, 0) => "At once".to_owned(),
        (1, 0) => "1 year".to_owned(),
        (years, 0) if years > 1 => format!("{years} years"),
        _ => format!("{days} days"),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}
