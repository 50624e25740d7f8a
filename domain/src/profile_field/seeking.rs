//! Finding organisations by their fields: by those that whoever looks may see, and by no other.

use entity::{list::SoughtField, organisation, organisation_field, profile_field};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::{values::one_spelling, visible};
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
    for SoughtField {
        profile_field_id: id,
        value,
    } in asked
    {
        let Some(field) = fields.iter().find(|field| field.id == id) else {
            refusals.add(
                RefusalCode::NotFound,
                ABOUT,
                "There is no such field, or it is not open to you.",
            );
            continue;
        };
        let mut wrong = Vec::new();
        sought.push(SoughtField {
            profile_field_id: id,
            value: one_spelling(field, value.as_deref(), &mut wrong),
        });
        for one in wrong {
            one.note(ABOUT, refusals);
        }
    }
    Ok(sought)
}

/// The organisations that have this value in the field, or any, as a condition on `organisation`. Whether the field is open to
/// whoever asks is looked at before, by [`sought_by`]; one that is out of use finds nothing.
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
    Condition::all().add(organisation::Column::Id.in_subquery(values.into_query()))
}
