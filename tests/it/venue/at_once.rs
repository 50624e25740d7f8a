//! What happens to a venue, and to the events there, at the same time (policy 2.4).

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode, Viewer,
    event::{self as events, EventChanges},
    venue::{self as venues, VenueChanges, VenueDraft},
};
use entity::{ids::VenueId, venue::Model};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use support::{Desk, on_both_columns, until};

use super::{CHANGE, MERGE, add, call};
use crate::campus::{Campus, codes};

const PATIENCE: Duration = Duration::from_secs(30);

async fn made(campus: &Campus, name: &str) -> Model {
    let draft = VenueDraft {
        name: name.to_owned(),
        ..VenueDraft::default()
    };
    campus
        .change(async |tx| venues::create(tx, &campus.operator, draft).await)
        .await
        .unwrap()
}

fn called(name: &str) -> VenueChanges {
    VenueChanges {
        name: Some(name.to_owned()),
        ..VenueChanges::default()
    }
}

fn at(venue: VenueId) -> EventChanges {
    EventChanges {
        venue_id: Some(Some(venue)),
        ..EventChanges::default()
    }
}

/// Waits until another change waits for a lock. On SQLite a change waits before it begins.
async fn somebody_waits(campus: &Campus) {
    if campus.store.backend() == DbBackend::Sqlite {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        return;
    }
    until(PATIENCE, "somebody waits for a lock", async || {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let statement = Statement::from_string(DbBackend::Postgres, waiting);
        let row = campus.store.reader().query_one_raw(statement).await.unwrap();
        row.map(|_| ())
    })
    .await;
}

on_both_columns! {
    async fn a_letter_about_a_move_goes_out_when_the_venue_is_spelt_better_or_merged_before_it_is_written(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = &campus.operator;
        let (hall, twin) = (add(&desk, operator, "Gret Hall", "Union", 90).await, add(&desk, operator, "Hall (Great)", "Union", 90).await);
        let id = |venue: &Value| venue["id"].as_str().unwrap().parse().unwrap();
        let (one, two) = (campus.event(5).await, campus.event(5).await);
        let ann = campus.student("ann").await;
        for event in [&one, &two] {
            campus.book(&ann, event.id).await.unwrap();
        }
        // They are moved, and nobody has been told yet.
        campus.update(&one, at(id(&hall))).await;
        campus.update(&two, at(id(&twin))).await;
        let quietly = json!({ "venueId": hall["id"], "version": hall["version"], "name": "Great Hall", "quietly": true });
        assert_eq!(call(&desk, operator, CHANGE, quietly).await["userErrors"], json!([]));
        let merge = json!({ "venueId": hall["id"], "otherIds": [twin["id"]] });
        assert_eq!(call(&desk, operator, MERGE, merge).await["events"], 1);
        campus.run_jobs().await;
        let letters = campus.letters().await;
        let told: Vec<_> = letters.iter().filter(|letter| letter.template == "event_moved").collect();
        assert_eq!(told.len(), 2, "one letter for each move");
        for letter in told {
            assert_eq!(letter.fields["event"]["place"], "Great Hall, Union, City Campus", "as it is called now");
        }

        // The control: of two moves before anybody is told, the second is told of alone.
        let count = async || campus.mails_to(&ann).await.iter().filter(|mail| *mail == "event_moved").count();
        let elsewhere = |place: &str| EventChanges { venue: Some(Some(place.to_owned())), ..EventChanges::default() };
        campus.update(&one, elsewhere("Room 1")).await;
        campus.update(&one, elsewhere("Room 2")).await;
        campus.run_jobs().await;
        assert_eq!(count().await, 3);
    }

    async fn two_who_make_one_of_the_same_venues_crosswise_do_not_wait_for_each_other(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        for round in 0..10 {
            let (one, other) = (made(&campus, &format!("Hall {round}")).await, made(&campus, &format!("Great Hall {round}")).await);
            let merge = async |into: &Model, from: &Model| {
                campus.change(async |tx| venues::merge(tx, &campus.operator, into.id, &[from.id], &[]).await).await
            };
            let (first, second) = tokio::join!(merge(&one, &other), merge(&other, &one));
            let refused = match (first, second) {
                (Ok(_), refused) | (refused, Ok(_)) => codes(refused),
                neither => panic!("{neither:?}"),
            };
            assert_eq!(refused, [RefusalCode::WrongState], "the second finds its venue out of use");
        }
    }

    async fn of_two_who_add_a_venue_of_one_name_at_once_the_second_is_told_that_there_is_one(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        for round in 0..10 {
            let draft = VenueDraft { name: format!("Room {round}"), ..VenueDraft::default() };
            let add = async || {
                let draft = draft.clone();
                campus.change(async |tx| venues::create(tx, &campus.operator, draft).await).await
            };
            let (first, second) = tokio::join!(add(), add());
            let refused = match (first, second) {
                (Ok(_), refused) | (refused, Ok(_)) => refused,
                neither => panic!("{neither:?}"),
            };
            match refused {
                Err(Error::Refused(refusals)) => {
                    assert_eq!((refusals[0].code, refusals[0].field), (RefusalCode::Taken, Some("name")));
                }
                other => panic!("{other:?}"),
            }
            // The same of two that are renamed.
            let rename = async |venue: Model| {
                let changes = called(&format!("Hall {round}"));
                campus.change(async |tx| venues::update(tx, &campus.operator, venue.id, 1, changes, false).await).await
            };
            let (one, other) = (made(&campus, &format!("Attic {round}")).await, made(&campus, &format!("Cellar {round}")).await);
            let (first, second) = tokio::join!(rename(one), rename(other));
            let refused = if first.is_ok() { second } else { first };
            assert_eq!(codes(refused), [RefusalCode::Taken]);
        }
    }

    async fn an_event_that_comes_to_a_venue_while_it_is_renamed_bears_its_new_name(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let operator = &campus.operator;
        let hall = made(&campus, "Great Hall").await;
        let there = campus.event(5).await;
        campus.update(&there, at(hall.id)).await;
        let elsewhere = campus.event(5).await;
        let starts_at = campus.store.now() + TimeDelta::days(30);

        let mut renaming = campus.store.begin().await.unwrap();
        venues::update(&mut renaming, operator, hall.id, 1, called("Brotherton Room"), false).await.unwrap();
        let coming = async {
            tokio::join!(
                campus.change(async |tx| events::update(tx, operator, elsewhere.id, elsewhere.version, at(hall.id)).await),
                campus.change(async |tx| events::copy(tx, operator, there.id, starts_at).await),
            )
        };
        tokio::pin!(coming);
        tokio::select! {
            biased;
            done = &mut coming => panic!("it did not wait: {done:?}"),
            () = somebody_waits(&campus) => {}
        }
        renaming.commit().await.unwrap();
        let (moved, copied) = coming.await;
        for (event, how) in [(moved.unwrap(), "moved there"), (copied.unwrap(), "copied")] {
            assert_eq!(event.venue.as_deref(), Some("Brotherton Room"), "{how}");
        }
        assert_eq!(campus.event_now(there.id).await.venue.as_deref(), Some("Brotherton Room"));
    }

    async fn an_event_that_leaves_a_venue_while_it_is_renamed_is_not_taken_back(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let operator: &Viewer = &campus.operator;
        let (hall, attic) = (made(&campus, "Great Hall").await, made(&campus, "Attic").await);
        let event = campus.event(5).await;
        let event = campus.update(&event, at(hall.id)).await;
        let mut leaving = campus.store.begin().await.unwrap();
        events::update(&mut leaving, operator, event.id, event.version, at(attic.id)).await.unwrap();
        let renaming = campus.change(async |tx| venues::update(tx, operator, hall.id, 1, called("Old Hall"), false).await);
        tokio::pin!(renaming);
        tokio::select! {
            biased;
            done = &mut renaming => panic!("it did not wait: {done:?}"),
            () = somebody_waits(&campus) => {}
        }
        leaving.commit().await.unwrap();
        renaming.await.unwrap();
        let now = campus.event_now(event.id).await;
        assert_eq!((now.venue_id, now.venue.as_deref()), (Some(attic.id), Some("Attic")));
    }
}
