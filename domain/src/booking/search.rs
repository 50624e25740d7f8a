//! Finding bookings: one's own, and those for an event.

use std::collections::HashMap;

use entity::{
    booking::{self, BookingState},
    event,
    ids::{BookingId, EventId},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Alias, Expr, Func, Query, WindowStatement},
};

use super::{in_state, visible_to};
use crate::{
    error::Result,
    page::{Page, Slice},
    viewer::Viewer,
};

/// One page of the viewer's own bookings, the newest first.
pub async fn own(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    state: Option<BookingState>,
    page: &Page<BookingId>,
) -> Result<Slice<booking::Model>> {
    let columns = [booking::Column::Id.into_expr()];
    page.read(db, owned(viewer, state)?, columns, Order::Desc)
        .await
}

/// How many bookings the viewer has.
pub async fn count_own(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    state: Option<BookingState>,
) -> Result<u64> {
    Ok(owned(viewer, state)?.count(db).await?)
}

fn owned(viewer: &Viewer, state: Option<BookingState>) -> Result<Select<booking::Entity>> {
    let person = viewer.signed_in()?;
    Ok(booking::Entity::find()
        .filter(booking::Column::UserId.eq(person.id))
        .filter(standing(state)))
}

fn standing(state: Option<BookingState>) -> Condition {
    Condition::all().add_option(state.map(|state| in_state::any(&[state])))
}

/// Those of the bookings that exist for `viewer`.
pub async fn find_all(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[BookingId],
) -> Result<Vec<booking::Model>> {
    Ok(booking::Entity::find()
        .filter(visible_to(viewer))
        .filter(booking::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// The viewer's latest booking for each of these events, whatever became of it.
pub async fn latest_own(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_ids: &[EventId],
) -> Result<HashMap<EventId, booking::Model>> {
    let Some(user_id) = viewer.user_id() else {
        return Ok(HashMap::new());
    };
    Ok(booking::Entity::find()
        .filter(booking::Column::UserId.eq(user_id))
        .filter(booking::Column::EventId.is_in(event_ids.iter().copied()))
        .order_by_asc(booking::Column::Id)
        .all(db)
        .await?
        .into_iter()
        // The last one of an event stays.
        .map(|booking| (booking.event_id, booking))
        .collect())
}

/// The bookings of `viewer` with which each of these events overlaps: those for other events at the same time, where they have
/// a place or wait for one. A warning, which stops nobody (policy 2.4): people leave early, or wait for two and take one.
pub async fn overlapping_own(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_ids: &[EventId],
) -> Result<HashMap<EventId, Vec<booking::Model>>> {
    let Some(user_id) = viewer.user_id() else {
        return Ok(HashMap::new());
    };
    let events = event::Entity::find()
        .filter(event::Column::Id.is_in(event_ids.iter().copied()))
        .all(db)
        .await?;
    let (Some(first), Some(last)) = (
        events.iter().map(|event| event.starts_at).min(),
        events.iter().map(|event| event.ends_at).max(),
    ) else {
        return Ok(HashMap::new());
    };
    let own = booking::Entity::find()
        .find_also_related(event::Entity)
        .filter(booking::Column::UserId.eq(user_id))
        .filter(in_state::any(&[
            BookingState::Booked,
            BookingState::Waiting,
            BookingState::Offered,
        ]))
        .filter(event::Column::StartsAt.lt(last))
        .filter(event::Column::EndsAt.gt(first))
        .order_by_asc(event::Column::StartsAt)
        .order_by_asc(booking::Column::Id)
        .all(db)
        .await?;
    let overlapping = |event: &event::Model| {
        own.iter()
            .filter_map(|(booking, at)| Some((booking, at.as_ref()?)))
            .filter(|(_, at)| {
                at.id != event.id && at.starts_at < event.ends_at && at.ends_at > event.starts_at
            })
            .map(|(booking, _)| booking.clone())
            .collect()
    };
    Ok(events
        .iter()
        .map(|event| (event.id, overlapping(event)))
        .collect())
}

/// What a change of a booking is to `viewer`, who watches its event: that booking, when it exists for them; otherwise their
/// own, when they wait, because their position may have moved.
pub async fn seen_change(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_id: EventId,
    changed: BookingId,
) -> Result<Option<booking::Model>> {
    if let Some(booking) = find_all(db, viewer, &[changed]).await?.pop() {
        return Ok(Some(booking));
    }
    let own = latest_own(db, viewer, &[event_id]).await?.remove(&event_id);
    Ok(own.filter(|booking| booking.state == BookingState::Waiting))
}

/// One page of the bookings for each of these events, the earliest first, as far as they exist for `viewer`: one statement
/// for all of them.
pub async fn of_events(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_ids: &[EventId],
    state: Option<BookingState>,
    page: &Page<BookingId>,
) -> Result<HashMap<EventId, Slice<booking::Model>>> {
    let order = if page.backward {
        Order::Desc
    } else {
        Order::Asc
    };
    let ranked = Alias::new("ranked");
    let mut ranking = Query::select();
    ranking
        .column(booking::Column::Id)
        .expr_window_as(
            Func::cust("ROW_NUMBER"),
            WindowStatement::partition_by(booking::Column::EventId)
                .order_by(booking::Column::Id, order.clone())
                .take(),
            "place",
        )
        .from(booking::Entity)
        .cond_where(
            Condition::all()
                .add(booking::Column::EventId.is_in(event_ids.iter().copied()))
                .add(visible_to(viewer))
                .add(standing(state))
                .add_option(page.after.map(|id| booking::Column::Id.gt(id)))
                .add_option(page.before.map(|id| booking::Column::Id.lt(id))),
        );
    let mut chosen = Query::select();
    chosen
        .column((ranked.clone(), booking::Column::Id))
        .from_subquery(ranking, ranked)
        // One row more tells whether there is a next page.
        .and_where(Expr::col("place").lte(page.limit.saturating_add(1)));
    let rows = booking::Entity::find()
        .filter(booking::Column::Id.in_subquery(chosen))
        .order_by(booking::Column::Id, order)
        .all(db)
        .await?;
    let mut found: HashMap<EventId, Vec<booking::Model>> = HashMap::new();
    for row in rows {
        found.entry(row.event_id).or_default().push(row);
    }
    Ok(event_ids
        .iter()
        .map(|id| (*id, page.slice(found.remove(id).unwrap_or_default())))
        .collect())
}

/// How many bookings there are for each of these events, as far as they exist for `viewer`.
pub async fn count_of_events(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_ids: &[EventId],
    state: Option<BookingState>,
) -> Result<HashMap<EventId, i64>> {
    let rows: Vec<(EventId, i64)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::EventId)
        .column_as(booking::Column::Id.count(), "bookings")
        .filter(booking::Column::EventId.is_in(event_ids.iter().copied()))
        .filter(visible_to(viewer))
        .filter(standing(state))
        .group_by(booking::Column::EventId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
