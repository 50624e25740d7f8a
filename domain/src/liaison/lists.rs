//! Which liaison requests there are.

use entity::{
    ids::{ContactId, LiaisonRequestId},
    key_account,
    liaison_request::{self, LiaisonState},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, Select, sea_query::SelectStatement,
};

use crate::{
    error::Result,
    organisation::nothing,
    page::{Page, Slice},
    viewer::Viewer,
};

/// The key accounts that are the viewer's.
fn own_accounts(viewer: &Viewer) -> SelectStatement {
    key_account::Entity::find()
        .select_only()
        .column(key_account::Column::Id)
        .filter(key_account::Column::OperatorId.eq(viewer.user_id()))
        .into_query()
}

fn asked_of(viewer: &Viewer) -> Condition {
    Condition::all().add(liaison_request::Column::KeyAccountId.in_subquery(own_accounts(viewer)))
}

fn asked_by(viewer: &Viewer) -> Condition {
    Condition::all().add(liaison_request::Column::RequestedBy.eq(viewer.user_id()))
}

/// The liaison requests that exist for `viewer`: those they asked, and those of their key accounts. The Super User Group
/// sees all of them.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<liaison_request::Entity> {
    let query = liaison_request::Entity::find();
    if viewer.is_super_user() {
        query
    } else if viewer.is_staff() {
        query.filter(Condition::any().add(asked_by(viewer)).add(asked_of(viewer)))
    } else {
        query.filter(Condition::all().add(nothing()))
    }
}

/// What a list of liaison requests is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those that wait for the viewer's answer, or those that don't.
    pub mine_to_answer: Option<bool>,
    /// Those that the viewer asked, or those of others.
    pub mine_asked: Option<bool>,
    /// Where they stand.
    pub state: Option<LiaisonState>,
    /// The contact they are about.
    pub contact_id: Option<ContactId>,
}

impl Filter {
    fn select(&self, viewer: &Viewer) -> Select<liaison_request::Entity> {
        let mut query = visible(viewer);
        if let Some(mine) = self.mine_to_answer {
            let waits =
                asked_of(viewer).add(liaison_request::Column::State.eq(LiaisonState::Requested));
            query = query.filter(if mine { waits } else { waits.not() });
        }
        if let Some(mine) = self.mine_asked {
            let asked = asked_by(viewer);
            query = query.filter(if mine { asked } else { asked.not() });
        }
        if let Some(state) = self.state {
            query = query.filter(liaison_request::Column::State.eq(state));
        }
        if let Some(id) = self.contact_id {
            query = query.filter(liaison_request::Column::ContactId.eq(id));
        }
        query
    }
}

/// One page of the liaison requests that exist for `viewer` and meet the filter, the latest first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<LiaisonRequestId>,
) -> Result<Slice<liaison_request::Model>> {
    let key = [liaison_request::Column::Id.into_expr()];
    page.read(db, filter.select(viewer), key, Order::Desc).await
}

/// How many liaison requests exist for `viewer` and meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(filter.select(viewer).count(db).await?)
}

/// Those of the liaison requests that exist for `viewer`.
pub async fn find_all(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[LiaisonRequestId],
) -> Result<Vec<liaison_request::Model>> {
    Ok(visible(viewer)
        .filter(liaison_request::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}
