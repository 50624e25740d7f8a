//! What the university knows better is taken over whenever somebody arrives: what they are, and where.

use std::collections::HashMap;

use entity::{
    access_grant::{self, GrantState},
    faculty, faculty_role,
    ids::{FacultyId, ProgrammeId, UserId},
    programme, school,
    user::{self, UserKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::{Value, json};

use super::Arrived;
use crate::{
    account, email_address::EmailAddress, error::Result, live::LiveEvent, operator_access,
    store::Tx, viewer::Viewer,
};

/// The longest name that is shown, in characters.
const LONGEST_NAME: usize = 120;

/// One line of a text that somebody else has written, cut to what is shown; none when nothing is left.
pub(super) fn one_line(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect();
    (!line.is_empty()).then_some(line)
}

/// Takes over kind, address, faculty, programme and year. What the university doesn't tell, or calls by a name that we
/// don't know, stays; so does the faculty that a member of staff has chosen.
pub(super) async fn take_over(tx: &mut Tx, account: user::Model, arrived: &Arrived) -> Result<()> {
    let kind = kind_of(tx, &account, arrived).await?;
    let email = email_of(tx, &account, arrived).await?;
    let told = match &arrived.faculty {
        Some(name) => faculty_named(tx, name).await?,
        None => None,
    };
    let is_student = kind == UserKind::Student;
    let programme = match &arrived.programme {
        Some(name) if is_student => programme_named(tx, name, told).await?,
        _ => None,
    };
    let faculty = programme.map(|(_, faculty)| faculty).or(told);
    let year = arrived
        .year_of_study
        .filter(|year| is_student && (1..=10).contains(year));
    let mut now = account.clone();
    now.kind = kind;
    now.email = email;
    now.faculty_id = match account.faculty_id {
        // policy 1: staff shape their own profile.
        Some(chosen) if kind == UserKind::Staff => Some(chosen),
        known => faculty.or(known),
    };
    now.programme_id = programme.map(|(id, _)| id).or(account.programme_id);
    now.year_of_study = year.or(account.year_of_study);
    if kind != UserKind::Staff {
        now.is_super_user = false;
        now.is_administrator = false;
    }
    if now == account {
        return Ok(());
    }
    if account.kind == UserKind::Staff && kind != UserKind::Staff {
        leave_staff(tx, account.id).await?;
    }
    let (before, after) = (shown(&account), shown(&now));
    let id = account.id;
    let mut row = now.into_active_model().reset_all();
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    tx.announce(LiveEvent::AccessChanged { user_id: id });
    tx.audit(
        &Viewer::system(),
        "account.update_from_university",
        id,
        Some(before),
        Some(after),
    )
    .await
}

fn shown(account: &user::Model) -> Value {
    json!({
        "kind": account.kind,
        "email": account.email,
        "facultyId": account.faculty_id,
        "programmeId": account.programme_id,
        "yearOfStudy": account.year_of_study,
    })
}

/// What they are from now on. Somebody always administers: the last administrator stays on the staff until there is another.
async fn kind_of(tx: &Tx, account: &user::Model, arrived: &Arrived) -> Result<UserKind> {
    if arrived.kind == account.kind || account.kind == UserKind::Employer {
        return Ok(account.kind);
    }
    if account.is_administrator && !account::is_another_administrator(tx, account.id).await? {
        return Ok(account.kind);
    }
    Ok(arrived.kind)
}

/// The address that the university has proved, unless it is somebody else's account by now.
async fn email_of(tx: &Tx, account: &user::Model, arrived: &Arrived) -> Result<String> {
    let proved = arrived
        .email
        .as_ref()
        .filter(|_| arrived.email_is_verified)
        .map(EmailAddress::as_str)
        .filter(|email| *email != account.email);
    let Some(proved) = proved else {
        return Ok(account.email.clone());
    };
    tx.hold(&format!("account_email/{proved}")).await?;
    let taken = user::Entity::find()
        .filter(user::Column::Email.eq(proved))
        .one(tx.conn())
        .await?;
    Ok(if taken.is_none() {
        proved.to_owned()
    } else {
        account.email.clone()
    })
}

/// Whoever isn't on the staff any more has no rights of the staff: not by grant, and not in the Super User Group.
async fn leave_staff(tx: &mut Tx, id: UserId) -> Result<()> {
    let grants = access_grant::Entity::find()
        .filter(access_grant::Column::UserId.eq(id))
        .filter(access_grant::Column::State.ne(GrantState::Revoked))
        .all(tx.conn())
        .await?;
    for grant in grants {
        operator_access::end_grant(tx, &Viewer::system(), grant).await?;
    }
    faculty_role::Entity::delete_many()
        .filter(faculty_role::Column::UserId.eq(id))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Names are compared here and not in SQL: the two databases don't agree on the case of letters beyond ASCII.
fn is_named(name: &str, given: &str) -> bool {
    name.trim().to_lowercase() == given.trim().to_lowercase()
}

async fn faculty_named(tx: &Tx, name: &str) -> Result<Option<FacultyId>> {
    let faculties = faculty::Entity::find().all(tx.conn()).await?;
    Ok(faculties
        .into_iter()
        .find(|faculty| is_named(&faculty.name, name))
        .map(|faculty| faculty.id))
}

/// The one programme of this name, in this faculty when one is told. Two of one name are nobody's.
async fn programme_named(
    tx: &Tx,
    name: &str,
    within: Option<FacultyId>,
) -> Result<Option<(ProgrammeId, FacultyId)>> {
    let faculties: HashMap<_, _> = school::Entity::find()
        .all(tx.conn())
        .await?
        .into_iter()
        .map(|school| (school.id, school.faculty_id))
        .collect();
    let programmes = programme::Entity::find().all(tx.conn()).await?;
    let mut found = programmes
        .into_iter()
        .filter(|programme| is_named(&programme.name, name))
        .filter_map(|programme| Some((programme.id, *faculties.get(&programme.school_id)?)))
        .filter(|(_, faculty)| within.is_none_or(|within| within == *faculty));
    let first = found.next();
    Ok(first.filter(|_| found.next().is_none()))
}
