//! Organisations whose vacancies are published without waiting: an operator says so for each, for one kind or for all
//! (policy 2.2).

use entity::{
    access_grant::Permission,
    event_opportunity::OpportunityKind,
    ids::{OrganisationId, VacancyRuleId},
    organisation::{self, OrganisationState},
    vacancy_rule,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    organisation as organisations,
    store::Tx,
    viewer::Viewer,
};

/// Has the vacancies of an organisation published at once: those of one kind, or all.
pub async fn set_rule(
    tx: &mut Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    kind: Option<OpportunityKind>,
    reason: &str,
) -> Result<vacancy_rule::Model> {
    viewer.require(Permission::ModerateVacancy)?;
    let set_by = viewer.signed_in()?.id;
    let mut refusals = Refusals::default();
    let reason = organisations::reason_of(Some(reason), &mut refusals);
    refusals.add_if(
        reason.is_none(),
        RefusalCode::Required,
        "reason",
        "Say why the organisation is trusted, for whoever asks later.",
    );
    let organisation = organisations::visible(viewer)
        .filter(organisation::Column::Id.eq(organisation_id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("organisationId", "organisation"))?;
    refusals.add_if(
        organisation.state != OrganisationState::Approved,
        RefusalCode::WrongState,
        "organisationId",
        "Only an organisation that is approved is trusted.",
    );
    refusals.add_if(
        trusts_exactly(tx, organisation_id, kind).await?,
        RefusalCode::Taken,
        "kind",
        "There is this rule already.",
    );
    refusals.into_result()?;
    let set = vacancy_rule::ActiveModel {
        id: Set(VacancyRuleId::new_at(tx.now())),
        organisation_id: Set(organisation_id),
        kind: Set(kind),
        reason: Set(reason.unwrap_or_default()),
        set_by: Set(set_by),
        set_at: Set(tx.now()),
        ended_by: Set(None),
        ended_at: Set(None),
    }
    .insert(tx.conn())
    .await?;
    let told = json!({ "ruleId": set.id, "kind": kind, "reason": set.reason });
    tx.audit(viewer, "vacancy.trust", organisation_id, None, Some(told))
        .await?;
    Ok(set)
}

/// Ends a rule: what is submitted from now on waits again. What was published stays so.
pub async fn end_rule(
    tx: &mut Tx,
    viewer: &Viewer,
    id: VacancyRuleId,
) -> Result<vacancy_rule::Model> {
    viewer.require(Permission::ModerateVacancy)?;
    let current = vacancy_rule::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("ruleId", "rule"))?;
    if current.ended_at.is_some() {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "ruleId",
            "It has ended already.",
        ));
    }
    let mut row = current.into_active_model();
    row.ended_by = Set(viewer.user_id());
    row.ended_at = Set(Some(tx.now()));
    let ended = row.update(tx.conn()).await?;
    let told = json!({ "ruleId": id, "ended": true });
    tx.audit(
        viewer,
        "vacancy.trust",
        ended.organisation_id,
        None,
        Some(told),
    )
    .await?;
    Ok(ended)
}

/// The rules that hold for each of these organisations, for staff.
pub async fn rules_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
) -> Result<Vec<vacancy_rule::Model>> {
    if !viewer.is_staff() {
        return Ok(Vec::new());
    }
    Ok(vacancy_rule::Entity::find()
        .filter(vacancy_rule::Column::OrganisationId.is_in(ids.iter().copied()))
        .filter(vacancy_rule::Column::EndedAt.is_null())
        .order_by_asc(vacancy_rule::Column::Id)
        .all(db)
        .await?)
}

/// Whether a vacancy of this kind of the organisation is published at once.
pub(super) async fn trusts(tx: &Tx, id: OrganisationId, kind: OpportunityKind) -> Result<bool> {
    let either = Condition::any()
        .add(vacancy_rule::Column::Kind.is_null())
        .add(vacancy_rule::Column::Kind.eq(kind));
    any(tx, id, either).await
}

async fn trusts_exactly(
    tx: &Tx,
    id: OrganisationId,
    kind: Option<OpportunityKind>,
) -> Result<bool> {
    let same = match kind {
        Some(kind) => vacancy_rule::Column::Kind.eq(kind),
        None => vacancy_rule::Column::Kind.is_null(),
    };
    any(tx, id, Condition::all().add(same)).await
}

async fn any(tx: &Tx, id: OrganisationId, kind: Condition) -> Result<bool> {
    let found = vacancy_rule::Entity::find()
        .filter(vacancy_rule::Column::OrganisationId.eq(id))
        .filter(vacancy_rule::Column::EndedAt.is_null())
        .filter(kind)
        .count(tx.conn())
        .await?;
    Ok(found > 0)
}
