//! A few open connections to the relay, each used for many mails.
//!
//! lettre's own pool never sets `TCP_NODELAY` (as of 0.11.23), which costs 40 ms in every mail; this one keeps lettre's
//! connections, opened on streams of our own.

use std::{
    mem,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{Accepted, Relay, SendFailure, Stage, connection::Connection};
use crate::mail::{HAND_OVER_WITHIN, message::Message};

/// How many connections, and how patient they are.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Connections open at once, and so mails under way at once. Default 10.
    pub connections: usize,
    /// Mails after which a connection is closed and another opened, as some relays ask. Default 100.
    pub mails_per_connection: u32,
    /// Time for connecting, TLS, greeting and sign-in. Default 10 s.
    pub connect: Duration,
    /// Time for everything up to the last byte of a mail, connecting included; at most [`HAND_OVER_WITHIN`], which is
    /// the default. When it passes the mail was not sent.
    pub hand_over: Duration,
    /// Time for the relay to answer once it has the whole mail. RFC 5321 asks for ten minutes, because a mail whose
    /// answer is not awaited may arrive twice; relays answer in seconds, and a stopping worker waits for this. Default 2
    /// minutes.
    pub answer: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            connections: 10,
            mails_per_connection: 100,
            connect: Duration::from_secs(10),
            hand_over: HAND_OVER_WITHIN,
            answer: Duration::from_mins(2),
        }
    }
}

/// The connections to one relay.
#[derive(Debug)]
pub struct Pool {
    relay: Relay,
    settings: PoolSettings,
    /// The one used last is used next, so that few stay open when there is little to do.
    idle: Mutex<Vec<Connection>>,
    slots: Semaphore,
}

impl Pool {
    /// A pool that opens its first connection at the first mail.
    #[must_use]
    pub fn new(relay: Relay, mut settings: PoolSettings) -> Self {
        settings.connections = settings.connections.max(1);
        settings.hand_over = settings.hand_over.min(HAND_OVER_WITHIN);
        let slots = Semaphore::new(settings.connections);
        Self {
            relay,
            settings,
            idle: Mutex::new(Vec::new()),
            slots,
        }
    }

    /// How many mails can be under way at once.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.settings.connections
    }

    /// Hands one mail to the relay. See [`super::Transport::send`].
    pub async fn send(&self, message: &Message) -> Result<Accepted, SendFailure> {
        let deadline = Instant::now() + self.settings.hand_over;
        let Ok(Ok(_slot)) = timeout_at(deadline, self.slots.acquire()).await else {
            return Err(SendFailure::unreachable(
                "no connection became free in time",
            ));
        };
        loop {
            // A connection is out of the pool while it is used: when this future is dropped, it is closed.
            let (mut connection, fresh) = match timeout_at(deadline, self.take()).await {
                Ok(taken) => taken?,
                Err(_) => return Err(SendFailure::timed_out(Stage::Connect)),
            };
            match connection.send(message, deadline, &self.settings).await {
                Ok(accepted) => {
                    self.give_back(connection);
                    return Ok(accepted);
                }
                // The relay closed an idle connection, which it may. That says nothing about the next one.
                Err(fault) if fault.gone && !fresh => {}
                Err(fault) => {
                    if fault.usable {
                        self.give_back(connection);
                    }
                    return Err(fault.failure);
                }
            }
        }
    }

    /// Says goodbye on every idle connection.
    pub async fn close(&self) {
        let idle = mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            connection.quit().await;
        }
    }

    /// A connection that is ready for a mail, and whether it was opened for it.
    async fn take(&self) -> Result<(Connection, bool), SendFailure> {
        while let Some(mut connection) = self.pop() {
            if connection.mails >= self.settings.mails_per_connection {
                connection.quit().await;
            } else if connection.ready().await {
                return Ok((connection, false));
            }
        }
        Ok((
            Connection::open(&self.relay, self.settings.connect).await?,
            true,
        ))
    }

    fn pop(&self) -> Option<Connection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn give_back(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}
