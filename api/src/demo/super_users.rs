//! The Super User Group, what it announced, and what staff put forward.

use chrono::TimeDelta;
use domain::{Error, Tx, mail_rules::MailRules};
use entity::{
    announcement::{self, AnnouncementKind},
    announcement_faculty, announcement_read,
    faculty_role::{self, FacultyRoleKind},
    ids::{AnnouncementId, SuggestionCommentId, SuggestionId, UserId},
    list::TextList,
    mail_rules, profile,
    suggestion::{self, SuggestionKind, SuggestionPriority, SuggestionState},
    suggestion_comment, suggestion_vote,
    user::{self, UserKind, UserState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{DOMAIN, insert_all, people::University};

/// Representatives and disseminators of the other faculties. Nobody stands for the last one.
const STAFF: &[(&str, &str, &str, FacultyRoleKind)] = &[
    (
        "n.osei",
        "Nana Osei",
        "Business",
        FacultyRoleKind::Representative,
    ),
    (
        "r.lindqvist",
        "Rut Lindqvist",
        "Business",
        FacultyRoleKind::Disseminator,
    ),
    (
        "t.adeyemi",
        "Tolu Adeyemi",
        "Arts, Humanities and Cultures",
        FacultyRoleKind::Representative,
    ),
    (
        "m.keane",
        "Maeve Keane",
        "Biological Sciences",
        FacultyRoleKind::Disseminator,
    ),
];

pub async fn load(tx: &Tx, university: &University) -> Result<(), Error> {
    load_mail_rules(tx).await?;
    let superuser = demo_account(tx, "superuser").await?;
    let operator = demo_account(tx, "operator").await?;
    let untrained = demo_account(tx, "untrained").await?;
    let mut staff = load_group(tx, university, &superuser, &operator).await?;
    load_announcements(tx, university, superuser.id, &staff).await?;
    staff.extend([operator.id, untrained.id]);
    load_suggestions(tx, superuser.id, untrained.id, &staff).await?;
    insert_all::<profile::Entity>(
        tx,
        vec![profile::Model {
            user_id: operator.id,
            post: Some("Employer engagement officer".to_owned()),
            interests: TextList(vec!["Robotics".to_owned(), "Start-ups".to_owned()]),
            version: 1,
            updated_at: tx.now(),
        }],
    )
    .await
}

async fn demo_account(tx: &Tx, mailbox: &str) -> Result<user::Model, Error> {
    user::Entity::find()
        .filter(user::Column::Email.eq(format!("{mailbox}@{DOMAIN}")))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::Fault(format!("the demo data has no {mailbox}")))
}

/// The demo is tried out at any hour of the day, so its bulk mail has no quiet hours.
async fn load_mail_rules(tx: &Tx) -> Result<(), Error> {
    let rules = MailRules::default();
    let number = |given: Option<u32>| given.and_then(|given| i32::try_from(given).ok());
    let row = mail_rules::Model {
        id: 1,
        review_above: number(rules.review_above),
        contact_cap: number(rules.contact_cap),
        organisation_cap: number(rules.organisation_cap),
        cap_days: i32::try_from(rules.cap_days).unwrap_or(i32::MAX),
        quiet_from: None,
        quiet_until: None,
        mail_rate: None,
        domain_rate: None,
        version: 0,
        updated_at: tx.now(),
    };
    insert_all::<mail_rules::Entity>(tx, vec![row]).await
}

async fn load_group(
    tx: &Tx,
    university: &University,
    superuser: &user::Model,
    operator: &user::Model,
) -> Result<Vec<UserId>, Error> {
    let now = tx.now();
    let mut accounts = Vec::new();
    let mut roles = Vec::new();
    let mut stands = |account: &user::Model, role| {
        if let Some(faculty_id) = account.faculty_id {
            roles.push(faculty_role::Model {
                faculty_id,
                role,
                user_id: account.id,
                since: now,
            });
        }
    };
    stands(superuser, FacultyRoleKind::Representative);
    stands(operator, FacultyRoleKind::Disseminator);
    for (mailbox, name, faculty, role) in STAFF {
        let faculty = university
            .faculties
            .iter()
            .find(|known| known.name == *faculty);
        // The university signs them in, so they have no password.
        let account = user::Model {
            id: UserId::new_at(now),
            email: format!("{mailbox}@{DOMAIN}"),
            name: (*name).to_owned(),
            kind: UserKind::Staff,
            is_super_user: *role == FacultyRoleKind::Representative,
            is_administrator: false,
            state: UserState::Active,
            faculty_id: faculty.map(|faculty| faculty.id),
            programme_id: None,
            year_of_study: None,
            contact_id: None,
            email_verified_at: Some(now),
            session_version: 1,
            booking_blocked_at: None,
            created_at: now,
            updated_at: now,
        };
        stands(&account, *role);
        accounts.push(account);
    }
    let ids = accounts.iter().map(|account| account.id).collect();
    insert_all::<user::Entity>(tx, accounts).await?;
    insert_all::<faculty_role::Entity>(tx, roles).await?;
    Ok(ids)
}

async fn load_announcements(
    tx: &Tx,
    university: &University,
    published_by: UserId,
    readers: &[UserId],
) -> Result<(), Error> {
    let now = tx.now();
    let announcement = |days: i64, kind, title: &str, body: &str| announcement::Model {
        id: AnnouncementId::new_at(now - TimeDelta::days(days)),
        kind,
        title: title.to_owned(),
        body: body.to_owned(),
        published_by,
        published_at: now - TimeDelta::days(days),
        // It has gone out already; the demo sends no mail by itself.
        remind_at: None,
    };
    let policy = announcement(
        3,
        AnnouncementKind::PolicyChange,
        "Liaise first, also before an invitation",
        "Policy 2.3 now says it in so many words: before a key account contact is invited to an event, the Key Account \
         Operator is asked.",
    );
    let system = announcement(
        1,
        AnnouncementKind::SystemUpdate,
        "Registers close by themselves",
        "Three hours after the end of an event its register closes by itself, once somebody has been marked in it.",
    );
    let for_first = university
        .faculties
        .iter()
        .take(1)
        .map(|faculty| announcement_faculty::Model {
            announcement_id: system.id,
            faculty_id: faculty.id,
        })
        .collect();
    let receipts = readers
        .iter()
        .take(2)
        .map(|user_id| announcement_read::Model {
            announcement_id: policy.id,
            user_id: *user_id,
            read_at: now - TimeDelta::days(2),
        })
        .collect();
    insert_all::<announcement::Entity>(tx, vec![policy, system]).await?;
    insert_all::<announcement_faculty::Entity>(tx, for_first).await?;
    insert_all::<announcement_read::Entity>(tx, receipts).await
}

async fn load_suggestions(
    tx: &Tx,
    superuser: UserId,
    filer: UserId,
    voters: &[UserId],
) -> Result<(), Error> {
    let now = tx.now();
    let suggestion = |days: i64, kind, title: &str, body: &str, votes: usize| suggestion::Model {
        id: SuggestionId::new_at(now - TimeDelta::days(days)),
        kind,
        title: title.to_owned(),
        body: body.to_owned(),
        state: SuggestionState::Filed,
        priority: None,
        outcome: None,
        filed_by: filer,
        votes: i32::try_from(votes.min(voters.len())).unwrap_or(0),
        version: 1,
        created_at: now - TimeDelta::days(days),
        updated_at: now - TimeDelta::days(days),
    };
    let mut telephone = suggestion(
        9,
        SuggestionKind::Improvement,
        "Find employers by telephone number",
        "Employers ring, and the number on the display is all that I have.",
        5,
    );
    telephone.state = SuggestionState::UnderDiscussion;
    telephone.priority = Some(SuggestionPriority::High);
    let mut tickets = suggestion(
        6,
        SuggestionKind::Fault,
        "Tickets are printed without the room",
        "The room is on the page, but not on the paper.",
        2,
    );
    tickets.state = SuggestionState::Done;
    tickets.outcome = Some("The room stands under the time now.".to_owned());
    let calendar = suggestion(
        1,
        SuggestionKind::Fault,
        "The calendar begins on a Sunday",
        "Weeks begin on a Monday here.",
        1,
    );
    let rows = vec![telephone, tickets, calendar];
    let cast = rows
        .iter()
        .flat_map(|row| {
            let count = usize::try_from(row.votes).unwrap_or(0);
            voters
                .iter()
                .take(count)
                .map(|user_id| suggestion_vote::Model {
                    suggestion_id: row.id,
                    user_id: *user_id,
                    voted_at: row.created_at,
                })
        })
        .collect();
    let comments = rows
        .iter()
        .take(1)
        .flat_map(|row| {
            [
                (superuser, 8, "Would the last six digits be enough?"),
                (filer, 7, "Yes, they nearly always are."),
            ]
            .map(|(author_id, days, body)| suggestion_comment::Model {
                id: SuggestionCommentId::new_at(now - TimeDelta::days(days)),
                suggestion_id: row.id,
                author_id,
                body: body.to_owned(),
                created_at: now - TimeDelta::days(days),
            })
        })
        .collect();
    insert_all::<suggestion::Entity>(tx, rows).await?;
    insert_all::<suggestion_vote::Entity>(tx, cast).await?;
    insert_all::<suggestion_comment::Entity>(tx, comments).await
}
