//! What people who came say of an event (policy 2.4).

use chrono::TimeDelta;
use domain::{
    Viewer,
    booking::{self as bookings, Ticket},
    feedback::{self, Given},
    register,
};
use entity::{event::Model, event_organisation, user};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Desk, on_both_columns};

use crate::campus::{Campus, codes};
const READ: &str = "query($id: ID!) { node(id: $id) { ... on Event { feedback {
    count averageRating ratings answers { rating good mend person { name } } } } } }";

const IDS: &str =
    "query($id: ID!) { node(id: $id) { ... on Event { feedback { answers { id releasedAt } } } } }";
const RELEASE: &str = "mutation($input: ReleaseFeedbackInput!) { releaseFeedback(input: $input) {
    event { id } userErrors { code } } }";

fn rated(rating: i32) -> Given {
    Given {
        rating,
        good: Some(" The speakers ".to_owned()),
        mend: None,
    }
}

/// An event that these people came to, and its register is closed.
async fn attended(campus: &Campus, people: &[Viewer]) -> Model {
    let event = campus.event(20).await;
    let mut booked = Vec::new();
    for person in people {
        booked.push(campus.book(person, event.id).await.unwrap());
    }
    campus.clock.set(event.starts_at);
    for booking in booked {
        let ticket = Ticket::Booking(booking.id);
        campus
            .change(async |tx| bookings::check_in(tx, &campus.operator, ticket).await)
            .await
            .unwrap();
    }
    campus.clock.set(event.ends_at);
    campus
        .change(async |tx| register::close_register(tx, &campus.operator, event.id, false).await)
        .await
        .unwrap();
    campus.event_now(event.id).await
}

async fn give(
    campus: &Campus,
    person: &Viewer,
    event: &Model,
    given: Given,
) -> domain::Result<Model> {
    campus
        .change(async |tx| feedback::give(tx, person, event.id, given).await)
        .await
}

async fn asked(campus: &Campus) -> usize {
    campus
        .letters()
        .await
        .iter()
        .filter(|letter| letter.template == "feedback_request")
        .count()
}

on_both_columns! {
    async fn those_who_came_are_asked_once_after_the_register_is_closed(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let people = campus.students(2).await;
        let absent = campus.student("absent").await;
        let event = attended(&campus, &people).await;
        campus.run_jobs().await;
        assert_eq!(asked(&campus).await, 2);
        assert!(!campus.mails_to(&absent).await.contains(&"feedback_request".to_owned()));
        campus.change(async |tx| feedback::ask(tx, event.id).await).await.unwrap();
        assert_eq!(asked(&campus).await, 2, "nobody is asked twice");
    }

    async fn who_was_there_says_how_it_was_once(bed: TestBed) {
        use domain::RefusalCode::{Invalid, Taken, WrongState};
        let campus = Campus::new(&bed).await;
        let (came, absent) = (campus.student("ann").await, campus.student("bob").await);
        let event = attended(&campus, std::slice::from_ref(&came)).await;
        assert_eq!(codes(give(&campus, &absent, &event, rated(4)).await), [WrongState]);
        for wrong in [0, 6, -1, 70_000] {
            assert_eq!(codes(give(&campus, &came, &event, rated(wrong)).await), [Invalid]);
        }
        give(&campus, &came, &event, rated(4)).await.unwrap();
        assert_eq!(codes(give(&campus, &came, &event, rated(5)).await), [Taken]);
    }

    async fn organisers_read_it_with_names_employers_without_and_never_of_a_few(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let employer = user::Entity::find()
            .filter(user::Column::Email.eq(format!("employer@{}", api::demo::DOMAIN)))
            .one(campus.store.reader())
            .await
            .unwrap()
            .unwrap();
        let employer = Viewer::load(campus.store.reader(), employer.id, None, campus.store.now()).await.unwrap().unwrap();
        system.stop().await;
        let people = campus.students(5).await;
        let event = attended(&campus, &people).await;
        for (person, rating) in people.iter().zip([5, 5, 4, 1]) {
            give(&campus, person, &event, rated(rating)).await.unwrap();
        }
        let desk = Desk::open(&bed).await;
        let read = async |viewer: &Viewer| {
            let (data, _) = desk.data(viewer, READ, json!({ "id": event.id.to_string() })).await;
            data["node"]["feedback"].clone()
        };
        assert_eq!(read(&employer).await, Value::Null, "they took no part in it");
        let takes_part = event_organisation::ActiveModel {
            event_id: Set(event.id),
            organisation_id: Set(employer.person().unwrap().organisation_id.unwrap()),
        };
        event_organisation::Entity::insert(takes_part).exec_without_returning(campus.store.reader()).await.unwrap();
        assert_eq!(read(&employer).await, Value::Null, "four could be told apart");
        campus.clock.advance(TimeDelta::minutes(1));
        give(&campus, &people[4], &event, rated(2)).await.unwrap();

        let told = read(&employer).await;
        assert_eq!((&told["count"], &told["averageRating"]), (&json!(5), &json!(3.4)));
        assert_eq!(told["ratings"], json!([1, 1, 0, 1, 2]));
        assert_eq!(told["answers"][0], json!({ "rating": 2, "good": null, "mend": null, "person": null }), "no words by themselves");
        assert!(!told.to_string().contains("student"), "{told}");
        let organiser = read(&campus.again(&campus.operator).await).await;
        assert_eq!(organiser["answers"][0]["person"]["name"], "student5");
        assert_eq!(organiser["answers"][0]["good"], "The speakers");

        // Once an organiser has read the words and released them, the employer reads them, and no others.
        let operator = campus.again(&campus.operator).await;
        let (ids, _) = desk.data(&operator, IDS, json!({ "id": event.id })).await;
        let id = ids["node"]["feedback"]["answers"][0]["id"].clone();
        let (law, input) = (campus.faculty("Law").await, json!({ "input": { "feedbackId": id, "released": true } }));
        let lawyer = campus.operator_of("lara", law).await;
        let (hidden, _) = desk.data(&lawyer, RELEASE, input.clone()).await;
        assert_eq!(hidden["releaseFeedback"]["userErrors"][0]["code"], "NOT_FOUND");
        for _ in 0..2 {
            let (released, _) = desk.data(&operator, RELEASE, input.clone()).await;
            assert_eq!(released["releaseFeedback"]["userErrors"], json!([]));
        }
        let told = read(&employer).await;
        assert_eq!((&told["answers"][0]["good"], &told["answers"][1]["good"]), (&json!("The speakers"), &Value::Null));
        let input = json!({ "input": { "feedbackId": id, "released": false } });
        desk.data(&operator, RELEASE, input).await;
        assert_eq!(read(&employer).await["answers"][0]["good"], Value::Null);
    }
}
