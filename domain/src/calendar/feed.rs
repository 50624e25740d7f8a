//! Who gets which calendar (policy 2.4): everybody the public one, each person their own at an address that only they know.
//!
//! The address is the only key to it, because calendar programs can't sign in. It is kept as a hash, it ends when its person
//! ends it or makes another, and what is in it is what they may see at that moment: a suspended account has none.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking, calendar_feed, event,
    ids::{EventId, UserId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, sea_query::OnConflict,
};
use serde_json::json;

use super::{
    entry::Entry,
    file::{Method, written},
};
use crate::{
    error::Result,
    event::{booked_by, concerning, on_the_calendar, visible_to},
    session::{hash_of, random_word},
    store::{Store, Tx},
    viewer::Viewer,
};

/// How long events stay in a feed after their end, so that a change or a cancellation reaches clients that were away.
const KEPT: TimeDelta = TimeDelta::days(35);

/// The most events that one feed has: several years of a university.
const LONGEST: u64 = 5_000;

/// The name of everybody's calendar.
const PUBLIC_NAME: &str = "Careers events";
/// The name of somebody's own.
const PERSONAL_NAME: &str = "My careers events";

/// What is in somebody's own calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// What they have booked, and what else concerns them.
    #[default]
    All,
    /// What they have booked.
    Booked,
}

/// When `viewer` made the address of their calendar; none when they have none.
pub async fn made_at(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<Option<DateTime<Utc>>> {
    let feed = calendar_feed::Entity::find_by_id(viewer.signed_in()?.id)
        .one(db)
        .await?;
    Ok(feed.map(|feed| feed.created_at))
}

/// Makes an address for the calendar of `viewer`, and ends the one before. Answers what the address ends in: it is told once
/// and never again.
pub async fn make(tx: &mut Tx, viewer: &Viewer) -> Result<String> {
    let user_id = viewer.signed_in()?.id;
    let token = random_word();
    let row = calendar_feed::ActiveModel {
        user_id: Set(user_id),
        token_hash: Set(hash_of(&token)),
        created_at: Set(tx.now()),
    };
    calendar_feed::Entity::insert(row)
        .on_conflict(
            OnConflict::column(calendar_feed::Column::UserId)
                .update_columns([
                    calendar_feed::Column::TokenHash,
                    calendar_feed::Column::CreatedAt,
                ])
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    let made = Some(json!({ "createdAt": tx.now() }));
    tx.audit(viewer, "calendar_feed.make", user_id, None, made)
        .await?;
    Ok(token)
}

/// Ends the address of the calendar of `viewer`. Answers whether there was one.
pub async fn revoke(tx: &mut Tx, viewer: &Viewer) -> Result<bool> {
    let user_id = viewer.signed_in()?.id;
    let ended = calendar_feed::Entity::delete_by_id(user_id)
        .exec(tx.conn())
        .await?
        .rows_affected
        > 0;
    if ended {
        tx.audit(viewer, "calendar_feed.revoke", user_id, None, None)
            .await?;
    }
    Ok(ended)
}

/// Everybody's calendar: what is published, as far as everybody may know it.
pub async fn public(store: &Store, website: &str) -> Result<String> {
    let events = events(store, visible_to(&Viewer::anonymous())).await?;
    let entries: Vec<Entry> = events.iter().map(Entry::public).collect();
    Ok(written(PUBLIC_NAME, Method::Feed, website, &entries))
}

/// The calendar at the address that ends in `token`; none when there is no such address, or its account may not be used.
pub async fn personal(
    store: &Store,
    token: &str,
    extent: Extent,
    website: &str,
) -> Result<Option<String>> {
    let feed = calendar_feed::Entity::find()
        .filter(calendar_feed::Column::TokenHash.eq(hash_of(token)))
        .one(store.reader())
        .await?;
    let Some(feed) = feed else {
        return Ok(None);
    };
    let viewer = Viewer::load(store.reader(), feed.user_id, None, store.now()).await?;
    let Some(viewer) = viewer else {
        return Ok(None);
    };
    let entries = entries(store, &viewer, extent).await?;
    Ok(Some(written(
        PERSONAL_NAME,
        Method::Feed,
        website,
        &entries,
    )))
}

async fn entries(store: &Store, viewer: &Viewer, extent: Extent) -> Result<Vec<Entry>> {
    let person = viewer.signed_in()?;
    let theirs = match extent {
        Extent::All => Condition::any()
            .add(concerning(person))
            .add(booked_by(person)),
        Extent::Booked => Condition::any().add(booked_by(person)),
    };
    let condition = Condition::all().add(visible_to(viewer)).add(theirs);
    let events = events(store, condition).await?;
    let own = latest_bookings(store, person.id, &events).await?;
    Ok(events
        .iter()
        .filter_map(|event| entry(event, own.get(&event.id), extent))
        .collect())
}

/// How an event stands in somebody's calendar. What they have cancelled stands there as cancelled, so that it leaves the
/// calendars that had it.
fn entry(event: &event::Model, own: Option<&booking::Model>, extent: Extent) -> Option<Entry> {
    match (own, extent) {
        (Some(own), _) => Some(Entry::booked(event, own)),
        (None, Extent::All) => Some(Entry::public(event)),
        (None, Extent::Booked) => None,
    }
}

async fn events(store: &Store, condition: Condition) -> Result<Vec<event::Model>> {
    Ok(event::Entity::find()
        .filter(event::Column::EndsAt.gt(store.now() - KEPT))
        .filter(on_the_calendar())
        .filter(condition)
        .order_by_asc(event::Column::StartsAt)
        .order_by_asc(event::Column::Id)
        .limit(LONGEST)
        .all(store.reader())
        .await?)
}

/// The latest booking that somebody has for each of these events.
async fn latest_bookings(
    store: &Store,
    user_id: UserId,
    events: &[event::Model],
) -> Result<HashMap<EventId, booking::Model>> {
    let Some(first) = events.iter().map(|event| event.ends_at).min() else {
        return Ok(HashMap::new());
    };
    let recent = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(event::Column::EndsAt.gte(first));
    let bookings = booking::Entity::find()
        .filter(booking::Column::UserId.eq(user_id))
        .filter(booking::Column::EventId.in_subquery(recent.into_query()))
        // It goes on from one booking to the next of the same person and event.
        .order_by_asc(booking::Column::CalendarSequence)
        .all(store.reader())
        .await?;
    Ok(bookings
        .into_iter()
        .map(|booking| (booking.event_id, booking))
        .collect())
}
