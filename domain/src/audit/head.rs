//! The end of the chain, told to administrators every day: what stands in their mailboxes can't be changed in the database.

use entity::{
    audit_head,
    user::{self, UserState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::OnConflict,
};
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

/// Tells every administrator what was found, once a day at most, and keeps where the chain ends when it is sound: what comes
/// later must have it. The log itself says that it was looked at.
pub async fn tell(tx: &mut Tx, report: &Report) -> Result<usize> {
    if report.is_sound() && report.sealed > 0 {
        let head = audit_head::Model {
            seq: report.sealed,
            hash: report.head.clone(),
            kept_at: tx.now(),
        };
        audit_head::Entity::insert(head.into_active_model().reset_all())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx.conn())
            .await?;
    }
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
    let fields = json!({
        "day": tx.now(),
        "is_sound": report.is_sound(),
        "faults": report.faults(),
        "sealed": report.sealed,
        "head": report.head,
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
