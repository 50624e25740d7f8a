//! The university and everybody who can sign in.

use domain::{Error, Tx};
use entity::{
    credential::{self, CredentialKind},
    faculty,
    ids::{CredentialId, FacultyId, ProgrammeId, SchoolId, UserId},
    programme::{self, StudyLevel},
    school,
    user::{self, UserKind, UserState},
};

use super::{DOMAIN, employers::Employers, insert_all};

/// What a school teaches: the names of programmes with their levels.
type Taught = &'static [(&'static str, StudyLevel)];

/// Faculty, school, programmes.
const STRUCTURE: &[(&str, &str, Taught)] = &[
    (
        "Engineering and Physical Sciences",
        "School of Computing",
        &[
            ("BSc Computer Science", StudyLevel::Undergraduate),
            ("MSc Data Science", StudyLevel::TaughtPostgraduate),
        ],
    ),
    (
        "Engineering and Physical Sciences",
        "School of Mechanical Engineering",
        &[("MEng Mechatronics and Robotics", StudyLevel::Undergraduate)],
    ),
    (
        "Business",
        "School of Management",
        &[("BA Business Management", StudyLevel::Undergraduate)],
    ),
    (
        "Arts, Humanities and Cultures",
        "School of English",
        &[("BA English Literature", StudyLevel::Undergraduate)],
    ),
    (
        "Biological Sciences",
        "School of Biology",
        &[("BSc Biology", StudyLevel::Undergraduate)],
    ),
    (
        "Environment",
        "School of Geography",
        &[("BSc Geography", StudyLevel::Undergraduate)],
    ),
];

const STUDENTS: [&str; 20] = [
    "Aisha Khan",
    "Ben Carter",
    "Chloe Evans",
    "Daniel Okafor",
    "Ella Morris",
    "Farid Rahimi",
    "Grace Lin",
    "Harry Walsh",
    "Isla Fraser",
    "Jack Thompson",
    "Katya Petrova",
    "Liam Murphy",
    "Maya Patel",
    "Noah Fischer",
    "Olivia Grant",
    "Priya Nair",
    "Quentin Dubois",
    "Rosa Martinez",
    "Sam Whitaker",
    "Tariq Aziz",
];

/// The demo university.
pub struct University {
    pub faculties: Vec<faculty::Model>,
    pub programmes: Vec<(programme::Model, FacultyId)>,
}

/// The demo accounts that other demo data refers to.
pub struct People {
    pub administrator: UserId,
    pub super_user: UserId,
    pub operator: UserId,
    pub students: Vec<UserId>,
}

pub async fn load_university(tx: &Tx) -> Result<University, Error> {
    let now = tx.now();
    let mut faculties: Vec<faculty::Model> = Vec::new();
    let mut schools = Vec::new();
    let mut programmes = Vec::new();
    for (faculty_name, school_name, taught) in STRUCTURE {
        let known = faculties
            .iter()
            .find(|faculty| faculty.name == *faculty_name)
            .map(|faculty| faculty.id);
        let faculty_id = known.unwrap_or_else(|| {
            let id = FacultyId::new_at(now);
            faculties.push(faculty::Model {
                id,
                name: (*faculty_name).to_owned(),
                created_at: now,
            });
            id
        });
        let school_id = SchoolId::new_at(now);
        schools.push(school::Model {
            id: school_id,
            faculty_id,
            name: (*school_name).to_owned(),
            created_at: now,
        });
        for (name, level) in *taught {
            let programme = programme::Model {
                id: ProgrammeId::new_at(now),
                school_id,
                name: (*name).to_owned(),
                level: *level,
                created_at: now,
            };
            programmes.push((programme, faculty_id));
        }
    }
    insert_all::<faculty::Entity>(tx, faculties.clone()).await?;
    insert_all::<school::Entity>(tx, schools).await?;
    insert_all::<programme::Entity>(
        tx,
        programmes
            .iter()
            .map(|(programme, _)| programme.clone())
            .collect(),
    )
    .await?;
    Ok(University {
        faculties,
        programmes,
    })
}

pub async fn load_accounts(
    tx: &Tx,
    university: &University,
    employers: &Employers,
    password_hash: &str,
) -> Result<People, Error> {
    let now = tx.now();
    let account = |mailbox: &str, name: &str, kind: UserKind| user::Model {
        id: UserId::new_at(now),
        email: format!("{mailbox}@{DOMAIN}"),
        name: name.to_owned(),
        kind,
        is_super_user: false,
        is_administrator: false,
        state: UserState::Active,
        faculty_id: None,
        programme_id: None,
        year_of_study: None,
        contact_id: None,
        email_verified_at: Some(now),
        session_version: 1,
        booking_blocked_at: None,
        created_at: now,
        updated_at: now,
    };
    let faculty_id = university.faculties.first().map(|faculty| faculty.id);

    let mut administrator = account("admin", "Alex Morgan", UserKind::Staff);
    administrator.is_administrator = true;
    administrator.is_super_user = true;
    let mut super_user = account("superuser", "Sandra Byrne", UserKind::Staff);
    super_user.is_super_user = true;
    super_user.faculty_id = faculty_id;
    let mut operator = account("operator", "Oliver Hughes", UserKind::Staff);
    operator.faculty_id = faculty_id;
    let mut untrained = account("untrained", "Uma Shah", UserKind::Staff);
    untrained.faculty_id = faculty_id;
    let mut employer = account("employer", "Erin Doyle", UserKind::Employer);
    employer.contact_id = employers.signs_in;

    let students: Vec<user::Model> = STUDENTS
        .iter()
        .zip(university.programmes.iter().cycle())
        .zip(1..)
        .map(|((name, (programme, faculty_id)), number)| {
            let mut student = account(&format!("student{number}"), name, UserKind::Student);
            student.faculty_id = Some(*faculty_id);
            student.programme_id = Some(programme.id);
            student.year_of_study = Some(1 + number % 3);
            student
        })
        .collect();

    let people = People {
        administrator: administrator.id,
        super_user: super_user.id,
        operator: operator.id,
        students: students.iter().map(|student| student.id).collect(),
    };
    let mut accounts = vec![administrator, super_user, operator, untrained, employer];
    accounts.extend(students);
    let passwords = passwords_of(&accounts, password_hash);
    insert_all::<user::Entity>(tx, accounts).await?;
    insert_all::<credential::Entity>(tx, passwords).await?;
    Ok(people)
}

/// One and the same for everybody.
fn passwords_of(accounts: &[user::Model], hash: &str) -> Vec<credential::Model> {
    accounts
        .iter()
        .map(|account| credential::Model {
            id: CredentialId::new_at(account.created_at),
            user_id: account.id,
            kind: CredentialKind::Password,
            password_hash: Some(hash.to_owned()),
            external_id: None,
            public_key: None,
            sign_counter: None,
            transports: None,
            is_backed_up: None,
            label: None,
            created_at: account.created_at,
            last_used_at: None,
        })
        .collect()
}
