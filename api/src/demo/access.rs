//! Training, agreements, and who may do what: one operator who has earned it all, somebody on the way, somebody at the
//! beginning, and sessions to book (policy 3).

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Error, Tx, viewer::permission_name};
use entity::{
    access_grant::{self, GrantState, Permission},
    agreement::{self, AgreementKind},
    agreement_acceptance, agreement_version, course_agreement,
    ids::{
        AgreementId, AgreementVersionId, EventId, GrantId, TrainingCourseId, TrainingRecordId,
        UserId,
    },
    list::TextList,
    operator_access::{self, AccessState},
    training_course, training_record, training_session,
};

use super::{insert_all, people::People};

struct Agreement {
    kind: AgreementKind,
    title: &'static str,
    text: &'static str,
}

const AGREEMENTS: &[Agreement] = &[
    Agreement {
        kind: AgreementKind::OperatorTerms,
        title: "Operator terms",
        text: "I use MyCareer for my work with employers and students and for nothing else. I record what others will \
               need to know, keep what I record true, and sign in as nobody but myself.",
    },
    Agreement {
        kind: AgreementKind::DataProtection,
        title: "Data protection code of practice",
        text: "I pass on no e-mail address and no telephone number of an employer's contact to anybody outside the \
               university, students and graduates among them, unless that contact has agreed to it.",
    },
    Agreement {
        kind: AgreementKind::BulkEmailGuidance,
        title: "Guidance on bulk e-mail",
        text: "Before I write to many employers I look at what others have written to them and plan to write. I put in \
               events of other faculties where they fit, and I write to nobody who asked not to be written to.",
    },
];

/// Training courses, what they open, and which of the agreements they name besides the first two (policy 2.5 and 3).
const COURSES: &[(&str, &[Permission], &[usize])] = &[
    (
        "MyCareer essentials",
        &[Permission::RecordEngagement, Permission::EditOrganisation],
        &[],
    ),
    ("Running events", &[Permission::ManageEvent], &[]),
    (
        "Bulk e-mail and data protection",
        &[Permission::SendBulkEmail, Permission::ExportContacts],
        &[2],
    ),
    (
        "Key accounts and clean records",
        &[Permission::ClaimKeyAccount, Permission::DeleteOrganisation],
        &[],
    ),
    ("Moderating vacancies", &[Permission::ModerateVacancy], &[]),
    ("Reading reports", &[Permission::ReadReport], &[]),
    ("Work placements", &[Permission::ManagePlacement], &[]),
    ("Granting access", &[Permission::GrantAccess], &[]),
];

/// The courses that the demo operator has attended.
const OPERATOR_COURSES: usize = 6;

/// When those who are trained were: so many days ago.
const ATTENDED_DAYS_AGO: i64 = 20;

pub async fn load(tx: &Tx, people: &People, sessions: &[EventId]) -> Result<(), Error> {
    let now = tx.now();
    let agreements = agreements(tx).await?;
    let courses = courses(tx, &agreements).await?;
    // The sessions are of the courses that everybody starts with and that the tour is about.
    let taught = sessions
        .iter()
        .zip([0, 2])
        .filter_map(|(event_id, course)| {
            Some(training_session::Model {
                event_id: *event_id,
                training_course_id: courses.get(course)?.id,
            })
        });
    insert_all::<training_session::Entity>(tx, taught.collect()).await?;

    let mut records = Vec::new();
    let mut grants = Vec::new();
    for (position, ((_, permissions, _), course)) in COURSES.iter().zip(&courses).enumerate() {
        let holders = [
            Some(people.administrator),
            (position < OPERATOR_COURSES).then_some(people.operator),
        ];
        for user_id in holders.into_iter().flatten() {
            records.push(record(user_id, course, now));
            let given = permissions.iter();
            grants.extend(given.map(|permission| grant(user_id, *permission, course, now)));
        }
    }
    // On the way: trained, with the agreements still to be accepted.
    records.extend(
        courses
            .first()
            .map(|course| record(people.super_user, course, now)),
    );
    insert_all::<training_record::Entity>(tx, records).await?;
    insert_all::<access_grant::Entity>(tx, grants).await?;

    let accepted = agreements.iter().flat_map(|(_, version)| {
        [people.administrator, people.operator].map(|user_id| agreement_acceptance::Model {
            agreement_version_id: *version,
            user_id,
            accepted_at: now - TimeDelta::days(ATTENDED_DAYS_AGO),
        })
    });
    insert_all::<agreement_acceptance::Entity>(tx, accepted.collect()).await?;
    let stands = [
        (people.administrator, AccessState::Active),
        (people.operator, AccessState::Active),
        (people.super_user, AccessState::Trained),
    ]
    .map(|(user_id, state)| operator_access::Model {
        user_id,
        state,
        changed_at: now - TimeDelta::days(ATTENDED_DAYS_AGO),
        suspended_because: None,
    });
    insert_all::<operator_access::Entity>(tx, stands.into()).await
}

/// The agreements with their first versions.
async fn agreements(tx: &Tx) -> Result<Vec<(AgreementId, AgreementVersionId)>, Error> {
    let published_at = tx.now() - TimeDelta::days(200);
    let mut rows = Vec::new();
    let mut versions = Vec::new();
    for sample in AGREEMENTS {
        let agreement_id = AgreementId::new_at(tx.now());
        rows.push(agreement::Model {
            id: agreement_id,
            kind: sample.kind,
            title: sample.title.to_owned(),
            created_at: published_at,
        });
        versions.push(agreement_version::Model {
            id: AgreementVersionId::new_at(tx.now()),
            agreement_id,
            number: 1,
            text: sample.text.to_owned(),
            grace_days: 14,
            published_at,
            binding_from: published_at + TimeDelta::days(14),
            published_by: None,
        });
    }
    let ids = versions
        .iter()
        .map(|version| (version.agreement_id, version.id))
        .collect();
    insert_all::<agreement::Entity>(tx, rows).await?;
    insert_all::<agreement_version::Entity>(tx, versions).await?;
    Ok(ids)
}

async fn courses(
    tx: &Tx,
    agreements: &[(AgreementId, AgreementVersionId)],
) -> Result<Vec<training_course::Model>, Error> {
    let mut courses = Vec::new();
    let mut named = Vec::new();
    for (title, permissions, further) in COURSES {
        let course = training_course::Model {
            id: TrainingCourseId::new_at(tx.now()),
            title: (*title).to_owned(),
            permissions: TextList(permissions.iter().copied().map(permission_name).collect()),
            validity_days: 365,
            created_at: tx.now(),
        };
        let of_this = [0, 1].iter().chain(*further);
        named.extend(of_this.filter_map(|position| {
            Some(course_agreement::Model {
                training_course_id: course.id,
                agreement_id: agreements.get(*position)?.0,
                named_at: None,
            })
        }));
        courses.push(course);
    }
    insert_all::<training_course::Entity>(tx, courses.clone()).await?;
    insert_all::<course_agreement::Entity>(tx, named).await?;
    Ok(courses)
}

fn record(
    user_id: UserId,
    course: &training_course::Model,
    now: DateTime<Utc>,
) -> training_record::Model {
    let attended_at = now - TimeDelta::days(ATTENDED_DAYS_AGO);
    training_record::Model {
        id: TrainingRecordId::new_at(now),
        user_id,
        training_course_id: course.id,
        event_id: None,
        attended_at,
        valid_until: attended_at + TimeDelta::days(course.validity_days.into()),
    }
}

fn grant(
    user_id: UserId,
    permission: Permission,
    course: &training_course::Model,
    now: DateTime<Utc>,
) -> access_grant::Model {
    access_grant::Model {
        id: GrantId::new_at(now),
        user_id,
        permission,
        faculty_id: None,
        training_course_id: Some(course.id),
        state: GrantState::Active,
        granted_by: None,
        granted_at: now,
    }
}
