//! The end of the chain, told to administrators every day: what stands in their mailboxes can't be changed in the database.

use entity::user::{self, UserState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Report;
use crate::{
    clock::UNIVERSITY_TIME,
    error::Result,
    job::{Job, Queue},
    mail::{self, Letter},
    store::Tx,
    viewer::Viewer,
};

/// How many gaps a mail names.
const MOST_NAMED: usize = 20;

/// Walks the chain once a day, and tells administrators how it is and where it ends.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct TellHead {}

impl Job for TellHead {
    const KIND: &'static str = "audit.tell_head";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// Tells every administrator what was found, once a day at most. The log itself says that it was looked at.
pub async fn tell(tx: &mut Tx, report: &Report) -> Result<usize> {
    let what = json!({
        "head": report.head, "sealed": report.sealed, "isSound": report.is_sound(), "gaps": report.gaps.len(),
    });
    tx.audit(&Viewer::system(), "audit.verify", "audit", None, Some(what))
        .await?;
    let administrators = user::Entity::find()
        .filter(user::Column::IsAdministrator.eq(true))
        .filter(user::Column::State.eq(UserState::Active))
        .all(tx.conn())
        .await?;
    let day = tx.now().with_timezone(&UNIVERSITY_TIME).date_naive();
    let gaps: Vec<String> = report
        .gaps
        .iter()
        .take(MOST_NAMED)
        .map(ToString::to_string)
        .collect();
    let fields = json!({
        "day": tx.now(),
        "is_sound": report.is_sound(),
        "fault": report.fault.as_ref().map_or_else(String::new, |fault| format!("seal {}: {}", fault.seq, fault.what)),
        "overdue": report.overdue,
        "sealed": report.sealed,
        "head": report.head,
        "gaps": gaps,
        "more_gaps": report.gaps.len().saturating_sub(gaps.len()),
        "missing_at_the_end": if report.gaps_may_be_harmless { 0 } else { report.after_the_last },
    });
    let letters = administrators
        .iter()
        .map(|person| {
            let purpose = format!("audit_head/{day}/{}", person.id);
            Letter::to_account(person, "audit_head", purpose, fields.clone())
        })
        .collect::<Result<Vec<_>>>()?;
    let told = letters.len();
    mail::post_all(tx, letters).await?;
    Ok(told)
}
