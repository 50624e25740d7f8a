//! The daily digest: one mail a day with what was kept.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone, Utc};
use entity::{
    ids::UserId,
    kept_notice,
    user::{self, UserState},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    clock::UNIVERSITY_TIME,
    error::Result,
    job::{Job, Queue},
    mail::{self, Letter},
    store::Tx,
};

/// When the digest is written, in the university's time.
const SEVEN: NaiveTime = match NaiveTime::from_hms_opt(7, 0, 0) {
    Some(seven) => seven,
    None => NaiveTime::MIN,
};
/// How many people one transaction writes to.
const AT_ONCE: u64 = 100;

/// Writes the digests of the day. It may come again on the same day: whoever has had theirs gets no other.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct DigestNotices {}

impl Job for DigestNotices {
    const KIND: &'static str = "notice.digest";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// The day whose digest is due at `now`, and until when what was kept belongs to it: none before seven in the morning,
/// as clocks at the university show it.
fn due(now: DateTime<Utc>) -> Option<(NaiveDate, DateTime<Utc>)> {
    let day = now.with_timezone(&UNIVERSITY_TIME).date_naive();
    let seven = UNIVERSITY_TIME
        .from_local_datetime(&day.and_time(SEVEN))
        .earliest()?
        .with_timezone(&Utc);
    (seven <= now).then_some((day, seven))
}

/// Posts the digests that are due to the next hundred people. Answers to how many; with none, nothing is left to do.
///
/// What was kept after seven waits for the next day, also when the job comes late.
pub async fn post_digests(tx: &mut Tx) -> Result<usize> {
    tx.hold("notice.digest").await?;
    let Some((day, seven)) = due(tx.now()) else {
        return Ok(0);
    };
    let kept = || {
        Condition::all()
            .add(kept_notice::Column::DigestedOn.is_null())
            .add(kept_notice::Column::KeptAt.lt(seven))
    };
    let had_theirs = Query::select()
        .column(kept_notice::Column::UserId)
        .from(kept_notice::Entity)
        .and_where(Expr::col(kept_notice::Column::DigestedOn).eq(day))
        .to_owned();
    let readers: Vec<UserId> = kept_notice::Entity::find()
        .select_only()
        .column(kept_notice::Column::UserId)
        .distinct()
        .join(JoinType::InnerJoin, reader())
        .filter(kept())
        .filter(user::Column::State.eq(UserState::Active))
        .filter(kept_notice::Column::UserId.not_in_subquery(had_theirs))
        .order_by_asc(kept_notice::Column::UserId)
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx.conn())
        .await?;
    if readers.is_empty() {
        return Ok(0);
    }
    let people = user::Entity::find()
        .filter(user::Column::Id.is_in(readers.iter().copied()))
        .all(tx.conn())
        .await?;
    let rows = kept_notice::Entity::find()
        .filter(kept())
        .filter(kept_notice::Column::UserId.is_in(readers.iter().copied()))
        .order_by_asc(kept_notice::Column::KeptAt)
        .order_by_asc(kept_notice::Column::Id)
        .all(tx.conn())
        .await?;
    let mut of: BTreeMap<UserId, Vec<Value>> = BTreeMap::new();
    for row in rows {
        of.entry(row.user_id).or_default().push(json!({
            "template": row.template,
            "fields": row.fields,
        }));
    }
    let mut letters = Vec::with_capacity(people.len());
    for person in &people {
        let notices = of.remove(&person.id).unwrap_or_default();
        letters.push(Letter::to_account(
            person,
            "daily_digest",
            format!("daily_digest/{day}/{}", person.id),
            json!({ "day": seven, "notices": notices, "profile_link": "/profile" }),
        )?);
    }
    mail::post_all(tx, letters).await?;
    kept_notice::Entity::update_many()
        .col_expr(kept_notice::Column::DigestedOn, Expr::val(day))
        .filter(kept())
        .filter(kept_notice::Column::UserId.is_in(readers.iter().copied()))
        .exec(tx.conn())
        .await?;
    Ok(readers.len())
}

fn reader() -> RelationDef {
    kept_notice::Entity::belongs_to(user::Entity)
        .from(kept_notice::Column::UserId)
        .to(user::Column::Id)
        .into()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn seven_is_what_clocks_at_the_university_show() {
        for (day, seven) in [
            ("2026-03-28", "2026-03-28T07:00:00Z"),
            // Clocks go forward in this night,
            ("2026-03-29", "2026-03-29T06:00:00Z"),
            ("2026-10-24", "2026-10-24T06:00:00Z"),
            // and back in this one.
            ("2026-10-25", "2026-10-25T07:00:00Z"),
        ] {
            let (day, seven): (NaiveDate, _) = (day.parse().unwrap(), at(seven));
            assert_eq!(due(seven), Some((day, seven)));
            assert_eq!(due(seven - TimeDelta::seconds(1)), None);
            assert_eq!(due(seven + TimeDelta::hours(15)), Some((day, seven)));
        }
    }
}
