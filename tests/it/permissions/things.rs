//! Things of one faculty, put into the demo data.

use chrono::TimeDelta;
use domain::Store;
use entity::{
    access_grant::{self, GrantState, Permission},
    booking,
    event::{self, EventState},
    event_feedback,
    event_sharing_request::{self, SharingState},
    faculty,
    group_booking::{self, GroupBookingState},
    ids::{
        BookingId, EventFeedbackId, EventId, EventSharingRequestId, FacultyId, GrantId,
        GroupBookingId, TrainingCourseId, UserId, VenueId,
    },
    key_account_contact, training_course, user, venue,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use support::put;

use super::{
    Campus,
    inputs::Known,
    people::{People, account},
};

/// Things of the faculty that the test is about.
pub struct Things {
    faculty: faculty::Model,
    event: event::Model,
    booking: booking::Model,
    sharing: EventSharingRequestId,
    group: GroupBookingId,
    feedback: EventFeedbackId,
    /// What the colleague holds.
    grant: GrantId,
    /// A key account, which belongs to no faculty, with a contact in it.
    key_account: key_account_contact::Model,
    /// A course that opens something.
    course: TrainingCourseId,
    /// A venue, which belongs to no faculty.
    venue: VenueId,
    /// Staff of the faculty.
    colleague: UserId,
    /// Somebody whom the access of others has nothing to do with.
    student: UserId,
}

impl Things {
    /// An event of the faculty with a booking, a class and a request to share it, and a grant.
    pub async fn of_the_faculty(campus: &Campus, people: &People, state: EventState) -> Self {
        let store = &campus.store;
        let db = store.reader();
        let event = event_of(store, people.faculty, state).await;
        let booking = booking_for(store, event.id).await;
        let colleague = colleague_in(store, people.faculty).await;
        let key_account = key_account_contact::Entity::find().one(db).await.unwrap();
        let course = training_course::Entity::find().one(db).await.unwrap();
        let faculty = faculty::Entity::find_by_id(people.faculty)
            .one(db)
            .await
            .unwrap();
        Self {
            sharing: sharing_of(store, &event, people.faculty).await,
            group: group_for(store, &event).await,
            feedback: feedback_of(store, &booking).await,
            student: booking.user_id,
            faculty: faculty.unwrap(),
            grant: grant_of(store, colleague, people.faculty).await,
            colleague,
            course: course.unwrap().id,
            venue: venue_in(store).await,
            key_account: key_account.unwrap(),
            booking,
            event,
        }
    }

    /// What mutations are called with, so that they are about these things.
    pub fn changed(&self) -> Known {
        let colleague = format!("{:?}", self.colleague.to_string());
        let course = format!("{:?}", self.course.to_string());
        let named = |name: &str, id: String| (name.to_owned(), format!("{id:?}"));
        let mut known = Known::from([
            named("groupBookingId", self.group.to_string()),
            named("feedbackId", self.feedback.to_string()),
            named("sharingRequestId", self.sharing.to_string()),
            named("eventId", self.event.id.to_string()),
            named("bookingId", self.booking.id.to_string()),
            named("grantId", self.grant.to_string()),
            named("facultyId", self.faculty.id.to_string()),
            named("keyAccountId", self.key_account.key_account_id.to_string()),
            named("contactId", self.key_account.contact_id.to_string()),
            named("userId", self.student.to_string()),
            named("venueId", self.venue.to_string()),
        ]);
        for (coordinate, value) in [
            ("GrantAccessInput.userId", colleague.as_str()),
            ("GrantAccessInput.permission", "READ_REPORT"),
            ("SuspendAccessInput.userId", &colleague),
            ("RestoreAccessInput.userId", &colleague),
            ("HandOverInput.fromUserId", &colleague),
            ("HandOverInput.toUserId", &colleague),
            ("LinkTrainingSessionInput.trainingCourseId", &course),
            ("HandOverKeyAccountInput.toUserId", &colleague),
        ] {
            known.insert(coordinate.to_owned(), value.to_owned());
        }
        known
    }

    /// What queries are asked for, so that these things are among the answers where they can be.
    pub fn asked_for(&self) -> Known {
        let ids: Vec<String> = self.ids().concat();
        let event = format!("{:?}", self.event.id.to_string());
        [
            ("first", "50"),
            ("Query.operatorAccess(first:)", "100"),
            ("Query.nodes(ids:)", &format!("{ids:?}")),
            ("Query.eventClashes(eventId:)", &event),
            ("Query.findAtDoor(eventId:)", &event),
            ("Query.reports(by:)", "FACULTY"),
            ("Query.reports(from:)", "\"2026-01-01\""),
            ("Query.reports(to:)", "\"2026-12-31\""),
            ("Query.communicationChart(by:)", "FACULTY"),
        ]
        .map(|(of, value)| (of.to_owned(), value.to_owned()))
        .into()
    }

    /// What is read because of a permission for the faculty, and of no other.
    pub fn read_with(&self) -> [(Permission, Vec<String>); 3] {
        let [of_events, of_access] = self.ids();
        [
            (Permission::ManageEvent, of_events),
            (Permission::GrantAccess, of_access),
            (Permission::ReadReport, vec![self.faculty.name.clone()]),
        ]
    }

    fn ids(&self) -> [Vec<String>; 2] {
        let of_events = vec![
            self.event.id.to_string(),
            self.booking.id.to_string(),
            self.sharing.to_string(),
            self.group.to_string(),
        ];
        [of_events, vec![self.grant.to_string()]]
    }
}

async fn colleague_in(store: &Store, faculty: FacultyId) -> UserId {
    let db = store.reader();
    let like = user::Entity::find()
        .filter(user::Column::Email.eq("untrained@demo.mycareer.test"))
        .one(db)
        .await
        .unwrap();
    let colleague = account(like.unwrap(), |account| account.faculty_id = Some(faculty));
    let id = colleague.id;
    put::<user::Entity>(store, colleague).await;
    id
}

async fn venue_in(store: &Store) -> VenueId {
    let id = VenueId::new_at(store.now());
    let venue = venue::Model {
        id,
        name: "Moot court".to_owned(),
        building: None,
        campus: None,
        name_key: "moot court".to_owned(),
        capacity: None,
        accessibility: None,
        map_link: None,
        archived_at: None,
        version: 1,
        created_at: store.now(),
        updated_at: store.now(),
    };
    put::<venue::Entity>(store, venue).await;
    id
}

async fn grant_of(store: &Store, user_id: UserId, faculty: FacultyId) -> GrantId {
    let db = store.reader();
    let like = access_grant::Entity::find().one(db).await.unwrap().unwrap();
    let grant = access_grant::Model {
        id: GrantId::new_at(store.now()),
        user_id,
        permission: Permission::ManageEvent,
        faculty_id: Some(faculty),
        state: GrantState::Active,
        training_course_id: None,
        ..like
    };
    let id = grant.id;
    put::<access_grant::Entity>(store, grant).await;
    id
}

async fn event_of(store: &Store, faculty: FacultyId, state: EventState) -> event::Model {
    let db = store.reader();
    let like = event::Entity::find().one(db).await.unwrap().unwrap();
    let event = event::Model {
        id: EventId::new_at(store.now()),
        state,
        faculty_id: Some(faculty),
        ..like
    };
    put::<event::Entity>(store, event.clone()).await;
    event
}

async fn booking_for(store: &Store, event_id: EventId) -> booking::Model {
    let db = store.reader();
    let like = booking::Entity::find().one(db).await.unwrap().unwrap();
    let id = BookingId::new_at(store.now());
    let booking = booking::Model {
        id,
        event_id,
        ticket_code: id.to_string(),
        ..like
    };
    put::<booking::Entity>(store, booking.clone()).await;
    booking
}

async fn sharing_of(
    store: &Store,
    event: &event::Model,
    faculty_id: FacultyId,
) -> EventSharingRequestId {
    let request = event_sharing_request::Model {
        id: EventSharingRequestId::new_at(store.now()),
        event_id: event.id,
        faculty_id,
        state: SharingState::Requested,
        message: "May yours come too?".to_owned(),
        requested_by: event.organiser_id,
        requested_at: store.now(),
        expires_at: store.now() + TimeDelta::days(1),
        answered_by: None,
        answered_at: None,
        answer: None,
    };
    let id = request.id;
    put::<event_sharing_request::Entity>(store, request).await;
    id
}

async fn group_for(store: &Store, event: &event::Model) -> GroupBookingId {
    let group = group_booking::Model {
        id: GroupBookingId::new_at(store.now()),
        event_id: event.id,
        class_name: "Year 2".to_owned(),
        places: 1,
        state: GroupBookingState::Cancelled,
        booked_by: event.organiser_id,
        booked_at: store.now(),
        reason: None,
        cancelled_at: None,
        attended: None,
        attended_names: None,
        marked_at: None,
    };
    let id = group.id;
    put::<group_booking::Entity>(store, group).await;
    id
}

async fn feedback_of(store: &Store, booking: &booking::Model) -> EventFeedbackId {
    let answer = event_feedback::Model {
        id: EventFeedbackId::new_at(store.now()),
        event_id: booking.event_id,
        user_id: booking.user_id,
        rating: 3,
        good: None,
        mend: None,
        given_at: store.now(),
        released_at: None,
        released_by: None,
    };
    let id = answer.id;
    put::<event_feedback::Entity>(store, answer).await;
    id
}
