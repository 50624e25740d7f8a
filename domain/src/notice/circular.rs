//! Notices to many people, one for all or one for each: a few statements for a hundred of them.

use std::collections::{HashMap, HashSet};

use entity::{
    delivery,
    ids::UserId,
    kept_notice, notice_choice,
    user::{self, UserState},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::{Channel, Topic, keep, kept, settled};
use crate::{
    error::Result,
    mail::{self, Letter},
    store::Tx,
};

/// How many people are told at once.
const AT_ONCE: u64 = 100;

/// A letter that goes to many in the same words.
#[derive(Clone, Debug)]
pub struct Circular {
    /// The template it is rendered with.
    pub template: &'static str,
    /// What it is for, such as `announcement/ann_…`: nobody gets a second one for the same purpose.
    pub purpose: String,
    /// What the template is filled with.
    pub fields: Value,
}

/// Tells everybody who meets `audience`, a condition on accounts, in the way that each chose for `topic`. Answers how many
/// were told, at once or in their digest.
pub async fn tell_all(
    tx: &mut Tx,
    topic: Topic,
    circular: &Circular,
    audience: &Condition,
) -> Result<usize> {
    let mut told = 0;
    let mut after: Option<UserId> = None;
    loop {
        let mut people = user::Entity::find()
            .filter(audience.clone())
            .filter(user::Column::State.eq(UserState::Active))
            .order_by_asc(user::Column::Id)
            .limit(AT_ONCE);
        if let Some(after) = after {
            people = people.filter(user::Column::Id.gt(after));
        }
        let people = people.all(tx.conn()).await?;
        let Some(last) = people.last() else {
            return Ok(told);
        };
        after = Some(last.id);
        told += tell_these(tx, topic, circular, &people).await?;
    }
}

async fn tell_these(
    tx: &mut Tx,
    topic: Topic,
    circular: &Circular,
    people: &[user::Model],
) -> Result<usize> {
    let letters = people.iter().map(|person| {
        let purpose = format!("{}/{}", circular.purpose, person.id);
        let fields = circular.fields.clone();
        let letter = Letter::to_account(person, circular.template, purpose, fields)?;
        Ok((person.id, letter))
    });
    let letters = letters.collect::<Result<Vec<_>>>()?;
    Ok(tell_each(tx, topic, letters).await?.len())
}

/// Tells each of these people, a hundred or so, by a letter of their own in the way that they chose for `topic`. Answers who
/// was told, at once or in their digest: nobody is told twice for the same purpose.
pub async fn tell_each(
    tx: &mut Tx,
    topic: Topic,
    letters: Vec<(UserId, Letter)>,
) -> Result<HashSet<UserId>> {
    let chosen = notice_choice::Entity::find()
        .filter(notice_choice::Column::Topic.eq(topic))
        .filter(notice_choice::Column::UserId.is_in(letters.iter().map(|(id, _)| *id)))
        .all(tx.conn())
        .await?;
    let chosen: HashMap<UserId, Channel> = chosen
        .into_iter()
        .map(|row| (row.user_id, row.channel))
        .collect();
    let before = told_before(tx, &letters).await?;
    let mut told = HashSet::new();
    let (mut at_once, mut later) = (Vec::new(), Vec::new());
    for (id, letter) in letters {
        let channel = settled(topic, chosen.get(&id).copied());
        if channel == Channel::None || before.contains(&letter.purpose_key) {
            continue;
        }
        told.insert(id);
        if channel == Channel::MailAtOnce {
            at_once.push(letter);
        } else {
            later.push(kept(tx, id, topic, letter));
        }
    }
    mail::post_all(tx, at_once).await?;
    keep(tx, later).await?;
    Ok(told)
}

async fn told_before(tx: &Tx, letters: &[(UserId, Letter)]) -> Result<HashSet<String>> {
    let purposes = || {
        letters
            .iter()
            .map(|(_, letter)| letter.purpose_key.as_str())
    };
    let posted: Vec<Option<String>> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::PurposeKey)
        .filter(delivery::Column::PurposeKey.is_in(purposes()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let kept: Vec<String> = kept_notice::Entity::find()
        .select_only()
        .column(kept_notice::Column::PurposeKey)
        .filter(kept_notice::Column::PurposeKey.is_in(purposes()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(posted.into_iter().flatten().chain(kept).collect())
}
