//! What handlers work with besides the database.

use std::sync::Arc;

use domain::{Error, Store, register::STRIKE_LIMIT};

use crate::{
    mail::{
        Mailer,
        transport::{MailboxDir, Transport},
    },
    settings::{EngineSettings, SettingsError},
};

/// Shared by all jobs of a process; cheap to clone. The default has nothing: jobs that need something fail with it.
#[derive(Clone, Debug, Default)]
pub struct Services {
    mailer: Option<Arc<Mailer>>,
    strike_limit: Option<u64>,
}

impl Services {
    /// The services that the settings describe. No other machine is spoken to yet.
    pub async fn open(settings: &EngineSettings, _store: &Store) -> Result<Self, SettingsError> {
        Ok(Self {
            mailer: Some(Arc::new(Mailer::open(settings)?)),
            strike_limit: Some(settings.strike_limit.into()),
        })
    }

    /// What mail is sent with.
    pub fn mailer(&self) -> Result<&Mailer, Error> {
        self.mailer
            .as_deref()
            .ok_or_else(|| Error::Fault("this process has no mailer".to_owned()))
    }

    /// How many missed events in a term block somebody's booking (policy 2.4).
    #[must_use]
    pub fn strike_limit(&self) -> u64 {
        self.strike_limit.unwrap_or(STRIKE_LIMIT)
    }

    /// Where mail is caught; none where it goes to a relay.
    #[must_use]
    pub fn mailbox(&self) -> Option<&MailboxDir> {
        match &self.mailer.as_deref()?.transport {
            Transport::Caught(mailbox) => Some(mailbox),
            Transport::Smtp(_) => None,
        }
    }
}
