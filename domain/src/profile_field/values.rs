//! What the fields are for an organisation.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{
    ids::{OrganisationId, ProfileFieldId},
    organisation_field,
    profile_field::{self, Model, ProfileFieldKind as Kind},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter,
    QueryOrder, QuerySelect, Select, sea_query::OnConflict,
};

use super::settable_by;
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// What the names of these fields begin with in the audit log and in histories.
const PREFIX: &str = "profileFields.";
/// The input field.
const FIELD: &str = "profileFields";
/// The longest text, in characters.
const LONGEST: usize = 1_000;
/// The most digits of a number.
const MOST_DIGITS: usize = 18;
/// How many values are written by one statement.
const WRITTEN_AT_ONCE: usize = 1_000;

/// What is said of a field, or that nothing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The field.
    pub profile_field_id: ProfileFieldId,
    /// The value; none empties it.
    pub value: Option<String>,
}

/// A value that has been checked, and what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    profile_field_id: ProfileFieldId,
    /// What it is called in the audit log.
    pub name: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is to be.
    pub new: Option<String>,
}

/// Something that is wrong with what is said of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// What the field is called; none where there is no such field.
    pub name: Option<String>,
    /// What kind of fault it is.
    pub code: RefusalCode,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Wrong {
    pub(super) fn with(field: &Model, code: RefusalCode, message: impl Into<String>) -> Self {
        Self {
            name: Some(field.name.clone()),
            code,
            message: message.into(),
        }
    }

    /// Notes it, with the name of the field, as being about this input field.
    pub(crate) fn note(self, about: &'static str, refusals: &mut Refusals) {
        let message = match self.name {
            Some(name) => format!("{name}: {}", self.message),
            None => self.message,
        };
        refusals.add(self.code, about, message);
    }
}

/// Looks at what is said of the fields of an organisation, or of one that is being added. All that is wrong is noted, with the
/// field's name. What stays as it was is left out.
pub(crate) async fn checked(
    tx: &Tx,
    viewer: &Viewer,
    organisation_id: Option<OrganisationId>,
    given: Vec<Given>,
    refusals: &mut Refusals,
) -> Result<Vec<Said>> {
    if given.is_empty() && organisation_id.is_some() {
        return Ok(Vec::new());
    }
    let fields = shared(tx, settable_by(viewer)).await?;
    let now = match organisation_id {
        None => None,
        Some(id) => Some(
            organisation_field::Entity::find()
                .filter(organisation_field::Column::OrganisationId.eq(id))
                .all(tx.conn())
                .await?,
        ),
    };
    Ok(compared(&fields, now.as_deref(), given, refusals))
}

/// Some fields, in their order.
pub(crate) fn in_order(which: Condition) -> Select<profile_field::Entity> {
    profile_field::Entity::find()
        .filter(which)
        .order_by_asc(profile_field::Column::Position)
        .order_by_asc(profile_field::Column::NameKey)
}

/// Some fields, shared with others who fill them in, so that no choice goes meanwhile.
pub(crate) async fn shared(tx: &Tx, which: Condition) -> Result<Vec<Model>> {
    Ok(in_order(which).lock_shared().all(tx.conn()).await?)
}

/// What is said of these fields beside what they are `now`; none where the organisation is being added. What is wrong is noted.
pub(crate) fn compared(
    fields: &[Model],
    now: Option<&[organisation_field::Model]>,
    given: Vec<Given>,
    refusals: &mut Refusals,
) -> Vec<Said> {
    let (said, wrong) = judged(fields, now, given);
    for one in wrong {
        one.note(FIELD, refusals);
    }
    said
}

/// The same, with what is wrong.
pub(crate) fn judged(
    fields: &[Model],
    now: Option<&[organisation_field::Model]>,
    given: Vec<Given>,
) -> (Vec<Said>, Vec<Wrong>) {
    let mut wrong = Vec::new();
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for Given {
        profile_field_id: id,
        value,
    } in given
    {
        let Some(field) = fields.iter().find(|field| field.id == id) else {
            wrong.push(Wrong {
                name: None,
                code: RefusalCode::NotFound,
                message: format!("There is no such field, or it is not open to you: {id}."),
            });
            continue;
        };
        if !seen.insert(id) {
            wrong.push(Wrong::with(
                field,
                RefusalCode::Invalid,
                "it is given twice.",
            ));
            continue;
        }
        let new = one_spelling(field, value.as_deref(), &mut wrong);
        if field.is_required && new.is_none() {
            wrong.push(empty(field));
        }
        let old = now
            .unwrap_or_default()
            .iter()
            .find(|row| row.profile_field_id == id)
            .map(|row| row.value.clone());
        if new != old {
            all.push(Said {
                profile_field_id: id,
                name: format!("{PREFIX}{}", field.name),
                old,
                new,
            });
        }
    }
    if now.is_none() {
        let missing = fields
            .iter()
            .filter(|field| field.is_required && !seen.contains(&field.id));
        wrong.extend(missing.map(empty));
    }
    (all, wrong)
}

fn empty(field: &Model) -> Wrong {
    Wrong::with(field, RefusalCode::Required, "this can't be empty.")
}

/// The value as it is kept. What is wrong with it is noted.
pub(super) fn one_spelling(
    field: &Model,
    given: Option<&str>,
    all: &mut Vec<Wrong>,
) -> Option<String> {
    let mut wrong = Refusals::default();
    let text = Text::line(FIELD, LONGEST).optional(given, &mut wrong);
    if let Err(Error::Refused(wrong)) = wrong.into_result() {
        for one in wrong {
            all.push(Wrong::with(field, one.code, one.message));
        }
        return text;
    }
    let text = text?;
    let (kept, wanted) = match field.kind {
        Kind::Text => (Some(text.clone()), ""),
        Kind::Number => (number(&text), "a number such as 1200 or -0.5"),
        Kind::Date => (
            text.parse::<NaiveDate>().ok().map(|day| day.to_string()),
            "a day such as 2026-11-28",
        ),
        Kind::Choice => (
            field
                .choices
                .0
                .iter()
                .find(|choice| choice.to_lowercase() == text.to_lowercase())
                .cloned(),
            "one of its choices",
        ),
    };
    if kept.is_none() {
        let choices = if field.kind == Kind::Choice {
            format!(" ({})", field.choices.0.join(", "))
        } else {
            String::new()
        };
        let message = format!("this is not {wanted}{choices}.");
        all.push(Wrong::with(field, RefusalCode::Invalid, message));
    }
    kept.or(Some(text))
}

/// A number in one spelling: `1,200.50` is `1200.5`.
fn number(given: &str) -> Option<String> {
    let (sign, rest) = match given.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest),
        None => ("", given),
    };
    let (whole, part) = rest.split_once('.').unwrap_or((rest, ""));
    let whole = match whole.split_once(',') {
        None => whole.to_owned(),
        Some((first, groups)) => {
            let good =
                (1..=3).contains(&first.len()) && groups.split(',').all(|group| group.len() == 3);
            good.then(|| whole.replace(',', ""))?
        }
    };
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(&whole) || !digits(part) || rest.ends_with('.') {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let part = part.trim_end_matches('0');
    if whole.len() + part.len() > MOST_DIGITS {
        return None;
    }
    let sign = if whole == "0" && part.is_empty() {
        ""
    } else {
        sign
    };
    Some(if part.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    })
}

/// Writes what was checked.
pub(crate) async fn say(tx: &Tx, organisation_id: OrganisationId, all: Vec<Said>) -> Result<()> {
    for said in all {
        let Some(value) = said.new else {
            organisation_field::Entity::delete_by_id((organisation_id, said.profile_field_id))
                .exec(tx.conn())
                .await?;
            continue;
        };
        organisation_field::Entity::insert(organisation_field::ActiveModel {
            organisation_id: Set(organisation_id),
            profile_field_id: Set(said.profile_field_id),
            value: Set(value),
            updated_at: Set(tx.now()),
        })
        .on_conflict(
            OnConflict::columns([
                organisation_field::Column::OrganisationId,
                organisation_field::Column::ProfileFieldId,
            ])
            .update_columns([
                organisation_field::Column::Value,
                organisation_field::Column::UpdatedAt,
            ])
            .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    }
    Ok(())
}

/// Writes what was said of organisations that have just been added, whose fields are all new.
pub(crate) async fn say_of_new(
    tx: &Tx,
    all: impl IntoIterator<Item = (OrganisationId, Said)>,
) -> Result<()> {
    let rows: Vec<_> = all
        .into_iter()
        .filter_map(|(organisation_id, said)| {
            Some(organisation_field::ActiveModel {
                organisation_id: Set(organisation_id),
                profile_field_id: Set(said.profile_field_id),
                value: Set(said.new?),
                updated_at: Set(tx.now()),
            })
        })
        .collect();
    for some in rows.chunks(WRITTEN_AT_ONCE) {
        organisation_field::Entity::insert_many(some.iter().cloned())
            .exec_without_returning(tx.conn())
            .await?;
    }
    Ok(())
}

/// What the fields that exist for `viewer` and are in use are for each of these organisations, in the order in which they
/// are shown. The organisations must exist for `viewer`.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
) -> Result<Vec<(OrganisationId, Model, String)>> {
    let rows = organisation_field::Entity::find()
        .filter(organisation_field::Column::OrganisationId.is_in(ids.iter().copied()))
        .join(
            JoinType::InnerJoin,
            organisation_field::Entity::belongs_to(profile_field::Entity)
                .from(organisation_field::Column::ProfileFieldId)
                .to(profile_field::Column::Id)
                .into(),
        )
        .filter(super::visible_to(viewer))
        .filter(profile_field::Column::ArchivedAt.is_null())
        .order_by_asc(profile_field::Column::Position)
        .order_by_asc(profile_field::Column::NameKey)
        .select_also(profile_field::Entity)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(row, field)| Some((row.organisation_id, field?, row.value)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_kept_in_one_spelling() {
        for (given, kept) in [
            ("1200", Some("1200")),
            ("1,200.50", Some("1200.5")),
            ("-007", Some("-7")),
            ("-0.0", Some("0")),
            ("12,000,000", Some("12000000")),
            ("1,2", None),
            ("12,00", None),
            (",100", None),
            ("1.", None),
            (".5", None),
            ("1e9", None),
            ("NaN", None),
            ("--1", None),
            ("12 000", None),
            ("1234567890123456789", None),
        ] {
            assert_eq!(number(given).as_deref(), kept, "{given}");
        }
    }
}
