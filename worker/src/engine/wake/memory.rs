//! Signals within one process, for the set-up that needs no other service.

use std::sync::Arc;

use apalis_core::{
    backend::memory::{MemorySink, MemoryStorage, MemoryStorageError},
    task::{Task, builder::TaskBuilder, task_id::TaskId},
};
use domain::{
    job::Queue,
    live::{LiveEvent, Signals, Wake},
};
use futures_util::{SinkExt, stream, stream::BoxStream};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::PollSender;

use super::{Broadcast, MOST_OUTSTANDING, WakeUp};

/// Wake-ups in apalis' memory backend, live events in a channel.
#[derive(Debug, Default)]
pub struct MemorySignals {
    events: Broadcast,
    mail: Channel,
    bulk: Channel,
    events_queue: Channel,
    housekeeping: Channel,
}

/// The wake-ups of one queue.
#[derive(Debug)]
struct Channel {
    sender: mpsc::Sender<Task<WakeUp>>,
    receiver: Arc<Mutex<mpsc::Receiver<Task<WakeUp>>>>,
}

impl Default for Channel {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(MOST_OUTSTANDING);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(receiver)),
        }
    }
}

impl MemorySignals {
    fn channel(&self, queue: Queue) -> &Channel {
        match queue {
            Queue::Mail => &self.mail,
            Queue::Bulk => &self.bulk,
            Queue::Events => &self.events_queue,
            Queue::Housekeeping => &self.housekeeping,
        }
    }

    /// The apalis backend of `queue`. However often it is made, all of them share the queue, so a worker that is
    /// started again goes on where it was.
    pub(in crate::engine) fn backend(&self, queue: Queue) -> MemoryStorage<WakeUp> {
        let channel = self.channel(queue);
        let sink = PollSender::new(channel.sender.clone())
            .sink_map_err(|error| MemoryStorageError::Other(error.to_string().into()));
        let sink = MemorySink::new(Arc::new(futures_util::lock::Mutex::new(Box::new(sink))));
        let tasks = stream::unfold(Arc::clone(&channel.receiver), |receiver| async move {
            let task = receiver.lock().await.recv().await?;
            Some((task, receiver))
        });
        MemoryStorage::new_with(sink, Box::pin(tasks))
    }
}

impl Signals for MemorySignals {
    fn committed(&self, wakes: Vec<Wake>, events: Vec<LiveEvent>) {
        for Wake { queue, job_id } in wakes {
            let task = TaskBuilder::new(WakeUp { job_id })
                .task_id(TaskId::from_string(job_id.to_string()))
                .build();
            // Full is full: whoever works off the queue finds the rest by itself.
            let _ = self.channel(queue).sender.try_send(task);
        }
        for event in events {
            self.events.send(event);
        }
    }

    fn subscribe(&self) -> BoxStream<'static, LiveEvent> {
        self.events.subscribe()
    }
}
