//! A mail relay for tests: it counts what it gets, and misbehaves when told to.

mod session;

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// A moment in the conversation, named after what the client has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Connected.
    Connect,
    /// Said `MAIL FROM`.
    Mail,
    /// Said `RCPT TO`.
    Rcpt,
    /// Said `DATA`.
    Data,
    /// Begun to send the mail itself, and not ended it.
    Content,
    /// Sent the whole mail, and the dot that ends it.
    Dot,
}

/// How the relay behaves, from the next thing said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It takes every mail.
    Accept,
    /// It gives that reply code there; 421 also closes the connection. Not for [`At::Content`].
    Reply(At, u16),
    /// It takes what was said and never answers.
    Stall(At),
    /// It closes the connection without an answer.
    Drop(At),
    /// It answers 550 to these addresses.
    RefuseAddresses(Vec<String>),
    /// It answers with that code to every recipient in that domain; 421 also closes the connection.
    PutDomainOff(String, u16),
    /// It answers 550 to every nth recipient.
    RefuseEvery(usize),
    /// It doesn't offer PIPELINING, and closes the connection when it is told something before it has answered.
    OneByOne,
    /// It answers 550 to every recipient, and asks for the mail all the same.
    WantsAllTheSame,
    /// It closes the connection in every nth mail, by turns at the sender, at the content and at the dot that ends it, and
    /// answers 450 to every mth recipient the first time that it is named.
    Unsteady {
        /// The n.
        drops_every: usize,
        /// The m.
        puts_off_every: usize,
    },
}

/// How often an unsteady relay was in the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hindrances {
    /// Connections closed before the mail was taken.
    pub dropped_before: usize,
    /// Connections closed after the mail was taken and before that was said.
    pub dropped_at_dot: usize,
    /// Recipients put off.
    pub put_off: usize,
}

/// A mail the relay took: the dot that ends it has arrived, and the relay did not refuse it. With
/// [`Behaviour::Stall`] or [`Behaviour::Drop`] at the dot, the sender does not know.
#[derive(Clone, Debug)]
pub struct Received {
    /// The `Message-ID`, without angle brackets; empty when the mail has none.
    pub message_id: String,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The mail, without the dots that SMTP adds.
    pub raw: Vec<u8>,
    /// When its end arrived.
    pub at: Instant,
}

/// The relay, on a port of its own. It goes when this value goes.
#[derive(Debug)]
pub struct SmtpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// How many mails were received.
    count: watch::Sender<usize>,
    /// User and password, where it wants them.
    account: Option<(String, String)>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    /// The behaviour is for one time.
    once: bool,
    received: Vec<Received>,
    connections: usize,
    recipients: usize,
    /// Mails begun.
    begun: usize,
    put_off: HashSet<String>,
    hindrances: Hindrances,
    commands: VecDeque<String>,
}

/// The last commands kept for a test to look at.
const COMMANDS_KEPT: usize = 1_000;

impl SmtpServer {
    /// A relay that takes every mail.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// A relay that takes mail only from those who sign in (`AUTH PLAIN`).
    pub async fn start_with_account(user: &str, password: &str) -> Self {
        Self::start_with(Some((user.to_owned(), password.to_owned()))).await
    }

    async fn start_with(account: Option<(String, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Mutex::new(State {
            behaviour: Behaviour::Accept,
            once: false,
            received: Vec::new(),
            connections: 0,
            recipients: 0,
            begun: 0,
            put_off: HashSet::new(),
            hindrances: Hindrances::default(),
            commands: VecDeque::new(),
        });
        let count = watch::Sender::new(0);
        let shared = Arc::new(Shared {
            state,
            count,
            account,
        });
        let listening = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            listening,
        }
    }

    /// As `SMTP_URL` wants it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Its address, for a URL with more in it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Behaves like this from now on, on open connections too.
    pub fn behave(&self, behaviour: Behaviour) {
        let mut state = self.shared.state();
        state.behaviour = behaviour;
        state.once = false;
    }

    /// Behaves like this one time, and accepts from then on.
    pub fn behave_once(&self, behaviour: Behaviour) {
        let mut state = self.shared.state();
        state.behaviour = behaviour;
        state.once = true;
    }

    /// Every mail it took, in the order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// How many mails it took.
    pub fn count(&self) -> usize {
        self.shared.state().received.len()
    }

    /// How often it was in the way, being [`Behaviour::Unsteady`].
    pub fn hindrances(&self) -> Hindrances {
        self.shared.state().hindrances
    }

    /// How often it took each mail.
    pub fn count_by_message_id(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for mail in &self.shared.state().received {
            *counts.entry(mail.message_id.clone()).or_default() += 1;
        }
        counts
    }

    /// The most mails that arrived in any window of that length.
    pub fn most_within(&self, window: Duration) -> usize {
        let mut arrivals: Vec<Instant> = self
            .shared
            .state()
            .received
            .iter()
            .map(|mail| mail.at)
            .collect();
        arrivals.sort_unstable();
        let mut first = 0;
        let within = arrivals.iter().enumerate().map(|(last, at)| {
            while *at - arrivals[first] >= window {
                first += 1;
            }
            last - first + 1
        });
        within.max().unwrap_or_default()
    }

    /// How many connections were opened to it.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// The latest commands it was given, oldest first.
    pub fn commands(&self) -> Vec<String> {
        self.shared.state().commands.iter().cloned().collect()
    }

    /// Waits until it has taken `n` mails.
    ///
    /// # Panics
    /// When it has fewer after `limit`.
    pub async fn wait_for(&self, n: usize, limit: Duration) {
        let mut count = self.shared.count.subscribe();
        let reached = timeout(limit, count.wait_for(|count| *count >= n))
            .await
            .is_ok();
        assert!(
            reached,
            "waited {limit:?} for {n} mails, and {} came",
            self.shared.state().received.len()
        );
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and all conversations with it.
    let mut conversations = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        shared.state().connections += 1;
        conversations.spawn(session::talk(stream, Arc::clone(&shared)));
        while conversations.try_join_next().is_some() {}
    }
}
