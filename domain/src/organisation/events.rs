//! The events that organisations take part in.

use entity::{
    event, event_organisation,
    ids::{EventId, OrganisationId},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, Order, QueryFilter, QuerySelect,
};

use crate::{error::Result, event::visible_to, first_of_each::first_of_each, viewer::Viewer};

/// The last `limit` events that exist for `viewer` and that each of these organisations takes part in, the latest first.
pub async fn events_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
    limit: u64,
) -> Result<Vec<(OrganisationId, EventId)>> {
    let taking_part = event_organisation::Entity::find()
        .join(
            JoinType::InnerJoin,
            event_organisation::Entity::belongs_to(event::Entity)
                .from(event_organisation::Column::EventId)
                .to(event::Column::Id)
                .into(),
        )
        .filter(event_organisation::Column::OrganisationId.is_in(ids.iter().copied()))
        .filter(visible_to(viewer));
    let rows = first_of_each(
        db,
        taking_part,
        event_organisation::Column::OrganisationId,
        [
            (event::Column::StartsAt.into_expr(), Order::Desc),
            (event::Column::Id.into_expr(), Order::Desc),
        ],
        limit,
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.organisation_id, row.event_id))
        .collect())
}
