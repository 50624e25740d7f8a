//! Answering an offer by the link in its mail (policy 2.4).

use std::time::Duration;

use chrono::TimeDelta;
use domain::Viewer;
use entity::{
    booking::{BookingState, Model},
    event::{self, WaitingListMode},
    user::{self, UserState},
};
use reqwest::{Method, StatusCode};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use support::{System, TestBed, on_both_columns, until};

use crate::campus::Campus;

const PATIENCE: Duration = Duration::from_secs(20);

/// A place that is held for somebody, and the link that they were mailed.
struct Offered {
    campus: Campus,
    system: System,
    event: event::Model,
    person: Viewer,
    booking: Model,
    link: String,
}

async fn offered(bed: &TestBed) -> Offered {
    let system = bed.system().await;
    let campus = Campus::new(bed).await;
    let event = campus
        .event_with(1, |draft| draft.waiting_list_mode = WaitingListMode::Offer)
        .await;
    let people = campus.students(2).await;
    let placed = campus.book(&people[0], event.id).await.unwrap();
    let booking = campus.book(&people[1], event.id).await.unwrap();
    campus.cancel(&people[0], placed.id).await.unwrap();
    let link = link(bed, 1).await;
    Offered {
        person: people[1].clone(),
        campus,
        system,
        event,
        booking,
        link,
    }
}

/// The path of the link in the newest of so many offers that were mailed.
async fn link(bed: &TestBed, offers: usize) -> String {
    until(PATIENCE, "an offer is mailed", async || {
        let mails: Vec<String> = bed
            .mail()
            .received()
            .iter()
            .filter_map(|mail| {
                let parsed = mail_parser::MessageParser::default().parse(&mail.raw)?;
                let is_offer = parsed.subject()?.contains("is held for you");
                is_offer.then(|| parsed.body_text(0).unwrap().into_owned())
            })
            .collect();
        let newest = (mails.len() == offers).then(|| mails.last().unwrap().clone())?;
        let path = newest.split("/offers/").nth(1).unwrap();
        Some(format!(
            "/offers/{}",
            path.split_whitespace().next().unwrap()
        ))
    })
    .await
}

impl Offered {
    async fn answer(&self, answer: &str) -> StatusCode {
        let request = self.system.client().request(Method::POST, &self.link);
        let form = request.header("Content-Type", "application/x-www-form-urlencoded");
        form.body(format!("answer={answer}"))
            .send()
            .await
            .unwrap()
            .status()
    }

    async fn state(&self) -> BookingState {
        self.campus.state(self.booking.id).await
    }
}

on_both_columns! {
    async fn looking_at_the_link_changes_nothing_and_answering_takes_the_place(bed: TestBed) {
        let offer = offered(&bed).await;
        for method in [Method::GET, Method::HEAD] {
            let page = offer.system.client().request(method, &offer.link).send().await.unwrap();
            assert_eq!(page.status(), StatusCode::OK);
        }
        let page = offer.system.client().get(&offer.link).await.text().await.unwrap();
        assert!(page.contains("CV workshop") && page.contains("Take the place"), "{page}");
        assert_eq!(offer.state().await, BookingState::Offered);
        assert_eq!(offer.answer("perhaps").await, StatusCode::BAD_REQUEST);
        assert_eq!(offer.state().await, BookingState::Offered);

        assert_eq!(offer.answer("accept").await, StatusCode::OK);
        assert_eq!(offer.state().await, BookingState::Booked);
        // Neither a second click nor a change of mind does anything.
        assert_eq!(offer.answer("decline").await, StatusCode::NOT_FOUND);
        assert_eq!(offer.state().await, BookingState::Booked);
        assert_eq!(offer.system.client().get(&offer.link).await.status(), StatusCode::NOT_FOUND);
    }

    async fn a_place_that_is_let_go_by_the_link_goes_to_the_next_and_the_link_answers_no_later_offer(bed: TestBed) {
        let offer = offered(&bed).await;
        assert_eq!(offer.answer("decline").await, StatusCode::OK);
        assert_eq!(offer.state().await, BookingState::Cancelled);
        bed.clock().advance(TimeDelta::minutes(1));
        // Somebody else has the place for a while, so that the same person is offered it once more.
        let holder = offer.campus.student("holder").await;
        let placed = offer.campus.book(&holder, offer.event.id).await.unwrap();
        let again = offer.campus.book(&offer.person, offer.event.id).await.unwrap();
        offer.campus.cancel(&holder, placed.id).await.unwrap();
        let newer = link(&bed, 2).await;
        assert_ne!(newer, offer.link);
        assert_eq!(offer.answer("accept").await, StatusCode::NOT_FOUND);
        assert_eq!(offer.campus.state(again.id).await, BookingState::Offered);
    }

    async fn a_link_that_was_altered_has_run_out_or_is_a_suspended_persons_answers_nothing(bed: TestBed) {
        let mut offer = offered(&bed).await;
        let real = offer.link.clone();
        let altered = if real.ends_with('A') { "B" } else { "A" };
        offer.link = format!("{}{altered}", &real[..real.len() - 1]);
        // The last sign of the word may hold bits that say nothing, so one in the middle is altered as well.
        offer.link.replace_range(12..13, if &real[12..13] == "x" { "y" } else { "x" });
        assert_eq!(offer.answer("accept").await, StatusCode::NOT_FOUND);
        offer.link = real;
        let suspend = |state: UserState| {
            user::Entity::update_many()
                .col_expr(user::Column::State, Expr::value(state))
                .filter(user::Column::Id.eq(offer.person.user_id().unwrap()))
        };
        suspend(UserState::Suspended).exec(offer.campus.store.reader()).await.unwrap();
        assert_eq!(offer.answer("accept").await, StatusCode::NOT_FOUND);
        suspend(UserState::Active).exec(offer.campus.store.reader()).await.unwrap();
        assert_eq!(offer.state().await, BookingState::Offered);
        bed.clock().advance(TimeDelta::days(3));
        assert_eq!(offer.answer("accept").await, StatusCode::NOT_FOUND);
        assert_ne!(offer.state().await, BookingState::Booked);
    }
}
