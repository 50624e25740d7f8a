//! What a process sends mail with.

use std::{fs, sync::Arc, time::Duration};

use domain::{
    campaign::{Words, WordsError, preferences, unsubscribe},
    mail::Attachment,
    mail_report,
    suppression::AddressKey,
};
use entity::delivery;
use lettre::message::Mailbox;
use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use serde_json::{Value, json};
use url::Url;

use super::{
    Hands,
    attachments::{self, AttachmentError, Part},
    dkim::Signature,
    message::{ComposeError, Draft, Message, Nature, Sender},
    rate::{Permit, Rate, RateLimiter, RateLimits},
    templates::{Service, TemplateError, Templates},
    transport::{
        Accepted, MailboxDir, Pool, PoolSettings, Relay, SendFailure, Transport, mailbox::KEPT,
    },
};
use crate::settings::{EngineSettings, SettingsError};

/// The folder of caught mail in the data directory.
const MAILBOX: &str = "mailbox";
/// How long Redis may take to answer before it counts as away. A permit that it grants later is lost for a while.
const PATIENCE: Duration = Duration::from_secs(5);

/// Templates, rate limit and transport of one process, and what its mails have in common.
#[derive(Debug)]
pub struct Mailer {
    /// The words.
    templates: Templates,
    /// When a mail may go.
    pub limiter: RateLimiter,
    /// Where it goes.
    pub transport: Transport,
    sender: Sender,
    bounce_domain: Option<String>,
    public_url: String,
    /// How many mails of campaigns may be claimed.
    pub hands: Hands,
}

/// Why a mail can't be written. Trying again changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// An operator's words don't fit the recipient.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// A template doesn't fit its fields.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// What was written is no mail.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// What is attached can't be made.
    #[error(transparent)]
    Attachment(#[from] AttachmentError),
    /// The link to unsubscribe can't be signed, or the ledger's row can't be read.
    #[error(transparent)]
    Domain(#[from] domain::Error),
}

impl Mailer {
    /// The mailer that the settings describe. Neither the relay nor Redis is spoken to. Must be called within a Tokio
    /// runtime.
    pub fn open(settings: &EngineSettings) -> Result<Self, SettingsError> {
        let from: Mailbox = settings
            .mail_from
            .parse()
            .map_err(|error| wrong("MYCAREER_MAIL_FROM", &error))?;
        let public_url = without_slash(&settings.public_url);
        let service = Service {
            name: from
                .name
                .clone()
                .unwrap_or_else(|| "Careers Centre".to_owned()),
            email: from.email.to_string(),
            website: public_url.clone(),
        };
        let templates = Templates::new(&service).map_err(|error| wrong("the templates", &error))?;
        let transport = transport(settings)?;
        let hands = Hands::new(transport.at_once());
        Ok(Self {
            templates,
            limiter: limiter(settings)?,
            transport,
            sender: Sender {
                from,
                reply_to: None,
                bounces_to: settings
                    .envelope_sender
                    .as_deref()
                    .map(str::parse)
                    .transpose()
                    .map_err(|error| wrong("MYCAREER_ENVELOPE_SENDER", &error))?,
                signed_by: signature(settings)?.map(Arc::new),
            },
            bounce_domain: settings.bounce_domain.clone(),
            public_url,
            hands,
        })
    }

    /// The mail of a transactional letter, with what is attached to it: what is made here, and the files, which were read.
    pub fn letter(
        &self,
        key: &AddressKey,
        letter: &delivery::Model,
        attached: &[Attachment],
        files: Vec<Part>,
    ) -> Result<Message, WriteError> {
        let content =
            self.templates
                .render(&letter.template, &letter.recipient_name, &letter.fields)?;
        let sender = self.sender_of(key, letter)?;
        let mut attachments = attached
            .iter()
            .filter_map(|attachment| attachments::made(attachment, &self.public_url).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        attachments.extend(files);
        // What people asked to have regularly has the way out that bulk mail has (RFC 8058).
        let unsubscribe = letter.fields["unsubscribe_link"]
            .as_str()
            .map(|path| self.link(path));
        let nature = match &unsubscribe {
            Some(unsubscribe) => Nature::Bulk { unsubscribe },
            None => Nature::Automatic,
        };
        let draft = Draft {
            attachments: &attachments,
            ..draft(&sender, letter, &content, nature)
        };
        Ok(draft.compose()?)
    }

    /// The mail of a campaign to one recipient, with the events that it tells of besides and the files that it brings.
    pub fn bulk(
        &self,
        words: &Words,
        key: &AddressKey,
        mail: &delivery::Model,
        events: &Value,
        files: &[Part],
    ) -> Result<Message, WriteError> {
        let written = words.render(&mail.fields)?;
        let token = unsubscribe::token(key, mail.id, &mail.address)?;
        let link = self.link(&format!("{}{token}", unsubscribe::PATH));
        let content = self.templates.render(
            &mail.template,
            &mail.recipient_name,
            &json!({
                "subject": written.subject,
                "text": written.text,
                "html": written.html,
                "events": events,
                "unsubscribe_link": link,
                "preferences_link": self.link(&format!("{}{token}", preferences::PATH)),
            }),
        )?;
        let nature = Nature::Bulk { unsubscribe: &link };
        let sender = self.sender_of(key, mail)?;
        let draft = Draft {
            attachments: files,
            ..draft(&sender, mail, &content, nature)
        };
        Ok(draft.compose()?)
    }

    /// Hands a mail to the relay under a permit.
    pub async fn send(&self, message: &Message, permit: Permit) -> Result<Accepted, SendFailure> {
        let sent = self.transport.send(message).await;
        match &sent {
            Err(failure) if failure.nothing_sent() => permit.unused(),
            _ => permit.used(),
        }
        sent
    }

    /// The whole address of a page.
    fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// Who a mail is from. Its envelope sender is its own where reports about it are read, so that they name it.
    fn sender_of(&self, key: &AddressKey, mail: &delivery::Model) -> Result<Sender, WriteError> {
        let mut sender = self.sender.clone();
        if let Some(domain) = &self.bounce_domain {
            let address = mail_report::envelope_sender(key, mail.id, domain)?;
            sender.bounces_to = Some(address.parse().map_err(ComposeError::Address)?);
        }
        Ok(sender)
    }
}

fn draft<'a>(
    sender: &'a Sender,
    mail: &'a delivery::Model,
    content: &'a super::templates::Rendered,
    nature: Nature<'a>,
) -> Draft<'a> {
    Draft {
        message_id: &mail.message_id,
        date: mail.created_at,
        sender,
        to: &mail.address,
        name: &mail.recipient_name,
        content,
        attachments: &[],
        nature,
    }
}

fn wrong(setting: &'static str, error: &impl ToString) -> SettingsError {
    SettingsError::new(setting, error.to_string())
}

fn without_slash(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn transport(settings: &EngineSettings) -> Result<Transport, SettingsError> {
    let Some(url) = &settings.smtp_url else {
        let folder = settings.data_dir.join(MAILBOX);
        let mailbox =
            MailboxDir::open(&folder, KEPT).map_err(|error| wrong("MYCAREER_DATA_DIR", &error))?;
        return Ok(Transport::Caught(mailbox));
    };
    let relay: Relay = url.parse().map_err(|error| wrong("SMTP_URL", &error))?;
    let pool = PoolSettings {
        connections: usize::from(settings.mail_connections),
        ..PoolSettings::default()
    };
    Ok(Transport::Smtp(Pool::new(relay, pool)))
}

/// What signs mails, where the settings say that they are signed here.
fn signature(settings: &EngineSettings) -> Result<Option<Signature>, SettingsError> {
    const KEY: &str = "MYCAREER_DKIM_KEY_FILE";
    let (Some(domain), Some(file)) = (&settings.dkim_domain, &settings.dkim_key_file) else {
        return Ok(None);
    };
    let key = fs::read_to_string(file)
        .map_err(|error| wrong(KEY, &format!("{} can't be read: {error}", file.display())))?;
    let signature = Signature::new(domain, &settings.dkim_selector, &key);
    signature.map(Some).map_err(|error| wrong(KEY, &error))
}

fn limiter(settings: &EngineSettings) -> Result<RateLimiter, SettingsError> {
    let rate = |setting, text: &Option<String>| {
        text.as_deref()
            .filter(|text| !text.is_empty())
            .map(|text| text.parse::<Rate>().map_err(|error| wrong(setting, &error)))
            .transpose()
    };
    let limits = RateLimits {
        overall: rate("MYCAREER_MAIL_RATE", &settings.mail_rate)?,
        per_domain: rate("MYCAREER_MAIL_DOMAIN_RATE", &settings.mail_domain_rate)?,
    };
    let Some(url) = &settings.redis_url else {
        return Ok(RateLimiter::in_memory(limits));
    };
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    let connection = Client::open(url.as_str())
        .and_then(|client| ConnectionManager::new_lazy_with_config(client, config))
        .map_err(|error| wrong("REDIS_URL", &error))?;
    let prefix = format!("{}:mail", settings.redis_prefix);
    Ok(RateLimiter::in_redis(limits, connection, &prefix))
}
