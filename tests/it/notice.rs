//! Notices: everybody chooses by topic what comes at once, what in the daily digest and what not at all.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    RefusalCode, Store, Viewer,
    clash::Acknowledgement,
    event::{self as events, EventDraft},
    event_sharing,
    mail::Letter,
    notice::{self, Channel, DigestNotices, Told, Topic},
    organisation,
};
use entity::{
    delivery,
    event::EventKind,
    kept_notice,
    user::{self, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};
use serde_json::json;
use support::{TestBed, on_both_columns, until};
use worker::{
    engine::{Engine, EngineConfig, EngineSignals, Registry},
    services::Services,
};

use crate::{
    campus::{Campus, codes},
    delivered::told as told_by_mail,
};

async fn account(store: &Store, person: &Viewer) -> user::Model {
    let id = person.user_id().unwrap();
    let found = user::Entity::find_by_id(id).one(store.reader()).await;
    found.unwrap().unwrap()
}

/// Tells somebody something that they are told of once for each `purpose`.
async fn tell(campus: &Campus, person: &Viewer, topic: Topic, purpose: &str) -> Told {
    let account = account(&campus.store, person).await;
    let purpose = format!("{purpose}/{}", account.id);
    let fields = json!({ "verify_link": "/verify", "expires_at": campus.store.now() });
    let letter = Letter::to_account(&account, "verify_email", purpose, fields).unwrap();
    campus
        .change(async |tx| notice::tell(tx, account.id, topic, letter).await)
        .await
        .unwrap()
}

async fn choose(
    campus: &Campus,
    person: &Viewer,
    topic: Topic,
    channel: Channel,
) -> domain::Result<()> {
    let id = person.user_id().unwrap();
    campus
        .change(async |tx| notice::choose(tx, id, &[(topic, channel)]).await)
        .await
}

/// The digests that were posted to somebody, as the number of notices in each.
async fn digests(campus: &Campus, person: &Viewer) -> Vec<usize> {
    let letters = campus.letters().await;
    letters
        .iter()
        .filter(|letter| letter.template == "daily_digest" && letter.user_id == person.user_id())
        .map(|letter| letter.fields["notices"].as_array().unwrap().len())
        .collect()
}

/// Moves the clock and runs the digest job, as the timetable would.
async fn digest_at(campus: &Campus, moment: DateTime<Utc>) {
    campus.clock.set(moment);
    campus
        .change(async |tx| tx.enqueue(&DigestNotices {}, None).await)
        .await
        .unwrap();
    let engine = Engine::new(
        campus.store.clone(),
        EngineSignals::memory(),
        Registry::default().with::<DigestNotices>(),
        Services::default(),
        EngineConfig::default(),
    );
    engine.run_due().await.unwrap();
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The templates of what waits for somebody's digest.
async fn kept_for(campus: &Campus, person: &Viewer) -> Vec<String> {
    kept_notice::Entity::find()
        .filter(kept_notice::Column::UserId.eq(person.user_id().unwrap()))
        .order_by_asc(kept_notice::Column::Id)
        .all(campus.store.reader())
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.template)
        .collect()
}

on_both_columns! {
    async fn what_is_asked_and_answered_about_sharing_an_event_comes_as_its_reader_chose(bed: TestBed) {
        for (channel, by_mail, in_digest) in [
            (Channel::MailAtOnce, true, false),
            (Channel::DailyDigest, false, true),
            (Channel::None, false, false),
        ] {
            let bed = TestBed::new(bed.column()).await;
            let campus = Campus::new(&bed).await;
            let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
            let lawyer = campus.operator_of("lara", law).await;
            let musician = campus.operator_of("mia", music).await;
            for reader in [&lawyer, &musician] {
                choose(&campus, reader, Topic::Event, channel).await.unwrap();
            }
            let draft = EventDraft { faculty_id: Some(law), ..campus.draft(10) };
            let event = campus.change(async |tx| events::create(tx, &lawyer, draft).await).await.unwrap();
            let asked = campus
                .change(async |tx| event_sharing::request(tx, &lawyer, event.id, music, "Ten places are free.").await)
                .await
                .unwrap();
            campus.change(async |tx| event_sharing::answer(tx, &musician, asked.id, true, None).await).await.unwrap();
            let expected = |is: bool, template: &str| if is { vec![template.to_owned()] } else { vec![] };
            for (reader, template) in [(&musician, "event_sharing_requested"), (&lawyer, "event_sharing_answered")] {
                assert_eq!(campus.mails_to(reader).await, expected(by_mail, template), "{channel:?}");
                assert_eq!(kept_for(&campus, reader).await, expected(in_digest, template), "{channel:?}");
            }
        }
    }

    async fn that_a_clash_was_acknowledged_comes_as_its_reader_chose(bed: TestBed) {
        for (channel, by_mail, in_digest) in [
            (Channel::MailAtOnce, 1, 0),
            (Channel::DailyDigest, 0, 1),
            (Channel::None, 0, 0),
        ] {
            let bed = TestBed::new(bed.column()).await;
            let campus = Campus::new(&bed).await;
            let law = campus.faculty("Law").await;
            let other = campus.operator_of("lara", law).await;
            choose(&campus, &other, Topic::Event, channel).await.unwrap();
            let profile = organisation::Profile::named("Acme");
            let acme = campus
                .change(async |tx| organisation::create(tx, &Viewer::system(), profile, true).await)
                .await
                .unwrap();
            let presentation = |faculty_id| EventDraft {
                kind: EventKind::EmployerPresentation,
                organisation_ids: vec![acme.id],
                faculty_id,
                ..campus.draft(10)
            };
            let theirs = campus.change(async |tx| events::create(tx, &other, presentation(Some(law))).await).await.unwrap();
            campus.change(async |tx| events::publish(tx, &other, theirs.id).await).await.unwrap();
            let ours = campus
                .change(async |tx| events::create(tx, &campus.operator, presentation(None)).await)
                .await
                .unwrap();
            let known = Acknowledgement { event_id: theirs.id, reason: "No other evening is free.".to_owned() };
            campus
                .change(async |tx| events::publish_knowing(tx, &campus.operator, ours.id, &[known]).await)
                .await
                .unwrap();
            let about = |templates: Vec<String>| templates.iter().filter(|name| *name == "clash_acknowledged").count();
            assert_eq!(about(campus.mails_to(&other).await), by_mail, "{channel:?}");
            assert_eq!(about(kept_for(&campus, &other).await), in_digest, "{channel:?}");
        }
    }

    async fn a_notice_comes_as_its_reader_chose_and_once(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let staff = campus.staff("sam").await;
        let other = campus.staff("una").await;
        for (channel, expected) in [
            (Channel::MailAtOnce, Told::AtOnce),
            (Channel::DailyDigest, Told::Kept),
            (Channel::None, Told::Nothing),
        ] {
            choose(&campus, &staff, Topic::Event, channel).await.unwrap();
            let purpose = format!("{channel:?}");
            assert_eq!(tell(&campus, &staff, Topic::Event, &purpose).await, expected, "{channel:?}");
        }
        // Whatever they choose later, they are not told the same again.
        choose(&campus, &staff, Topic::Event, Channel::MailAtOnce).await.unwrap();
        assert_eq!(tell(&campus, &staff, Topic::Event, "MailAtOnce").await, Told::Nothing);
        assert_eq!(tell(&campus, &staff, Topic::Event, "DailyDigest").await, Told::Nothing);
        choose(&campus, &staff, Topic::Event, Channel::DailyDigest).await.unwrap();
        assert_eq!(tell(&campus, &staff, Topic::Event, "MailAtOnce").await, Told::Nothing);
        // Another's choices are their own.
        assert_eq!(tell(&campus, &other, Topic::Event, "MailAtOnce").await, Told::AtOnce);
        assert_eq!(campus.mails_to(&staff).await, ["verify_email"]);
        assert_eq!(campus.mails_to(&other).await, ["verify_email"]);
    }

    async fn security_and_the_lapse_of_access_can_not_be_switched_off(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let staff = campus.staff("sam").await;
        for (topic, channel) in [
            (Topic::Security, Channel::None),
            (Topic::Security, Channel::DailyDigest),
            (Topic::Access, Channel::None),
            (Topic::PolicyChange, Channel::None),
            (Topic::Liaison, Channel::None),
        ] {
            assert_eq!(codes(choose(&campus, &staff, topic, channel).await), [RefusalCode::Invalid], "{topic:?}");
        }
        choose(&campus, &staff, Topic::Access, Channel::DailyDigest).await.unwrap();
        assert_eq!(tell(&campus, &staff, Topic::Access, "lapse").await, Told::Kept);
        assert_eq!(tell(&campus, &staff, Topic::Security, "sign-in").await, Told::AtOnce);
        // The control: what can be switched off is.
        choose(&campus, &staff, Topic::Suggestion, Channel::None).await.unwrap();
        assert_eq!(tell(&campus, &staff, Topic::Suggestion, "filed").await, Told::Nothing);
    }

    async fn a_digest_comes_once_a_day_at_seven_with_what_was_kept(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (staff, other) = (campus.staff("sam").await, campus.staff("una").await);
        tell(&campus, &staff, Topic::Engagement, "one").await;
        tell(&campus, &staff, Topic::Engagement, "two").await;
        tell(&campus, &other, Topic::Engagement, "one").await;

        // In summer, seven in London is six in UTC.
        digest_at(&campus, at("2026-10-06T05:59:00Z")).await;
        assert_eq!(digests(&campus, &staff).await, [0; 0], "it is not seven yet");
        digest_at(&campus, at("2026-10-06T06:00:00Z")).await;
        assert_eq!(digests(&campus, &staff).await, [2]);
        assert_eq!(digests(&campus, &other).await, [1]);

        // What is kept after seven waits for the next day, however often the job runs.
        tell(&campus, &staff, Topic::Engagement, "three").await;
        for hour in 7..=21 {
            digest_at(&campus, at(&format!("2026-10-06T{hour:02}:00:00Z"))).await;
        }
        assert_eq!(digests(&campus, &staff).await, [2]);
        digest_at(&campus, at("2026-10-07T06:00:00Z")).await;
        assert_eq!(digests(&campus, &staff).await, [2, 1]);
        // A day without notices has no digest.
        digest_at(&campus, at("2026-10-08T06:00:00Z")).await;
        assert_eq!((digests(&campus, &staff).await, digests(&campus, &other).await), (vec![2, 1], vec![1]));
    }

    async fn there_is_one_digest_a_day_over_both_changes_of_the_clocks(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let staff = campus.staff("sam").await;
        for (change, first_seven) in [("2026-10-24", "06:00"), ("2027-03-27", "07:00")] {
            let before = digests(&campus, &staff).await.len();
            let start = at(&format!("{change}T{first_seven}:00Z")) - TimeDelta::hours(7);
            // Something is kept every hour of three days, and the job runs every hour.
            for hour in 0..72 {
                digest_at(&campus, start + TimeDelta::hours(hour)).await;
                campus.clock.advance(TimeDelta::minutes(30));
                tell(&campus, &staff, Topic::Engagement, &format!("{change}/{hour}")).await;
            }
            let sizes = digests(&campus, &staff).await.split_off(before);
            // The night of the change is an hour longer, or an hour shorter.
            let expected = if first_seven == "06:00" { [7, 25, 24] } else { [7, 23, 24] };
            assert_eq!(sizes[..3], expected, "{change}");
            campus.clock.advance(TimeDelta::days(1));
            digest_at(&campus, campus.store.now()).await;
        }
    }

    async fn a_digest_that_comes_late_has_what_belongs_to_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let staff = campus.staff("sam").await;
        tell(&campus, &staff, Topic::Engagement, "before seven").await;
        campus.clock.set(at("2026-10-06T09:30:00Z"));
        tell(&campus, &staff, Topic::Engagement, "after seven").await;
        // The workers were away at seven.
        digest_at(&campus, at("2026-10-06T10:00:00Z")).await;
        assert_eq!(digests(&campus, &staff).await, [1]);
    }

    async fn two_runs_at_once_write_one_digest(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let mut staff = Vec::new();
        for at in 0..20 {
            let person = campus.staff(&format!("staff{at}")).await;
            tell(&campus, &person, Topic::Engagement, "one").await;
            staff.push(person);
        }
        campus.clock.set(at("2026-10-06T06:00:00Z"));
        let run = async || campus.change(async |tx| notice::post_digests(tx).await).await.unwrap();
        let (one, two, three) = tokio::join!(run(), run(), run());
        assert_eq!(one + two + three, 20);
        for person in &staff {
            assert_eq!(digests(&campus, person).await, [1]);
        }
    }

    async fn who_may_not_sign_in_gets_no_digest(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (staff, gone) = (campus.staff("sam").await, campus.staff("una").await);
        tell(&campus, &staff, Topic::Engagement, "one").await;
        tell(&campus, &gone, Topic::Engagement, "one").await;
        let mut account = account(&campus.store, &gone).await.into_active_model();
        account.state = Set(UserState::Suspended);
        account.update(campus.store.reader()).await.unwrap();
        digest_at(&campus, at("2026-10-06T06:00:00Z")).await;
        assert_eq!(digests(&campus, &staff).await, [1]);
        assert_eq!(digests(&campus, &gone).await, [0; 0]);
    }

    async fn a_digest_arrives_with_the_words_of_every_notice_in_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let accounts = user::Entity::find().all(store.reader()).await.unwrap();
        let operator = accounts.iter().find(|account| account.email.starts_with("operator@")).unwrap();
        let mut tx = store.begin().await.unwrap();
        for number in 1..=2 {
            let fields = json!({ "verify_link": format!("/verify/{number}"), "expires_at": store.now() });
            let letter = Letter::to_account(operator, "verify_email", format!("test/{number}"), fields).unwrap();
            assert_eq!(notice::tell(&mut tx, operator.id, Topic::Engagement, letter).await.unwrap(), Told::Kept);
        }
        tx.commit().await.unwrap();
        bed.clock().set(at("2026-10-06T06:00:00Z"));
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&DigestNotices {}, None).await.unwrap();
        tx.commit().await.unwrap();
        until(Duration::from_secs(20), "the digest arrives", async || {
            (!told_by_mail(&bed, "Your MyCareer digest of Tuesday 6 October 2026: 2 notices").is_empty()).then_some(())
        })
        .await;
        let mails = bed.mail().received();
        let parser = mail_parser::MessageParser::default();
        let mail = parser.parse(&mails.last().unwrap().raw).unwrap();
        let text = mail.body_text(0).unwrap();
        assert!(text.contains("/verify/1") && text.contains("/verify/2"), "{text}");
        let posted = delivery::Entity::find().all(store.reader()).await.unwrap();
        assert_eq!(posted.iter().filter(|mail| mail.template == "daily_digest").count(), 1);
    }
}
