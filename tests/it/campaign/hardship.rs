//! Ten thousand mails while everything fails that can: a worker is killed every two seconds, Redis loses what it has,
//! PostgreSQL crashes, and the relay drops connections and puts mails off.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{clock::SystemClock, live::NoSignals, store::Store};
use entity::{delivery::DeliveryState, ids::CampaignId};
use migration::{Migrator, MigratorTrait};
use support::{
    Behaviour, Column, OwnPostgres, OwnRedis, Process, SmtpServer, TestBed, figure, until,
};
use tokio::time::interval;

use super::{processes::IN_HAND, world::World};

const RECIPIENTS: usize = 10_000;
const KILL_EVERY: Duration = Duration::from_secs(2);
/// Until so many have arrived, something fails every two seconds; the rest goes out in peace.
const IN_TROUBLE: usize = 8_000;
const DROPS_EVERY: usize = 100;
const PUTS_OFF_EVERY: usize = 20;
/// What was put off comes again after a minute, and what a killed worker had in hand is looked at after its claim ran out.
const PATIENCE: Duration = Duration::from_mins(10);

struct Hardship {
    bed: TestBed,
    postgres: OwnPostgres,
    redis: OwnRedis,
    relay: SmtpServer,
    world: World,
    workers: Vec<Process>,
    kills: usize,
}

impl Hardship {
    async fn new() -> Self {
        let (bed, postgres) = (
            TestBed::new(Column::PostgresRedis).await,
            OwnPostgres::start(),
        );
        let store = Store::connect(
            &postgres.url(),
            5,
            Arc::new(SystemClock),
            Arc::new(NoSignals),
        )
        .await
        .unwrap();
        Migrator::up(store.reader(), None).await.unwrap();
        let relay = SmtpServer::start().await;
        relay.behave(Behaviour::Unsteady {
            drops_every: DROPS_EVERY,
            puts_off_every: PUTS_OFF_EVERY,
        });
        let mut hardship = Self {
            bed,
            postgres,
            redis: OwnRedis::start().await,
            relay,
            world: World::new(store).await,
            workers: Vec::new(),
            kills: 0,
        };
        hardship.workers = vec![hardship.worker(), hardship.worker()];
        for worker in &mut hardship.workers {
            worker.ready().await;
        }
        hardship
    }

    fn worker(&self) -> Process {
        self.bed.start_worker(&[
            ("DATABASE_URL", &self.postgres.url()),
            ("REDIS_URL", &self.redis.url()),
            ("SMTP_URL", &self.relay.url()),
        ])
    }

    /// Kills one of the workers and starts another in its place.
    async fn kill(&mut self) {
        let at = self.kills % self.workers.len();
        self.workers[at].kill_9().await;
        self.workers[at] = self.worker();
        self.kills += 1;
    }

    async fn trouble(&mut self) {
        let mut ticks = interval(KILL_EVERY);
        ticks.tick().await;
        while self.relay.count() < IN_TROUBLE {
            ticks.tick().await;
            self.kill().await;
            match self.kills {
                2 => self.redis.flush_all().await,
                4 => self.postgres.crash(),
                _ => {}
            }
        }
    }

    async fn until_over(&self, id: CampaignId) {
        until(PATIENCE, "the campaign is over", async || {
            self.world.campaign_row(id).await.finished_at
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_mails_get_through_whatever_fails() {
    let mut hardship = Hardship::new().await;
    let sender = hardship.world.sender().await;
    let id = hardship.world.started(&sender, RECIPIENTS).await;
    hardship.trouble().await;
    hardship.until_over(id).await;

    let (relay, kills) = (&hardship.relay, hardship.kills);
    let hindrances = relay.hindrances();
    assert!(
        kills >= 4,
        "only {kills} kills: PostgreSQL and Redis saw no trouble"
    );
    assert!(
        hindrances.dropped_before > 0 && hindrances.dropped_at_dot > 0,
        "{hindrances:?}"
    );
    assert!(hindrances.put_off > 0, "{hindrances:?}");

    let ledger = hardship.world.ledger(id).await;
    assert_eq!(ledger.len(), RECIPIENTS);
    let arrived: BTreeMap<String, usize> = relay.count_by_message_id();
    let known = ledger
        .iter()
        .filter(|mail| arrived.contains_key(&mail.message_id));
    assert_eq!(
        known.count(),
        arrived.len(),
        "the relay has mails that the ledger doesn't know"
    );
    let doubtful = |state| ledger.iter().filter(|mail| mail.state == state).count();
    let (sent, unknown) = (
        doubtful(DeliveryState::Sent),
        doubtful(DeliveryState::Unknown),
    );
    let lost = ledger.iter().filter(|mail| {
        mail.state != DeliveryState::Unknown && !arrived.contains_key(&mail.message_id)
    });
    let lost = lost.count();
    let twice: usize = arrived.values().map(|copies| copies - 1).sum();
    figure(&format!(
        "{RECIPIENTS} mails, {kills} workers killed, {hindrances:?}: {sent} sent, {unknown} in doubt, {lost} lost, {twice} twice"
    ));
    assert_eq!((sent + unknown, lost), (RECIPIENTS, 0));
    // A crash of PostgreSQL leaves in doubt what both workers had in hand.
    let in_hand = (kills + 2) * IN_HAND;
    assert!(twice <= in_hand, "{twice} came twice");
    assert!(
        unknown <= in_hand + hindrances.dropped_at_dot,
        "{unknown} are in doubt"
    );
}
