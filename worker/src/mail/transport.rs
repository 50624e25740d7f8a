//! Where mail goes: to the campus relay by SMTP, or into the caught mailbox of the embedded default.

mod connection;
mod failure;
pub mod mailbox;
mod pool;
mod relay;
mod tls;

pub use failure::{SendFailure, Stage};
pub use mailbox::MailboxDir;
pub use pool::{Pool, PoolSettings};
pub use relay::{Relay, RelayUrlError};

use super::message::Message;

/// The relay took responsibility for a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The relay's answer on one line, such as `250 2.0.0 Ok: queued as 4F2A1`.
    pub reply: String,
}

/// Takes a finished mail to where it is to go.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has one of them")]
pub enum Transport {
    /// The campus: a mail relay.
    Smtp(Pool),
    /// The embedded default: nothing leaves the machine, every mail can be read at `/dev/mailbox`.
    Caught(MailboxDir),
}

impl Transport {
    /// Hands one mail over and waits for the answer.
    ///
    /// At most [`Transport::at_once`] of these should run together; more only queue inside. Dropping the future closes
    /// the connection in use, and what became of that mail is then unknown.
    pub async fn send(&self, message: &Message) -> Result<Accepted, SendFailure> {
        match self {
            Self::Smtp(pool) => pool.send(message).await,
            Self::Caught(mailbox) => mailbox.catch(message).await,
        }
    }

    /// How many mails it can carry at once.
    #[must_use]
    pub fn at_once(&self) -> usize {
        match self {
            Self::Smtp(pool) => pool.connections(),
            Self::Caught(_) => 1,
        }
    }

    /// Says goodbye to the relay on every idle connection.
    pub async fn close(&self) {
        match self {
            Self::Smtp(pool) => pool.close().await,
            Self::Caught(_) => {}
        }
    }
}
