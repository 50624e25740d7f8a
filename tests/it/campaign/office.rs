//! A worker inside the test that sends to a relay inside the test, by the bed's clock.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use entity::{
    campaign::CampaignState,
    ids::CampaignId,
    job::{self, JobState},
};
use mail_parser::MessageParser;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use support::{Received, SmtpServer, TestBed, worker};
use worker::{engine::Engine, services::Services};

use super::world::World;

pub struct Office {
    pub world: World,
    pub relay: SmtpServer,
    pub engine: Engine,
    pub services: Services,
    clock: Arc<domain::clock::ManualClock>,
}

impl Office {
    pub async fn open(bed: &TestBed) -> Self {
        Self::open_with(bed, &[]).await
    }

    /// With more settings, as on the command line.
    pub async fn open_with(bed: &TestBed, settings: &[&str]) -> Self {
        let relay = SmtpServer::start().await;
        let url = relay.url();
        Self::with(bed, relay, &url, settings).await
    }

    /// Sending to another relay than its own.
    pub async fn open_at(bed: &TestBed, url: &str, settings: &[&str]) -> Self {
        Self::with(bed, SmtpServer::start().await, url, settings).await
    }

    async fn with(bed: &TestBed, relay: SmtpServer, url: &str, settings: &[&str]) -> Self {
        let world = World::new(bed.store().await).await;
        let (engine, services) = worker(&world.store, url, settings).await;
        Self {
            world,
            relay,
            engine,
            services,
            clock: Arc::clone(bed.clock()),
        }
    }

    /// Does everything that is due, and nothing of what comes later.
    pub async fn work(&self) {
        self.engine.run_due().await.unwrap();
    }

    /// Lets time go by, a little at a time, and does what falls due.
    pub async fn work_for(&self, time: Duration) {
        let step = (time / 60).max(Duration::from_secs(10));
        let end = self.world.store.now() + time;
        while self.world.store.now() < end {
            self.clock.advance(TimeDelta::from_std(step).unwrap());
            self.work().await;
        }
    }

    pub async fn is_sent(&self, id: CampaignId) -> bool {
        self.world.campaign_row(id).await.state == CampaignState::Sent
    }

    pub async fn dead_jobs(&self) -> u64 {
        job::Entity::find()
            .filter(job::Column::State.eq(JobState::Dead))
            .count(self.world.store.reader())
            .await
            .unwrap()
    }

    /// How often the mail that was received most often was.
    pub fn most_copies(&self) -> usize {
        self.relay
            .count_by_message_id()
            .into_values()
            .max()
            .unwrap_or(0)
    }
}

/// A header of a mail as it stands there, unfolded.
pub fn header(mail: &Received, name: &str) -> Option<String> {
    let parsed = MessageParser::default().parse(&mail.raw).unwrap();
    parsed
        .headers_raw()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
}

/// The text part.
pub fn text(mail: &Received) -> String {
    let parsed = MessageParser::default().parse(&mail.raw).unwrap();
    parsed.body_text(0).unwrap().into_owned()
}
