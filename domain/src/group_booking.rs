//! Places for whole classes: an operator books so many at once, without naming anybody (policy 2.4).
//!
//! They count towards the capacity as every other place does, under the same lock. A class passes nobody who waits: while
//! anyone does, or fewer places are free than it needs, it gets none.
//!
//! The register takes a number for a class, and names where somebody writes them down. Nobody of a class misses an event: it has
//! places, and no persons who could have strikes. Who booked it is told what people with a place are told.

pub(crate) mod letters;

use std::collections::HashMap;

use entity::{
    event::{self, EventKind, EventState},
    group_booking::{self, GroupBookingState},
    ids::{EventId, GroupBookingId},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, RelationDef, Select,
    sea_query::{Expr, SelectStatement},
};
use serde_json::json;

use crate::{
    booking::reason_given,
    error::{Error, RefusalCode, Refusals, Result},
    event::{LockedEvent, lock_to_manage, managed_by},
    live::LiveEvent,
    register,
    store::Tx,
    text::Text,
    viewer::Viewer,
    waiting_list,
};

/// Which class it is.
const CLASS_NAME: Text = Text::line("className", 200);
/// Who of it came.
const NAMES: Text = Text::block("names", 10_000);

/// Books places for a class at an event that `viewer` manages.
pub async fn book_group(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
    class_name: &str,
    places: i32,
) -> Result<group_booking::Model> {
    let mut event = lock_to_manage(tx, viewer, event_id).await?;
    let operator = viewer.signed_in()?.id;
    let mut refusals = Refusals::default();
    let class_name = CLASS_NAME.required(class_name, &mut refusals);
    refusals.add_if(
        places < 1,
        RefusalCode::Invalid,
        "places",
        "Give how many places the class needs, at least 1.",
    );
    refusals.add_if(
        event.kind == EventKind::Training,
        RefusalCode::NotEligible,
        "eventId",
        "Training is for staff, each of whom books by name.",
    );
    refusals.into_result()?;
    if event.state != EventState::Published || tx.now() >= event.starts_at {
        return Err(Error::refused(
            RefusalCode::BookingClosed,
            "eventId",
            "Places are booked at an event that is on the calendar and has not started.",
        ));
    }
    // policy 2.4: while anyone waits, nobody else gets a free place.
    let passes = waiting_list::somebody_waits(tx.conn(), event.id).await?;
    if passes || event.places_left() < places {
        let message = if passes {
            "People wait for a place: they are first.".to_owned()
        } else {
            format!("{} places are free.", event.places_left())
        };
        return Err(Error::refused(RefusalCode::NoPlaceFree, "places", message));
    }
    event.take_places(tx, places).await?;
    let row = group_booking::Model {
        id: GroupBookingId::new_at(tx.now()),
        event_id,
        class_name,
        places,
        state: GroupBookingState::Booked,
        booked_by: operator,
        booked_at: tx.now(),
        reason: None,
        cancelled_at: None,
        attended: None,
        attended_names: None,
        marked_at: None,
    };
    group_booking::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(tx.conn())
        .await?;
    let what = json!({ "eventId": event_id, "className": row.class_name, "places": places });
    tx.audit(viewer, "group_booking.book", row.id, None, Some(what))
        .await?;
    tx.announce(LiveEvent::GroupPlacesChanged { event_id });
    Ok(row)
}

/// Gives the places of a class back; they go to those who wait.
pub async fn cancel_group(
    tx: &mut Tx,
    viewer: &Viewer,
    id: GroupBookingId,
    reason: &str,
) -> Result<group_booking::Model> {
    let (mut event, row) = locked(tx, viewer, id).await?;
    let reason = reason_given(reason, "reason")?;
    if event.state != EventState::Published || row.attended.is_some_and(|came| came > 0) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "groupBookingId",
            "The event is over, or the class is marked as having come.",
        ));
    }
    let places = row.places;
    let mut row = row.into_active_model();
    row.state = Set(GroupBookingState::Cancelled);
    row.reason = Set(Some(reason));
    row.cancelled_at = Set(Some(tx.now()));
    let row = row.update(tx.conn()).await?;
    event.give_back_places(tx, places).await?;
    waiting_list::places_freed(tx, &event).await?;
    let what = json!({ "places": places, "reason": row.reason });
    tx.audit(viewer, "group_booking.cancel", id, None, Some(what))
        .await?;
    letters::given_back(tx, viewer, &event, &row).await?;
    tx.announce(LiveEvent::GroupPlacesChanged { event_id: event.id });
    Ok(row)
}

/// The event, locked, and the places of a class there. Whoever doesn't manage the event knows of no class; one that has no
/// places any more is refused.
async fn locked(
    tx: &mut Tx,
    viewer: &Viewer,
    id: GroupBookingId,
) -> Result<(LockedEvent, group_booking::Model)> {
    let not_found = || Error::not_found("groupBookingId", "group");
    let find = group_booking::Entity::find_by_id(id);
    let seen = find.clone().one(tx.conn()).await?.ok_or_else(not_found)?;
    let event = match lock_to_manage(tx, viewer, seen.event_id).await {
        Err(Error::Forbidden(_) | Error::Refused(_)) => return Err(not_found()),
        locked => locked?,
    };
    let row = find.one(tx.conn()).await?.ok_or_else(not_found)?;
    if row.state != GroupBookingState::Booked {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "groupBookingId",
            "The class has no places there any more.",
        ));
    }
    Ok((event, row))
}

/// Says in the register how many of a class came, and who, where that was written down. It can be said anew until the register
/// is closed.
pub async fn mark_group(
    tx: &mut Tx,
    viewer: &Viewer,
    id: GroupBookingId,
    attended: i32,
    names: Option<&str>,
) -> Result<group_booking::Model> {
    let (event, row) = locked(tx, viewer, id).await?;
    register::require_open(tx, &event, "groupBookingId")?;
    let mut refusals = Refusals::default();
    if !(0..=row.places).contains(&attended) {
        refusals.add(
            RefusalCode::Invalid,
            "attended",
            format!(
                "The class has {} places: give how many of them came, from 0.",
                row.places
            ),
        );
    }
    let names = NAMES.optional(names, &mut refusals);
    refusals.into_result()?;
    let before = json!({ "attended": row.attended });
    let mut row = row.into_active_model();
    row.attended = Set(Some(attended));
    row.attended_names = Set(names);
    row.marked_at = Set(Some(tx.now()));
    let row = row.update(tx.conn()).await?;
    let what = json!({ "attended": row.attended, "names": row.attended_names.is_some() });
    tx.audit(viewer, "group_booking.mark", id, Some(before), Some(what))
        .await?;
    register::marked(tx, &event).await?;
    tx.announce(LiveEvent::GroupPlacesChanged { event_id: event.id });
    Ok(row)
}

/// How the register of an event stands with its classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// How many places they have.
    pub places: u64,
    /// Whether somebody of them is marked as having come.
    pub somebody_came: bool,
}

/// How the register of an event stands with its classes.
pub(crate) async fn standing(tx: &Tx, event_id: EventId) -> Result<Standing> {
    let mut standing = Standing::default();
    for class in with_places(event_id).all(tx.conn()).await? {
        standing.places += u64::from(class.places.unsigned_abs());
        standing.somebody_came |= class.attended.is_some_and(|attended| attended > 0);
    }
    Ok(standing)
}

/// The classes that have places at an event, in the order of their booking.
pub(crate) fn with_places(event_id: EventId) -> Select<group_booking::Entity> {
    group_booking::Entity::find()
        .filter(group_booking::Column::EventId.eq(event_id))
        .filter(group_booking::Column::State.eq(GroupBookingState::Booked))
        .order_by_asc(group_booking::Column::Id)
}

/// Who booked places for classes at an event, as a query for the ids of their accounts.
pub(crate) fn booked_by(event_id: EventId) -> SelectStatement {
    group_booking::Entity::find()
        .select_only()
        .column(group_booking::Column::BookedBy)
        .filter(group_booking::Column::EventId.eq(event_id))
        .filter(group_booking::Column::State.eq(GroupBookingState::Booked))
        .into_query()
}

/// The event is cancelled, and with it the places of classes. Whoever calls this gives the places back, and is told which
/// classes had some.
pub(crate) async fn end_all(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &LockedEvent,
    reason: &str,
) -> Result<Vec<GroupBookingId>> {
    let ended = with_places(event.id).all(tx.conn()).await?;
    group_booking::Entity::update_many()
        .col_expr(
            group_booking::Column::State,
            Expr::value(GroupBookingState::Cancelled),
        )
        .col_expr(group_booking::Column::Reason, Expr::val(reason))
        .col_expr(group_booking::Column::CancelledAt, Expr::val(tx.now()))
        .filter(group_booking::Column::Id.is_in(ended.iter().map(|class| class.id)))
        .exec(tx.conn())
        .await?;
    for class in &ended {
        let what = json!({ "places": class.places, "reason": reason });
        tx.audit(viewer, "group_booking.cancel", class.id, None, Some(what))
            .await?;
    }
    if !ended.is_empty() {
        tx.announce(LiveEvent::GroupPlacesChanged { event_id: event.id });
    }
    Ok(ended.into_iter().map(|class| class.id).collect())
}

/// The classes with places at each of these events, as far as `viewer` manages them, in the order of their booking.
pub async fn groups(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[EventId],
) -> Result<HashMap<EventId, Vec<group_booking::Model>>> {
    let rows = group_booking::Entity::find()
        .join(JoinType::InnerJoin, to_event())
        .filter(group_booking::Column::EventId.is_in(ids.iter().copied()))
        .filter(managed_by(viewer))
        .order_by_asc(group_booking::Column::Id)
        .all(db)
        .await?;
    let mut found: HashMap<EventId, Vec<group_booking::Model>> = HashMap::new();
    for row in rows {
        found.entry(row.event_id).or_default().push(row);
    }
    Ok(found)
}

fn to_event() -> RelationDef {
    group_booking::Entity::belongs_to(event::Entity)
        .from(group_booking::Column::EventId)
        .to(event::Column::Id)
        .into()
}
