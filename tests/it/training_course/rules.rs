//! What a course asks for and opens, and how that changes for those who have attended it (policy 3).

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode,
    agreement::{self as agreements, NewVersion, Of},
    booking as bookings,
    operator_access::{LapseAccess, RemindOperators},
    training_course::{self as courses, CourseChanges},
};
use entity::{
    access_grant::Permission, agreement::AgreementKind, booking::BookingState, course_agreement,
    operator_access::AccessState, training_course,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait};
use serde_json::json;
use support::on_both_columns;

use crate::campus::{Campus, codes};

on_both_columns! {
    async fn no_grant_rests_on_a_course_without_the_terms(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        // As courses may be that are older than the rule.
        course_agreement::Entity::delete_many().exec(campus.store.reader()).await.unwrap();
        assert_eq!(codes(campus.grant(&admin, &sid, Permission::ReadReport).await), [RefusalCode::WrongState]);
        // One that has them is taken in its place.
        let mut other: training_course::ActiveModel = course.clone().into();
        other.title = Set("An older course".to_owned());
        other.update(campus.store.reader()).await.unwrap();
        campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        campus.grant(&admin, &sid, Permission::ReadReport).await.unwrap();
    }

    async fn a_grant_stops_counting_when_its_course_no_longer_opens_its_permission(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        campus.train(&admin, course.id, &sid).await;
        campus.grant(&admin, &sid, Permission::ReadReport).await.unwrap();
        assert!(campus.may(&sid, Permission::ReadReport).await);
        let opens = |permissions: &[Permission]| CourseChanges {
            permissions: Some(permissions.to_vec()),
            ..CourseChanges::default()
        };
        let other = opens(&[Permission::ModerateVacancy]);
        campus.change(async |tx| courses::update(tx, &admin, course.id, other).await).await.unwrap();
        assert!(!campus.may(&sid, Permission::ReadReport).await);
        assert!(!campus.may(&sid, Permission::ModerateVacancy).await, "what it opens now was not granted");
        assert_eq!(campus.stands(&sid).await, AccessState::TermsAccepted);
        let why = campus.again(&sid).await.why_not(Permission::ReadReport);
        assert!(why.contains("no longer leads there"), "{why}");
        let both = opens(&[Permission::ModerateVacancy, Permission::ReadReport]);
        campus.change(async |tx| courses::update(tx, &admin, course.id, both).await).await.unwrap();
        assert!(campus.may(&sid, Permission::ReadReport).await);
        assert_eq!(campus.stands(&sid).await, AccessState::Active);
    }

    async fn nobody_changes_what_their_own_access_rests_on_while_somebody_else_can(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (ada, ben) = (campus.administrator("ada").await, campus.administrator("ben").await);
        let course = campus.course(&ben, Permission::ReadReport, Vec::new()).await;
        campus.train(&ben, course.id, &ada).await;
        campus.grant(&ben, &ada, Permission::ReadReport).await.unwrap();
        campus.clock.advance(TimeDelta::days(366));
        assert!(!campus.may(&ada, Permission::ReadReport).await, "her training is too old");
        let longer = || CourseChanges { validity_days: Some(1_000), ..CourseChanges::default() };
        for change in [
            longer(),
            CourseChanges { permissions: Some(vec![Permission::ReadReport, Permission::SendBulkEmail]), ..CourseChanges::default() },
        ] {
            let refused = campus.change(async |tx| courses::update(tx, &ada, course.id, change).await).await;
            assert!(matches!(&refused, Err(Error::Forbidden(why)) if why.contains("another administrator")), "{refused:?}");
        }
        let title = CourseChanges { title: Some("Reports".to_owned()), ..CourseChanges::default() };
        campus.change(async |tx| courses::update(tx, &ada, course.id, title).await).await.unwrap();
        assert!(!campus.may(&ada, Permission::ReadReport).await);

        // The control: somebody else may, and where there is nobody else, she may.
        campus.change(async |tx| courses::update(tx, &ben, course.id, longer()).await).await.unwrap();
        assert!(campus.may(&ada, Permission::ReadReport).await);
        let id = ben.user_id().unwrap();
        campus.change(async |tx| domain::account::remove_administrator(tx, &ada, id).await).await.unwrap();
        let shorter = CourseChanges { validity_days: Some(900), ..CourseChanges::default() };
        campus.change(async |tx| courses::update(tx, &ada, course.id, shorter).await).await.unwrap();
    }

    async fn a_newly_named_agreement_gives_those_who_have_attended_a_grace_period_and_a_letter(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let admin = campus.administrator("ada").await;
        let (ann, ben) = (campus.staff("ann").await, campus.staff("ben").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        campus.train(&admin, course.id, &ann).await;
        campus.grant(&admin, &ann, Permission::ReadReport).await.unwrap();
        let new = NewVersion {
            of: Of::New { kind: AgreementKind::Other, title: "House rules".to_owned() },
            text: "Be kind.".to_owned(),
            grace_days: 0,
        };
        let rules = campus.change(async |tx| agreements::publish(tx, &admin, new).await).await.unwrap();
        let named = course_agreement::Entity::find().all(campus.store.reader()).await.unwrap();
        let of_this = named.into_iter().filter(|named| named.training_course_id == course.id);
        let mut all: Vec<_> = of_this.map(|named| named.agreement_id).collect();
        all.push(rules.id);
        let change = CourseChanges { agreement_ids: Some(all), ..CourseChanges::default() };
        campus.change(async |tx| courses::update(tx, &admin, course.id, change).await).await.unwrap();
        let named_at = campus.store.now();
        let letters = async |person| {
            let mails = campus.mails_to(person).await;
            mails.iter().filter(|template| *template == "agreement_named").count()
        };
        assert_eq!(letters(&ann).await, 1, "she is told");
        assert!(campus.may(&ann, Permission::ReadReport).await, "she has some days of grace");
        assert_eq!(campus.stands(&ann).await, AccessState::Active);

        campus.clock.set(named_at + TimeDelta::days(8));
        campus.change(async |tx| tx.enqueue(&RemindOperators {}, None).await).await.unwrap();
        campus.run_jobs().await;
        campus.change(async |tx| tx.enqueue(&RemindOperators {}, None).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(letters(&ann).await, 2, "and reminded once in the last week");
        campus.train(&admin, course.id, &ben).await;
        campus.clock.set(named_at + TimeDelta::days(14) - TimeDelta::seconds(1));
        assert!(campus.may(&ann, Permission::ReadReport).await);
        campus.clock.advance(TimeDelta::seconds(1));
        assert!(!campus.may(&ann, Permission::ReadReport).await);
        campus.change(async |tx| tx.enqueue(&LapseAccess {}, None).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(campus.stands(&ann).await, AccessState::Lapsed);
        let version = agreements::current_version(campus.store.reader(), rules.id).await.unwrap().unwrap();
        campus.change(async |tx| agreements::accept(tx, &ann, version.id).await).await.unwrap();
        assert!(campus.may(&ann, Permission::ReadReport).await);
    }

    async fn who_attends_after_an_agreement_was_named_has_no_grace(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, ben) = (campus.administrator("ada").await, campus.staff("ben").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        course_agreement::Entity::update_many()
            .col_expr(course_agreement::Column::NamedAt, sea_orm::sea_query::Expr::value(campus.store.now()))
            .exec(campus.store.reader())
            .await
            .unwrap();
        campus.train(&admin, course.id, &ben).await;
        campus.grant(&admin, &ben, Permission::ReadReport).await.unwrap();
        assert!(campus.may(&ben, Permission::ReadReport).await, "he has accepted");
        entity::agreement_acceptance::Entity::delete_many().exec(campus.store.reader()).await.unwrap();
        assert!(!campus.may(&ben, Permission::ReadReport).await);
    }

    async fn a_wrong_check_in_is_taken_back_and_the_training_goes_with_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        let booking = campus.train(&admin, course.id, &sid).await;
        campus.grant(&admin, &sid, Permission::ReadReport).await.unwrap();
        assert!(campus.may(&sid, Permission::ReadReport).await);
        let undo = async |by| campus.change(async |tx| bookings::undo_check_in(tx, by, booking).await).await;
        let stranger = campus.staff("tom").await;
        assert!(undo(&stranger).await.is_err());
        let undone = undo(&campus.operator).await.unwrap();
        assert_eq!((undone.state, undone.checked_in_at), (BookingState::Booked, None));
        assert!(!campus.may(&sid, Permission::ReadReport).await, "at the next request");
        assert_eq!(campus.stands(&sid).await, AccessState::TrainingBooked);
        assert_eq!(codes(undo(&campus.operator).await), [RefusalCode::WrongState]);
        let lines = entity::audit_entry::Entity::find().all(campus.store.reader()).await.unwrap();
        let taken = lines.iter().find(|line| line.action == "training_record.take_back").unwrap();
        assert_eq!(taken.actor_id, campus.operator.user_id());
        assert_eq!(taken.before.as_ref().unwrap()["userId"], json!(sid.user_id()));

        // It can be marked again, and counts again.
        let ticket = bookings::Ticket::Booking(booking);
        campus.change(async |tx| bookings::check_in(tx, &campus.operator, ticket).await).await.unwrap();
        assert!(campus.may(&sid, Permission::ReadReport).await);
        // After the register is closed they are one of those who did not come.
        let event = campus.booking_now(booking).await.event_id;
        campus.clock.advance(TimeDelta::hours(1));
        campus.change(async |tx| domain::register::close_register(tx, &campus.operator, event, false).await).await.unwrap();
        assert_eq!(undo(&campus.operator).await.unwrap().state, BookingState::NoShow);
        assert!(!campus.may(&sid, Permission::ReadReport).await);
        campus.run_jobs().await;
        assert!(campus.mails_to(&sid).await.contains(&"no_show".to_owned()));
    }
}
