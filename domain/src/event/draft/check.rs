//! Everything that can be wrong with what an organiser says about an event.

use chrono::{DateTime, Utc};
use entity::{event, faculty, organisation, programme};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use url::Url;

use super::{AudienceGroup, EventDraft, distinct};
use crate::{
    error::{RefusalCode, Refusals, Result},
    mail::in_university_time,
    store::Tx,
};

const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 20_000;
const LONGEST_VENUE: usize = 300;
const LONGEST_LINK: usize = 2_000;
const LARGEST_CAPACITY: i32 = 100_000;
const LONGEST_OFFER_HOURS: i32 = 14 * 24;
const LONGEST_MINUTES: i32 = 14 * 24 * 60;
/// The most reminders of one event.
const MOST_REMINDERS: usize = 5;

impl EventDraft {
    /// Every reason why an event can't be as this says. `before` is what the event was until now.
    pub(in crate::event) async fn check(
        &self,
        tx: &Tx,
        before: Option<&event::Model>,
    ) -> Result<()> {
        let mut refusals = Refusals::default();
        self.check_texts(&mut refusals);
        self.check_times(&mut refusals, tx.now(), before);
        self.check_places(&mut refusals, before);
        self.check_references(&mut refusals, tx.conn()).await?;
        refusals.into_result()
    }

    fn check_texts(&self, refusals: &mut Refusals) {
        refusals.add_if(
            self.title.is_empty(),
            RefusalCode::Required,
            "title",
            "An event needs a title.",
        );
        for (text, longest, field) in [
            (Some(&self.title), LONGEST_TITLE, "title"),
            (Some(&self.description), LONGEST_DESCRIPTION, "description"),
            (self.venue.as_ref(), LONGEST_VENUE, "venue"),
            (self.online_link.as_ref(), LONGEST_LINK, "onlineLink"),
        ] {
            if text.is_some_and(|text| text.chars().count() > longest) {
                refusals.add(
                    RefusalCode::TooLong,
                    field,
                    format!("Write at most {longest} characters."),
                );
            }
        }
        let is_link = |text: &String| {
            Url::parse(text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
        };
        refusals.add_if(
            !self.online_link.as_ref().is_none_or(is_link),
            RefusalCode::Invalid,
            "onlineLink",
            "Give a whole web address, such as https://meet.example.org/room.",
        );
    }

    fn check_times(
        &self,
        refusals: &mut Refusals,
        now: DateTime<Utc>,
        before: Option<&event::Model>,
    ) {
        refusals.add_if(
            self.ends_at <= self.starts_at,
            RefusalCode::EndsBeforeStart,
            "endsAt",
            "An event ends after it starts.",
        );
        let moved = before.is_none_or(|row| row.starts_at != self.starts_at);
        if moved && self.starts_at <= now {
            refusals.add(
                RefusalCode::InThePast,
                "startsAt",
                format!(
                    "{} is past: an event starts in the future.",
                    in_university_time(self.starts_at)
                ),
            );
        }
        let closes = self.booking_closes_at.unwrap_or(self.starts_at);
        refusals.add_if(
            closes > self.starts_at,
            RefusalCode::Invalid,
            "bookingClosesAt",
            "Booking closes at the start of the event or before.",
        );
        refusals.add_if(
            self.booking_opens_at.is_some_and(|opens| opens >= closes),
            RefusalCode::Invalid,
            "bookingOpensAt",
            "Booking opens before it closes.",
        );
    }

    fn check_places(&self, refusals: &mut Refusals, before: Option<&event::Model>) {
        for (number, least, most, field) in [
            (self.capacity, 1, LARGEST_CAPACITY, "capacity"),
            (self.offer_hours, 1, LONGEST_OFFER_HOURS, "offerHours"),
            (
                self.promotion_cut_off_minutes,
                0,
                LONGEST_MINUTES,
                "promotionCutOffMinutes",
            ),
            (
                self.register_closes_after_minutes,
                0,
                LONGEST_MINUTES,
                "registerClosesAfterMinutes",
            ),
        ] {
            if !(least..=most).contains(&number) {
                refusals.add(
                    RefusalCode::Invalid,
                    field,
                    format!("Give a number from {least} to {most}; {number} was given."),
                );
            }
        }
        refusals.add_if(
            self.reminder_minutes.len() > MOST_REMINDERS,
            RefusalCode::TooLong,
            "reminderMinutes",
            "Remind people at most five times.",
        );
        refusals.add_if(
            !self
                .reminder_minutes
                .iter()
                .all(|minutes| (1..=LONGEST_MINUTES).contains(minutes)),
            RefusalCode::Invalid,
            "reminderMinutes",
            "Remind people from a minute to 14 days before the start.",
        );
        let taken = before.map_or(0, |row| row.places_taken);
        if self.capacity >= 1 && self.capacity < taken {
            // policy 2.4: nobody loses a place because the room got smaller.
            refusals.add(
                RefusalCode::BelowPlacesTaken,
                "capacity",
                format!("{taken} places are taken: the capacity can't be below that."),
            );
        }
    }

    async fn check_references(
        &self,
        refusals: &mut Refusals,
        db: &impl ConnectionTrait,
    ) -> Result<()> {
        let groups = || self.audience.iter();
        refusals.add_if(
            groups().any(|group| *group == AudienceGroup::default()),
            RefusalCode::Required,
            "audience",
            "Say of every group which faculty, programme or level it is; leave the audience empty to invite everybody.",
        );
        if let Some(id) = self.faculty_id
            && faculty::Entity::find_by_id(id).one(db).await?.is_none()
        {
            not_there(refusals, "facultyId", "faculty");
        }
        let faculties = distinct(groups().filter_map(|group| group.faculty_id));
        if !faculties.is_empty() {
            let found = faculty::Entity::find()
                .filter(faculty::Column::Id.is_in(faculties.iter().copied()))
                .count(db)
                .await?;
            if found != faculties.len() as u64 {
                not_there(refusals, "audience", "faculty");
            }
        }
        let programmes = distinct(groups().filter_map(|group| group.programme_id));
        if !programmes.is_empty() {
            let found = programme::Entity::find()
                .filter(programme::Column::Id.is_in(programmes.iter().copied()))
                .count(db)
                .await?;
            if found != programmes.len() as u64 {
                not_there(refusals, "audience", "programme");
            }
        }
        let organisations = distinct(self.organisation_ids.iter().copied());
        if !organisations.is_empty() {
            let found = organisation::Entity::find()
                .filter(organisation::Column::Id.is_in(organisations.iter().copied()))
                .count(db)
                .await?;
            if found != organisations.len() as u64 {
                not_there(refusals, "organisationIds", "organisation");
            }
        }
        Ok(())
    }
}

fn not_there(refusals: &mut Refusals, field: &'static str, what: &str) {
    refusals.add(
        RefusalCode::NotFound,
        field,
        format!("There is no such {what}, or it is not open to you."),
    );
}
