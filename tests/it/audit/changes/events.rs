//! Events, bookings and registers.

use chrono::TimeDelta;
use domain::clock::Clock;
use entity::{access_grant::Permission, booking::BookingState, event_feedback, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::walk::Walk;

pub fn event(walk: &Walk<'_>, title: &str, kind: &str, mode: &str, cut_off: i32) -> Value {
    let starts_at = walk.clock().now() + TimeDelta::hours(2);
    json!({
        "title": title, "kind": kind, "capacity": 1, "waitingListMode": mode, "promotionCutOffMinutes": cut_off,
        "startsAt": starts_at.to_rfc3339(), "endsAt": (starts_at + TimeDelta::hours(1)).to_rfc3339(),
    })
}

async fn published(walk: &mut Walk<'_>, input: Value) -> Value {
    let made = walk
        .call("admin", "createEvent", input, "event { id version }")
        .await;
    let input = json!({ "eventId": made["event"]["id"], "version": made["event"]["version"], "description": "Come." });
    walk.call("admin", "updateEvent", input, "").await;
    walk.call(
        "admin",
        "publishEvent",
        json!({ "eventId": made["event"]["id"] }),
        "",
    )
    .await;
    made["event"]["id"].clone()
}

async fn book(walk: &mut Walk<'_>, who: &str, event: &Value) -> Value {
    let made = walk
        .call(
            who,
            "bookEvent",
            json!({ "eventId": event }),
            "booking { id }",
        )
        .await;
    made["booking"]["id"].clone()
}

pub async fn bookings(walk: &mut Walk<'_>) {
    let offered = event(walk, "Interview practice", "WORKSHOP", "OFFER", 0);
    let id = published(walk, offered).await;
    let (one, two) = (
        book(walk, "student1", &id).await,
        book(walk, "student2", &id).await,
    );
    walk.call("student1", "cancelBooking", json!({ "bookingId": one }), "")
        .await;
    walk.until_booking_is("student2", &two, BookingState::Offered)
        .await;
    walk.call("student2", "acceptOffer", json!({ "bookingId": two }), "")
        .await;
    let three = book(walk, "student3", &id).await;
    walk.call("student2", "cancelBooking", json!({ "bookingId": two }), "")
        .await;
    walk.until_booking_is("student3", &three, BookingState::Offered)
        .await;
    walk.call(
        "student3",
        "declineOffer",
        json!({ "bookingId": three }),
        "",
    )
    .await;

    let by_hand = event(walk, "Letters of application", "WORKSHOP", "AUTOMATIC", 600);
    let id = published(walk, by_hand).await;
    let (one, two) = (
        book(walk, "student1", &id).await,
        book(walk, "student2", &id).await,
    );
    walk.call("student1", "cancelBooking", json!({ "bookingId": one }), "")
        .await;
    walk.call("admin", "promoteBooking", json!({ "eventId": id }), "")
        .await;
    walk.call("admin", "checkIn", json!({ "bookingId": two }), "")
        .await;
    walk.call("admin", "undoCheckIn", json!({ "bookingId": two }), "")
        .await;
    walk.keep("missed", &id);
    walk.keep("who missed", &two);
    let another = event(walk, "An afternoon off", "WORKSHOP", "AUTOMATIC", 0);
    let id = published(walk, another).await;
    walk.call(
        "admin",
        "cancelEvent",
        json!({ "eventId": id, "reason": "Nobody can." }),
        "",
    )
    .await;
}

/// At the door: a list, somebody without a booking, and the list for whoever stands there.
pub async fn door(walk: &mut Walk<'_>) {
    let mut input = event(walk, "Open evening", "WORKSHOP", "AUTOMATIC", 0);
    input["capacity"] = json!(5);
    let id = published(walk, input).await;
    book(walk, "student4", &id).await;
    walk.call("admin", "exportDoorList", json!({ "eventId": id }), "")
        .await;
    let list = format!("student4@{}", api::demo::DOMAIN);
    walk.call(
        "admin",
        "checkInList",
        json!({ "eventId": id, "list": list }),
        "",
    )
    .await;
    let email = format!("student6@{}", api::demo::DOMAIN);
    let input = json!({ "eventId": id, "email": email, "reason": "They speak." });
    walk.call("admin", "checkInWalkIn", input, "").await;
    walk.keep("visited", &id);
    let input = json!({ "eventId": id, "className": "Year 2 Chemistry", "places": 2 });
    let group = walk.call("admin", "bookGroup", input, "group { id }").await;
    let input = json!({ "groupBookingId": group["group"]["id"], "attended": 0 });
    walk.call("admin", "markGroup", input, "").await;
    let input = json!({ "groupBookingId": group["group"]["id"], "reason": "They have an exam." });
    walk.call("admin", "cancelGroup", input, "").await;
    let later = walk.clock().now() + TimeDelta::days(30);
    let input = json!({ "eventId": id, "startsAt": later.to_rfc3339() });
    walk.call("admin", "copyEvent", input, "").await;
    let input = json!({ "eventId": id, "weeklyTimes": 2 });
    walk.call("admin", "repeatEvent", input, "").await;
}

pub async fn calendars(walk: &mut Walk<'_>) {
    for mutation in ["createCalendarFeed", "revokeCalendarFeed"] {
        walk.call_without_input("student1", mutation).await;
    }
}

pub async fn sharing(walk: &mut Walk<'_>) {
    let person = walk.account("untrained").await;
    let own = person.faculty_id.unwrap();
    support::operator::grant(walk.store(), person.id, Permission::ManageEvent, Some(own)).await;
    let mut input = event(walk, "Bridges", "WORKSHOP", "AUTOMATIC", 0);
    input["facultyId"] = json!(own);
    let made = walk
        .call("untrained", "createEvent", input, "event { id }")
        .await;
    let other = walk.another_faculty(own).await;
    let input = json!({ "eventId": made["event"]["id"], "facultyId": other, "message": "Ten places are free." });
    let asked = walk
        .call("untrained", "requestEventSharing", input, "request { id }")
        .await;
    let input = json!({ "sharingRequestId": asked["request"]["id"], "agree": true });
    walk.call("admin", "answerEventSharing", input, "").await;
}

/// What can be done only after an event has begun.
pub async fn registers(walk: &mut Walk<'_>) {
    walk.later(TimeDelta::hours(3)).await;
    let input = json!({ "eventId": walk.id("missed"), "nobodyCame": true });
    walk.call("admin", "closeRegister", input, "").await;
    let input = json!({ "eventId": walk.id("visited"), "rating": 4, "good": "The food." });
    walk.call("student6", "giveFeedback", input, "").await;
    let answer = event_feedback::Entity::find()
        .filter(event_feedback::Column::ReleasedAt.is_null())
        .one(walk.store().reader())
        .await
        .unwrap()
        .unwrap();
    let input = json!({ "feedbackId": answer.id, "released": true });
    walk.call("admin", "releaseFeedback", input, "").await;
    let input = json!({ "bookingId": walk.id("who missed"), "reason": "They were ill." });
    walk.call("admin", "excuseNoShow", input, "").await;
    let student = walk.person("student2").await;
    user::Entity::update_many()
        .col_expr(
            user::Column::BookingBlockedAt,
            Expr::value(walk.clock().now()),
        )
        .filter(user::Column::Id.eq(student))
        .exec(walk.store().reader())
        .await
        .unwrap();
    walk.call(
        "admin",
        "liftBookingBlock",
        json!({ "userId": student }),
        "",
    )
    .await;
}

pub async fn venues(walk: &mut Walk<'_>) {
    let mut made = Vec::new();
    for name in ["Assembly room", "Assembly rm"] {
        let input = json!({ "name": name, "building": "Union", "capacity": 80 });
        let venue = walk
            .call("admin", "createVenue", input, "venue { id version }")
            .await;
        made.push(venue["venue"].clone());
    }
    let input = json!({ "venueId": made[0]["id"], "version": made[0]["version"], "capacity": 90 });
    walk.call("admin", "updateVenue", input, "").await;
    let input = json!({ "venueId": made[0]["id"], "otherIds": [made[1]["id"]] });
    walk.call("admin", "mergeVenues", input, "events").await;
    walk.call(
        "admin",
        "archiveVenue",
        json!({ "venueId": made[0]["id"] }),
        "",
    )
    .await;
}
