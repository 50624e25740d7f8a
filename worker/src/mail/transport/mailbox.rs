//! The caught mailbox of the embedded default: every mail becomes a file that a person, or a test, can read.

use std::{
    collections::VecDeque,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_parser::{Address, MessageParser, MimeHeaders};
use tokio::task;

use super::{Accepted, SendFailure};
use crate::mail::message::Message;

/// Mails kept unless told otherwise; older ones are deleted.
pub const KEPT: usize = 2_000;

const EXTENSION: &str = "eml";

/// A folder of caught mails, `DATA_DIR/mailbox`. Cheap to clone; all clones are the same mailbox.
///
/// A mail's id is its place in the order of arrival. A file is there whole or not at all.
#[derive(Debug, Clone)]
pub struct MailboxDir {
    folder: Arc<Path>,
    kept: usize,
    /// What is in the folder, oldest first. The lock is held while a mail is written: one writer at a time.
    numbers: Arc<Mutex<VecDeque<u64>>>,
}

/// A caught mail as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CaughtSummary {
    /// Names the mail in [`MailboxDir::read`]. A later mail has a greater id, also as text.
    pub id: String,
    /// The `From` header, such as `Careers Centre <careers@example.ac.uk>`.
    pub from: String,
    /// Where it was sent: the envelope's address, which no header can contradict.
    pub to: String,
    /// The subject, decoded.
    pub subject: String,
    /// The `Date` header in RFC 3339, with its offset; empty when it has none.
    pub date: String,
}

/// A caught mail, decoded.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CaughtMail {
    /// What the list shows of it.
    #[serde(flatten)]
    pub summary: CaughtSummary,
    /// Every header as it stands in the mail, in order, unfolded.
    pub headers: Vec<(String, String)>,
    /// The text part.
    pub text: Option<String>,
    /// The HTML part. It came from outside as much as any mail: show it in a sandbox.
    pub html: Option<String>,
    /// The file itself.
    pub source: String,
}

impl CaughtMail {
    /// The value of the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl MailboxDir {
    /// Opens the folder, making it where needed, and keeps the newest `kept` mails in it from now on.
    pub fn open(folder: impl Into<PathBuf>, kept: usize) -> io::Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)?;
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&folder)? {
            numbers.extend(number(&entry?.path()));
        }
        numbers.sort_unstable();
        Ok(Self {
            folder: folder.into(),
            kept: kept.max(1),
            numbers: Arc::new(Mutex::new(numbers.into())),
        })
    }

    /// The newest mails, newest first.
    pub async fn list(&self, limit: usize) -> io::Result<Vec<CaughtSummary>> {
        let newest: Vec<u64> = self.lock().iter().rev().take(limit).copied().collect();
        let mailbox = self.clone();
        unblocked(move || {
            let mails = newest
                .into_iter()
                .filter_map(|number| mailbox.load(number).transpose());
            mails.map(|mail| mail.map(|mail| mail.summary)).collect()
        })
        .await
    }

    /// One mail; `None` when there is none of that id (any longer).
    pub async fn read(&self, id: &str) -> io::Result<Option<CaughtMail>> {
        // Only what is a number becomes part of a path.
        let Ok(number) = id.parse::<u64>() else {
            return Ok(None);
        };
        let mailbox = self.clone();
        unblocked(move || mailbox.load(number)).await
    }

    /// Catches a mail.
    pub(super) async fn catch(&self, message: &Message) -> Result<Accepted, SendFailure> {
        let (mailbox, message) = (self.clone(), message.clone());
        let caught = unblocked(move || mailbox.store(&message)).await;
        match caught {
            Ok(number) => Ok(Accepted {
                reply: format!("250 caught as {}", name(number)),
            }),
            Err(error) => Err(SendFailure::unreachable(format!(
                "the mailbox folder can't be written: {error}"
            ))),
        }
    }

    fn store(&self, message: &Message) -> io::Result<u64> {
        let mut numbers = self.lock();
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        // What a relay adds at final delivery (RFC 5321, 4.4), so that the envelope can be read too.
        let from = message
            .envelope
            .from()
            .map_or(String::new(), ToString::to_string);
        write!(file, "Return-Path: <{from}>\r\n")?;
        for to in message.envelope.to() {
            write!(file, "Delivered-To: {to}\r\n")?;
        }
        file.write_all(&message.bytes)?;
        let mut number = numbers.back().map_or(1, |last| last + 1);
        loop {
            match file.persist_noclobber(self.path(number)) {
                Ok(_) => break,
                // Another process shares the folder.
                Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => {
                    file = taken.file;
                    number += 1;
                }
                Err(failed) => return Err(failed.error),
            }
        }
        numbers.push_back(number);
        while numbers.len() > self.kept {
            let Some(oldest) = numbers.pop_front() else {
                break;
            };
            match fs::remove_file(self.path(oldest)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(number)
    }

    fn load(&self, number: u64) -> io::Result<Option<CaughtMail>> {
        let bytes = match fs::read(self.path(number)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(mail) = MessageParser::default().parse(&bytes) else {
            return Ok(None);
        };
        let headers: Vec<(String, String)> = mail
            .headers_raw()
            .map(|(name, value)| (name.to_owned(), unfolded(value)))
            .collect();
        let delivered = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("Delivered-To"));
        let to = delivered
            .map(|(_, address)| address.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let summary = CaughtSummary {
            id: name(number),
            from: mail.from().map(written_out).unwrap_or_default(),
            to,
            subject: mail.subject().unwrap_or_default().to_owned(),
            date: mail
                .date()
                .map(mail_parser::DateTime::to_rfc3339)
                .unwrap_or_default(),
        };
        // The parser makes one part out of the other when one is missing; only what was sent counts here.
        let text = mail
            .text_part(0)
            .filter(|part| part.is_text() && !part.is_text_html());
        let html = mail.html_part(0).filter(|part| part.is_text_html());
        Ok(Some(CaughtMail {
            text: text
                .and_then(mail_parser::MessagePart::text_contents)
                .map(ToOwned::to_owned),
            html: html
                .and_then(mail_parser::MessagePart::text_contents)
                .map(|html| with_pictures(html, &mail)),
            source: String::from_utf8_lossy(&bytes).into_owned(),
            summary,
            headers,
        }))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(name(number)).with_extension(EXTENSION)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(number: u64) -> String {
    format!("{number:09}")
}

fn number(path: &Path) -> Option<u64> {
    if path.extension()? != EXTENSION {
        return None;
    }
    path.file_stem()?.to_str()?.parse().ok()
}

/// The HTML with the pictures in it that came with it, so that it can be shown by itself.
fn with_pictures(html: &str, mail: &mail_parser::Message<'_>) -> String {
    mail.parts.iter().fold(html.to_owned(), |html, part| {
        let (Some(id), Some(kind)) = (part.content_id(), part.content_type()) else {
            return html;
        };
        let data = STANDARD.encode(part.contents());
        let kind = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
        html.replace(
            &format!("\"cid:{id}\""),
            &format!("\"data:{kind};base64,{data}\""),
        )
    })
}

fn unfolded(value: &str) -> String {
    value
        .split("\r\n")
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

fn written_out(address: &Address<'_>) -> String {
    let one = |person: &mail_parser::Addr<'_>| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    address.iter().map(one).collect::<Vec<_>>().join(", ")
}

async fn unblocked<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::message::tests::a_message;

    async fn caught(mailbox: &MailboxDir, subject: &str) -> Accepted {
        mailbox.catch(&a_message(subject)).await.unwrap()
    }

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test]
    async fn a_caught_mail_can_be_listed_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = MailboxDir::open(folder.path().join("mailbox"), KEPT).unwrap();
        let accepted = caught(&mailbox, "Your place: Café & “Résumé” workshop").await;
        assert_eq!(accepted.reply, "250 caught as 000000001");

        let list = mailbox.list(10).await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].subject, "Your place: Café & “Résumé” workshop");
        assert_eq!(list[0].to, "zoe@students.test");
        assert_eq!(list[0].from, "Careers Centre <careers@university.test>");
        assert_eq!(list[0].date, "2026-03-03T09:30:00Z");

        let mail = mailbox.read(&list[0].id).await.unwrap().unwrap();
        assert_eq!(
            mail.text.as_deref().map(str::trim_end),
            Some("Dear Zoë,\r\nyou have a place.")
        );
        assert!(mail.html.unwrap().contains("<p>Dear Zoë,"));
        assert!(mail.source.starts_with(
            "Return-Path: <bounces@university.test>\r\nDelivered-To: zoe@students.test\r\n"
        ));
    }

    #[tokio::test]
    async fn only_the_newest_are_kept_and_numbers_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = MailboxDir::open(folder.path(), 3).unwrap();
        for n in 1..=5 {
            caught(&mailbox, &format!("mail {n}")).await;
        }
        assert_eq!(files(folder.path()), 3);
        let again = MailboxDir::open(folder.path(), 3).unwrap();
        assert_eq!(
            caught(&again, "mail 6").await.reply,
            "250 caught as 000000006"
        );
        let subjects: Vec<String> = again
            .list(2)
            .await
            .unwrap()
            .into_iter()
            .map(|mail| mail.subject)
            .collect();
        assert_eq!(subjects, ["mail 6", "mail 5"]);
        assert_eq!(files(folder.path()), 3);
    }

    #[tokio::test]
    async fn two_writers_in_one_folder_overwrite_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (
            MailboxDir::open(folder.path(), 9).unwrap(),
            MailboxDir::open(folder.path(), 9).unwrap(),
        );
        caught(&one, "one").await;
        caught(&two, "two").await;
        assert_eq!(files(folder.path()), 2);
    }

    #[tokio::test]
    async fn an_id_is_never_a_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret.eml"), "Subject: secret\r\n\r\n").unwrap();
        let mailbox = MailboxDir::open(folder.path().join("mailbox"), KEPT).unwrap();
        for id in [
            "../secret",
            "secret",
            "",
            "-1",
            "1",
            "000000001/../../secret",
        ] {
            assert_eq!(mailbox.read(id).await.unwrap(), None, "{id}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_an_unreachable_relay() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = MailboxDir::open(folder.path().join("mailbox"), KEPT).unwrap();
        fs::remove_dir(folder.path().join("mailbox")).unwrap();
        let failure = mailbox.catch(&a_message("lost")).await.unwrap_err();
        assert!(
            matches!(failure, SendFailure::Unreachable { .. }),
            "{failure:?}"
        );
    }
}
