//! A job of the tests' own, which does as it is told and remembers that it was run.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use domain::{
    error::{Error, Result},
    job::{Job, Queue},
    store::Store,
};
use entity::{
    ids::JobId,
    job::{self, JobState},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use support::until;
use tokio::sync::Semaphore;
use uuid::Uuid;
use worker::{
    engine::{Engine, EngineConfig, EngineSignals, Handler, JobContext, Outcome, Registry},
    services::Services,
};

static RUNS: LazyLock<Mutex<HashMap<Uuid, usize>>> = LazyLock::new(Mutex::default);
static GATES: LazyLock<Mutex<HashMap<Uuid, &'static Semaphore>>> = LazyLock::new(Mutex::default);

/// What a probe is told to do.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Act {
    Succeed,
    Fail,
    Panic,
    GiveUp,
    /// Runs again at once, until it has been run this often.
    Repeat(usize),
    /// Waits until the test opens its gate.
    Wait,
}

/// The job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probe {
    pub name: Uuid,
    pub act: Act,
    pub key: Option<String>,
}

impl Probe {
    pub fn new(act: Act) -> Self {
        Self {
            name: Uuid::new_v4(),
            act,
            key: None,
        }
    }

    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// How often it has been run.
    pub fn runs(&self) -> usize {
        let runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
        runs.get(&self.name).copied().unwrap_or(0)
    }

    /// Lets one waiting run of it go on.
    pub fn open_gate(&self) {
        self.gate().add_permits(1);
    }

    /// Writes it down, due at once, and commits.
    pub async fn enqueue(&self, store: &Store) -> JobId {
        let mut tx = store.begin().await.unwrap();
        let id = tx.enqueue(self, None).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        id
    }

    fn gate(&self) -> &'static Semaphore {
        GATES
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(self.name)
            .or_insert_with(|| Box::leak(Box::new(Semaphore::new(0))))
    }
}

impl Job for Probe {
    const KIND: &'static str = "test.probe";
    const QUEUE: Queue = Queue::Events;
    const MAX_ATTEMPTS: i32 = 3;

    fn unique_key(&self) -> Option<String> {
        self.key.clone()
    }
}

impl Handler for Probe {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let runs = {
            let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
            let count = runs.entry(self.name).or_default();
            *count += 1;
            *count
        };
        match self.act {
            Act::Fail => return Err(Error::Fault("it did not work".to_owned())),
            Act::Panic => panic!("it fell over"),
            Act::GiveUp => return Ok(Outcome::Dead("it makes no sense".to_owned())),
            Act::Repeat(often) if runs < often => {
                return Ok(Outcome::Again {
                    tx: ctx.begin().await?,
                    after: Duration::ZERO,
                });
            }
            Act::Succeed | Act::Repeat(_) => {}
            Act::Wait => self.gate().acquire().await.unwrap().forget(),
        }
        Ok(Outcome::Done(ctx.begin().await?))
    }
}

/// An engine that knows the probe.
pub fn engine(store: &Store, signals: &EngineSignals, config: EngineConfig) -> Engine {
    Engine::new(
        store.clone(),
        signals.clone(),
        Registry::default().with::<Probe>(),
        Services::default(),
        config,
    )
}

/// The row of a job.
pub async fn row(store: &Store, id: JobId) -> job::Model {
    job::Entity::find_by_id(id)
        .one(store.reader())
        .await
        .unwrap()
        .unwrap()
}

/// How many jobs are in `state`.
pub async fn count(store: &Store, state: JobState) -> u64 {
    job::Entity::find()
        .filter(job::Column::State.eq(state))
        .count(store.reader())
        .await
        .unwrap()
}

/// Waits until the job is in `state`.
pub async fn until_state(store: &Store, id: JobId, state: JobState, limit: Duration) {
    until(limit, &format!("{id} is {state:?}"), async || {
        (row(store, id).await.state == state).then_some(())
    })
    .await;
}
