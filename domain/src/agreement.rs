//! Agreements: what operators agree to before they have access (policy 2.5 and 3).
//!
//! An agreement has versions, and a version never changes. A new one asks everybody again; whoever had accepted the one
//! before has some days of grace for it.

use chrono::TimeDelta;
use entity::{
    access_grant,
    agreement::{self, AgreementKind},
    agreement_acceptance, agreement_version, course_agreement,
    ids::{AgreementId, AgreementVersionId, UserId},
    user::{self, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    JoinType, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::OnConflict,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    job::{Job, Queue},
    operator_access::{self, counting},
    organisation::nothing,
    page::{Page, Slice},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How many days of grace a new version gives when nothing else is said.
pub const GRACE_DAYS: i32 = 14;

/// The most days of grace.
const MOST_GRACE_DAYS: i32 = 365;

/// How many people one run of the job writes to.
const CHUNK: u64 = 100;

/// A version to be published.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// Of which agreement.
    pub of: Of,
    /// The text.
    pub text: String,
    /// For how many days the version before it is still enough.
    pub grace_days: i32,
}

/// Which agreement a version is of.
#[derive(Clone, Debug)]
pub enum Of {
    /// One that there is.
    Known(AgreementId),
    /// A new one.
    New {
        /// What it is about.
        kind: AgreementKind,
        /// Its title.
        title: String,
    },
}

/// Tells those whose access rests on an agreement of its new version, some at a time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct TellOfVersion {
    /// The version.
    pub version_id: AgreementVersionId,
    /// Those up to this one have been told.
    pub after: Option<UserId>,
}

impl Job for TellOfVersion {
    const KIND: &'static str = "agreement.tell";
    const QUEUE: Queue = Queue::Mail;
}

/// Publishes a version of an agreement, and with the first one the agreement itself. Those whose access rests on it are
/// told.
pub async fn publish(tx: &mut Tx, viewer: &Viewer, new: NewVersion) -> Result<agreement::Model> {
    if !viewer.is_administrator() {
        viewer.signed_in()?;
        return Err(Error::Forbidden(
            "This is for the administrators of the Careers Centre.".to_owned(),
        ));
    }
    let mut refusals = Refusals::default();
    let text = Text::block("text", 50_000).required(&new.text, &mut refusals);
    if !(0..=MOST_GRACE_DAYS).contains(&new.grace_days) {
        refusals.add(
            RefusalCode::Invalid,
            "graceDays",
            format!("Give a number of days from 0 to {MOST_GRACE_DAYS}."),
        );
    }
    let title = match &new.of {
        Of::New { title, .. } => Some(Text::line("title", 200).required(title, &mut refusals)),
        Of::Known(_) => None,
    };
    refusals.into_result()?;
    let (agreement, number) = match (new.of, title) {
        (Of::New { kind, .. }, Some(title)) => (create(tx, kind, title).await?, 1),
        (Of::Known(id), _) => next_number(tx, id).await?,
        (Of::New { .. }, None) => {
            return Err(Error::Fault("an agreement without a title".to_owned()));
        }
    };
    let version = agreement_version::ActiveModel {
        id: Set(AgreementVersionId::new_at(tx.now())),
        agreement_id: Set(agreement.id),
        number: Set(number),
        text: Set(text),
        grace_days: Set(new.grace_days),
        published_at: Set(tx.now()),
        binding_from: Set(tx.now() + TimeDelta::days(new.grace_days.into())),
        published_by: Set(viewer.user_id()),
    }
    .insert(tx.conn())
    .await?;
    tx.audit(
        viewer,
        "agreement.publish",
        agreement.id,
        None,
        Some(json!({
            "title": agreement.title,
            "kind": agreement.kind,
            "number": version.number,
            "versionId": version.id,
            "graceDays": version.grace_days,
        })),
    )
    .await?;
    let job = TellOfVersion {
        version_id: version.id,
        after: None,
    };
    tx.enqueue(&job, None).await?;
    if new.grace_days == 0 {
        // What was accepted before is not enough from now on.
        let accepted = accepted_before(tx, agreement.id).await?;
        operator_access::review(tx, viewer, &accepted).await?;
    }
    Ok(agreement)
}

async fn create(tx: &Tx, kind: AgreementKind, title: String) -> Result<agreement::Model> {
    let same = agreement::Entity::find()
        .filter(agreement::Column::Title.eq(title.as_str()))
        .one(tx.conn())
        .await?;
    if same.is_some() {
        return Err(Error::refused(
            RefusalCode::Taken,
            "title",
            "There is an agreement of this title: publish a new version of it.",
        ));
    }
    Ok(agreement::ActiveModel {
        id: Set(AgreementId::new_at(tx.now())),
        kind: Set(kind),
        title: Set(title),
        created_at: Set(tx.now()),
    }
    .insert(tx.conn())
    .await?)
}

async fn next_number(tx: &Tx, id: AgreementId) -> Result<(agreement::Model, i32)> {
    let agreement = agreement::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("agreementId", "agreement"))?;
    let number = current_version(tx.conn(), id)
        .await?
        .map_or(1, |current| current.number + 1);
    Ok((agreement, number))
}

async fn accepted_before(tx: &Tx, id: AgreementId) -> Result<Vec<UserId>> {
    Ok(agreement_acceptance::Entity::find()
        .select_only()
        .column(agreement_acceptance::Column::UserId)
        .distinct()
        .join(JoinType::InnerJoin, version_of_acceptance())
        .filter(agreement_version::Column::AgreementId.eq(id))
        .into_tuple()
        .all(tx.conn())
        .await?)
}

fn version_of_acceptance() -> sea_orm::RelationDef {
    agreement_acceptance::Entity::belongs_to(agreement_version::Entity)
        .from(agreement_acceptance::Column::AgreementVersionId)
        .to(agreement_version::Column::Id)
        .into()
}

/// Accepts the current version of an agreement. It works twice without harm.
pub async fn accept(
    tx: &mut Tx,
    viewer: &Viewer,
    version_id: AgreementVersionId,
) -> Result<agreement::Model> {
    let person = viewer.signed_in()?;
    let not_found = || Error::not_found("agreementVersionId", "version of an agreement");
    let version = agreement_version::Entity::find_by_id(version_id)
        .one(tx.conn())
        .await?
        .ok_or_else(not_found)?;
    let agreement = visible(viewer)
        .filter(agreement::Column::Id.eq(version.agreement_id))
        .one(tx.conn())
        .await?
        .ok_or_else(not_found)?;
    let current = current_version(tx.conn(), agreement.id).await?;
    if current.is_some_and(|current| current.id != version_id) {
        return Err(Error::refused(
            RefusalCode::Stale,
            "agreementVersionId",
            "There is a newer version: read it and accept that one.",
        ));
    }
    let written = agreement_acceptance::Entity::insert(agreement_acceptance::ActiveModel {
        agreement_version_id: Set(version_id),
        user_id: Set(person.id),
        accepted_at: Set(tx.now()),
    })
    .on_conflict(OnConflict::new().do_nothing().to_owned())
    .exec_without_returning(tx.conn())
    .await?;
    if written > 0 {
        tx.audit(
            viewer,
            "agreement.accept",
            agreement.id,
            None,
            Some(json!({ "versionId": version_id, "number": version.number })),
        )
        .await?;
        operator_access::review(tx, viewer, &[person.id]).await?;
    }
    Ok(agreement)
}

/// The version that is asked for now.
pub async fn current_version(
    db: &impl ConnectionTrait,
    id: AgreementId,
) -> Result<Option<agreement_version::Model>> {
    Ok(agreement_version::Entity::find()
        .filter(agreement_version::Column::AgreementId.eq(id))
        .order_by_desc(agreement_version::Column::Number)
        .one(db)
        .await?)
}

/// Tells the next people of a new version.
pub async fn tell_of_version(tx: &mut Tx, job: TellOfVersion) -> Result<()> {
    let Some(version) = agreement_version::Entity::find_by_id(job.version_id)
        .one(tx.conn())
        .await?
    else {
        return Ok(());
    };
    let Some(agreement) = agreement::Entity::find_by_id(version.agreement_id)
        .one(tx.conn())
        .await?
    else {
        return Ok(());
    };
    let people = unaccepting(&version)
        .filter(Condition::all().add_option(job.after.map(|after| user::Column::Id.gt(after))))
        .order_by_asc(user::Column::Id)
        .limit(CHUNK)
        .all(tx.conn())
        .await?;
    for person in &people {
        operator_access::letters::new_version(tx, person, &agreement, &version, "published")
            .await?;
    }
    if let Some(last) = people.last().filter(|_| people.len() as u64 == CHUNK) {
        let next = TellOfVersion {
            after: Some(last.id),
            ..job
        };
        tx.enqueue(&next, None).await?;
    }
    Ok(())
}

/// Those whose access rests on the agreement and who have not accepted this version of it.
pub(crate) fn unaccepting(version: &agreement_version::Model) -> Select<user::Entity> {
    let courses = course_agreement::Entity::find()
        .select_only()
        .column(course_agreement::Column::TrainingCourseId)
        .filter(course_agreement::Column::AgreementId.eq(version.agreement_id))
        .into_query();
    let holders = access_grant::Entity::find()
        .select_only()
        .column(access_grant::Column::UserId)
        .filter(counting::is_given())
        .filter(access_grant::Column::TrainingCourseId.in_subquery(courses))
        .into_query();
    let accepted = agreement_acceptance::Entity::find()
        .select_only()
        .column(agreement_acceptance::Column::UserId)
        .filter(agreement_acceptance::Column::AgreementVersionId.eq(version.id))
        .into_query();
    user::Entity::find()
        .filter(user::Column::State.eq(UserState::Active))
        .filter(user::Column::Id.in_subquery(holders))
        .filter(user::Column::Id.not_in_subquery(accepted))
}

/// The agreements that exist for `viewer`: staff read what they are to agree to.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<agreement::Entity> {
    let condition = if viewer.is_staff() {
        Condition::all()
    } else {
        Condition::all().add(nothing())
    };
    agreement::Entity::find().filter(condition)
}

/// One page of the agreements that exist for `viewer`, by title.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    page: &Page<(String, AgreementId)>,
) -> Result<Slice<agreement::Model>> {
    let columns = [
        agreement::Column::Title.into_expr(),
        agreement::Column::Id.into_expr(),
    ];
    page.read(db, visible(viewer), columns, Order::Asc).await
}

/// How many agreements exist for `viewer`.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<u64> {
    Ok(visible(viewer).count(db).await?)
}

/// The versions of each of these agreements, the newest first.
pub async fn versions_of(
    db: &impl ConnectionTrait,
    ids: &[AgreementId],
) -> Result<Vec<agreement_version::Model>> {
    Ok(agreement_version::Entity::find()
        .filter(agreement_version::Column::AgreementId.is_in(ids.iter().copied()))
        .order_by_desc(agreement_version::Column::Number)
        .all(db)
        .await?)
}

/// What each of these people has accepted, the newest first. Whoever calls this has the people from
/// [`operator_access::list`], or is one of them.
pub async fn acceptances_of(
    db: &impl ConnectionTrait,
    people: &[UserId],
) -> Result<Vec<(agreement_acceptance::Model, agreement_version::Model)>> {
    let rows = agreement_acceptance::Entity::find()
        .join(JoinType::InnerJoin, version_of_acceptance())
        .filter(agreement_acceptance::Column::UserId.is_in(people.iter().copied()))
        .order_by_desc(agreement_acceptance::Column::AcceptedAt)
        .order_by_desc(agreement_version::Column::Number)
        .select_also(agreement_version::Entity)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(acceptance, version)| Some((acceptance, version?)))
        .collect())
}
