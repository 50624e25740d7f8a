//! Mail, from a template's fields to the relay's answer.
//!
//! The way of one mail: [`templates`] turns fields into subject, text and HTML; [`message`] makes the MIME and the
//! envelope; [`rate`] says when it may go; [`transport`] hands it to the relay, or to the caught [`transport::mailbox`].
//! [`Mailer`] holds one of each for the process. Nothing here reads or writes the database: which mail is owed to whom,
//! and what became of it, is the delivery ledger's business. [`attachments`] makes what comes with it.

pub mod attachments;
pub mod dkim;
mod filters;
mod hands;
mod mailer;
pub mod message;
pub mod outcome;
pub mod rate;
pub mod report;
pub mod templates;
pub mod transport;

use std::time::Duration;

pub use hands::{Hands, Held};
pub use mailer::{Mailer, WriteError};

/// The longest time from being allowed to send to the last byte of the mail being written.
///
/// The transport gives a mail up, unsent, when it passes; so the rate limiter may forget a permit whose holder died.
pub const HAND_OVER_WITHIN: Duration = Duration::from_secs(30);
