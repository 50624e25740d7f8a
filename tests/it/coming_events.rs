//! What is coming, once a week, to those who asked for it, and of no event twice (policy 1).

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Viewer,
    coming_events::{DigestComingEvents, post_coming_events},
    event::{AudienceGroup, EventDraft},
    notice::{self, Channel, Topic},
    organisation::{self, Profile},
};
use entity::{
    delivery,
    event::{EventKind, Model},
    ids::{FacultyId, OrganisationId, UserId},
    notice_choice, user,
};
use reqwest::{Method, StatusCode};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use support::{Desk, on_both_columns, until};

use crate::campus::Campus;

const PATIENCE: Duration = Duration::from_secs(30);

async fn wants_it(campus: &Campus, person: &Viewer, channel: Channel) {
    let id = person.user_id().unwrap();
    campus
        .change(async |tx| notice::choose(tx, id, &[(Topic::ComingEvents, channel)]).await)
        .await
        .unwrap();
}

async fn a_week(campus: &Campus) {
    campus
        .change(async |tx| tx.enqueue(&DigestComingEvents::default(), None).await)
        .await
        .unwrap();
    campus.run_jobs().await;
}

async fn digests_to(campus: &Campus, person: &Viewer) -> Vec<delivery::Model> {
    let letters = campus.letters().await;
    letters
        .into_iter()
        .filter(|letter| letter.template == "coming_events" && letter.user_id == person.user_id())
        .collect()
}

/// The titles of the events in each digest that somebody was sent.
async fn told(campus: &Campus, person: &Viewer) -> Vec<Vec<String>> {
    let titles = |letter: delivery::Model| {
        let events = letter.fields["events"].as_array().unwrap().clone();
        events
            .iter()
            .map(|event| event["title"].as_str().unwrap().to_owned())
            .collect()
    };
    digests_to(campus, person)
        .await
        .into_iter()
        .map(titles)
        .collect()
}

async fn titled(campus: &Campus, title: &str, edit: impl FnOnce(&mut EventDraft)) -> Model {
    campus
        .event_with(5, |draft| {
            title.clone_into(&mut draft.title);
            edit(draft);
        })
        .await
}

fn of(faculty: FacultyId) -> Vec<AudienceGroup> {
    vec![AudienceGroup {
        faculty_id: Some(faculty),
        ..AudienceGroup::default()
    }]
}

pub async fn organisation_in(campus: &Campus, name: &str, sector: &str) -> OrganisationId {
    let profile = Profile {
        sector: Some(sector.to_owned()),
        ..Profile::named(name)
    };
    let made = campus
        .change(async |tx| organisation::create(tx, &Viewer::system(), profile, true).await)
        .await;
    made.unwrap().id
}

/// Somebody who signs in for an organisation.
pub async fn employer_at(campus: &Campus, name: &str, organisation_id: OrganisationId) -> Viewer {
    let person = campus.student(name).await;
    let made = campus
        .change(async |tx| {
            domain::contact::create(
                tx,
                &Viewer::system(),
                organisation_id,
                domain::contact::Profile::named(name),
            )
            .await
        })
        .await
        .unwrap();
    let mut row = account(campus, person.user_id().unwrap())
        .await
        .into_active_model();
    row.kind = Set(user::UserKind::Employer);
    row.contact_id = Set(Some(made.id));
    row.update(campus.store.reader()).await.unwrap();
    campus.again(&person).await
}

async fn account(campus: &Campus, id: UserId) -> user::Model {
    user::Entity::find_by_id(id)
        .one(campus.store.reader())
        .await
        .unwrap()
        .unwrap()
}

on_both_columns! {
    async fn students_who_ask_read_of_what_they_can_book_and_of_no_event_twice(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let (ann, silent) = (campus.student_of("ann", law).await, campus.student_of("silent", law).await);
        wants_it(&campus, &ann, Channel::MailAtOnce).await;
        let everybody = titled(&campus, "For everybody", |_| {}).await;
        titled(&campus, "For lawyers", |draft| draft.audience = of(law)).await;
        titled(&campus, "For musicians", |draft| draft.audience = of(music)).await;
        titled(&campus, "For staff", |draft| draft.kind = EventKind::Training).await;
        titled(&campus, "In two months", |draft| {
            draft.starts_at += TimeDelta::days(60);
            draft.ends_at += TimeDelta::days(60);
        }).await;
        campus.change(async |tx| {
            let draft = EventDraft { title: "A draft".to_owned(), ..campus.draft(5) };
            domain::event::create(tx, &campus.operator, draft).await
        }).await.unwrap();
        campus.book(&ann, everybody.id).await.unwrap();
        a_week(&campus).await;
        assert_eq!(told(&campus, &ann).await, [["For lawyers"]], "what is booked is known");
        assert_eq!(told(&campus, &silent).await.len(), 0, "nobody gets it who did not ask");

        // The same week again, and the next without anything new: no second mail for one event.
        a_week(&campus).await;
        campus.clock.advance(TimeDelta::days(3));
        titled(&campus, "One more", |_| {}).await;
        a_week(&campus).await;
        assert_eq!(told(&campus, &ann).await.len(), 1, "one mail a week");
        campus.clock.advance(TimeDelta::days(4));
        a_week(&campus).await;
        let all = told(&campus, &ann).await;
        assert_eq!(all[1..], [["One more"]], "{all:?}");
        campus.clock.advance(TimeDelta::days(7));
        a_week(&campus).await;
        assert_eq!(told(&campus, &ann).await.len(), 2, "a week without news has no mail");
    }

    async fn staff_read_of_their_faculty_and_employers_of_their_sector(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let lawyer = campus.operator_of("lara", law).await;
        let (wind, waves, bank) = (
            organisation_in(&campus, "Windward", "Energy").await,
            organisation_in(&campus, "Wave Works", "energy ").await,
            organisation_in(&campus, "Old Bank", "Finance").await,
        );
        let employer = employer_at(&campus, "emma", wind).await;
        for person in [&lawyer, &employer] {
            wants_it(&campus, person, Channel::MailAtOnce).await;
        }
        titled(&campus, "Law fair", |draft| {
            draft.kind = EventKind::CareersFair;
            draft.audience = of(law);
        }).await;
        titled(&campus, "Music talk", |draft| {
            draft.audience = of(music);
            draft.organisation_ids = vec![waves];
        }).await;
        titled(&campus, "Bank talk", |draft| {
            draft.audience = of(music);
            draft.organisation_ids = vec![bank];
        }).await;
        titled(&campus, "Their own talk", |draft| {
            draft.audience = of(music);
            draft.starts_at += TimeDelta::days(1);
            draft.ends_at += TimeDelta::days(1);
            draft.organisation_ids = vec![wind];
        }).await;
        a_week(&campus).await;
        assert_eq!(told(&campus, &lawyer).await, [["Law fair"]]);
        let mut of_sector = told(&campus, &employer).await.pop().unwrap();
        of_sector.sort();
        assert_eq!(of_sector, ["Law fair", "Music talk"]);
    }

    async fn the_digest_is_ended_by_one_click_and_looking_ends_nothing(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let ann = campus.student("ann").await;
        wants_it(&campus, &ann, Channel::MailAtOnce).await;
        titled(&campus, "For everybody", |_| {}).await;
        campus.change(async |tx| tx.enqueue(&DigestComingEvents::default(), None).await).await.unwrap();
        let raw = until(PATIENCE, "the digest comes", async || {
            let mails = bed.mail().received();
            mails.iter().find(|mail| String::from_utf8_lossy(&mail.raw).contains("What is coming")).map(|mail| mail.raw.clone())
        })
        .await;
        let mail = mail_parser::MessageParser::default().parse(&raw).unwrap();
        assert_eq!(mail.header_raw("List-Unsubscribe-Post").map(str::trim), Some("List-Unsubscribe=One-Click"));
        let header = mail.header_raw("List-Unsubscribe").unwrap().trim().trim_matches(['<', '>']).to_owned();
        let path = format!("/unsubscribe/events/{}", header.split("/unsubscribe/events/").nth(1).unwrap());
        let text = mail.body_text(0).unwrap();
        assert!(text.contains("For everybody") && text.contains(&path), "{text}");

        let chosen = async || {
            let row = notice_choice::Entity::find_by_id((ann.user_id().unwrap(), Topic::ComingEvents));
            row.one(campus.store.reader()).await.unwrap().unwrap().channel
        };
        let page = system.client().get(&path).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(chosen().await, Channel::MailAtOnce);
        for _ in 0..2 {
            let post = system.client().request(Method::POST, &path);
            let form = post.header("Content-Type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click");
            assert_eq!(form.send().await.unwrap().status(), StatusCode::OK);
            assert_eq!(chosen().await, Channel::None);
        }
        let altered = path.replace("/events/", "/events/A");
        let refused = system.client().request(Method::POST, &altered).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::NOT_FOUND);
        system.stop().await;
        campus.clock.advance(TimeDelta::days(7));
        titled(&campus, "News", |_| {}).await;
        a_week(&campus).await;
        assert_eq!(told(&campus, &ann).await.len(), 1);
    }

    async fn thirty_readers_take_no_more_statements_than_two(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        for title in ["Law fair", "Music fair", "Open evening"] {
            titled(&campus, title, |_| {}).await;
        }
        let desk = Desk::open(&bed).await;
        let mut statements = Vec::new();
        let mut readers = Vec::new();
        for number in [2, 30] {
            while readers.len() < number {
                let reader = campus.student(&format!("reader{}", readers.len())).await;
                let channel = if readers.len() % 2 == 0 { Channel::MailAtOnce } else { Channel::DailyDigest };
                wants_it(&campus, &reader, channel).await;
                readers.push(reader);
            }
            let before = desk.statements();
            let mut tx = desk.store().begin().await.unwrap();
            let written = post_coming_events(&mut tx, DigestComingEvents::default()).await.unwrap();
            assert_eq!(written, number);
            statements.push(desk.statements() - before);
        }
        // The control: statements are counted at all.
        assert!(statements[0] > 5, "{statements:?}");
        assert_eq!(statements[0], statements[1]);
    }
}
