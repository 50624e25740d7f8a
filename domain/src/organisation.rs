//! Organisations: the employers that the university works with (policy 2.2).

pub mod duplicates;
mod engagement;
mod events;
pub mod import;
mod logo;
pub(crate) mod name_key;
mod profile;
mod search;
mod standing;
mod web;

use entity::{
    access_grant::Permission,
    ids::OrganisationId,
    list::TextList,
    organisation::{self, OrganisationState, RecordSource},
    user::UserKind,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, LockType},
};

pub use events::events_of;
pub use logo::{LogoPlace, logo, logos_of, set_logo};
pub use name_key::name_key;
pub use profile::Profile;
pub use search::{Filter, Key, count, divisions_of, key, list};
pub(crate) use standing::{Standing, lock_at, put, reason_of};
pub use standing::{archive, restore};
pub use web::{is_free_mail, website};

use crate::{
    change::{self, Change},
    duplicate::Match,
    error::{Error, RefusalCode, Refusals, Result},
    key_account,
    profile_field::{self, Said},
    store::Tx,
    viewer::Viewer,
};

/// What the audit log calls a change of a profile.
const UPDATED: &str = "organisation.update";

/// Which organisations exist for `viewer`.
///
/// Staff share one database (policy 1). Students and graduates have those that are approved, an employer has its own,
/// whatever its state. Anybody else has none.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.is_staff() {
        return Condition::all();
    }
    Condition::all().add(match viewer.kind() {
        Some(UserKind::Student | UserKind::Graduate) => {
            organisation::Column::State.eq(OrganisationState::Approved)
        }
        Some(UserKind::Employer) => {
            match viewer.person().and_then(|person| person.organisation_id) {
                Some(own) => organisation::Column::Id.eq(own),
                None => nothing(),
            }
        }
        Some(UserKind::Staff) | None => nothing(),
    })
}

/// What an employer is told who would change what it has no say in for now.
pub(crate) const SUSPENDED: &str = "The organisation is suspended: ask the Careers Centre.";

/// Whether an employer keeps its own record while the organisation stands like this (policy 2.2).
pub(crate) const fn is_kept_by_its_employer(state: OrganisationState) -> bool {
    match state {
        OrganisationState::Approved | OrganisationState::Pending | OrganisationState::Declined => {
            true
        }
        OrganisationState::Suspended | OrganisationState::Archived => false,
    }
}

/// A condition that no row meets.
pub(crate) fn nothing() -> Expr {
    Expr::val(1).eq(2)
}

/// The organisations that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<organisation::Entity> {
    organisation::Entity::find().filter(visible_to(viewer))
}

/// The organisation, if it exists for `viewer`.
pub async fn find(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: OrganisationId,
) -> Result<Option<organisation::Model>> {
    Ok(visible(viewer)
        .filter(organisation::Column::Id.eq(id))
        .one(db)
        .await?)
}

/// Adds an organisation, approved from the start because staff add it.
///
/// One that looks like an organisation that exists is refused, unless it is `confirmed` to be another (policy 2.2).
pub async fn create(
    tx: &mut Tx,
    viewer: &Viewer,
    profile: Profile,
    confirmed: bool,
) -> Result<organisation::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let mut refusals = Refusals::default();
    let mut profile = profile.checked(&mut refusals);
    // What is wrong in itself is compared with nothing.
    let alike = if refusals.is_empty() {
        duplicates::of_profile(tx.conn(), &profile).await?
    } else {
        Vec::new()
    };
    duplicates::lock(tx, &alike, profile.parent_id).await?;
    check_parent(tx, viewer, None, profile.parent_id, &mut refusals).await?;
    let fields = std::mem::take(&mut profile.fields);
    let fields = profile_field::checked(tx, viewer, None, fields, &mut refusals).await?;
    refusals.into_result()?;
    if !confirmed {
        refuse_likely_duplicates(&alike)?;
    }
    let row = new_row(tx, profile, RecordSource::Staff, None);
    let created = row.insert(tx.conn()).await?;
    duplicates::note(tx, &created, alike).await?;
    let told = told_of_new(&created, &fields)?;
    profile_field::say(tx, created.id, fields).await?;
    tx.audit(viewer, "organisation.create", created.id, None, Some(told))
        .await?;
    Ok(created)
}

/// What the audit log tells of an organisation that was added.
fn told_of_new(created: &organisation::Model, fields: &[Said]) -> Result<serde_json::Value> {
    let mut told = Change::default();
    for field in fields {
        told.add(&field.name, field.old.clone(), field.new.clone());
    }
    Ok(told.onto(serde_json::to_value(Profile::of(created))?))
}

fn refuse_likely_duplicates(alike: &[(duplicates::Candidate, Match)]) -> Result<()> {
    if alike.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = alike.iter().map(|(other, _)| other.name.as_str()).collect();
    Err(Error::refused(
        RefusalCode::LikelyDuplicate,
        "name",
        format!(
            "This looks like {}. Confirm that it is another organisation if it is.",
            names.join("; ")
        ),
    ))
}

/// Changes what `edit` changes in the profile of an organisation that is at `version`.
///
/// A version that is no longer the current one is refused: somebody else's change would be lost.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: OrganisationId,
    version: i32,
    edit: impl FnOnce(&mut Profile) + Send,
) -> Result<organisation::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let seen = find(tx.conn(), viewer, id)
        .await?
        .ok_or_else(|| Error::not_found("id", "organisation"))?;
    let old = Profile::of(&seen);
    let mut new = old.clone();
    edit(&mut new);
    if let Some(head) = new.parent_id
        && new.parent_id != old.parent_id
        && head < id
    {
        // Organisations are locked in the order of their ids: of two who change the same ones, neither waits for both.
        lock_head(tx, viewer, head).await?;
    }
    let current = standing::lock_at(tx, viewer, id, version).await?;
    if current != seen {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    let mut refusals = Refusals::default();
    let mut new = new.checked(&mut refusals);
    if new.parent_id != old.parent_id {
        check_parent(tx, viewer, Some(id), new.parent_id, &mut refusals).await?;
    }
    let fields = std::mem::take(&mut new.fields);
    let fields = profile_field::checked(tx, viewer, Some(id), fields, &mut refusals).await?;
    refusals.into_result()?;
    write_profile(tx, viewer, current, &old, new, fields).await
}

/// Writes what is other in a profile and in fields that have been checked, and what was changed into the log.
pub(crate) async fn write_profile(
    tx: &mut Tx,
    viewer: &Viewer,
    current: organisation::Model,
    old: &Profile,
    new: Profile,
    fields: Vec<Said>,
) -> Result<organisation::Model> {
    let mut change = Change::between(old, &new)?;
    for field in &fields {
        change.add(&field.name, field.old.clone(), field.new.clone());
    }
    if change.is_empty() {
        return Ok(current);
    }
    let (id, version) = (current.id, current.version);
    if new.multiple_touch_points != old.multiple_touch_points {
        key_account::touch_points_changed(tx, id, new.multiple_touch_points).await?;
    }
    let mut row = current.into_active_model();
    write(&mut row, new);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    profile_field::say(tx, id, fields).await?;
    let (before, after) = change.into_audit(updated.version);
    tx.audit(viewer, UPDATED, id, before, after).await?;
    Ok(updated)
}

/// A division belongs to a head office, which is no division itself. The head office is locked, so that it doesn't become one
/// at the same time.
async fn check_parent(
    tx: &Tx,
    viewer: &Viewer,
    id: Option<OrganisationId>,
    parent_id: Option<OrganisationId>,
    refusals: &mut Refusals,
) -> Result<()> {
    const FIELD: &str = "parentId";
    let Some(parent_id) = parent_id else {
        return Ok(());
    };
    let Some(parent) = lock_head(tx, viewer, parent_id).await? else {
        refusals.add(
            RefusalCode::NotFound,
            FIELD,
            "There is no such organisation, or it is not open to you.",
        );
        return Ok(());
    };
    let has_divisions = match id {
        Some(id) => {
            let divisions = organisation::Entity::find()
                .filter(organisation::Column::ParentId.eq(id))
                .count(tx.conn())
                .await?;
            divisions > 0
        }
        None => false,
    };
    refusals.add_if(
        id == Some(parent_id) || parent.parent_id.is_some() || has_divisions,
        RefusalCode::Invalid,
        FIELD,
        "A division belongs to a head office, which is no division itself.",
    );
    Ok(())
}

/// A head office, if it exists for the viewer. It stays, and becomes no division, until the transaction ends.
async fn lock_head(
    tx: &Tx,
    viewer: &Viewer,
    id: OrganisationId,
) -> Result<Option<organisation::Model>> {
    Ok(visible(viewer)
        .filter(organisation::Column::Id.eq(id))
        .lock(LockType::KeyShare)
        .one(tx.conn())
        .await?)
}

/// Adds an organisation whose employer registers it: it waits for an operator. What it looks like is shown to them.
pub(crate) async fn register(tx: &mut Tx, mut profile: Profile) -> Result<organisation::Model> {
    let mut refusals = Refusals::default();
    let given = std::mem::take(&mut profile.fields);
    let asked = profile_field::shared(tx, profile_field::said_at_registration()).await?;
    let fields = profile_field::compared(&asked, None, given, &mut refusals);
    refusals.into_result()?;
    let alike = duplicates::of_profile(tx.conn(), &profile).await?;
    let mut row = new_row(tx, profile, RecordSource::SelfRegistered, None);
    row.state = Set(OrganisationState::Pending);
    let created = row.insert(tx.conn()).await?;
    duplicates::note(tx, &created, alike).await?;
    let told = told_of_new(&created, &fields)?;
    profile_field::say(tx, created.id, fields).await?;
    tx.audit(
        &Viewer::system(),
        "organisation.register",
        created.id,
        None,
        Some(told),
    )
    .await?;
    Ok(created)
}

/// The domains that are an organisation's own: those of its web site and its mail.
#[must_use]
pub fn own_domains(organisation: &organisation::Model) -> Vec<String> {
    duplicates::Candidate::of_profile(&Profile::of(organisation)).domains()
}

/// A column as text.
pub(crate) fn as_text(column: organisation::Column) -> Expr {
    column.into_expr().cast_as("text")
}

/// A row for a profile that has been checked.
fn new_row(
    tx: &Tx,
    profile: Profile,
    source: RecordSource,
    source_key: Option<String>,
) -> organisation::ActiveModel {
    let mut row = organisation::ActiveModel {
        id: Set(OrganisationId::new_at(tx.now())),
        state: Set(OrganisationState::Approved),
        source: Set(source),
        source_key: Set(source_key),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    write(&mut row, profile);
    row
}

fn write(row: &mut organisation::ActiveModel, profile: Profile) {
    row.name_key = Set(name_key(&profile.name));
    row.name = Set(profile.name);
    row.trading_names = Set(TextList(profile.trading_names));
    row.website = Set(profile.website);
    row.email_domains = Set(TextList(profile.email_domains));
    row.sector = Set(profile.sector);
    row.sub_sector = Set(profile.sub_sector);
    row.size = Set(profile.size);
    row.kind = Set(profile.kind);
    row.parent_id = Set(profile.parent_id);
    row.company_number = Set(profile.company_number);
    row.address = Set(profile.address);
    row.founded = Set(profile.founded);
    row.shows_contacts_to_students = Set(profile.shows_contacts_to_students);
    row.multiple_touch_points = Set(profile.multiple_touch_points);
    row.time_zone = Set(profile.time_zone);
}
