//! What a vacancy says, looked at before it is kept.

use chrono::{Months, NaiveDate};
use entity::{
    contact::{self, ContactState},
    event_opportunity::OpportunityKind,
    ids::{ContactId, OrganisationId, ProgrammeId, VacancyId},
    organisation, programme,
    vacancy::{self, VacancyHours},
    vacancy_programme,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use serde::Serialize;

use super::salary::Salary;
use crate::{
    error::{RefusalCode, Refusals, Result},
    organisation::website,
    store::Tx,
    text::Text,
};

/// The most programmes that are named; more means all.
const MOST_PROGRAMMES: usize = 200;
/// How many months a vacancy is open at most.
const LONGEST_OPEN: Months = Months::new(12);
/// How long a vacancy is open whose closing date nobody gave.
const OPEN_BY_ITSELF: Months = Months::new(1);

/// The part of a vacancy that is written. The field names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advert {
    /// What it is called.
    pub title: String,
    /// What there is to do.
    pub description: Option<String>,
    /// What kind of opportunity it is.
    pub kind: OpportunityKind,
    /// How much work it is.
    pub hours: Option<VacancyHours>,
    /// What is paid, as somebody typed it, or as [`Salary`] writes it.
    pub salary: Option<String>,
    /// Where it is.
    pub location: Option<String>,
    /// How to apply, in words.
    pub how_to_apply: Option<String>,
    /// Where to apply on the web.
    pub apply_link: Option<String>,
    /// Whom to ask.
    pub contact_id: Option<ContactId>,
    /// The programmes it suits; empty means all.
    pub programme_ids: Vec<ProgrammeId>,
    /// The first day on which students find it; none means when it is approved.
    pub published_from: Option<NaiveDate>,
    /// The last day on which students find it; none means a month from publication.
    pub closes_on: Option<NaiveDate>,
}

impl Advert {
    /// One with nothing but a title.
    #[must_use]
    pub fn titled(title: impl Into<String>, kind: OpportunityKind) -> Self {
        Self {
            title: title.into(),
            description: None,
            kind,
            hours: None,
            salary: None,
            location: None,
            how_to_apply: None,
            apply_link: None,
            contact_id: None,
            programme_ids: Vec::new(),
            published_from: None,
            closes_on: None,
        }
    }

    /// What a vacancy says now.
    pub(super) async fn of(db: &impl ConnectionTrait, row: &vacancy::Model) -> Result<Self> {
        let programmes = vacancy_programme::Entity::find()
            .filter(vacancy_programme::Column::VacancyId.eq(row.id))
            .order_by_asc(vacancy_programme::Column::ProgrammeId)
            .all(db)
            .await?;
        Ok(Self {
            title: row.title.clone(),
            description: row.description.clone(),
            kind: row.kind,
            hours: row.hours,
            salary: Salary::of(row).map(|salary| salary.to_string()),
            location: row.location.clone(),
            how_to_apply: row.how_to_apply.clone(),
            apply_link: row.apply_link.clone(),
            contact_id: row.contact_id,
            programme_ids: programmes.into_iter().map(|row| row.programme_id).collect(),
            published_from: row.published_from,
            closes_on: (!row.closing_is_default).then_some(row.closes_on),
        })
    }

    /// The advert as it is kept, with its salary. All that is wrong with it by itself is noted.
    pub(super) fn checked(self, refusals: &mut Refusals) -> (Self, Option<Salary>) {
        let typed = Text::line("salary", 100).optional(self.salary.as_deref(), refusals);
        let salary = typed.and_then(|typed| refusals.take(Salary::read(&typed, "salary")));
        let link = Text::line("applyLink", 2_000).optional(self.apply_link.as_deref(), refusals);
        let mut programme_ids = self.programme_ids;
        programme_ids.sort_unstable();
        programme_ids.dedup();
        refusals.add_if(
            programme_ids.len() > MOST_PROGRAMMES,
            RefusalCode::Invalid,
            "programmeIds",
            "Name at most 200 programmes, or none when it suits all.",
        );
        let advert = Self {
            title: Text::line("title", 200).required(&self.title, refusals),
            description: Text::block("description", 10_000)
                .optional(self.description.as_deref(), refusals),
            salary: salary.map(|salary| salary.to_string()),
            location: Text::line("location", 200).optional(self.location.as_deref(), refusals),
            how_to_apply: Text::block("howToApply", 2_000)
                .optional(self.how_to_apply.as_deref(), refusals),
            apply_link: link.and_then(|link| refusals.take(website(&link, "applyLink"))),
            programme_ids,
            ..self
        };
        (advert, salary)
    }

    /// Notes what is still missing for somebody to look at it, and for students to apply.
    pub(super) fn require_whole(&self, refusals: &mut Refusals) {
        // Nobody is paid for volunteering, and studies are paid for.
        let is_paid = !matches!(
            self.kind,
            OpportunityKind::Volunteering | OpportunityKind::FurtherStudy
        );
        for (missing, field, message) in [
            (
                self.description.is_none(),
                "description",
                "Say what there is to do.",
            ),
            (self.location.is_none(), "location", "Say where it is."),
            (
                is_paid && self.hours.is_none(),
                "hours",
                "Say how much work it is.",
            ),
            (
                is_paid && self.salary.is_none(),
                "salary",
                "Say what is paid: a number or a range.",
            ),
            (
                self.how_to_apply.is_none() && self.apply_link.is_none(),
                "howToApply",
                "Say how to apply, or where on the web.",
            ),
        ] {
            refusals.add_if(missing, RefusalCode::Required, field, message);
        }
    }

    /// Notes what is wrong with the days on which it is open, seen from `today`.
    pub(super) fn check_days(&self, today: NaiveDate, refusals: &mut Refusals) {
        let Some(closes_on) = self.closes_on else {
            return;
        };
        refusals.add_if(
            closes_on < today,
            RefusalCode::InThePast,
            "closesOn",
            "This closing date is past.",
        );
        let opens = self.published_from.unwrap_or(today).max(today);
        refusals.add_if(
            closes_on >= today && closes_on < opens,
            RefusalCode::EndsBeforeStart,
            "closesOn",
            "It closes on the day on which it is published or later.",
        );
        refusals.add_if(
            opens
                .checked_add_months(LONGEST_OPEN)
                .is_some_and(|last| closes_on > last),
            RefusalCode::Invalid,
            "closesOn",
            "A vacancy is open for a year at most.",
        );
    }

    /// The day on which it closes, seen from `today`.
    pub(super) fn closing_day(&self, today: NaiveDate) -> NaiveDate {
        let opens = self.published_from.unwrap_or(today).max(today);
        self.closes_on
            .unwrap_or_else(|| opens.checked_add_months(OPEN_BY_ITSELF).unwrap_or(opens))
    }

    /// Whether anything but the days on which it is open is other than in `old`.
    pub(super) fn says_otherwise_than(&self, old: &Self) -> bool {
        let as_before = Self {
            published_from: old.published_from,
            closes_on: old.closes_on,
            ..self.clone()
        };
        as_before != *old
    }

    /// Notes programmes that aren't there, a contact of somebody else, and details that nobody agreed to be shown.
    pub(super) async fn check_others(
        &self,
        tx: &Tx,
        organisation: &organisation::Model,
        refusals: &mut Refusals,
    ) -> Result<()> {
        if !self.programme_ids.is_empty() {
            let found = programme::Entity::find()
                .filter(programme::Column::Id.is_in(self.programme_ids.iter().copied()))
                .count(tx.conn())
                .await?;
            refusals.add_if(
                found != self.programme_ids.len() as u64,
                RefusalCode::NotFound,
                "programmeIds",
                "There is no such programme.",
            );
        }
        let contacts = contacts_of(tx, organisation.id).await?;
        if let Some(id) = self.contact_id {
            refusals.add_if(
                contacts.iter().all(|contact| contact.id != id),
                RefusalCode::NotFound,
                "contactId",
                "There is no such contact of this organisation.",
            );
        }
        // policy 3: no contact details to students without prior permission, in whatever field they are written.
        for (field, text) in [
            ("title", Some(&self.title)),
            ("description", self.description.as_ref()),
            ("location", self.location.as_ref()),
            ("howToApply", self.how_to_apply.as_ref()),
            ("applyLink", self.apply_link.as_ref()),
        ] {
            let tells = text.is_some_and(|text| {
                contacts
                    .iter()
                    .any(|contact| !is_shown(contact, organisation) && names_details(text, contact))
            });
            refusals.add_if(
                tells,
                RefusalCode::Invalid,
                field,
                "These are the contact details of somebody who hasn't agreed to be shown to students. Use an address of \
                 the organisation, or let them agree first.",
            );
        }
        Ok(())
    }

    /// Puts what is said into a row.
    pub(super) fn fill(
        &self,
        row: &mut vacancy::ActiveModel,
        salary: Option<Salary>,
        today: NaiveDate,
    ) {
        row.title = Set(self.title.clone());
        row.description = Set(self.description.clone());
        row.kind = Set(self.kind);
        row.hours = Set(self.hours);
        row.salary_lowest = Set(salary.map(|salary| salary.lowest));
        row.salary_highest = Set(salary.map(|salary| salary.highest));
        row.salary_per = Set(salary.map(|salary| salary.per));
        row.location = Set(self.location.clone());
        row.how_to_apply = Set(self.how_to_apply.clone());
        row.apply_link = Set(self.apply_link.clone());
        row.contact_id = Set(self.contact_id);
        row.published_from = Set(self.published_from);
        row.closes_on = Set(self.closing_day(today));
        row.closing_is_default = Set(self.closes_on.is_none());
    }

    /// Writes the programmes, in place of what was there.
    pub(super) async fn write_programmes(&self, tx: &Tx, id: VacancyId) -> Result<()> {
        vacancy_programme::Entity::delete_many()
            .filter(vacancy_programme::Column::VacancyId.eq(id))
            .exec(tx.conn())
            .await?;
        if !self.programme_ids.is_empty() {
            let rows =
                self.programme_ids
                    .iter()
                    .map(|programme_id| vacancy_programme::ActiveModel {
                        vacancy_id: Set(id),
                        programme_id: Set(*programme_id),
                    });
            vacancy_programme::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await?;
        }
        Ok(())
    }
}

async fn contacts_of(tx: &Tx, id: OrganisationId) -> Result<Vec<contact::Model>> {
    Ok(contact::Entity::find()
        .filter(contact::Column::OrganisationId.eq(id))
        .all(tx.conn())
        .await?)
}

/// Whether students see the details of a contact: both agreed, and they are still there.
fn is_shown(contact: &contact::Model, organisation: &organisation::Model) -> bool {
    contact.visible_to_students
        && organisation.shows_contacts_to_students
        && contact.state == ContactState::Active
}

/// Whether a text has the e-mail address or the telephone number of a contact in it.
fn names_details(text: &str, contact: &contact::Model) -> bool {
    let by_mail = contact
        .email
        .as_deref()
        .is_some_and(|email| text.to_lowercase().contains(email));
    by_mail
        || contact
            .telephone
            .as_deref()
            .map(|number| national_number(without_extension(number)))
            .is_some_and(|number| {
                number.len() >= 6 && numbers_in(text).any(|found| found == number)
            })
}

/// The telephone numbers in a text: digits with the signs that people put between them.
fn numbers_in(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !(c.is_ascii_digit() || " +()-./".contains(c)))
        .map(national_number)
}

/// `0113 496 0000 ext. 12` without its end.
fn without_extension(number: &str) -> &str {
    number.split(['e', 'E', 'x', 'X']).next().unwrap_or(number)
}

/// The digits of a telephone number as it is dialled within the country: `+44 (0)113` and `0113` begin alike.
fn national_number(given: &str) -> String {
    let digits: String = given.chars().filter(char::is_ascii_digit).collect();
    let rest = digits
        .strip_prefix("0044")
        .or_else(|| digits.strip_prefix("44"));
    rest.unwrap_or(&digits).trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_is_known_however_it_is_written() {
        let known = national_number("0113 496 0001");
        for text in [
            "Call 0113 496 0001.",
            "Call +44 (0)113 496 0001 and ask",
            "0044-113-4960001",
            "(0113) 496-0001, before noon",
        ] {
            assert!(numbers_in(text).any(|found| found == known), "{text}");
        }
        for text in ["Call 0113 496 0002.", "4960001", "01134960001234"] {
            assert!(numbers_in(text).all(|found| found != known), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_short_month_is_a_month_later() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let advert = Advert::titled("Engineer", OpportunityKind::GraduateJob);
        assert_eq!(advert.closing_day(day("2027-01-31")), day("2027-02-28"));
        let later = Advert {
            published_from: Some(day("2027-03-10")),
            ..advert
        };
        assert_eq!(later.closing_day(day("2027-01-31")), day("2027-04-10"));
    }
}
