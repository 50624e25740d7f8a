//! Finding organisations by their fields: by those that whoever looks may see, and by no other.

use entity::{
    list::SoughtField,
    organisation, organisation_field,
    profile_field::{self, ProfileFieldKind as Kind},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect,
    QueryTrait,
    sea_query::{CaseStatement, Expr, ExprTrait},
};

use super::{
    values::{Wrong, one_spelling},
    visible,
};
use crate::{
    error::{RefusalCode, Refusals, Result},
    text,
    viewer::Viewer,
};

/// The input field.
const ABOUT: &str = "filter";
/// How many fields are asked for at once.
const MOST_SOUGHT: usize = 20;

/// What is sought of fields, each value in the spelling in which it is kept. A field that doesn't exist for `viewer`, or is out
/// of use, is refused like one that there is not: what is found by it would tell its values.
pub(crate) async fn sought_by(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    asked: Vec<SoughtField>,
    refusals: &mut Refusals,
) -> Result<Vec<SoughtField>> {
    if asked.is_empty() {
        return Ok(asked);
    }
    if asked.len() > MOST_SOUGHT {
        refusals.add(
            RefusalCode::TooLong,
            ABOUT,
            format!(
                "At most {MOST_SOUGHT} fields are asked for; {} were given.",
                asked.len()
            ),
        );
        return Ok(Vec::new());
    }
    let fields = visible(viewer)
        .filter(profile_field::Column::ArchivedAt.is_null())
        .filter(profile_field::Column::Id.is_in(asked.iter().map(|one| one.profile_field_id)))
        .all(db)
        .await?;
    let mut sought = Vec::with_capacity(asked.len());
    for asked in asked {
        let id = asked.profile_field_id;
        let Some(field) = fields.iter().find(|field| field.id == id) else {
            refusals.add(
                RefusalCode::NotFound,
                ABOUT,
                "There is no such field, or it is not open to you.",
            );
            continue;
        };
        let mut wrong = Vec::new();
        let mut kept = |given: Option<String>| one_spelling(field, given.as_deref(), &mut wrong);
        let one = SoughtField {
            profile_field_id: id,
            value: kept(asked.value),
            at_least: kept(asked.at_least),
            at_most: kept(asked.at_most),
        };
        let has_bounds = one.at_least.is_some() || one.at_most.is_some();
        if has_bounds && !matches!(field.kind, Kind::Number | Kind::Date) {
            let message = "only numbers and days lie between bounds: ask for a value.";
            wrong = vec![Wrong::with(field, RefusalCode::Invalid, message)];
        }
        sought.push(one);
        for one in wrong {
            one.note(ABOUT, refusals);
        }
    }
    Ok(sought)
}

/// The organisations that have this value in the field, or one between the bounds, or any, as a condition on `organisation`.
/// Whether the field is open to whoever asks is looked at before, by [`sought_by`]; one that is out of use finds nothing.
pub(crate) fn having(sought: &SoughtField) -> Condition {
    let mut values = organisation_field::Entity::find()
        .select_only()
        .column(organisation_field::Column::OrganisationId)
        .join(
            JoinType::InnerJoin,
            organisation_field::Entity::belongs_to(profile_field::Entity)
                .from(organisation_field::Column::ProfileFieldId)
                .to(profile_field::Column::Id)
                .into(),
        )
        .filter(profile_field::Column::ArchivedAt.is_null())
        .filter(organisation_field::Column::ProfileFieldId.eq(sought.profile_field_id));
    if let Some(value) = &sought.value {
        values = values.filter(organisation_field::Column::Value.eq(text::sought(value)));
    }
    if let Some(least) = &sought.at_least {
        values = values.filter(between(least, ExprTrait::gte));
    }
    if let Some(most) = &sought.at_most {
        values = values.filter(between(most, ExprTrait::lte));
    }
    Condition::all().add(organisation::Column::Id.in_subquery(values.into_query()))
}

/// That a value lies on one side of a bound: numbers as numbers, days in the order of their letters, which is that of the years
/// with four.
fn between(bound: &str, is_within: impl Fn(Expr, Expr) -> Expr) -> Condition {
    let value = organisation_field::Column::Value.into_expr();
    let is_number = profile_field::Column::Kind.eq(Kind::Number);
    if bound.parse::<f64>().is_err() {
        return Condition::all()
            .add(profile_field::Column::Kind.eq(Kind::Date))
            .add(is_within(value, Expr::val(bound)));
    }
    // No other text is taken for a number, in whatever order the database looks at the conditions. One in which something was
    // erased is none any more.
    let is_number = Condition::all()
        .add(is_number)
        .add(value.clone().not_like("%[%"));
    let number: Expr = CaseStatement::new()
        .case(is_number, value.cast_as("NUMERIC"))
        .into();
    Condition::all().add(is_within(number, Expr::val(bound).cast_as("NUMERIC")))
}
