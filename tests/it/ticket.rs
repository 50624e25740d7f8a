//! Tickets as they arrive: a code for the door and a file for the calendar, and what follows when the event changes (policy 2.4).

use std::time::Duration;

use chrono::TimeDelta;
use domain::event::{self as events, EventChanges};
use entity::event::WaitingListMode;
use image::ImageFormat;
use mail_parser::{Message, MessageParser, MimeHeaders};
use rqrr::PreparedImage;
use serde_json::{Value, json};
use support::{Client, TestBed, calendar::Calendar, on_both_columns, until};

use crate::campus::Campus;

const PATIENCE: Duration = Duration::from_secs(20);
const LINK: &str = "https://meet.example.org/secret-room";

const BOOK: &str = "mutation($id: ID!) {
    bookEvent(input: { eventId: $id }) { booking { id ticketCode } userErrors { code message } } }";

/// The mails to a demo account with this in their subject, in the order of their arrival.
pub fn mails(bed: &TestBed, mailbox: &str, subject: &str) -> Vec<Vec<u8>> {
    let address = format!("{mailbox}@{}", api::demo::DOMAIN);
    let parser = MessageParser::default();
    let has_subject = |raw: &[u8]| {
        let mail = parser.parse(raw);
        mail.is_some_and(|mail| mail.subject().is_some_and(|found| found.contains(subject)))
    };
    bed.mail()
        .received()
        .iter()
        .filter(|mail| mail.to.contains(&address) && has_subject(&mail.raw))
        .map(|mail| mail.raw.clone())
        .collect()
}

pub async fn mail(bed: &TestBed, mailbox: &str, subject: &str) -> Vec<u8> {
    until(PATIENCE, subject, async || {
        mails(bed, mailbox, subject).pop()
    })
    .await
}

pub fn parsed(raw: &[u8]) -> Message<'_> {
    MessageParser::default().parse(raw).unwrap()
}

/// The one calendar file of a mail.
pub fn calendar(raw: &[u8]) -> Option<Calendar> {
    let mail = parsed(raw);
    let files: Vec<&[u8]> = mail
        .parts
        .iter()
        .filter(|part| part.attachment_name() == Some("event.ics"))
        .map(mail_parser::MessagePart::contents)
        .collect();
    assert!(files.len() <= 1);
    let calendar = Calendar::read(std::str::from_utf8(files.first()?).unwrap());
    assert_eq!(calendar.method.as_deref(), Some("PUBLISH"));
    assert_eq!(calendar.events.len(), 1);
    Some(calendar)
}

/// What a reader at the door makes of the picture in a mail.
fn code(raw: &[u8]) -> String {
    let mail = parsed(raw);
    let picture = mail
        .parts
        .iter()
        .find(|part| part.content_id() == Some("code"))
        .unwrap();
    assert!(
        mail.body_html(0).unwrap().contains("cid:code"),
        "the HTML shows it"
    );
    let picture = image::load_from_memory_with_format(picture.contents(), ImageFormat::Png)
        .unwrap()
        .to_luma8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut prepared = PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        picture
            .get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap())
            .0[0]
    });
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

pub async fn book(student: &Client, event: &str) -> Value {
    let mut booked = student.data(BOOK, json!({ "id": event })).await;
    assert_eq!(booked["bookEvent"]["userErrors"], json!([]));
    booked["bookEvent"]["booking"].take()
}

on_both_columns! {
    async fn a_ticket_has_a_code_that_the_door_reads_and_the_event_for_the_calendar(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let event = campus.event_with(2, |draft| draft.online_link = Some(LINK.to_owned())).await;
        let student = system.demo_client("student1").await;
        let booking = book(&student, &event.id.to_string()).await;
        let raw = mail(&bed, "student1", "You are booked").await;
        let file = calendar(&raw).unwrap();
        let entry = file.event("CV workshop");
        assert_eq!((entry.status.as_str(), entry.transp.as_str()), ("CONFIRMED", "OPAQUE"));
        assert_eq!(entry.location.as_deref(), Some(LINK));
        assert_eq!(entry.uid, format!("{}@mycareer.invalid", event.id));

        let read = code(&raw);
        assert_eq!(read, booking["ticketCode"].as_str().unwrap().replace('-', ""));
        bed.clock().set(event.starts_at);
        let marked = system
            .demo_client("operator")
            .await
            .data(
                "mutation($code: String!) { checkIn(input: { ticketCode: $code }) {
                    booking { state } userErrors { code } } }",
                json!({ "code": read }),
            )
            .await;
        assert_eq!(marked["checkIn"]["booking"]["state"], "ATTENDED", "{marked}");
    }

    async fn a_move_brings_a_new_file_and_a_cancellation_takes_the_event_out_of_the_calendar(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let event = campus.event_with(1, |draft| draft.waiting_list_mode = WaitingListMode::Automatic).await;
        let id = event.id.to_string();
        let (first, second) = (system.demo_client("student1").await, system.demo_client("student2").await);
        book(&first, &id).await;
        book(&second, &id).await;
        let ticket = calendar(&mail(&bed, "student1", "You are booked").await).unwrap();
        assert!(calendar(&mail(&bed, "student2", "waiting list").await).is_none(), "who waits has nothing to keep free");

        bed.clock().advance(TimeDelta::hours(1));
        let changes = EventChanges {
            starts_at: Some(event.starts_at + TimeDelta::minutes(30)),
            venue: Some(Some("Great Hall".to_owned())),
            ..EventChanges::default()
        };
        campus.update(&event, changes).await;
        let moved = calendar(&mail(&bed, "student1", "Changed: CV workshop").await).unwrap();
        let (was, is) = (ticket.event("CV workshop"), moved.event("CV workshop"));
        assert_eq!((&is.uid, is.location.as_deref()), (&was.uid, Some("Great Hall")));
        assert!(is.sequence > was.sequence && is.stamp > was.stamp && is.starts > was.starts);
        assert!(calendar(&mail(&bed, "student2", "Changed: CV workshop").await).is_none());

        campus
            .change(async |tx| events::cancel(tx, &campus.operator, event.id, "The speaker is ill.").await)
            .await
            .unwrap();
        let cancelled = calendar(&mail(&bed, "student1", "Cancelled: ").await).unwrap();
        let gone = cancelled.event("CV workshop");
        assert_eq!((gone.status.as_str(), &gone.uid), ("CANCELLED", &was.uid));
        assert!(gone.sequence > is.sequence);
        assert!(calendar(&mail(&bed, "student2", "Cancelled: ").await).is_none());
    }

    async fn whoever_cancels_has_it_taken_out_and_whoever_gets_the_place_has_it_put_in(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let id = event.id.to_string();
        let (first, second) = (system.demo_client("student1").await, system.demo_client("student2").await);
        let booking = book(&first, &id).await;
        book(&second, &id).await;
        let cancel = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id }) { booking { state } userErrors { code } } }";
        first.data(cancel, json!({ "id": booking["id"] })).await;
        let out = calendar(&mail(&bed, "student1", "Cancelled: ").await).unwrap();
        assert_eq!(out.event("CV workshop").status, "CANCELLED");
        let raw = mail(&bed, "student2", "You have a place").await;
        assert_eq!(calendar(&raw).unwrap().event("CV workshop").status, "CONFIRMED");
        assert_eq!(code(&raw).len(), 12);
    }

    async fn the_web_address_of_an_online_event_is_mailed_to_those_with_a_place_alone(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let event = campus
            .event_with(1, |draft| {
                draft.online_link = Some(LINK.to_owned());
                draft.waiting_list_mode = WaitingListMode::Offer;
            })
            .await;
        let id = event.id.to_string();
        let clients = [system.demo_client("student1").await, system.demo_client("student2").await];
        let booking = book(&clients[0], &id).await;
        book(&clients[1], &id).await;
        let has_link = |raw: &[u8]| {
            let mail = parsed(raw);
            [mail.body_text(0), mail.body_html(0)].into_iter().flatten().any(|body| body.contains("secret-room"))
        };
        assert!(has_link(&mail(&bed, "student1", "You are booked").await));
        assert!(!has_link(&mail(&bed, "student2", "waiting list").await));
        let cancel = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id }) { userErrors { code } } }";
        clients[0].data(cancel, json!({ "id": booking["id"] })).await;
        assert!(!has_link(&mail(&bed, "student2", "is held for you").await), "an offer is no place yet");
        assert!(!has_link(&mail(&bed, "student1", "Cancelled: ").await));
    }
}
