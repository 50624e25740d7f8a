//! One conversation of the relay with a client (RFC 5321, as much of it as a sender needs).

use std::{io, sync::Arc, time::Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::{At, Behaviour, COMMANDS_KEPT, Received, Shared, State};

/// Talks until the client says `QUIT`, goes away, or the behaviour ends it.
pub(super) async fn talk(stream: TcpStream, shared: Arc<Shared>) {
    let signed_in = shared.account.is_none();
    let mut session = Session {
        stream: BufReader::new(stream),
        shared,
        signed_in,
        from: None,
        to: Vec::new(),
        drops_at: None,
    };
    // The connection ends either way, and that is all the client may notice.
    let _ = session.run().await;
}

struct Session {
    stream: BufReader<TcpStream>,
    shared: Arc<Shared>,
    signed_in: bool,
    from: Option<String>,
    to: Vec<String>,
    /// Where an unsteady relay closes the connection in this mail.
    drops_at: Option<At>,
}

/// The conversation is over.
struct Over;

impl State {
    /// Whether, and where, an unsteady relay closes the connection in the mail that begins now.
    fn drop_of_this_mail(&mut self) -> Option<At> {
        let Behaviour::Unsteady { drops_every, .. } = self.behaviour else {
            return None;
        };
        self.begun += 1;
        if !self.begun.is_multiple_of(drops_every) {
            return None;
        }
        let moments = [At::Mail, At::Content, At::Dot];
        Some(moments[self.begun / drops_every % moments.len()])
    }
}

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Session {
    async fn run(&mut self) -> Result<(), Over> {
        self.reply_at(At::Connect, "220 relay.test ESMTP").await?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await? == 0 {
                return Err(Over);
            }
            let line = line.trim_end();
            self.note(line);
            let one_by_one = self.behaviour() == Behaviour::OneByOne;
            if one_by_one && !self.stream.buffer().is_empty() {
                return Err(Over);
            }
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" if self.shared.account.is_some() => {
                    self.reply(
                        "250-relay.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 AUTH PLAIN",
                    )
                    .await?;
                }
                "EHLO" if one_by_one => self.reply("250-relay.test\r\n250 8BITMIME").await?,
                "EHLO" => {
                    self.reply("250-relay.test\r\n250-PIPELINING\r\n250 8BITMIME")
                        .await?;
                }
                "AUTH" => self.sign_in(rest).await?,
                "MAIL" if !self.signed_in => {
                    self.reply("530 5.7.0 authentication required").await?;
                }
                "MAIL" => {
                    self.from = Some(path(rest));
                    self.to.clear();
                    self.drops_at = self.shared.state().drop_of_this_mail();
                    self.reply_at(At::Mail, "250 2.1.0 sender ok").await?;
                }
                "RCPT" => self.recipient(path(rest)).await?,
                "DATA" if self.to.is_empty() && self.behaviour() != Behaviour::WantsAllTheSame => {
                    self.reply("554 5.5.1 no valid recipients").await?;
                }
                "DATA" => self.take_mail().await?,
                "RSET" => {
                    self.from = None;
                    self.to.clear();
                    self.reply("250 2.0.0 ok").await?;
                }
                "NOOP" => self.reply("250 2.0.0 ok").await?,
                "QUIT" => {
                    self.reply("221 2.0.0 bye").await?;
                    return Err(Over);
                }
                _ => self.reply("502 5.5.2 not known").await?,
            }
        }
    }

    async fn recipient(&mut self, address: String) -> Result<(), Over> {
        let (refused, put_off) = {
            let mut state = self.shared.state();
            state.recipients += 1;
            let number = state.recipients;
            match &state.behaviour {
                Behaviour::RefuseAddresses(addresses) => (addresses.contains(&address), false),
                Behaviour::WantsAllTheSame => (true, false),
                Behaviour::RefuseEvery(nth) => (number.is_multiple_of(*nth), false),
                Behaviour::Unsteady { puts_off_every, .. } => {
                    let put_off = number.is_multiple_of(*puts_off_every)
                        && state.put_off.insert(address.clone());
                    state.hindrances.put_off += usize::from(put_off);
                    (false, put_off)
                }
                _ => (false, false),
            }
        };
        if refused {
            return self.reply("550 5.1.1 no such mailbox here").await;
        }
        if put_off {
            return self.reply("450 4.2.1 mailbox busy, try again").await;
        }
        if let Behaviour::PutDomainOff(domain, code) = self.behaviour()
            && address.ends_with(&format!("@{domain}"))
        {
            self.reply(&format!("{code} not for {domain}")).await?;
            return if code == 421 { Err(Over) } else { Ok(()) };
        }
        if self.reply_at(At::Rcpt, "250 2.1.5 recipient ok").await? {
            self.to.push(address);
        }
        Ok(())
    }

    async fn take_mail(&mut self) -> Result<(), Over> {
        if !self.reply_at(At::Data, "354 end with a dot").await? {
            return Ok(());
        }
        self.drop_if_unsteady(At::Content)?;
        match self.behaviour() {
            Behaviour::Drop(At::Content) => return Err(Over),
            Behaviour::Stall(At::Content) => std::future::pending().await,
            _ => {}
        }
        let raw = self.read_mail().await?;
        let at = Instant::now();
        let behaviour = self.behaviour();
        if !matches!(behaviour, Behaviour::Reply(At::Dot, code) if code >= 400) {
            let mail = Received {
                message_id: message_id(&raw),
                from: self.from.take().unwrap_or_default(),
                to: std::mem::take(&mut self.to),
                raw,
                at,
            };
            let mut state = self.shared.state();
            state.received.push(mail);
            self.shared.count.send_replace(state.received.len());
        }
        self.act(At::Dot, behaviour, "250 2.0.0 queued").await?;
        Ok(())
    }

    async fn read_mail(&mut self) -> Result<Vec<u8>, Over> {
        let mut raw = Vec::new();
        loop {
            let begin = raw.len();
            if self.stream.read_until(b'\n', &mut raw).await? == 0 {
                return Err(Over);
            }
            if &raw[begin..] == b".\r\n" {
                raw.truncate(begin);
                return Ok(raw);
            }
            if raw[begin] == b'.' {
                raw.remove(begin);
            }
        }
    }

    async fn sign_in(&mut self, arguments: &str) -> Result<(), Over> {
        let given = arguments
            .strip_prefix("PLAIN ")
            .and_then(|token| BASE64_STANDARD.decode(token).ok());
        let (user, password) = self.shared.account.clone().unwrap_or_default();
        self.signed_in = given == Some(format!("\0{user}\0{password}").into_bytes());
        self.reply(if self.signed_in {
            "235 2.7.0 welcome"
        } else {
            "535 5.7.8 wrong user or password"
        })
        .await
    }

    fn behaviour(&self) -> Behaviour {
        self.shared.state().behaviour.clone()
    }

    /// Answers `otherwise`, unless told to misbehave here; says whether it did answer that.
    async fn reply_at(&mut self, at: At, otherwise: &str) -> Result<bool, Over> {
        self.act(at, self.behaviour(), otherwise).await
    }

    fn drop_if_unsteady(&mut self, at: At) -> Result<(), Over> {
        if self.drops_at != Some(at) {
            return Ok(());
        }
        let hindrances = &mut self.shared.state().hindrances;
        match at {
            At::Dot => hindrances.dropped_at_dot += 1,
            _ => hindrances.dropped_before += 1,
        }
        Err(Over)
    }

    async fn act(&mut self, at: At, behaviour: Behaviour, otherwise: &str) -> Result<bool, Over> {
        self.drop_if_unsteady(at)?;
        let misbehaves = match &behaviour {
            Behaviour::Reply(here, _) | Behaviour::Stall(here) | Behaviour::Drop(here) => {
                *here == at
            }
            _ => false,
        };
        if misbehaves {
            let mut state = self.shared.state();
            if state.once {
                state.behaviour = Behaviour::Accept;
            }
        }
        match behaviour {
            Behaviour::Reply(_, code) if misbehaves => {
                self.reply(&format!("{code} told to say so")).await?;
                if code == 421 { Err(Over) } else { Ok(false) }
            }
            Behaviour::Stall(_) if misbehaves => {
                // Until the client has had enough.
                while self.stream.read_u8().await.is_ok() {}
                Err(Over)
            }
            Behaviour::Drop(_) if misbehaves => Err(Over),
            _ => self.reply(otherwise).await.map(|()| true),
        }
    }

    async fn reply(&mut self, reply: &str) -> Result<(), Over> {
        self.stream
            .get_mut()
            .write_all(format!("{reply}\r\n").as_bytes())
            .await?;
        Ok(())
    }

    fn note(&self, line: &str) {
        let mut state = self.shared.state();
        if state.commands.len() == COMMANDS_KEPT {
            state.commands.pop_front();
        }
        state.commands.push_back(line.to_owned());
    }
}

/// The address in `FROM:<address> OPTIONS`.
fn path(argument: &str) -> String {
    let inside = argument
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}

fn message_id(raw: &[u8]) -> String {
    let head = String::from_utf8_lossy(raw);
    let head = head.split("\r\n\r\n").next().unwrap_or_default();
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let id = fields
        .find(|(name, _)| name.eq_ignore_ascii_case("message-id"))
        .map(|(_, value)| value.trim());
    id.unwrap_or_default().trim_matches(['<', '>']).to_owned()
}
