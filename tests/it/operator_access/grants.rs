//! Giving and taking grants.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode, Viewer,
    operator_access::{self as access, NewGrant},
};
use entity::{
    access_grant::Permission, event::EventKind, ids::FacultyId, operator_access::AccessState,
};
use reqwest::Method;
use serde_json::json;
use support::{figure, on_both_columns, operator, until};

use super::office::{GRANT, PATIENCE, RESTORE, REVOKE, SUSPEND, account, mails, permission, state};
use crate::campus::{Campus, codes};

/// How soon an open subscription learns that a right is gone.
const WITHIN: Duration = Duration::from_secs(1);

async fn granter(campus: &Campus, name: &str, faculty: Option<FacultyId>) -> Viewer {
    let staff = campus.staff(name).await;
    let id = staff.user_id().unwrap();
    operator::grant(&campus.store, id, Permission::GrantAccess, faculty).await;
    campus.again(&staff).await
}

fn new_grant(to: &Viewer, faculty_id: Option<FacultyId>) -> NewGrant {
    NewGrant {
        user_id: to.user_id().unwrap(),
        permission: Permission::ManageEvent,
        faculty_id,
        training_course_id: None,
    }
}

on_both_columns! {
    async fn nobody_grants_to_themselves(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        for who in [campus.administrator("ada").await, granter(&campus, "gus", None).await] {
            let refused = campus.change(async |tx| access::grant(tx, &who, new_grant(&who, None)).await).await;
            assert!(matches!(&refused, Err(Error::Forbidden(why)) if why.contains("themselves")), "{refused:?}");
            let id = who.user_id().unwrap();
            let refused = campus.change(async |tx| access::restore(tx, &who, id).await).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        }
        // The control: to another it is granted.
        let (ada, sid) = (campus.administrator("adam").await, campus.staff("sid").await);
        campus.change(async |tx| access::grant(tx, &ada, new_grant(&sid, None)).await).await.unwrap();
    }

    async fn nobody_marks_that_they_attended_training_themselves(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let admin = campus.administrator("ada").await;
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        let event = campus.event_with(5, |draft| draft.kind = EventKind::Training).await;
        campus
            .change(async |tx| domain::training_course::link_session(tx, &admin, event.id, course.id).await)
            .await
            .unwrap();
        let booking = campus.book(&campus.operator, event.id).await.unwrap();
        campus.clock.set(event.starts_at);
        let ticket = || domain::booking::Ticket::Booking(booking.id);
        let refused = campus
            .change(async |tx| domain::booking::check_in(tx, &campus.operator, ticket()).await)
            .await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        let other = Viewer::system();
        campus.change(async |tx| domain::booking::check_in(tx, &other, ticket()).await).await.unwrap();
    }

    async fn whoever_grants_in_a_faculty_grants_only_there(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let (gus, sid) = (granter(&campus, "gus", Some(law)).await, campus.staff("sid").await);
        for elsewhere in [None, Some(music)] {
            let refused = campus.change(async |tx| access::grant(tx, &gus, new_grant(&sid, elsewhere)).await).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        }
        campus.change(async |tx| access::grant(tx, &gus, new_grant(&sid, Some(law))).await).await.unwrap();
        let again = campus.change(async |tx| access::grant(tx, &gus, new_grant(&sid, Some(law))).await).await;
        assert_eq!(codes(again), [RefusalCode::Taken]);
        let nobody = campus.change(async |tx| access::grant(tx, &sid, new_grant(&gus, Some(law))).await).await;
        assert!(matches!(nobody, Err(Error::Forbidden(_))), "{nobody:?}");

        // What they oversee is their faculty, and taking back goes as far as giving.
        let mia = campus.operator_of("mia", music).await;
        let seen = access::find_all(campus.store.reader(), &gus, &[mia.user_id().unwrap(), sid.user_id().unwrap()]).await;
        let names: Vec<_> = seen.unwrap().into_iter().map(|standing| standing.person.name).collect();
        assert_eq!(names, ["sid"]);
        let grants = access::grants_of(campus.store.reader(), &[mia.user_id().unwrap()], campus.store.now()).await.unwrap();
        let hidden = campus.change(async |tx| access::revoke(tx, &gus, grants[0].row.id).await).await;
        assert_eq!(codes(hidden), [RefusalCode::NotFound]);
        let ada = campus.administrator("ada").await;
        campus.change(async |tx| access::revoke(tx, &ada, grants[0].row.id).await).await.unwrap();
        assert!(!campus.may(&mia, Permission::ManageEvent).await);
    }

    async fn a_grant_to_somebody_untrained_is_kept_and_an_invitation_names_the_sessions(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let id = account(&system, "untrained").await.id;
        let input = json!({ "userId": id, "permission": "SEND_BULK_EMAIL" });
        let granted = admin.data(GRANT, json!({ "input": input })).await;
        let access = &granted["grantAccess"]["operatorAccess"];
        assert_eq!(access["state"], "INVITED");
        assert_eq!(access["grants"][0]["counts"], false);
        until(PATIENCE, "the invitation arrives", async || {
            (mails(&bed, "untrained", "what you need for SEND_BULK_EMAIL") == 1).then_some(())
        })
        .await;
        let received = bed.mail().received();
        let mail = received.iter().map(|mail| String::from_utf8_lossy(&mail.raw).into_owned()).next_back().unwrap();
        assert!(mail.contains("Training: bulk e-mail and data protection"), "{mail}");
        assert!(mail.contains("Guidance on bulk e-mail"), "{mail}");
        let untrained = system.demo_client("untrained").await;
        let status = permission(&untrained, "SEND_BULK_EMAIL").await;
        assert_eq!(status["held"], false);
        assert!(status["reason"].as_str().unwrap().contains("given to you"), "{status}");
        system.stop().await;
    }

    async fn revoking_acts_at_the_next_request_and_within_a_second_on_an_open_subscription(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let id = account(&system, "operator").await.id;
        let events = operator.data("{ events(first: 1) { nodes { id } } }", json!({})).await;
        let query = format!("subscription {{ bookingChanged(eventId: {}) {{ id }} }}", events["events"]["nodes"][0]["id"]);
        let open = async || {
            operator
                .request(Method::POST, "/graphql/stream")
                .header("Accept", "text/event-stream")
                .json(&json!({ "query": query }))
                .send()
                .await
                .unwrap()
        };
        let grants = "query($id: ID!) { operatorAccess(filter: { userId: $id }) { nodes { grants { id permission } } } }";
        let given = admin.data(grants, json!({ "id": id })).await;
        let all = given["operatorAccess"]["nodes"][0]["grants"].as_array().unwrap().clone();
        let grant = all.iter().find(|grant| grant["permission"] == "MANAGE_EVENT").unwrap();

        // A subscription whose viewer nothing happens to goes on.
        let mut stream = open().await;
        let quiet = tokio::time::timeout(std::time::Duration::from_millis(300), ended(&mut stream)).await;
        assert!(quiet.is_err(), "{quiet:?}");

        let revoked = admin.data(REVOKE, json!({ "id": grant["id"] })).await;
        assert_eq!(revoked["revokeAccess"]["userErrors"], json!([]));
        let began = Instant::now();
        let told = tokio::time::timeout(WITHIN, ended(&mut stream)).await.unwrap();
        figure(&format!("a subscription ended {} ms after the right to it was revoked, on {}", began.elapsed().as_millis(), bed.column()));
        assert!(told.contains("What you may do has changed"), "{told}");
        assert_eq!(permission(&operator, "MANAGE_EVENT").await["held"], false, "the token is the old one");
        assert_eq!(permission(&operator, "SEND_BULK_EMAIL").await["held"], true, "the others stay");

        let mut stream = open().await;
        admin.data(SUSPEND, json!({ "id": id })).await;
        let told = tokio::time::timeout(WITHIN, ended(&mut stream)).await.unwrap();
        assert!(told.contains("What you may do has changed"), "{told}");
        system.stop().await;
    }

    async fn suspension_withholds_everything_until_it_is_restored(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let id = account(&system, "operator").await.id;
        let suspended = admin.data(SUSPEND, json!({ "id": id })).await;
        assert_eq!(suspended["suspendAccess"]["operatorAccess"]["state"], "SUSPENDED");
        assert_eq!(admin.graphql(SUSPEND, json!({ "id": id })).await.refusals(), ["WRONG_STATE"]);
        let status = permission(&operator, "SEND_BULK_EMAIL").await;
        assert_eq!(status["held"], false);
        assert!(status["reason"].as_str().unwrap().contains("suspended"), "{status}");
        // Accepting and booking move nobody out of it.
        super::office::accept_everything(&operator).await;
        let (training, _) = super::office::session(&operator, "MyCareer essentials").await;
        operator.data(super::office::BOOK, json!({ "id": training })).await;
        assert_eq!(state(&admin, id).await, "SUSPENDED");
        let restored = admin.data(RESTORE, json!({ "id": id })).await;
        let access = &restored["restoreAccess"]["operatorAccess"];
        assert_eq!((&access["state"], &access["suspendedBecause"]), (&json!("ACTIVE"), &json!(null)));
        assert_eq!(permission(&operator, "SEND_BULK_EMAIL").await["held"], true);
        system.stop().await;
    }

    async fn operator_access_goes_from_invited_over_booked_trained_and_accepted_to_active(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        assert_eq!(campus.stands(&sid).await, AccessState::Invited);
        let event = campus.event_with(5, |draft| draft.kind = EventKind::Training).await;
        campus
            .change(async |tx| domain::training_course::link_session(tx, &admin, event.id, course.id).await)
            .await
            .unwrap();
        let booking = campus.book(&sid, event.id).await.unwrap();
        assert_eq!(campus.stands(&sid).await, AccessState::TrainingBooked);
        campus.cancel(&sid, booking.id).await.unwrap();
        assert_eq!(campus.stands(&sid).await, AccessState::Invited, "who cancels is where they were");
        campus.train(&admin, course.id, &sid).await;
        assert_eq!(campus.stands(&sid).await, AccessState::TermsAccepted, "they had accepted its agreements before");
        let standing = campus.grant(&admin, &sid, Permission::ReadReport).await.unwrap();
        assert_eq!(standing.state, AccessState::Active);
        let grants = access::grants_of(campus.store.reader(), &[sid.user_id().unwrap()], campus.store.now()).await.unwrap();
        campus.change(async |tx| access::revoke(tx, &admin, grants[0].row.id).await).await.unwrap();
        assert_eq!(campus.stands(&sid).await, AccessState::TermsAccepted);
    }

    async fn whoever_missed_the_training_is_where_they_were(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        let event = campus.event_with(5, |draft| draft.kind = EventKind::Training).await;
        campus
            .change(async |tx| domain::training_course::link_session(tx, &admin, event.id, course.id).await)
            .await
            .unwrap();
        campus.book(&sid, event.id).await.unwrap();
        campus.clock.set(event.ends_at + TimeDelta::minutes(1));
        campus
            .change(async |tx| domain::register::close_register(tx, &campus.operator, event.id, true).await)
            .await
            .unwrap();
        assert_eq!(campus.stands(&sid).await, AccessState::Invited);
    }

    async fn what_belongs_to_no_faculty_is_granted_for_the_campus_alone(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let (gus, sid) = (granter(&campus, "gus", Some(law)).await, campus.staff("sid").await);
        let admin = campus.administrator("ada").await;
        let course = domain::training_course::CourseChanges {
            permissions: Some(domain::policy::PERMISSIONS.to_vec()),
            ..Default::default()
        };
        let all = campus.course(&admin, Permission::ManageEvent, Vec::new()).await;
        campus
            .change(async |tx| domain::training_course::update(tx, &admin, all.id, course).await)
            .await
            .unwrap();
        for permission in domain::policy::PERMISSIONS {
            let new = NewGrant { permission, training_course_id: Some(all.id), ..new_grant(&sid, Some(law)) };
            let granted = campus.change(async |tx| access::grant(tx, &gus, new).await).await;
            if domain::viewer::BY_FACULTY.contains(&permission) {
                granted.unwrap();
            } else {
                assert!(matches!(&granted, Err(Error::Refused(why)) if why[0].field == Some("facultyId")), "{granted:?}");
            }
        }
    }

    /// As such grants may be that are older than the rule: whoever was given bulk e-mail for Law mails nobody.
    async fn a_grant_for_a_faculty_of_what_belongs_to_none_counts_for_nothing(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        for permission in domain::policy::PERMISSIONS {
            let sid = campus.staff(&format!("sid {permission:?}").replace(' ', "-")).await;
            let id = sid.user_id().unwrap();
            operator::grant(&campus.store, id, permission, Some(law)).await;
            let by_faculty = domain::viewer::BY_FACULTY.contains(&permission);
            let sid = campus.again(&sid).await;
            assert_eq!(sid.has(permission), by_faculty, "{permission:?}");
            assert_eq!(sid.require(permission).is_ok(), by_faculty, "{permission:?}");
            assert!(sid.require_for(permission, None).is_err(), "{permission:?}");
            let given = access::grants_of(campus.store.reader(), &[id], campus.store.now()).await.unwrap();
            assert_eq!(given.len(), usize::from(by_faculty));
            // The control: for the campus each of them counts.
            operator::grant(&campus.store, id, permission, None).await;
            campus.again(&sid).await.require_for(permission, None).unwrap();
        }
    }
}

/// What the stream tells until it ends.
pub async fn ended(stream: &mut reqwest::Response) -> String {
    let mut told = String::new();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
    told
}
