//! Which contacts exist for whom, and how they are found.

use super::working_at;
use crate::{
    error::Result,
    first_of_each::first_of_each,
    key_account::guard::withheld_from,
    organisation::nothing,
    page::{Page, Slice},
    search::{Kind, matching},
    text::sought,
    viewer::Viewer,
};
use chrono::{DateTime, Utc};
use entity::{
    contact::{self, ContactState, SubscriberType},
    ids::{ContactId, OrganisationId},
    organisation::{self, OrganisationState},
    user::UserKind,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, Order, PaginatorTrait,
    QueryFilter, QuerySelect, QueryTrait, Select,
};

/// Which contacts exist for `viewer`.
///
/// Staff share them. An employer has those of its own organisation. Students and graduates have a contact only while the
/// person and the organisation both agree to be shown (policy 3: no details without prior permission), the organisation
/// is approved and the person still there. Anybody else has none.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.is_staff() {
        return Condition::all();
    }
    match viewer.kind() {
        Some(UserKind::Student | UserKind::Graduate) => {
            let agreeing = organisation::Entity::find()
                .select_only()
                .column(organisation::Column::Id)
                .filter(organisation::Column::ShowsContactsToStudents.eq(true))
                .filter(organisation::Column::State.eq(OrganisationState::Approved));
            Condition::all()
                .add(contact::Column::VisibleToStudents.eq(true))
                .add(contact::Column::State.eq(ContactState::Active))
                .add(contact::Column::OrganisationId.in_subquery(agreeing.into_query()))
        }
        Some(UserKind::Employer) => {
            let own = viewer.person().and_then(|person| person.organisation_id);
            Condition::all()
                .add(own.map_or_else(nothing, |own| contact::Column::OrganisationId.eq(own)))
        }
        Some(UserKind::Staff) | None => Condition::all().add(nothing()),
    }
}

/// The contacts that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<contact::Entity> {
    contact::Entity::find().filter(visible_to(viewer))
}

/// The contact, if it exists for `viewer`.
pub async fn find(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: ContactId,
) -> Result<Option<contact::Model>> {
    Ok(visible(viewer)
        .filter(contact::Column::Id.eq(id))
        .one(db)
        .await?)
}

/// The first `limit` contacts, by name, that exist for `viewer` at each of these organisations.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
    limit: u64,
) -> Result<Vec<contact::Model>> {
    first_of_each(
        db,
        visible(viewer).filter(contact::Column::OrganisationId.is_in(ids.iter().copied())),
        contact::Column::OrganisationId,
        [
            (contact::Column::Name.into_expr(), Order::Asc),
            (contact::Column::Id.into_expr(), Order::Asc),
        ],
        limit,
    )
    .await
}

/// How many contacts exist for `viewer` at each of these organisations; none is told for those that have none.
pub async fn counts_of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
) -> Result<Vec<(OrganisationId, i64)>> {
    Ok(visible(viewer)
        .filter(contact::Column::OrganisationId.is_in(ids.iter().copied()))
        .select_only()
        .column(contact::Column::OrganisationId)
        .column_as(contact::Column::Id.count(), "contacts")
        .group_by(contact::Column::OrganisationId)
        .into_tuple()
        .all(db)
        .await?)
}

/// What a list of contacts is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What the words in their name and job title begin with, all of it.
    pub search: Option<String>,
    /// Where they work.
    pub organisation_id: Option<OrganisationId>,
    /// Their e-mail address, in whatever case.
    pub email: Option<String>,
    /// Whether they are still there.
    pub state: Option<ContactState>,
    /// What they have to do with the university.
    pub subscriber_type: Option<SubscriberType>,
}

impl Filter {
    fn condition(&self, backend: DbBackend, viewer: &Viewer, now: DateTime<Utc>) -> Condition {
        let mut all = Condition::all();
        if let Some(search) = &self.search {
            all = all.add(matching(backend, Kind::Contact, search));
        }
        if let Some(id) = self.organisation_id {
            all = all.add(working_at(viewer, id));
        }
        if let Some(email) = &self.email {
            all = all.add(contact::Column::Email.eq(sought(email.trim()).to_lowercase()));
            // policy 2.3: an address that isn't shown isn't found by either.
            if let Some(withheld) = withheld_from(viewer, now) {
                all = all.add(contact::Column::Id.not_in_subquery(withheld));
            }
        }
        if let Some(state) = self.state {
            all = all.add(contact::Column::State.eq(state));
        }
        if let Some(subscriber_type) = self.subscriber_type {
            all = all.add(contact::Column::SubscriberType.eq(subscriber_type));
        }
        all
    }
}

/// What a list of contacts is ordered by.
pub type Key = (String, ContactId);

/// The key of a row.
#[must_use]
pub fn key(contact: &contact::Model) -> Key {
    (contact.name.clone(), contact.id)
}

/// One page of the contacts that exist for `viewer` and meet the filter, by name.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    filter: &Filter,
    page: &Page<Key>,
) -> Result<Slice<contact::Model>> {
    let columns = [
        contact::Column::Name.into_expr(),
        contact::Column::Id.into_expr(),
    ];
    let query = visible(viewer).filter(filter.condition(db.get_database_backend(), viewer, now));
    page.read(db, query, columns, Order::Asc).await
}

/// How many contacts exist for `viewer` and meet the filter.
pub async fn count(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    filter: &Filter,
) -> Result<u64> {
    Ok(visible(viewer)
        .filter(filter.condition(db.get_database_backend(), viewer, now))
        .count(db)
        .await?)
}
