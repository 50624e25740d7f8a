//! Live events between processes. On PostgreSQL with Redis only: within one process nothing is between.

use std::time::Duration;

use domain::live::{LiveEvent, Signals};
use entity::ids::{CampaignId, JobId};
use futures_util::{FutureExt, StreamExt};
use support::{OwnRedis, RedisCorner, until};
use worker::engine::EngineSignals;

fn event() -> LiveEvent {
    let now = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    LiveEvent::CampaignProgress {
        campaign_id: CampaignId::new_at(now),
    }
}

#[tokio::test]
async fn what_one_process_announces_another_hears_once() {
    let redis = RedisCorner::new();
    let connect = || EngineSignals::redis(redis.url(), redis.prefix()).unwrap();
    let (one, other) = (connect(), connect());
    let (mut at_one, mut at_other) = (one.subscribe(), other.subscribe());
    let marker = until_connected(&one, &mut at_other).await;
    while at_one.next().now_or_never().is_some() {}

    let event = event();
    one.committed(Vec::new(), vec![event]);
    assert_eq!(next_but(&mut at_other, marker).await, event);
    assert_eq!(at_one.next().await, Some(event));
    // Had the sender heard its own over Redis, it would have heard it before the answer of the other.
    other.committed(Vec::new(), vec![marker]);
    assert_eq!(at_one.next().await, Some(marker));
}

#[tokio::test]
async fn corners_of_one_redis_do_not_hear_each_other() {
    let (corner, neighbour) = (RedisCorner::new(), RedisCorner::new());
    let connect =
        |corner: &RedisCorner| EngineSignals::redis(corner.url(), corner.prefix()).unwrap();
    let (one, other, stranger) = (connect(&corner), connect(&corner), connect(&neighbour));
    let mut heard = other.subscribe();
    let marker = until_connected(&one, &mut heard).await;
    stranger.committed(Vec::new(), vec![event()]);
    one.committed(Vec::new(), vec![event()]);
    assert_ne!(next_but(&mut heard, marker).await, marker);
    assert!(heard.next().now_or_never().is_none());
}

#[tokio::test]
async fn events_go_on_after_redis_was_away() {
    let mut redis = OwnRedis::start().await;
    let connect = || EngineSignals::redis(&redis.url(), "t").unwrap();
    let (one, other) = (connect(), connect());
    let mut heard = other.subscribe();
    until_connected(&one, &mut heard).await;
    redis.stop();
    one.committed(Vec::new(), vec![event()]);
    redis.start_again().await;
    until_connected(&one, &mut heard).await;
}

/// Announces an event at `from` until it arrives, and answers with it.
async fn until_connected(
    from: &EngineSignals,
    heard: &mut (impl StreamExt<Item = LiveEvent> + Unpin),
) -> LiveEvent {
    let now = chrono::DateTime::from_timestamp(1, 0).unwrap();
    let marker = LiveEvent::JobChanged {
        job_id: JobId::new_at(now),
    };
    until(
        Duration::from_secs(15),
        "the processes hear each other",
        async || {
            from.committed(Vec::new(), vec![marker]);
            (heard.next().now_or_never()?? == marker).then_some(())
        },
    )
    .await;
    marker
}

async fn next_but(
    heard: &mut (impl StreamExt<Item = LiveEvent> + Unpin),
    marker: LiveEvent,
) -> LiveEvent {
    let next = async {
        loop {
            match heard.next().await {
                Some(event) if event == marker => {}
                other => return other.unwrap(),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next)
        .await
        .unwrap()
}
