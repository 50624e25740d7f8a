//! What sending one letter and sending many have in common: a claim is kept alive as long as its mails are on their way.

use std::time::Duration;

use domain::{campaign::ledger, error::Result, store::Store};
use entity::ids::DeliveryId;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

/// How often a claim is extended; it lasts more than three times as long.
const BEAT: Duration = Duration::from_secs(6);

/// How long to leave a relay alone that is away or does not want us now, or a rate limit that can't be asked.
pub(super) const RELAY_PAUSE: Duration = Duration::from_secs(20);

/// Does `work` and keeps the claims on `ids` alive meanwhile.
pub(super) async fn while_keeping<T>(
    store: &Store,
    ids: &[DeliveryId],
    claimant: &str,
    work: impl Future<Output = T>,
) -> T {
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat.tick().await;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = beat.tick() => {
                if let Err(error) = keep(store, ids, claimant).await {
                    warn!(%error, "the claims on mails can't be extended");
                }
            }
        }
    }
}

async fn keep(store: &Store, ids: &[DeliveryId], claimant: &str) -> Result<()> {
    let tx = store.begin().await?;
    ledger::keep(&tx, ids, claimant).await?;
    tx.commit().await
}
