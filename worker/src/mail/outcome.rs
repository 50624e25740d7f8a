//! From the relay's answer to the verdict in the ledger.

use chrono::{DateTime, Utc};
use domain::delivery::Verdict;
use entity::delivery;

use super::transport::{Accepted, SendFailure, Stage};

/// What a failure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// This mail or its recipient: others may fare better.
    TheMail,
    /// The recipient's domain: other mails to it will fare no better for now.
    TheDomain,
    /// The relay, or how we are configured: no mail will fare better for now.
    TheRelay,
}

/// What a failure is about. What is said before a recipient was named is not about the recipient. 421 is somebody going
/// away: right after a recipient was named that may be the recipient's server, and otherwise it is the relay.
#[must_use]
pub fn about(failure: &SendFailure) -> About {
    match failure {
        SendFailure::Temporary {
            code: 421,
            stage: Stage::Recipient,
            ..
        } => About::TheDomain,
        SendFailure::Unreachable { .. }
        | SendFailure::Temporary { code: 421, .. }
        | SendFailure::Temporary {
            stage: Stage::Connect | Stage::Sender,
            ..
        }
        | SendFailure::Permanent {
            stage: Stage::Connect | Stage::Sender,
            ..
        } => About::TheRelay,
        _ => About::TheMail,
    }
}

/// The verdict on a mail that was claimed and tried.
#[must_use]
pub fn verdict(
    mail: &delivery::Model,
    sent: &Result<Accepted, SendFailure>,
    now: DateTime<Utc>,
) -> Verdict {
    let Err(failure) = sent else {
        return Verdict::Sent;
    };
    let reply = failure.to_string();
    if about(failure) != About::TheMail {
        return Verdict::Untried { reply };
    }
    match failure {
        SendFailure::Unreachable { .. } => Verdict::Untried { reply },
        SendFailure::Temporary { .. } => Verdict::put_off(mail, reply, now),
        SendFailure::Permanent { .. } => Verdict::Failed { reply },
        SendFailure::Uncertain { .. } => Verdict::Unknown { reply },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary(code: u16, stage: Stage) -> SendFailure {
        SendFailure::Temporary {
            code,
            reply: format!("{code} later"),
            stage,
        }
    }

    fn permanent(stage: Stage) -> SendFailure {
        SendFailure::Permanent {
            code: 550,
            reply: "550 never".to_owned(),
            stage,
        }
    }

    #[test]
    fn what_the_relay_says_of_itself_is_not_held_against_a_recipient() {
        for failure in [
            temporary(421, Stage::Answer),
            temporary(450, Stage::Connect),
            temporary(451, Stage::Sender),
            permanent(Stage::Sender),
            SendFailure::Unreachable {
                why: "gone".to_owned(),
            },
        ] {
            assert_eq!(about(&failure), About::TheRelay, "{failure}");
        }
        assert_eq!(about(&temporary(421, Stage::Recipient)), About::TheDomain);
        for failure in [
            temporary(450, Stage::Recipient),
            temporary(452, Stage::Answer),
            permanent(Stage::Recipient),
            SendFailure::Uncertain {
                why: "gone".to_owned(),
            },
        ] {
            assert_eq!(about(&failure), About::TheMail, "{failure}");
        }
    }
}
