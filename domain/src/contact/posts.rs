//! Contacts at several organisations: the record is one organisation's, and says where else the person works (policy 2.2).
//!
//! What is asked of an organisation is asked of each: students see a post only where that organisation agreed to show its
//! contacts, too (policy 3). An employer has the contacts whose record is its own: details that somebody gave to one employer
//! are not shown to another. Bulk mail goes by the organisation that has the record, so that nobody gets it twice.

use entity::{
    access_grant::Permission,
    contact, contact_post,
    ids::{ContactId, OrganisationId},
    key_account::{self, KeyAccountState},
    key_account_contact as held_contact, organisation,
    organisation::OrganisationState,
    user::UserKind,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, Order,
    PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, RelationDef, Select,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

use super::{UPDATED, visible};
use crate::{
    change,
    error::{Error, RefusalCode, Refusals, Result},
    first_of_each::first_of_each,
    organisation::{self as organisations, nothing},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How many posts a contact has at most, besides the one with the organisation that has the record.
const MOST: u64 = 20;

fn contact_of_post() -> RelationDef {
    contact_post::Entity::belongs_to(contact::Entity)
        .from(contact_post::Column::ContactId)
        .to(contact::Column::Id)
        .into()
}

/// The posts that exist for `viewer`, of contacts that do. One at the organisation that has the record, which a merge may
/// leave behind, is none.
fn shown(viewer: &Viewer) -> Select<contact_post::Entity> {
    let by_viewer = if viewer.is_staff() {
        Condition::all()
    } else {
        match viewer.kind() {
            Some(UserKind::Student | UserKind::Graduate) => {
                let agreeing = organisation::Entity::find()
                    .select_only()
                    .column(organisation::Column::Id)
                    .filter(organisation::Column::ShowsContactsToStudents.eq(true))
                    .filter(organisation::Column::State.eq(OrganisationState::Approved));
                Condition::all()
                    .add(contact_post::Column::OrganisationId.in_subquery(agreeing.into_query()))
            }
            _ => Condition::all().add(nothing()),
        }
    };
    contact_post::Entity::find()
        .join(JoinType::InnerJoin, contact_of_post())
        .filter(super::visible_to(viewer))
        .filter(by_viewer)
        .filter(
            Expr::col((contact_post::Entity, contact_post::Column::OrganisationId))
                .not_equals((contact::Entity, contact::Column::OrganisationId)),
        )
}

/// The posts of these contacts that exist for `viewer`, the oldest first.
pub async fn posts_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[ContactId],
) -> Result<Vec<contact_post::Model>> {
    use sea_orm::QueryOrder;

    Ok(shown(viewer)
        .filter(contact_post::Column::ContactId.is_in(ids.iter().copied()))
        .order_by_asc(contact_post::Column::CreatedAt)
        .order_by_asc(contact_post::Column::OrganisationId)
        .all(db)
        .await?)
}

/// The first `limit` contacts, by name, that exist for `viewer` and have a post at each of these organisations, whose record
/// another organisation has.
pub async fn with_posts_at(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
    limit: u64,
) -> Result<Vec<(OrganisationId, contact::Model)>> {
    let posts = first_of_each(
        db,
        shown(viewer).filter(contact_post::Column::OrganisationId.is_in(ids.iter().copied())),
        contact_post::Column::OrganisationId,
        [
            (contact::Column::Name.into_expr(), Order::Asc),
            (contact_post::Column::ContactId.into_expr(), Order::Asc),
        ],
        limit,
    )
    .await?;
    let contacts = visible(viewer)
        .filter(contact::Column::Id.is_in(posts.iter().map(|post| post.contact_id)))
        .all(db)
        .await?;
    Ok(posts
        .into_iter()
        .filter_map(|post| {
            let row = contacts.iter().find(|row| row.id == post.contact_id)?;
            Some((post.organisation_id, row.clone()))
        })
        .collect())
}

/// Who works at an organisation, by the record or by a post that exists for `viewer`, as a condition on `contact`.
pub(crate) fn working_at(viewer: &Viewer, id: OrganisationId) -> Condition {
    let posts = shown(viewer)
        .select_only()
        .column(contact_post::Column::ContactId)
        .filter(contact_post::Column::OrganisationId.eq(id));
    Condition::any()
        .add(contact::Column::OrganisationId.eq(id))
        .add(contact::Column::Id.in_subquery(posts.into_query()))
}

/// Whether a contact works at an organisation, by the record or by a post.
pub(crate) async fn works_at(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: ContactId,
    organisation_id: OrganisationId,
) -> Result<bool> {
    let found = visible(viewer)
        .filter(contact::Column::Id.eq(id))
        .filter(working_at(viewer, organisation_id))
        .count(db)
        .await?;
    Ok(found > 0)
}

/// Says that a contact at `version` works at another organisation too, or what their job title there is.
pub async fn add_post(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
    version: i32,
    organisation_id: OrganisationId,
    job_title: Option<&str>,
) -> Result<contact::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let current = locked_at(tx, viewer, id, version).await?;
    let mut refusals = Refusals::default();
    let job_title = Text::line("jobTitle", 120).optional(job_title, &mut refusals);
    let there = organisations::find(tx.conn(), viewer, organisation_id).await?;
    refusals.add_if(
        there.is_none(),
        RefusalCode::NotFound,
        "organisationId",
        "There is no such organisation, or it is not open to you.",
    );
    refusals.add_if(
        current.organisation_id == organisation_id,
        RefusalCode::Invalid,
        "organisationId",
        "Their record is this organisation's: change the job title there.",
    );
    let known = contact_post::Entity::find_by_id((id, organisation_id))
        .one(tx.conn())
        .await?;
    let posts = contact_post::Entity::find()
        .filter(contact_post::Column::ContactId.eq(id))
        .count(tx.conn())
        .await?;
    refusals.add_if(
        known.is_none() && posts >= MOST,
        RefusalCode::TooLong,
        "organisationId",
        "A contact has at most 20 further posts.",
    );
    refusals.into_result()?;
    let before = known.as_ref().map(told);
    let row = contact_post::Model {
        contact_id: id,
        organisation_id,
        job_title,
        created_at: known.as_ref().map_or(tx.now(), |known| known.created_at),
    };
    let after = told(&row);
    if before.as_ref() == Some(&after) {
        return Ok(current);
    }
    contact_post::Entity::delete_by_id((id, organisation_id))
        .exec(tx.conn())
        .await?;
    contact_post::Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx.conn())
        .await?;
    changed(tx, viewer, current, before, Some(after)).await
}

/// Says that a contact at `version` no longer works at another organisation.
pub async fn end_post(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
    version: i32,
    organisation_id: OrganisationId,
) -> Result<contact::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let current = locked_at(tx, viewer, id, version).await?;
    let known = contact_post::Entity::find_by_id((id, organisation_id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("organisationId", "post of this contact"))?;
    // policy 2.3: a claim ends by its operator, never by the way.
    let held = held_contact::Entity::find()
        .join(
            JoinType::InnerJoin,
            held_contact::Entity::belongs_to(key_account::Entity)
                .from(held_contact::Column::KeyAccountId)
                .to(key_account::Column::Id)
                .into(),
        )
        .filter(held_contact::Column::ContactId.eq(id))
        .filter(held_contact::Column::EndedAt.is_null())
        .filter(key_account::Column::OrganisationId.eq(organisation_id))
        .filter(key_account::Column::State.eq(KeyAccountState::Live))
        .count(tx.conn())
        .await?;
    if held > 0 {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "organisationId",
            "They are a key account contact there: let its operator take them out of the key account first.",
        ));
    }
    let before = told(&known);
    contact_post::Entity::delete_by_id((id, organisation_id))
        .exec(tx.conn())
        .await?;
    changed(tx, viewer, current, Some(before), None).await
}

async fn locked_at(
    tx: &Tx,
    viewer: &Viewer,
    id: ContactId,
    version: i32,
) -> Result<contact::Model> {
    let current = visible(viewer)
        .filter(contact::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("contactId", "contact"))?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    Ok(current)
}

/// A post as the audit log keeps it.
fn told(post: &contact_post::Model) -> serde_json::Value {
    json!({ "postAt": post.organisation_id, "jobTitleThere": post.job_title })
}

async fn changed(
    tx: &mut Tx,
    viewer: &Viewer,
    current: contact::Model,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
) -> Result<contact::Model> {
    let (id, version) = (current.id, current.version + 1);
    let mut row = current.into_active_model();
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    let mut after = after.unwrap_or_else(|| json!({}));
    after[change::VERSION] = json!(version);
    tx.audit(viewer, "contact.change_posts", id, before, Some(after))
        .await?;
    Ok(updated)
}
