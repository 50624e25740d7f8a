//! A mail relay that takes everything and costs next to nothing: threads of its own, one for each connection.

use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use support::until;

/// The relay. Its threads end with the process.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
}

/// What was taken since the count began.
#[derive(Clone, Debug, Default)]
struct Taken {
    mails: usize,
    first: Option<Instant>,
    last: Option<Instant>,
    /// The latest mail, as it came.
    mail: Vec<u8>,
}

impl Relay {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(Mutex::new(Taken::default()));
        let shared = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, shared) = (stream.unwrap(), Arc::clone(&shared));
                // A client that goes away in the middle of a sentence ends its own thread only.
                thread::spawn(move || talk(stream, &shared));
            }
        });
        Self { address, taken }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts from nought.
    pub fn forget(&self) {
        let mut taken = self.taken.lock().unwrap();
        (taken.mails, taken.first, taken.last) = (0, None, None);
    }

    pub fn mails(&self) -> usize {
        self.taken.lock().unwrap().mails
    }

    /// The latest mail.
    pub fn mail(&self) -> Vec<u8> {
        self.taken.lock().unwrap().mail.clone()
    }

    /// Mails a second, from the end of the first to the end of the last.
    pub fn rate(&self) -> f64 {
        let taken = self.taken.lock().unwrap().clone();
        let time = taken.last.unwrap() - taken.first.unwrap();
        (taken.mails - 1) as f64 / time.as_secs_f64()
    }

    pub async fn wait_for(&self, mails: usize) {
        until(Duration::from_mins(10), "the mails arrive", async || {
            (self.mails() >= mails).then_some(())
        })
        .await;
    }
}

fn talk(stream: TcpStream, taken: &Mutex<Taken>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut out = BufWriter::new(stream.try_clone()?);
    let mut lines = BufReader::with_capacity(64 * 1024, stream);
    let mut line = Vec::new();
    out.write_all(b"220 relay.test ESMTP\r\n")?;
    loop {
        line.clear();
        // What was asked at once is answered at once, as relays do (RFC 2920, 3.2).
        if lines.buffer().is_empty() {
            out.flush()?;
        }
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_slice() {
            b"EHLO" => b"250-relay.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            b"DATA" => {
                out.write_all(b"354 Go on\r\n")?;
                out.flush()?;
                let mail = content(&mut lines)?;
                let (mut taken, now) = (taken.lock().unwrap(), Instant::now());
                taken.mails += 1;
                taken.first.get_or_insert(now);
                taken.last = Some(now);
                taken.mail = mail;
                b"250 Taken\r\n"
            }
            b"QUIT" => {
                out.write_all(b"221 Goodbye\r\n")?;
                return out.flush();
            }
            _ => b"250 Fine\r\n",
        };
        out.write_all(answer)?;
    }
}

/// A mail up to the dot that ends it.
fn content(lines: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut mail = Vec::with_capacity(16 * 1024);
    loop {
        let from = mail.len();
        if lines.read_until(b'\n', &mut mail)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if &mail[from..] == b".\r\n" {
            mail.truncate(from);
            return Ok(mail);
        }
    }
}
