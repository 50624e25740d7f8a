//! Campaigns over several worker processes, on PostgreSQL and Redis: the embedded default has one process.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{clock::SystemClock, live::NoSignals, store::Store};
use entity::ids::CampaignId;
use support::{Column, OwnRedis, Process, SmtpServer, TestBed, until};

use super::world::World;

/// How long a campaign may take, whatever happens to it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Mails that one process may leave in doubt when it is killed: each of four lanes has claimed half of the most that may be
/// claimed at once, and writes down what became of them with its next claim.
pub const IN_HAND: usize = 4 * 50;

struct Campus {
    bed: TestBed,
    relay: SmtpServer,
    world: World,
}

impl Campus {
    async fn new() -> Self {
        let bed = TestBed::new(Column::PostgresRedis).await;
        // Processes go by the machine's clock, so the rows must too.
        let store = Store::connect(
            bed.database().url(),
            5,
            Arc::new(SystemClock),
            Arc::new(NoSignals),
        )
        .await
        .unwrap();
        Self {
            relay: SmtpServer::start().await,
            world: World::new(store).await,
            bed,
        }
    }

    async fn worker(&self, settings: &[(&str, &str)]) -> Process {
        let url = self.relay.url();
        let mut all = vec![("SMTP_URL", url.as_str())];
        all.extend_from_slice(settings);
        let mut process = self.bed.start_worker(&all);
        process.ready().await;
        process
    }

    async fn start(&self, recipients: usize) -> CampaignId {
        let sender = self.world.sender().await;
        self.world.started(&sender, recipients).await
    }

    async fn until_over(&self, id: CampaignId) {
        until(PATIENCE, "the campaign is over", async || {
            let campaign = self.world.campaign_row(id).await;
            campaign.finished_at
        })
        .await;
    }

    /// Nobody was lost: everybody's mail arrived, or is known to be in doubt. Nobody got it twice.
    async fn nobody_is_lost(&self, id: CampaignId, in_doubt: usize) {
        let arrived: BTreeMap<String, usize> = self.relay.count_by_message_id();
        assert!(
            arrived.values().all(|copies| *copies == 1),
            "somebody got it twice"
        );
        let counts = self.world.states(id).await;
        assert_eq!((counts.queued, counts.sending, counts.failed), (0, 0, 0));
        let ledger = self.world.ledger(id).await;
        let lost = ledger
            .iter()
            .filter(|mail| !arrived.contains_key(&mail.message_id))
            .count();
        assert!(
            lost as u64 <= counts.unknown,
            "{lost} did not arrive, and {} are in doubt",
            counts.unknown
        );
        assert!(
            counts.unknown <= in_doubt as u64,
            "{} are in doubt",
            counts.unknown
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_in_the_middle_loses_nobody() {
    let campus = Campus::new().await;
    let mut killed = campus.worker(&[("MYCAREER_MAIL_RATE", "400/s")]).await;
    let _other = campus.worker(&[("MYCAREER_MAIL_RATE", "400/s")]).await;
    let id = campus.start(2_000).await;
    campus.relay.wait_for(500, PATIENCE).await;
    killed.kill_9().await;
    assert!(campus.relay.received().len() < 2_000, "it was over already");
    campus.until_over(id).await;
    campus.nobody_is_lost(id, IN_HAND).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_loses_everything_in_the_middle_loses_nobody() {
    let campus = Campus::new().await;
    let redis = OwnRedis::start().await;
    let url = redis.url();
    let settings = [("REDIS_URL", url.as_str()), ("MYCAREER_MAIL_RATE", "400/s")];
    let (_one, _two) = tokio::join!(campus.worker(&settings), campus.worker(&settings));
    let id = campus.start(2_000).await;
    campus.relay.wait_for(500, PATIENCE).await;
    redis.flush_all().await;
    assert!(campus.relay.received().len() < 2_000, "it was over already");
    campus.until_over(id).await;
    campus.nobody_is_lost(id, 0).await;
}

/// Three workers send 600 mails at 50 a second. Answers what part of the limit they used.
async fn used_by_three_workers() -> f64 {
    let campus = Campus::new().await;
    let settings = [("MYCAREER_MAIL_RATE", "50/s")];
    let _workers = tokio::join!(
        campus.worker(&settings),
        campus.worker(&settings),
        campus.worker(&settings)
    );
    let id = campus.start(600).await;
    campus.until_over(id).await;
    campus.nobody_is_lost(id, 0).await;
    let most = campus.relay.most_within(Duration::from_secs(1));
    assert!(most <= 50, "{most} mails within one second");
    let mut arrived: Vec<_> = campus.relay.received().iter().map(|mail| mail.at).collect();
    arrived.sort_unstable();
    // The first 50 go at once; the others take the time that the limit asks for, and little more.
    550.0 / 50.0 / (arrived[599] - arrived[49]).as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_together_keep_the_rate_and_use_it() {
    // No round may exceed the limit. That little of it was used may be the machine's doing, when it is busy with other
    // things; three times in a row it isn't.
    let mut used = Vec::new();
    while used.len() < 3 && used.iter().all(|part| *part < 0.95) {
        used.push(used_by_three_workers().await);
    }
    assert!(
        used.iter().any(|part| *part >= 0.95),
        "parts of the limit: {used:?}"
    );
}

/// The control: the measure of the test above does find a rate that is exceeded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_limit_the_rate_is_exceeded() {
    let campus = Campus::new().await;
    let _workers = tokio::join!(campus.worker(&[]), campus.worker(&[]), campus.worker(&[]));
    let id = campus.start(600).await;
    campus.until_over(id).await;
    assert!(campus.relay.most_within(Duration::from_secs(1)) > 50);
}
