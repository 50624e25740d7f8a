//! What the group is told every week: new faults, what most people want, and where nobody stands for a faculty.

use chrono::TimeDelta;
use entity::{
    announcement,
    suggestion::{self, SuggestionKind, SuggestionState},
    user,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::coverage;
use crate::{
    announcement::receipts,
    clock::UNIVERSITY_TIME,
    error::Result,
    job::{Job, Queue},
    notice::{self, Circular, Topic},
    store::Tx,
    viewer::Viewer,
};

/// How far back the digest looks.
const WEEK: TimeDelta = TimeDelta::days(7);
/// How many suggestions of a kind it names.
const MOST: u64 = 10;

/// Tells the group what the week brought.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct DigestGroup {}

impl Job for DigestGroup {
    const KIND: &'static str = "super_user_group.digest";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// Tells every member what the week brought, once a day at most. Answers how many were told; a week that brought nothing,
/// and left nothing open, is not worth a mail.
pub async fn post_group_digest(tx: &mut Tx) -> Result<usize> {
    let since = tx.now() - WEEK;
    let faults = about(
        suggestion::Entity::find()
            .filter(suggestion::Column::Kind.eq(SuggestionKind::Fault))
            .filter(suggestion::Column::CreatedAt.gte(since))
            .order_by_desc(suggestion::Column::Id)
            .limit(MOST)
            .all(tx.conn())
            .await?,
    );
    let most_voted = about(
        suggestion::Entity::find()
            .filter(suggestion::Column::State.is_in([
                SuggestionState::Filed,
                SuggestionState::UnderDiscussion,
                SuggestionState::Planned,
            ]))
            .filter(suggestion::Column::Votes.gt(0))
            .order_by_desc(suggestion::Column::Votes)
            .order_by_desc(suggestion::Column::Id)
            .limit(MOST)
            .all(tx.conn())
            .await?,
    );
    let mut gaps = Vec::new();
    for covered in coverage(tx.conn()).await? {
        if covered.representative.is_none() || covered.disseminator.is_none() {
            gaps.push(json!({
                "faculty": covered.faculty.name,
                "representative": covered.representative.is_none(),
                "disseminator": covered.disseminator.is_none(),
            }));
        }
    }
    let unread = unread(tx).await?;
    if faults.is_empty() && most_voted.is_empty() && gaps.is_empty() && unread.is_empty() {
        return Ok(0);
    }
    let day = tx.now().with_timezone(&UNIVERSITY_TIME).date_naive();
    let circular = Circular {
        template: "group_digest",
        purpose: format!("group_digest/{day}"),
        fields: json!({
            "day": tx.now(),
            "faults": faults,
            "most_voted": most_voted,
            "gaps": gaps,
            "unread": unread,
            "group_link": "/super-user-group",
        }),
    };
    let group = Condition::all().add(user::Column::IsSuperUser.eq(true));
    notice::tell_all(tx, Topic::SuperUserGroup, &circular, &group).await
}

fn about(suggestions: Vec<suggestion::Model>) -> Vec<Value> {
    suggestions
        .into_iter()
        .map(|row| {
            json!({
                "title": row.title,
                "votes": row.votes,
                "link": format!("/suggestions/{}", row.id),
            })
        })
        .collect()
}

/// The announcements of the last four weeks that some have not read, with how many.
async fn unread(tx: &Tx) -> Result<Vec<Value>> {
    let recent = announcement::Entity::find()
        .filter(announcement::Column::PublishedAt.gte(tx.now() - WEEK * 4))
        .order_by_desc(announcement::Column::Id)
        .limit(MOST)
        .all(tx.conn())
        .await?;
    let ids: Vec<_> = recent.iter().map(|row| row.id).collect();
    let receipts = receipts(tx.conn(), &Viewer::system(), &ids).await?;
    let mut unread = Vec::new();
    for row in recent {
        let (people, read) = receipts
            .iter()
            .filter(|receipt| receipt.announcement_id == row.id)
            .fold((0, 0), |(people, read), receipt| {
                (people + receipt.people, read + receipt.read)
            });
        if read < people {
            unread.push(json!({ "title": row.title, "people": people, "unread": people - read }));
        }
    }
    Ok(unread)
}
