//! A mail as the relay gets it: envelope and MIME.

use std::{sync::Arc, time::SystemTime};

use chrono::{DateTime, Utc};
use lettre::{
    Address,
    address::Envelope,
    message::{
        Attachment, Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use sha2::{Digest as _, Sha256};

use super::{attachments::Part, dkim::Signature, templates::Rendered};

/// A mail that is ready to be handed over, and can be handed over again as the very same mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who it is from and goes to, as far as relays are concerned.
    pub envelope: Envelope,
    /// Headers and body, with CRLF line ends.
    pub bytes: Vec<u8>,
}

impl Message {
    /// The domain of the recipient in lower case: what the per-domain rate limit counts by.
    #[must_use]
    pub fn recipient_domain(&self) -> String {
        self.envelope
            .to()
            .first()
            .map(|address| address.domain().to_ascii_lowercase())
            .unwrap_or_default()
    }
}

/// Who a mail is from.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Shown as the sender.
    pub from: Mailbox,
    /// Where answers go, when not to `from`.
    pub reply_to: Option<Mailbox>,
    /// Where reports of failed delivery go (the envelope's sender); `from` when none.
    pub bounces_to: Option<Address>,
    /// What signs the mail, where the relay doesn't.
    pub signed_by: Option<Arc<Signature>>,
}

/// Why a mail goes out, which decides about its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature<'a> {
    /// The system wrote it because something happened: `Auto-Submitted` (RFC 3834) keeps holiday notes from answering.
    Automatic,
    /// A person wrote it to many: it can be unsubscribed from by one click (RFC 2369, RFC 8058).
    Bulk {
        /// `https://` address that unsubscribes this recipient at `POST`, and shows a page at `GET`.
        unsubscribe: &'a str,
    },
}

/// Everything that makes up a mail.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// `local@domain`, without angle brackets. The same delivery has the same one at every attempt.
    pub message_id: &'a str,
    /// When it was written, by the clock of the caller.
    pub date: DateTime<Utc>,
    /// Who it is from.
    pub sender: &'a Sender,
    /// The recipient's address.
    pub to: &'a str,
    /// The recipient's name, shown beside the address; may be empty.
    pub name: &'a str,
    /// Subject and bodies.
    pub content: &'a Rendered,
    /// What comes with it.
    pub attachments: &'a [Part],
    /// Why it goes out.
    pub nature: Nature<'a>,
}

/// Why no mail can be made of a draft. Trying again changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The recipient's address is not one.
    #[error("the recipient's address can't be used: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// A value that stands in a header as it is has characters that no header may hold.
    #[error("{0} holds characters that a mail header can't")]
    Header(&'static str),
    /// The parts don't make a mail.
    #[error("the mail can't be built: {0}")]
    Build(#[from] lettre::error::Error),
}

impl Draft<'_> {
    /// Makes the mail. The same draft makes the same bytes, but for the moment that a signature tells.
    ///
    /// Line breaks and other control characters in names and subject become spaces, so that nothing typed by anyone can
    /// begin a header of its own.
    pub fn compose(&self) -> Result<Message, ComposeError> {
        let address: Address = self.to.trim().parse()?;
        let bounces_to = self
            .sender
            .bounces_to
            .as_ref()
            .unwrap_or(&self.sender.from.email);
        let envelope = Envelope::new(Some(bounces_to.clone()), vec![address.clone()])?;
        let message_id = bare("the Message-ID", self.message_id)?;
        let mut message = lettre::Message::builder()
            .envelope(envelope.clone())
            .date(SystemTime::from(self.date))
            .from(tidy(&self.sender.from))
            .to(Mailbox::new(
                Some(one_line(self.name)).filter(|name| !name.is_empty()),
                address,
            ))
            .subject(one_line(&self.content.subject))
            .raw_header(as_it_is("Message-ID", format!("<{message_id}>")));
        if let Some(reply_to) = &self.sender.reply_to {
            message = message.reply_to(tidy(reply_to));
        }
        message = match self.nature {
            Nature::Automatic => {
                message.raw_header(as_it_is("Auto-Submitted", "auto-generated".to_owned()))
            }
            Nature::Bulk { unsubscribe } => message
                .raw_header(as_it_is(
                    "List-Unsubscribe",
                    format!("<{}>", bare("the unsubscribe address", unsubscribe)?),
                ))
                .raw_header(as_it_is(
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".to_owned(),
                )),
        };
        let mut message = message.multipart(self.body(message_id)?)?;
        if let Some(signature) = &self.sender.signed_by {
            signature.sign(&mut message);
        }
        Ok(Message {
            envelope,
            bytes: message.formatted(),
        })
    }

    /// The words, in two ways; with the HTML the pictures that it shows, and after all of it the files (RFC 2387, RFC 2046).
    fn body(&self, message_id: &str) -> Result<MultiPart, ComposeError> {
        let shown: Vec<&Part> = self
            .attachments
            .iter()
            .filter(|part| part.shown_as.is_some())
            .collect();
        let files: Vec<&Part> = self
            .attachments
            .iter()
            .filter(|part| part.shown_as.is_none())
            .collect();
        let words = MultiPart::alternative()
            .boundary(boundary(message_id))
            .singlepart(SinglePart::plain(self.content.text.clone()));
        let html = SinglePart::html(self.content.html.clone());
        let words = if shown.is_empty() {
            words.singlepart(html)
        } else {
            let related = MultiPart::related()
                .boundary(boundary(&format!("{message_id}/related")))
                .singlepart(html);
            words.multipart(with(related, &shown)?)
        };
        if files.is_empty() {
            return Ok(words);
        }
        let mixed = MultiPart::mixed()
            .boundary(boundary(&format!("{message_id}/mixed")))
            .multipart(words);
        with(mixed, &files)
    }
}

/// The parts, after what is there.
fn with(body: MultiPart, parts: &[&Part]) -> Result<MultiPart, ComposeError> {
    parts.iter().try_fold(body, |body, part| {
        let media_type = ContentType::parse(&part.media_type)
            .map_err(|_| ComposeError::Header("the media type of an attachment"))?;
        let attachment = match part.shown_as {
            Some(id) => Attachment::new_inline_with_name(id.to_owned(), part.name.to_string()),
            None => Attachment::new(part.name.to_string()),
        };
        // Base 64 keeps every byte as it is, line ends too.
        let encoded = Body::new_with_encoding(part.bytes.clone(), ContentTransferEncoding::Base64)
            .map_err(|_| ComposeError::Header("an attachment"))?;
        Ok(body.singlepart(attachment.body(encoded, media_type)))
    })
}

/// A header value that is not to be folded or encoded, because its readers take it letter by letter.
fn as_it_is(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        value.clone(),
        value,
    )
}

/// Only what can stand between angle brackets.
fn bare<'a>(what: &'static str, value: &'a str) -> Result<&'a str, ComposeError> {
    let fits = !value.is_empty() && value.len() < 900;
    if fits
        && value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>')
    {
        Ok(value)
    } else {
        Err(ComposeError::Header(what))
    }
}

fn tidy(mailbox: &Mailbox) -> Mailbox {
    Mailbox::new(mailbox.name.as_deref().map(one_line), mailbox.email.clone())
}

/// The text on one line: every run of white space and control characters is one space.
fn one_line(text: &str) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// A line that separates the parts; it is the same at each attempt.
fn boundary(message_id: &str) -> String {
    use std::fmt::Write as _;
    let mut boundary = String::from("=_");
    for byte in Sha256::digest(message_id.as_bytes()).iter().take(16) {
        let _ = write!(boundary, "{byte:02x}");
    }
    boundary
}

#[cfg(test)]
pub(crate) mod tests;
