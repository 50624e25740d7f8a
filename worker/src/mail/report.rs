//! Reading what mail servers send back: reports of failed delivery (RFC 3464) and complaints (RFC 5965).
//!
//! Both are `multipart/report` (RFC 6522). Which mail a report is about is told by our own envelope sender, which the
//! report was sent to and which stands in the mail that comes with it; some servers send that mail back without its
//! envelope sender, but with the link to unsubscribe.

use domain::{
    error::{Error, RefusalCode},
    mail_report::{Happened, Report, named_in},
    suppression::AddressKey,
};
use entity::{delivery::Bounce, ids::DeliveryId};
use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// Headers of a report in which servers say whom it was delivered to.
const DELIVERED_TO: [&str; 4] = ["Delivered-To", "X-Original-To", "Envelope-To", "To"];
/// Headers and fields about the mail that a report is about, in which it can be named.
const ORIGINAL: [&str; 4] = [
    "Original-Mail-From",
    "Return-Path",
    "X-Envelope-From",
    "List-Unsubscribe",
];

/// Why a message is no report that anything follows from. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It is no mail at all.
    #[error("this is no mail: it can't be read as one")]
    NotAMail,
    /// It is a mail, and no report.
    #[error(
        "this mail is neither a report of failed delivery (RFC 3464) nor a complaint (RFC 5965)"
    )]
    NotAReport,
    /// It is a report in which something is missing that makes it one.
    #[error("the report can't be used: {0}")]
    Incomplete(&'static str),
    /// It is about a mail that is still on its way, or has arrived.
    #[error("the report says that the mail was {0}: nothing follows from that")]
    NotFailed(String),
    /// It names no mail that went out from here.
    #[error("the report names no mail that was sent from here")]
    NotOurs,
    /// The key can't be used.
    #[error(transparent)]
    Fault(#[from] Error),
}

impl From<ReportError> for Error {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Fault(error) => error,
            wrong => Self::refused_whole(RefusalCode::Invalid, wrong.to_string()),
        }
    }
}

/// Reads a report. `recipient` is the address it was delivered to, when the mail server says so.
pub fn read(
    key: &AddressKey,
    message: &[u8],
    recipient: Option<&str>,
) -> Result<Report, ReportError> {
    let mail = MessageParser::default()
        .parse(message)
        .filter(|mail| !mail.headers().is_empty())
        .ok_or(ReportError::NotAMail)?;
    let parts = Parts::of(&mail);
    let (happened, status, said) = match (&parts.delivery_status, &parts.feedback) {
        (Some(groups), _) => failure(groups)?,
        (None, Some(fields)) => (complaint(fields)?, None, None),
        (None, None) => return Err(ReportError::NotAReport),
    };
    let delivery_id = find(key, &mail, &parts, recipient)?.ok_or(ReportError::NotOurs)?;
    Ok(Report {
        delivery_id,
        happened,
        status,
        said,
    })
}

/// What a report is made of.
#[derive(Default)]
struct Parts {
    /// Fields about the message, then about each recipient.
    delivery_status: Option<Vec<Fields>>,
    /// Fields of a complaint.
    feedback: Option<Fields>,
    /// Headers of the mail that it is about.
    original: Vec<Fields>,
}

impl Parts {
    fn of(mail: &Message<'_>) -> Self {
        let mut parts = Self::default();
        for part in &mail.parts {
            let kind = part.content_type().map_or_else(String::new, |kind| {
                format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
            });
            match kind.to_ascii_lowercase().as_str() {
                "message/delivery-status" | "message/global-delivery-status" => {
                    parts.delivery_status = Some(groups(part.contents()));
                }
                "message/feedback-report" => {
                    parts.feedback = groups(part.contents()).into_iter().next();
                }
                "text/rfc822-headers" | "message/global-headers" => {
                    parts
                        .original
                        .extend(groups(part.contents()).into_iter().next());
                }
                _ => {
                    if let PartType::Message(original) = &part.body {
                        parts.original.push(Fields::of(original));
                    }
                }
            }
        }
        parts
    }
}

/// Header fields, unfolded, with their names as they stand.
#[derive(Debug)]
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(mail: &Message<'_>) -> Self {
        Self(
            mail.headers_raw()
                .map(|(name, value)| {
                    let unfolded: Vec<&str> = value.split_whitespace().collect();
                    (name.to_owned(), unfolded.join(" "))
                })
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Groups of fields with empty lines in between (RFC 3464, 2.1).
fn groups(contents: &[u8]) -> Vec<Fields> {
    let text = String::from_utf8_lossy(contents).replace("\r\n", "\n");
    text.split("\n\n")
        .filter(|group| !group.trim().is_empty())
        .filter_map(|group| {
            let group = format!("{}\n\n", group.trim_matches('\n'));
            let parsed = MessageParser::default().parse_headers(group.as_bytes())?;
            let fields = Fields::of(&parsed);
            (!fields.0.is_empty()).then_some(fields)
        })
        .collect()
}

type Failure = (Happened, Option<String>, Option<String>);

/// What a report of failed delivery says. Our mails have one recipient each, so one that failed is the one.
fn failure(groups: &[Fields]) -> Result<Failure, ReportError> {
    let recipients: Vec<&Fields> = groups
        .iter()
        .filter(|group| group.get("Final-Recipient").is_some() || group.get("Action").is_some())
        .collect();
    if recipients.is_empty() {
        return Err(ReportError::Incomplete("it names no recipient"));
    }
    let action = |fields: &Fields| fields.get("Action").map(str::to_ascii_lowercase);
    let Some(failed) = recipients
        .iter()
        .find(|fields| action(fields).as_deref() == Some("failed"))
    else {
        return Err(match recipients.first().and_then(|fields| action(fields)) {
            Some(other)
                if ["delayed", "delivered", "relayed", "expanded"].contains(&other.as_str()) =>
            {
                ReportError::NotFailed(other)
            }
            _ => ReportError::Incomplete("it doesn't say what became of the mail"),
        });
    };
    let status = failed
        .get("Status")
        .and_then(|status| status.split_whitespace().next())
        .ok_or(ReportError::Incomplete("it has no status code"))?;
    let bounce = judged(status).ok_or(ReportError::Incomplete("its status code is none"))?;
    let said = failed.get("Diagnostic-Code").map(|said| {
        said.split_once(';')
            .map_or(said, |(_, said)| said)
            .trim()
            .to_owned()
    });
    Ok((Happened::Bounced(bounce), Some(status.to_owned()), said))
}

/// Whether a status code (RFC 3463) says that the address is good for nothing, or only that this mail did not get there.
fn judged(status: &str) -> Option<Bounce> {
    let mut numbers = status.split('.').map(|number| number.parse::<u16>().ok());
    let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
    match (class, subject, detail) {
        // A mailbox that is full, a mail that is too long, a system that is not well, a mail that was late, a protocol or
        // a content that was not understood, a policy: none of them is about the address.
        (5, 2, 2..=4) | (5, 3 | 5 | 6 | 7, _) | (5, 4, 5..=7) | (4, ..) => Some(Bounce::Soft),
        (5, ..) => Some(Bounce::Hard),
        _ => None,
    }
}

/// What a feedback report says (RFC 5965). A report that somebody took a mail for no spam after all is no complaint.
fn complaint(fields: &Fields) -> Result<Happened, ReportError> {
    let kind = fields
        .get("Feedback-Type")
        .ok_or(ReportError::Incomplete("it doesn't say of what type it is"))?;
    if fields.get("Version").is_none() {
        return Err(ReportError::Incomplete("it has no version"));
    }
    match kind.to_ascii_lowercase().as_str() {
        "abuse" | "fraud" | "virus" | "other" | "opt-out" => Ok(Happened::Complained),
        "not-spam" => Err(ReportError::NotFailed("not spam".to_owned())),
        _ => Err(ReportError::Incomplete("it is of a type that is not known")),
    }
}

/// Which of our mails the report is about.
fn find(
    key: &AddressKey,
    mail: &Message<'_>,
    parts: &Parts,
    recipient: Option<&str>,
) -> Result<Option<DeliveryId>, ReportError> {
    let outer = Fields::of(mail);
    let to = DELIVERED_TO.iter().flat_map(|name| outer.all(name));
    let original = parts
        .feedback
        .iter()
        .chain(&parts.original)
        .flat_map(|fields| ORIGINAL.iter().flat_map(|name| fields.all(name)));
    for text in recipient.into_iter().chain(to).chain(original) {
        if let Some(id) = named_in(key, text)? {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_codes_are_about_the_address_or_about_the_mail() {
        for (status, bounce) in [
            ("5.1.1", Some(Bounce::Hard)),
            ("5.0.0", Some(Bounce::Hard)),
            ("5.2.1", Some(Bounce::Hard)),
            ("5.4.4", Some(Bounce::Hard)),
            ("5.2.2", Some(Bounce::Soft)),
            ("5.3.4", Some(Bounce::Soft)),
            ("5.4.7", Some(Bounce::Soft)),
            ("5.7.1", Some(Bounce::Soft)),
            ("4.4.1", Some(Bounce::Soft)),
            ("2.0.0", None),
            ("5.1", None),
            ("five.one.one", None),
            ("", None),
        ] {
            assert_eq!(judged(status), bounce, "{status}");
        }
    }

    #[test]
    fn fields_are_unfolded_and_grouped() {
        let groups = groups(b"Reporting-MTA: dns; a.test\r\n\r\nAction: failed\r\nDiagnostic-Code: smtp;\r\n 550 no\r\n\r\n");
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[1].get("diagnostic-code"), Some("smtp; 550 no"));
    }
}
