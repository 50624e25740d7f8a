//! Who may come to the door: found by name, and as a list to have in hand.

use entity::{
    access_grant::Permission,
    booking::{self, BookingState},
    ids::EventId,
    user,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func},
};
use serde_json::json;

use super::managed;
use crate::{
    booking::{in_state, ticket},
    error::Result,
    group_booking,
    mail::in_university_time,
    spreadsheet::csv,
    store::Tx,
    text::part,
    viewer::Viewer,
};

/// How many people a search by name shows.
const FOUND: u64 = 20;

/// Those with a booking for an event whose name has `name` in it, by name: at most 20, for the door.
pub async fn find_by_name(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_id: EventId,
    name: &str,
) -> Result<Vec<booking::Model>> {
    managed(db, viewer, event_id).await?;
    let lower_name = Expr::expr(Func::lower(Expr::col((user::Entity, user::Column::Name))));
    Ok(booking::Entity::find()
        .inner_join(user::Entity)
        .filter(booking::Column::EventId.eq(event_id))
        .filter(in_state::any(&ON_THE_LIST))
        .filter(lower_name.like(part(&name.trim().to_lowercase())))
        .order_by_asc(user::Column::Name)
        .order_by_asc(booking::Column::Id)
        .limit(FOUND)
        .all(db)
        .await?)
}

/// Who stands on the list for the door.
const ON_THE_LIST: [BookingState; 4] = [
    BookingState::Booked,
    BookingState::Offered,
    BookingState::Attended,
    BookingState::Waiting,
];

/// The list for the door as CSV, for when there is no network: who has a place and who waits, by name, and then the classes.
///
/// It takes personal data out of the system, so it stands in the audit log (policy 3). It has e-mail addresses when the
/// viewer may export contact details; at the door, names and tickets are enough.
pub async fn door_list(tx: &mut Tx, viewer: &Viewer, event_id: EventId) -> Result<String> {
    let event = managed(tx.conn(), viewer, event_id).await?;
    let people = booking::Entity::find()
        .find_also_related(user::Entity)
        .filter(booking::Column::EventId.eq(event.id))
        .filter(in_state::any(&ON_THE_LIST))
        .order_by_asc(user::Column::Name)
        .order_by_asc(booking::Column::Id)
        .all(tx.conn())
        .await?;
    let with_addresses = viewer.has(Permission::ExportContacts);
    let classes = group_booking::with_places(event.id).all(tx.conn()).await?;
    tx.audit(
        viewer,
        "event.export_door_list",
        event.id,
        None,
        Some(json!({
            "people": people.len(),
            "classes": classes.len(),
            "withAddresses": with_addresses,
        })),
    )
    .await?;
    let rows = people.into_iter().filter_map(|(booking, person)| {
        let person = person?;
        let has_code = booking.state != BookingState::Waiting;
        Some([
            person.name,
            person.email,
            if has_code {
                ticket::shown(&booking.ticket_code)
            } else {
                String::new()
            },
            word(booking.state).to_owned(),
            booking
                .checked_in_at
                .map(in_university_time)
                .unwrap_or_default(),
            "1".to_owned(),
        ])
    });
    let of_classes = classes.into_iter().map(|class| {
        [
            class.class_name,
            String::new(),
            String::new(),
            class
                .attended
                .map_or_else(|| "class".to_owned(), |came| format!("class, {came} came")),
            class.marked_at.map(in_university_time).unwrap_or_default(),
            class.places.to_string(),
        ]
    });
    let rows = rows.chain(of_classes);
    if with_addresses {
        csv(
            ["Name", "E-mail", "Ticket", "State", "Checked in", "Places"],
            rows,
        )
    } else {
        let rows =
            rows.map(|[name, _, ticket, state, at, places]| [name, ticket, state, at, places]);
        csv(["Name", "Ticket", "State", "Checked in", "Places"], rows)
    }
}

fn word(state: BookingState) -> &'static str {
    match state {
        BookingState::Attended => "came",
        BookingState::Waiting => "waits",
        BookingState::Offered => "offered",
        _ => "booked",
    }
}
