//! Why a mail was not accepted, sorted by what may be done about it.

use std::error::Error as _;

use lettre::transport::smtp;

/// How far the conversation with the relay had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Greeting, EHLO, TLS, sign-in: nothing of the mail was said yet.
    Connect,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`: a refusal here is about the address.
    Recipient,
    /// `DATA` and the mail itself, up to its last byte but without the dot that ends it.
    Content,
    /// The ending dot was, or may have been, written: from here the relay may have the mail.
    Answer,
}

/// Why a mail was not accepted.
///
/// All but [`SendFailure::Uncertain`] promise that the relay does not have it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendFailure {
    /// No relay, or one that will not talk to us, or one that went away before the mail was handed over. It says
    /// nothing about this mail or its recipient: try again later, as often as it takes.
    #[error("the relay cannot be reached: {why}")]
    Unreachable {
        /// What went wrong, in one line.
        why: String,
    },
    /// The relay said "not now" (4yz).
    #[error("the relay put the mail off: {reply}")]
    Temporary {
        /// The reply code: 421 (going away), 450 or 451 (try later), 452 (too many).
        code: u16,
        /// The whole reply on one line, with the code.
        reply: String,
        /// What it answered to.
        stage: Stage,
    },
    /// The relay said "never" (5yz). At [`Stage::Recipient`] the address is at fault.
    #[error("the relay refused the mail: {reply}")]
    Permanent {
        /// The reply code.
        code: u16,
        /// The whole reply on one line, with the code.
        reply: String,
        /// What it answered to.
        stage: Stage,
    },
    /// The mail was handed over whole, and the relay's answer never came. It may or may not have been accepted.
    #[error("the relay took the mail and did not answer: {why}")]
    Uncertain {
        /// What went wrong, in one line.
        why: String,
    },
}

/// Replies about our sign-in (RFC 4954), which relays also give to `MAIL FROM`. A wrong password must not make a
/// campaign's every mail fail for good, so they count as an unreachable relay.
const SIGN_IN_REFUSED: [u16; 4] = [530, 534, 535, 538];

impl SendFailure {
    pub(super) fn unreachable(why: impl Into<String>) -> Self {
        Self::Unreachable { why: why.into() }
    }

    /// Sorts what lettre reports.
    pub(super) fn from_smtp(error: &smtp::Error, stage: Stage) -> Self {
        let Some(code) = error.status().map(u16::from) else {
            let why = error.to_string();
            return match stage {
                Stage::Answer => Self::Uncertain { why },
                _ => Self::Unreachable { why },
            };
        };
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        let reply = format!("{code} {text}").trim_end().to_owned();
        if error.is_transient() {
            Self::Temporary { code, reply, stage }
        } else if stage == Stage::Connect || SIGN_IN_REFUSED.contains(&code) {
            Self::Unreachable { why: reply }
        } else {
            Self::Permanent { code, reply, stage }
        }
    }

    /// What a time-out at this stage means.
    pub(super) fn timed_out(stage: Stage) -> Self {
        match stage {
            Stage::Answer => Self::Uncertain {
                why: "no answer in time".to_owned(),
            },
            _ => Self::unreachable("no answer in time"),
        }
    }

    /// Whether the relay certainly does not have the mail, so that nothing counts against the rate limit.
    #[must_use]
    pub fn nothing_sent(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Temporary { stage, .. } | Self::Permanent { stage, .. } => {
                *stage != Stage::Answer
            }
            Self::Uncertain { .. } => false,
        }
    }
}
