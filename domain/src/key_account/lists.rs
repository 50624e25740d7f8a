//! Which key accounts there are.

use chrono::{DateTime, Utc};
use entity::{
    contact,
    ids::{KeyAccountId, OrganisationId, UserId},
    key_account::{self, KeyAccountState},
    key_account_contact as held_contact,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationDef, Select,
};

use super::guard::counts;
use crate::{
    error::Result,
    organisation::nothing,
    page::{Page, Slice},
    viewer::Viewer,
};

/// The key accounts that exist for `viewer`: staff know whom to ask, and nobody else knows that there are any.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<key_account::Entity> {
    let query = key_account::Entity::find();
    if viewer.is_staff() {
        query
    } else {
        query.filter(Condition::all().add(nothing()))
    }
}

/// What a list of key accounts is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The organisation that is claimed.
    pub organisation_id: Option<OrganisationId>,
    /// The Key Account Operator.
    pub operator_id: Option<UserId>,
    /// Whether the claim stands.
    pub state: Option<KeyAccountState>,
}

impl Filter {
    fn select(&self, viewer: &Viewer) -> Select<key_account::Entity> {
        let mut query = visible(viewer);
        if let Some(id) = self.organisation_id {
            query = query.filter(key_account::Column::OrganisationId.eq(id));
        }
        if let Some(id) = self.operator_id {
            query = query.filter(key_account::Column::OperatorId.eq(id));
        }
        if let Some(state) = self.state {
            query = query.filter(key_account::Column::State.eq(state));
        }
        query
    }
}

/// One page of the key accounts that exist for `viewer` and meet the filter, the latest claimed first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<KeyAccountId>,
) -> Result<Slice<key_account::Model>> {
    let key = [key_account::Column::Id.into_expr()];
    page.read(db, filter.select(viewer), key, Order::Desc).await
}

/// How many key accounts exist for `viewer` and meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(filter.select(viewer).count(db).await?)
}

/// Those of the key accounts that exist for `viewer`.
pub async fn find_all(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[KeyAccountId],
) -> Result<Vec<key_account::Model>> {
    Ok(visible(viewer)
        .filter(key_account::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// The claims that count on each of these organisations, the oldest first.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    ids: &[OrganisationId],
) -> Result<Vec<key_account::Model>> {
    Ok(visible(viewer)
        .filter(key_account::Column::OrganisationId.is_in(ids.iter().copied()))
        .filter(counts(now))
        .order_by_asc(key_account::Column::Id)
        .all(db)
        .await?)
}

/// The contacts that are held by each of these key accounts, by name.
pub async fn contacts_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[KeyAccountId],
) -> Result<Vec<(KeyAccountId, contact::Model)>> {
    let to_contact: RelationDef = held_contact::Entity::belongs_to(contact::Entity)
        .from(held_contact::Column::ContactId)
        .to(contact::Column::Id)
        .into();
    let found = held_contact::Entity::find()
        .select_also(contact::Entity)
        .join(JoinType::InnerJoin, to_contact)
        .filter(held_contact::Column::KeyAccountId.is_in(ids.iter().copied()))
        .filter(held_contact::Column::EndedAt.is_null())
        .filter(crate::contact::visible_to(viewer))
        .order_by_asc(contact::Column::Name)
        .order_by_asc(contact::Column::Id)
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .filter_map(|(held, contact)| Some((held.key_account_id, contact?)))
        .collect())
}
