//! One conversation with the relay.
//!
//! lettre's own `send` can't say how far a failed mail had come, and closes the connection at every refusal. So the
//! commands are given one by one here: a refused recipient costs a `RSET`, and a lost connection is told apart by
//! whether the dot that ends the mail may already have been written.
//!
//! A relay that says it can is given the commands of a mail at once (PIPELINING, RFC 2920): that is one wait instead of three.

use std::{
    iter,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use lettre::transport::smtp::{
    self,
    authentication::DEFAULT_MECHANISMS,
    client::{AsyncSmtpConnection, AsyncTokioStream},
    commands::{Data, Ehlo, Mail, Noop, Quit, Rcpt, Rset},
    extension::{Extension, MailBodyParameter, MailParameter},
    response::Response,
};
use tokio::{
    net::TcpStream,
    time::{Instant, error::Elapsed, timeout, timeout_at},
};

use super::{
    Accepted, PoolSettings, Relay, SendFailure, Stage,
    tls::{Encrypted, Security},
};
use crate::mail::message::Message;

/// An idle connection is asked whether it still lives when it was last used longer ago than this.
const TRUSTED_FOR: Duration = Duration::from_secs(2);
/// How long a relay may take to answer `NOOP`, `RSET` and `QUIT`.
const SMALL_TALK: Duration = Duration::from_secs(5);

/// An open and signed-in connection.
#[derive(Debug)]
pub(super) struct Connection {
    smtp: Smtp,
    /// The relay takes several commands at once.
    pipelining: bool,
    /// Mails it was used for.
    pub(super) mails: u32,
    last_used: Instant,
    /// A mail was refused half-way: the relay still waits for its rest.
    half_way: bool,
}

/// Why a mail did not go through, and what it did to the connection.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) failure: SendFailure,
    /// The relay answered in good order, so the connection can carry the next mail.
    pub(super) usable: bool,
    /// The connection was gone before the relay heard of this mail: an idle one that it had closed.
    pub(super) gone: bool,
}

impl Connection {
    /// Connects, encrypts, greets and signs in.
    pub(super) async fn open(relay: &Relay, within: Duration) -> Result<Self, SendFailure> {
        match timeout(within, connect(relay)).await {
            Ok(Ok((smtp, pipelining))) => Ok(Self {
                smtp: Smtp(smtp),
                pipelining,
                mails: 0,
                last_used: Instant::now(),
                half_way: false,
            }),
            Ok(Err(failure)) => Err(failure),
            Err(_) => Err(SendFailure::timed_out(Stage::Connect)),
        }
    }

    /// Makes an idle connection ready for the next mail; false when it is of no more use.
    pub(super) async fn ready(&mut self) -> bool {
        if self.smtp.0.has_broken() {
            return false;
        }
        let asked = if self.half_way {
            timeout(SMALL_TALK, self.smtp.0.command(Rset)).await
        } else if self.last_used.elapsed() > TRUSTED_FOR {
            timeout(SMALL_TALK, self.smtp.0.command(Noop)).await
        } else {
            return true;
        };
        self.half_way = false;
        matches!(asked, Ok(Ok(_)))
    }

    /// Sends one mail. Everything up to its last byte happens before `deadline`, or not at all.
    pub(super) async fn send(
        &mut self,
        message: &Message,
        deadline: Instant,
        settings: &PoolSettings,
    ) -> Result<Accepted, Fault> {
        self.mails += 1;
        self.half_way = true;
        let accepted = async {
            self.announce(message, deadline).await?;
            self.hand_over(&message.bytes, deadline, settings.answer)
                .await
        }
        .await?;
        self.half_way = false;
        self.last_used = Instant::now();
        Ok(accepted)
    }

    /// Says goodbye.
    pub(super) async fn quit(mut self) {
        // Whether the relay says goodbye too is its own affair.
        let _ = timeout(SMALL_TALK, self.smtp.0.command(Quit)).await;
    }

    /// `MAIL`, `RCPT` and `DATA`.
    async fn announce(&mut self, message: &Message, deadline: Instant) -> Result<(), Fault> {
        let options = self.mail_options(message)?;
        let mail = Mail::new(message.envelope.from().cloned(), options);
        let recipients = message.envelope.to().iter();
        let recipients = recipients.map(|address| Rcpt::new(address.clone(), Vec::new()));
        if self.pipelining {
            let recipients: Vec<String> = recipients.map(|rcpt| rcpt.to_string()).collect();
            let commands = format!("{mail}{}{Data}", recipients.concat());
            return self.say_at_once(commands, recipients.len(), deadline).await;
        }
        self.say(mail, Stage::Sender, deadline).await?;
        for recipient in recipients {
            self.say(recipient, Stage::Recipient, deadline).await?;
        }
        self.say(Data, Stage::Content, deadline).await
    }

    /// The commands of a mail in one piece; their answers come one after the other, and each has to be read. The first refusal
    /// is what the mail failed by.
    async fn say_at_once(
        &mut self,
        commands: String,
        recipients: usize,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let mut answer = self.say(commands, Stage::Sender, deadline).await;
        let stages = iter::repeat_n(Stage::Recipient, recipients).chain([Stage::Content]);
        for stage in stages {
            if answer.as_ref().is_err_and(|fault| !fault.usable) {
                return answer;
            }
            let next = timeout_at(deadline, self.smtp.0.read_response()).await;
            let next = Fault::unless_positive(next, stage);
            answer = match (answer, next) {
                (Ok(()), next) => next,
                // Whoever was refused must not be sent anything, and the relay waits for it.
                (Err(first), Ok(())) if stage == Stage::Content => Err(first.not_usable()),
                (Err(first), Err(later)) if !later.usable => Err(first.not_usable()),
                (Err(first), _) => Err(first),
            };
        }
        answer
    }

    async fn say<C: std::fmt::Display>(
        &mut self,
        command: C,
        stage: Stage,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let answer = timeout_at(deadline, self.smtp.0.command(command)).await;
        Fault::unless_positive(answer, stage)
    }

    /// The mail itself, the dot that ends it, and the relay's answer.
    async fn hand_over(
        &mut self,
        bytes: &[u8],
        deadline: Instant,
        answer: Duration,
    ) -> Result<Accepted, Fault> {
        let dot_next = AtomicBool::new(false);
        let stage = || {
            if dot_next.load(Ordering::Relaxed) {
                Stage::Answer
            } else {
                Stage::Content
            }
        };
        let mut sending = pin!(self.smtp.0.message_iter(WholeMail {
            bytes: Some(bytes),
            dot_next: &dot_next
        }));
        let mut outcome = timeout_at(deadline, &mut sending).await;
        if outcome.is_err() && stage() == Stage::Answer {
            outcome = timeout(answer, &mut sending).await;
        }
        match outcome {
            Ok(Ok(response)) => {
                let text: Vec<&str> = response.message().collect();
                Ok(Accepted {
                    reply: format!("{} {}", response.code(), text.join(" ")),
                })
            }
            Ok(Err(error)) => Err(Fault::new(
                SendFailure::from_smtp(&error, stage()),
                stage(),
                Some(&error),
            )),
            Err(_) => Err(Fault::new(SendFailure::timed_out(stage()), stage(), None)),
        }
    }

    /// The extensions that this mail needs of the relay (RFC 6152, RFC 6531).
    fn mail_options(&self, message: &Message) -> Result<Vec<MailParameter>, Fault> {
        let offered = |extension| self.smtp.0.server_info().supports_feature(extension);
        let mut options = Vec::new();
        let addresses = message
            .envelope
            .from()
            .into_iter()
            .chain(message.envelope.to());
        if !addresses
            .into_iter()
            .all(|address| AsRef::<str>::as_ref(address).is_ascii())
        {
            if !offered(Extension::SmtpUtfEight) {
                return Err(Fault {
                    failure: SendFailure::Permanent {
                        code: 553,
                        reply:
                            "553 5.6.7 the relay does not carry addresses beyond ASCII (SMTPUTF8)"
                                .to_owned(),
                        stage: Stage::Recipient,
                    },
                    usable: true,
                    gone: false,
                });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !message.bytes.is_ascii() && offered(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(options)
    }
}

impl Fault {
    fn unless_positive(
        answer: Result<Result<Response, smtp::Error>, Elapsed>,
        stage: Stage,
    ) -> Result<(), Self> {
        match answer {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Self::new(
                SendFailure::from_smtp(&error, stage),
                stage,
                Some(&error),
            )),
            Err(_) => Err(Self::new(SendFailure::timed_out(stage), stage, None)),
        }
    }

    fn not_usable(self) -> Self {
        Self {
            usable: false,
            ..self
        }
    }

    fn new(failure: SendFailure, stage: Stage, error: Option<&smtp::Error>) -> Self {
        let code = error.and_then(smtp::Error::status).map(u16::from);
        // 421 is the relay's goodbye, also the one it left on a connection that was idle for too long.
        let usable = code.is_some_and(|code| code != 421);
        Self {
            failure,
            usable,
            gone: stage == Stage::Sender && error.is_some() && !usable,
        }
    }
}

/// A connection, and whether its relay takes several commands at once.
async fn connect(relay: &Relay) -> Result<(AsyncSmtpConnection, bool), SendFailure> {
    let refused = |error: &smtp::Error| SendFailure::from_smtp(error, Stage::Connect);
    let unreachable = |error: std::io::Error| SendFailure::unreachable(error.to_string());
    let tcp = TcpStream::connect((relay.host.as_str(), relay.port))
        .await
        .map_err(unreachable)?;
    // Without it each of lettre's small writes waits for the delayed ACK of the one before: 40 ms in every mail.
    tcp.set_nodelay(true).map_err(unreachable)?;
    let stream: Box<dyn AsyncTokioStream> = match &relay.security {
        Security::Tls(connector, name) => Box::new(Encrypted(
            connector
                .connect(name.clone(), tcp)
                .await
                .map_err(unreachable)?,
        )),
        Security::None | Security::StartTls(_) => Box::new(tcp),
    };
    let connected = AsyncSmtpConnection::connect_with_transport(stream, &relay.hello).await;
    let mut smtp = connected.map_err(|error| refused(&error))?;
    if let Security::StartTls(parameters) = &relay.security {
        smtp.starttls(parameters.clone(), &relay.hello)
            .await
            .map_err(|error| refused(&error))?;
    }
    if let Some(credentials) = &relay.credentials {
        smtp.auth(DEFAULT_MECHANISMS, credentials)
            .await
            .map_err(|error| refused(&error))?;
    }
    // lettre keeps of the greeting only what it uses itself.
    let greeting = smtp.command(Ehlo::new(relay.hello.clone())).await;
    let greeting = greeting.map_err(|error| refused(&error))?;
    let pipelining = greeting
        .message()
        .any(|line| line.eq_ignore_ascii_case("PIPELINING"));
    Ok((smtp, pipelining))
}

/// Gives lettre the mail in one piece and notes when it comes back for more: next it writes the ending dot.
struct WholeMail<'a> {
    bytes: Option<&'a [u8]>,
    dot_next: &'a AtomicBool,
}

impl<'a> Iterator for WholeMail<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let bytes = self.bytes.take();
        if bytes.is_none() {
            self.dot_next.store(true, Ordering::Relaxed);
        }
        bytes
    }
}

/// lettre's connection, which has no `Debug` of its own.
struct Smtp(AsyncSmtpConnection);

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp")
            .field("encrypted", &self.0.is_encrypted())
            .finish_non_exhaustive()
    }
}
