//! Employers keep their own profile (policy 2.2). Of an approved organisation, name, domains and addresses change when an
//! operator agrees; until then the old values stay. The rest is live at once.

use entity::{
    access_grant::Permission,
    held_change::{self, HeldChangeState},
    ids::{HeldChangeId, OrganisationId},
    organisation::{self, OrganisationState},
    user,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    Order, PaginatorTrait, QueryFilter, QuerySelect, Select, sea_query::Expr,
};
use serde_json::{Map, Value, json};

use super::letters;
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    organisation::{self as organisations, Profile, nothing},
    page::{Page, Slice},
    profile_field,
    store::Tx,
    viewer::Viewer,
};

/// The held changes that exist for `viewer`: staff share them, an employer has those of its own organisation.
#[must_use]
pub fn held_visible(viewer: &Viewer) -> Select<held_change::Entity> {
    let all = held_change::Entity::find();
    if viewer.is_staff() {
        return all;
    }
    match viewer.person().and_then(|person| person.organisation_id) {
        Some(own) => all.filter(held_change::Column::OrganisationId.eq(own)),
        None => all.filter(nothing()),
    }
}

/// What waits for an operator, of each of these organisations.
pub async fn held_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
) -> Result<Vec<held_change::Model>> {
    Ok(held_waiting(viewer)
        .filter(held_change::Column::OrganisationId.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// What waits for an operator, of all organisations, the oldest first.
pub async fn held_list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    page: &Page<HeldChangeId>,
) -> Result<Slice<held_change::Model>> {
    let key = [held_change::Column::Id.into_expr()];
    page.read(db, held_waiting(viewer), key, Order::Asc).await
}

/// How many changes wait.
pub async fn held_count(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<u64> {
    Ok(held_waiting(viewer).count(db).await?)
}

fn held_waiting(viewer: &Viewer) -> Select<held_change::Entity> {
    held_visible(viewer).filter(held_change::Column::State.eq(HeldChangeState::Waiting))
}

/// Changes what `edit` changes in the organisation that the viewer signs in for, at `version`.
pub async fn update_own(
    tx: &mut Tx,
    viewer: &Viewer,
    version: i32,
    edit: impl FnOnce(&mut Profile) + Send,
) -> Result<organisation::Model> {
    let person = viewer.signed_in()?;
    let id = person
        .organisation_id
        .ok_or_else(|| Error::not_found("version", "organisation of yours"))?;
    let current = organisations::lock_at(tx, viewer, id, version).await?;
    if !organisations::is_kept_by_its_employer(current.state) {
        return Err(Error::refused_whole(
            RefusalCode::WrongState,
            organisations::SUSPENDED,
        ));
    }
    let waits = current.state == OrganisationState::Approved;
    let old = Profile::of(&current);
    let mut new = old.clone();
    edit(&mut new);
    let mut refusals = Refusals::default();
    let mut new = new.checked(&mut refusals);
    let fields = std::mem::take(&mut new.fields);
    let fields = profile_field::checked(tx, viewer, Some(id), fields, &mut refusals).await?;
    refusals.into_result()?;
    if waits {
        let wanted = take_held(&old, &mut new);
        if !wanted.is_empty() {
            let told = Value::Object(wanted.clone());
            hold(tx, person.id, id, wanted).await?;
            tx.audit(viewer, "organisation.ask_change", id, None, Some(told))
                .await?;
        }
    }
    organisations::write_profile(tx, viewer, current, &old, new, fields).await
}

/// Takes out of `new` what an operator decides, and gives it.
fn take_held(old: &Profile, new: &mut Profile) -> Map<String, Value> {
    let mut wanted = Map::new();
    if new.name != old.name {
        wanted.insert("name".to_owned(), json!(new.name));
        new.name.clone_from(&old.name);
    }
    if new.website != old.website {
        wanted.insert("website".to_owned(), json!(new.website));
        new.website.clone_from(&old.website);
    }
    if new.email_domains != old.email_domains {
        wanted.insert("emailDomains".to_owned(), json!(new.email_domains));
        new.email_domains.clone_from(&old.email_domains);
    }
    if new.address != old.address {
        wanted.insert("address".to_owned(), json!(new.address));
        new.address.clone_from(&old.address);
    }
    wanted
}

/// Keeps what is wanted until an operator decides. What waited before is replaced, and goes on where it isn't asked for
/// otherwise.
async fn hold(
    tx: &mut Tx,
    asked_by: entity::ids::UserId,
    organisation_id: OrganisationId,
    wanted: Map<String, Value>,
) -> Result<()> {
    let waiting = held_change::Entity::find()
        .filter(held_change::Column::OrganisationId.eq(organisation_id))
        .filter(held_change::Column::State.eq(HeldChangeState::Waiting))
        .one(tx.conn())
        .await?;
    let mut all = match waiting {
        Some(held_change::Model {
            wanted: Value::Object(earlier),
            ..
        }) => earlier,
        _ => Map::new(),
    };
    all.extend(wanted);
    held_change::Entity::update_many()
        .col_expr(
            held_change::Column::State,
            Expr::value(HeldChangeState::Replaced),
        )
        .filter(held_change::Column::OrganisationId.eq(organisation_id))
        .filter(held_change::Column::State.eq(HeldChangeState::Waiting))
        .exec(tx.conn())
        .await?;
    held_change::Entity::insert(held_change::ActiveModel {
        id: Set(HeldChangeId::new_at(tx.now())),
        organisation_id: Set(organisation_id),
        wanted: Set(Value::Object(all)),
        state: Set(HeldChangeState::Waiting),
        asked_by: Set(asked_by),
        asked_at: Set(tx.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Makes the changes that an employer asked for, or doesn't, and tells whoever asked by mail.
pub async fn answer_held(
    tx: &mut Tx,
    viewer: &Viewer,
    id: HeldChangeId,
    approve: bool,
    reason: Option<&str>,
) -> Result<held_change::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let mut refusals = Refusals::default();
    let reason = organisations::reason_of(reason, &mut refusals);
    refusals.add_if(
        !approve && reason.is_none(),
        RefusalCode::Required,
        "reason",
        "Say why: the employer reads it.",
    );
    refusals.into_result()?;
    let held = held_visible(viewer)
        .filter(held_change::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("heldChangeId", "change"))?;
    let current = organisation::Entity::find_by_id(held.organisation_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("heldChangeId", "change"))?;
    // Read again behind the lock: somebody else may have decided.
    let held = held_change::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .filter(|held| held.state == HeldChangeState::Waiting)
        .ok_or_else(|| {
            Error::refused(
                RefusalCode::WrongState,
                "heldChangeId",
                "This change no longer waits.",
            )
        })?;
    let name = current.name.clone();
    if approve {
        let old = Profile::of(&current);
        let mut new = old.clone();
        apply(&mut new, &held.wanted)?;
        organisations::write_profile(tx, viewer, current, &old, new, Vec::new()).await?;
    }
    let asker = user::Entity::find_by_id(held.asked_by)
        .one(tx.conn())
        .await?;
    if let Some(asker) = asker {
        let outcome = if approve { "CHANGED" } else { "NOT_CHANGED" };
        letters::decided(tx, &asker, &name, outcome, reason.as_deref()).await?;
    }
    let told = json!({ "approved": approve, "reason": reason });
    tx.audit(
        viewer,
        "organisation.answer_change",
        held.organisation_id,
        None,
        Some(told),
    )
    .await?;
    let mut row = held.into_active_model();
    row.state = Set(if approve {
        HeldChangeState::Approved
    } else {
        HeldChangeState::Declined
    });
    row.decided_by = Set(viewer.user_id());
    row.decided_at = Set(Some(tx.now()));
    row.reason = Set(reason);
    Ok(row.update(tx.conn()).await?)
}

fn apply(profile: &mut Profile, wanted: &Value) -> Result<()> {
    let given = |field: &str| wanted.get(field).cloned();
    if let Some(name) = given("name") {
        profile.name = serde_json::from_value(name)?;
    }
    if let Some(website) = given("website") {
        profile.website = serde_json::from_value(website)?;
    }
    if let Some(domains) = given("emailDomains") {
        profile.email_domains = serde_json::from_value(domains)?;
    }
    if let Some(address) = given("address") {
        profile.address = serde_json::from_value(address)?;
    }
    Ok(())
}
