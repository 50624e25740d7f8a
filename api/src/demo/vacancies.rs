//! What the demo employers offer: open to all, open to some, waiting, declined, over, and one employer who is trusted.

use chrono::{Days, NaiveDate};
use domain::{Error, Tx, clock::university_day};
use entity::{
    event_opportunity::OpportunityKind,
    ids::{VacancyId, VacancyRuleId},
    vacancy::{self, SalaryPeriod, VacancyHours, VacancyState},
    vacancy_programme, vacancy_rule,
};

use super::{
    employers::Employers,
    insert_all,
    people::{People, University},
};

struct Sample {
    title: &'static str,
    employer: usize,
    kind: OpportunityKind,
    state: VacancyState,
    reason: Option<&'static str>,
    hours: VacancyHours,
    pounds: Option<(i32, i32, SalaryPeriod)>,
    location: &'static str,
    /// Every programme of so many of the first faculties; none means all.
    faculties: usize,
}

const SAMPLES: &[Sample] = &[
    Sample {
        title: "Graduate Robotics Engineer",
        employer: 0,
        kind: OpportunityKind::GraduateJob,
        state: VacancyState::Approved,
        reason: None,
        hours: VacancyHours::FullTime,
        pounds: Some((29_000, 33_000, SalaryPeriod::Year)),
        location: "Leeds",
        faculties: 1,
    },
    Sample {
        title: "Summer Internship in Perception",
        employer: 0,
        kind: OpportunityKind::Internship,
        state: VacancyState::Submitted,
        reason: None,
        hours: VacancyHours::FullTime,
        pounds: Some((450, 450, SalaryPeriod::Week)),
        location: "Leeds",
        faculties: 1,
    },
    Sample {
        title: "Energy Analyst, Placement Year",
        employer: 1,
        kind: OpportunityKind::Placement,
        state: VacancyState::Approved,
        reason: None,
        hours: VacancyHours::FullTime,
        pounds: Some((22_000, 22_000, SalaryPeriod::Year)),
        location: "Hull, or from home",
        faculties: 0,
    },
    Sample {
        title: "Paralegal",
        employer: 2,
        kind: OpportunityKind::GraduateJob,
        state: VacancyState::Declined,
        reason: Some("Say how applicants are chosen."),
        hours: VacancyHours::FullTime,
        pounds: Some((24_500, 26_000, SalaryPeriod::Year)),
        location: "Leeds",
        faculties: 0,
    },
    Sample {
        title: "Volunteer at the Open Weekend",
        employer: 3,
        kind: OpportunityKind::Volunteering,
        state: VacancyState::Approved,
        reason: None,
        hours: VacancyHours::Flexible,
        pounds: None,
        location: "Grassington",
        faculties: 0,
    },
    Sample {
        title: "Part-time Data Assistant",
        employer: 4,
        kind: OpportunityKind::PartTimeJob,
        state: VacancyState::Filled,
        reason: None,
        hours: VacancyHours::PartTime,
        pounds: Some((13, 15, SalaryPeriod::Hour)),
        location: "Leeds",
        faculties: 0,
    },
];

pub async fn load(
    tx: &Tx,
    university: &University,
    employers: &Employers,
    people: &People,
) -> Result<(), Error> {
    let (now, today) = (tx.now(), university_day(tx.now()));
    let in_days = |days: u64| today.checked_add_days(Days::new(days)).unwrap_or(today);
    let mut vacancies = Vec::new();
    let mut programmes = Vec::new();
    for (sample, number) in SAMPLES.iter().zip(2..) {
        let Some(organisation_id) = employers.organisation(sample.employer) else {
            continue;
        };
        let id = VacancyId::new_at(now);
        let faculties: Vec<_> = university.faculties.iter().take(sample.faculties).collect();
        programmes.extend(
            university
                .programmes
                .iter()
                .filter(|(_, of)| faculties.iter().any(|faculty| faculty.id == *of))
                .map(|(programme, _)| vacancy_programme::Model {
                    vacancy_id: id,
                    programme_id: programme.id,
                }),
        );
        vacancies.push(sample.row(id, organisation_id, in_days(number * 7), today, people, now));
    }
    insert_all::<vacancy::Entity>(tx, vacancies).await?;
    insert_all::<vacancy_programme::Entity>(tx, programmes).await?;
    let trusted = employers
        .organisation(4)
        .map(|organisation_id| vacancy_rule::Model {
            id: VacancyRuleId::new_at(now),
            organisation_id,
            kind: Some(OpportunityKind::PartTimeJob),
            reason: "Twenty of them went well.".to_owned(),
            set_by: people.operator,
            set_at: now,
            ended_by: None,
            ended_at: None,
        });
    insert_all::<vacancy_rule::Entity>(tx, trusted.into_iter().collect()).await
}

impl Sample {
    fn row(
        &self,
        id: VacancyId,
        organisation_id: entity::ids::OrganisationId,
        closes_on: NaiveDate,
        today: NaiveDate,
        people: &People,
        now: chrono::DateTime<chrono::Utc>,
    ) -> vacancy::Model {
        let was_decided = self.state != VacancyState::Submitted;
        let was_open = !matches!(self.state, VacancyState::Submitted | VacancyState::Declined);
        vacancy::Model {
            id,
            organisation_id,
            title: self.title.to_owned(),
            description: Some("You join a small team, and learn the work by doing it.".to_owned()),
            kind: self.kind,
            hours: Some(self.hours),
            salary_lowest: self.pounds.map(|(lowest, _, _)| lowest * 100),
            salary_highest: self.pounds.map(|(_, highest, _)| highest * 100),
            salary_per: self.pounds.map(|(_, _, per)| per),
            location: Some(self.location.to_owned()),
            how_to_apply: Some(
                "With a letter of one page and your CV, on our web site.".to_owned(),
            ),
            apply_link: None,
            contact_id: None,
            state: self.state,
            reason: self.reason.map(str::to_owned),
            published_from: was_open.then_some(today),
            closes_on,
            closing_is_default: false,
            submitted_at: Some(now),
            decided_by: was_decided.then_some(people.operator),
            decided_at: was_decided.then_some(now),
            closed_at: (self.state == VacancyState::Filled).then_some(now),
            reminded_for: None,
            created_by: people.operator,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}
