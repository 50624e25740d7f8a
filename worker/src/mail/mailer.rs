//! What a process sends mail with.

use super::{
    message::Message,
    rate::{Permit, RateLimiter},
    templates::Templates,
    transport::{Accepted, SendFailure, Transport},
};

/// Templates, rate limit and transport of one process.
#[derive(Debug)]
pub struct Mailer {
    /// The words.
    pub templates: Templates,
    /// When a mail may go.
    pub limiter: RateLimiter,
    /// Where it goes.
    pub transport: Transport,
}

impl Mailer {
    /// Waits until the rate limit lets it, then hands the mail to the relay.
    ///
    /// A limit that can't be asked is as good as a relay that can't be reached: nothing is sent.
    pub async fn send(&self, message: &Message) -> Result<Accepted, SendFailure> {
        match self.limiter.acquire(&message.recipient_domain()).await {
            Ok(permit) => self.send_permitted(message, permit).await,
            Err(error) => Err(SendFailure::Unreachable {
                why: error.to_string(),
            }),
        }
    }

    /// Hands a mail to the relay under a permit that was asked for already, such as for several mails at once.
    pub async fn send_permitted(
        &self,
        message: &Message,
        permit: Permit,
    ) -> Result<Accepted, SendFailure> {
        let sent = self.transport.send(message).await;
        match &sent {
            Err(failure) if failure.nothing_sent() => permit.unused(),
            _ => permit.used(),
        }
        sent
    }
}
