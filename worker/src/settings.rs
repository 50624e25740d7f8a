//! The settings that the API and the workers share. `--help` is their reference.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use domain::email_address::EmailAddress;
use url::Url;

use crate::engine::EngineConfig;

/// Where things are and how much of them there may be.
#[derive(Args, Clone, Debug)]
pub struct EngineSettings {
    /// The database: `postgres://user:password@host/name`, or `sqlite://path?mode=rwc`. Unset: a SQLite file in the data
    /// directory
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// A file that holds `DATABASE_URL`
    #[arg(
        long,
        env = "DATABASE_URL_FILE",
        conflicts_with = "database_url",
        value_name = "FILE"
    )]
    pub database_url_file: Option<PathBuf>,

    /// Redis, which carries wake-ups, live events and rate limits between processes: `redis://host/`. Unset: they stay
    /// in this process, which then has to be the only one
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,

    /// A file that holds `REDIS_URL`
    #[arg(
        long,
        env = "REDIS_URL_FILE",
        conflicts_with = "redis_url",
        value_name = "FILE"
    )]
    pub redis_url_file: Option<PathBuf>,

    /// What all keys and channels in Redis begin with
    #[arg(
        long,
        env = "MYCAREER_REDIS_PREFIX",
        default_value = "mycareer",
        value_name = "WORD"
    )]
    pub redis_prefix: String,

    /// The mail relay: `smtp://host`, `smtp://user:password@host?tls=required`, or `smtps://user:password@host`. Unset: no
    /// mail leaves the machine; with `DATABASE_URL` unset too, all of it can be read at `/dev/mailbox`
    #[arg(long, env = "SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,

    /// A file that holds `SMTP_URL`
    #[arg(
        long,
        env = "SMTP_URL_FILE",
        conflicts_with = "smtp_url",
        value_name = "FILE"
    )]
    pub smtp_url_file: Option<PathBuf>,

    /// The most mails that may go out in any window of time, over all workers together, such as `50/1s` or `600/min`.
    /// Unset: no limit
    #[arg(long, env = "MYCAREER_MAIL_RATE", value_name = "RATE")]
    pub mail_rate: Option<String>,

    /// The same for the recipients of any one domain. Unset: no limit
    #[arg(long, env = "MYCAREER_MAIL_DOMAIN_RATE", value_name = "RATE")]
    pub mail_domain_rate: Option<String>,

    /// How many connections a worker keeps to the relay
    #[arg(long, env = "MYCAREER_MAIL_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100), value_name = "N")]
    pub mail_connections: u16,

    /// Who mails come from
    #[arg(
        long,
        env = "MYCAREER_MAIL_FROM",
        default_value = "Careers Centre <careers@mycareer.test>",
        value_name = "ADDRESS"
    )]
    pub mail_from: String,

    /// The domain of envelope senders, whose mail goes to `mycareer bounce` or is posted to `/hooks/mail-report`: each mail
    /// then has one of its own, which names it. Unset: reports go to `MYCAREER_MAIL_FROM`, for people to read
    #[arg(long, env = "MYCAREER_BOUNCE_DOMAIN", value_name = "DOMAIN")]
    pub bounce_domain: Option<String>,

    /// The one envelope sender of every mail, to which reports of failed delivery go, where they are not read by
    /// `MYCAREER_BOUNCE_DOMAIN`. Unset: `MYCAREER_MAIL_FROM`
    #[arg(long, env = "MYCAREER_ENVELOPE_SENDER", value_name = "ADDRESS")]
    pub envelope_sender: Option<String>,

    /// The domain that mails are signed for (DKIM): that of `MYCAREER_MAIL_FROM`, or one above it. Unset: they are not signed
    /// here, but perhaps by the relay
    #[arg(
        long,
        env = "MYCAREER_DKIM_DOMAIN",
        requires = "dkim_key_file",
        value_name = "DOMAIN"
    )]
    pub dkim_domain: Option<String>,

    /// The word under which the key is published: in a TXT record of `<word>._domainkey.<domain>`
    #[arg(
        long,
        env = "MYCAREER_DKIM_SELECTOR",
        default_value = "mycareer",
        value_name = "WORD"
    )]
    pub dkim_selector: String,

    /// A file with the private key: an RSA key in PEM (PKCS #1), or the 32 bytes of an Ed25519 key in base 64
    #[arg(
        long,
        env = "MYCAREER_DKIM_KEY_FILE",
        requires = "dkim_domain",
        value_name = "FILE"
    )]
    pub dkim_key_file: Option<PathBuf>,

    /// Where people reach the system, for the links in mails
    #[arg(
        long,
        env = "MYCAREER_PUBLIC_URL",
        default_value = "http://127.0.0.1:8000",
        value_name = "URL"
    )]
    pub public_url: Url,

    /// Where files are kept that are not in the database
    #[arg(
        long,
        env = "MYCAREER_DATA_DIR",
        default_value = "mycareer-data",
        value_name = "FOLDER"
    )]
    pub data_dir: PathBuf,

    /// How many missed events in a term block somebody's booking
    #[arg(long, env = "MYCAREER_STRIKE_LIMIT", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100), value_name = "N")]
    pub strike_limit: u16,

    /// How many jobs of each queue a worker runs side by side
    #[arg(long, env = "MYCAREER_WORKER_CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=200), value_name = "N")]
    pub worker_concurrency: u16,

    /// After how many seconds without a sign of life a worker's jobs go to another one
    #[arg(long, env = "MYCAREER_WORKER_LEASE_SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=600), value_name = "SECONDS")]
    pub worker_lease_seconds: u16,

    /// How many seconds jobs in hand may take once the process was told to stop
    #[arg(long, env = "MYCAREER_STOP_SECONDS", default_value_t = 25, value_parser = clap::value_parser!(u16).range(0..=600), value_name = "SECONDS")]
    pub stop_seconds: u16,

    /// How the log is written
    #[arg(long, env = "MYCAREER_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Where a worker says how it is.
#[derive(Args, Clone, Debug)]
pub struct WorkerSettings {
    /// The address of `/health/live`, `/health/ready` and `/metrics`, such as `127.0.0.1:8001`. Unset: nowhere
    #[arg(long, env = "MYCAREER_WORKER_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

/// A setting that can't be used, in a sentence that names it.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct SettingsError {
    /// The name of the environment variable.
    pub setting: &'static str,
    /// What is wrong with it. Never its value when that is a secret.
    pub reason: String,
}

impl SettingsError {
    /// `setting` can't be used.
    pub fn new(setting: &'static str, reason: impl Into<String>) -> Self {
        Self {
            setting,
            reason: reason.into(),
        }
    }
}

impl EngineSettings {
    /// Reads the files that hold secrets, and checks everything that can be checked without asking another machine.
    pub fn resolve(mut self) -> Result<Self, SettingsError> {
        read_secret(
            "DATABASE_URL_FILE",
            &mut self.database_url,
            self.database_url_file.take(),
        )?;
        read_secret(
            "REDIS_URL_FILE",
            &mut self.redis_url,
            self.redis_url_file.take(),
        )?;
        read_secret(
            "SMTP_URL_FILE",
            &mut self.smtp_url,
            self.smtp_url_file.take(),
        )?;
        check_scheme(
            "DATABASE_URL",
            self.database_url.as_deref(),
            &["postgres", "postgresql", "sqlite"],
        )?;
        check_scheme(
            "REDIS_URL",
            self.redis_url.as_deref(),
            &["redis", "unix", "redis+unix"],
        )?;
        check_scheme("SMTP_URL", self.smtp_url.as_deref(), &["smtp", "smtps"])?;
        if self.redis_prefix.is_empty() || !self.redis_prefix.chars().all(is_word) {
            return Err(SettingsError::new(
                "MYCAREER_REDIS_PREFIX",
                "it may have letters, digits, hyphens and underscores, and needs at least one",
            ));
        }
        self.bounce_domain = self.bounce_domain.filter(|domain| !domain.is_empty());
        if let Some(domain) = &self.bounce_domain
            && format!("b@{domain}").parse::<EmailAddress>().is_err()
        {
            return Err(SettingsError::new(
                "MYCAREER_BOUNCE_DOMAIN",
                "it must be a domain that mail can be sent to, such as bounces.university.example",
            ));
        }
        self.envelope_sender = self.envelope_sender.filter(|address| !address.is_empty());
        if let Some(address) = &self.envelope_sender {
            if address.parse::<EmailAddress>().is_err() {
                return Err(SettingsError::new(
                    "MYCAREER_ENVELOPE_SENDER",
                    "it must be an address without a name, such as bounces@university.example",
                ));
            }
            if self.bounce_domain.is_some() {
                return Err(SettingsError::new(
                    "MYCAREER_ENVELOPE_SENDER",
                    "with MYCAREER_BOUNCE_DOMAIN each mail has an envelope sender of its own: set one of the two",
                ));
            }
        }
        for (setting, name) in [
            ("MYCAREER_DKIM_DOMAIN", self.dkim_domain.as_deref()),
            ("MYCAREER_DKIM_SELECTOR", Some(self.dkim_selector.as_str())),
        ] {
            // They stand in a header as they are.
            if name.is_some_and(|name| !is_host_name(name)) {
                return Err(SettingsError::new(
                    setting,
                    "it may have letters, digits, hyphens and dots, and needs at least one",
                ));
            }
        }
        if !matches!(self.public_url.scheme(), "http" | "https") || self.public_url.host().is_none()
        {
            return Err(SettingsError::new(
                "MYCAREER_PUBLIC_URL",
                "it must begin with http:// or https:// and name a host",
            ));
        }
        Ok(self)
    }

    /// Whether this is the embedded default: a database of its own, and nobody else on it.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.database_url.is_none()
    }

    /// The database to connect to.
    #[must_use]
    pub fn database(&self) -> String {
        self.database_url.clone().unwrap_or_else(|| {
            format!(
                "sqlite://{}?mode=rwc",
                self.data_dir.join("mycareer.sqlite").display()
            )
        })
    }

    /// Connections to the database: for every job one, and some for the engine itself.
    #[must_use]
    pub fn database_connections(&self) -> u32 {
        u32::from(self.worker_concurrency) * 2 + 4
    }

    /// How the job engine runs.
    #[must_use]
    pub fn engine(&self) -> EngineConfig {
        EngineConfig {
            concurrency: usize::from(self.worker_concurrency),
            lease: Duration::from_secs(self.worker_lease_seconds.into()),
            grace: Duration::from_secs(self.stop_seconds.into()),
            ..EngineConfig::default()
        }
    }
}

/// Reads the file that a secret stands in, if one is given; an empty secret is none.
pub fn read_secret(
    setting: &'static str,
    value: &mut Option<String>,
    file: Option<PathBuf>,
) -> Result<(), SettingsError> {
    if let Some(file) = file {
        let text = fs::read_to_string(&file).map_err(|error| {
            SettingsError::new(
                setting,
                format!("{} can't be read: {error}", file.display()),
            )
        })?;
        *value = Some(text.trim().to_owned());
    }
    // An empty variable is how many tools unset one.
    if value.as_deref().is_some_and(str::is_empty) {
        *value = None;
    }
    Ok(())
}

/// Says what is wrong without repeating a URL, which may hold a password.
fn check_scheme(
    setting: &'static str,
    url: Option<&str>,
    schemes: &[&str],
) -> Result<(), SettingsError> {
    let Some(url) = url else { return Ok(()) };
    match url.split_once("://") {
        Some((scheme, _)) if schemes.contains(&scheme) => Ok(()),
        _ => Err(SettingsError::new(
            setting,
            format!("it must begin with {}://", schemes.join(":// or ")),
        )),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c == '.' || is_word(c))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        settings: EngineSettings,
    }

    fn settings(arguments: &[&str]) -> Result<EngineSettings, String> {
        let arguments = std::iter::once("test").chain(arguments.iter().copied());
        Command::try_parse_from(arguments)
            .map_err(|error| error.to_string())?
            .settings
            .resolve()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn with_nothing_set_everything_is_in_one_folder() {
        let settings = settings(&["--data-dir", "/tmp/here"]).unwrap();
        assert!(settings.is_embedded());
        assert_eq!(
            settings.database(),
            "sqlite:///tmp/here/mycareer.sqlite?mode=rwc"
        );
    }

    #[test]
    fn wrong_values_are_refused_in_a_sentence_that_names_the_setting() {
        for (arguments, setting) in [
            (["--database-url", "mysql://secret@host/db"], "DATABASE_URL"),
            (["--redis-url", "localhost:6379"], "REDIS_URL"),
            (["--smtp-url", "http://secret@relay"], "SMTP_URL"),
            (["--redis-prefix", "a:b"], "MYCAREER_REDIS_PREFIX"),
            (["--redis-prefix", ""], "MYCAREER_REDIS_PREFIX"),
            (["--public-url", "mailto:a@b.test"], "MYCAREER_PUBLIC_URL"),
            (["--bounce-domain", "a b"], "MYCAREER_BOUNCE_DOMAIN"),
            (
                ["--envelope-sender", "Careers <a@b.test>"],
                "MYCAREER_ENVELOPE_SENDER",
            ),
            (["--dkim-selector", "a;b"], "MYCAREER_DKIM_SELECTOR"),
            (
                ["--database-url-file", "/does/not/exist"],
                "DATABASE_URL_FILE",
            ),
        ] {
            let error = settings(&arguments).unwrap_err();
            assert!(error.starts_with(&format!("{setting}: ")), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(
            settings(&["--worker-concurrency", "0"])
                .unwrap_err()
                .contains("--worker-concurrency")
        );
    }

    #[test]
    fn mails_have_one_envelope_sender_or_each_its_own_not_both() {
        let one = ["--envelope-sender", "bounces@university.test"];
        assert!(settings(&one).is_ok());
        for (domain, fits) in [("bounces.university.test", false), ("", true)] {
            let both = settings(&[one[0], one[1], "--bounce-domain", domain]);
            assert_eq!(both.is_ok(), fits, "{both:?}");
        }
    }

    #[test]
    fn a_secret_can_come_from_a_file() {
        let file = std::env::temp_dir().join(format!("settings-{}", uuid::Uuid::new_v4()));
        fs::write(&file, "postgres://somewhere/db\n").unwrap();
        let settings = settings(&["--database-url-file", file.to_str().unwrap()]).unwrap();
        fs::remove_file(file).unwrap();
        assert_eq!(settings.database(), "postgres://somewhere/db");
        assert!(!settings.is_embedded());
    }

    #[test]
    fn an_empty_value_is_none() {
        assert!(settings(&["--redis-url", ""]).unwrap().redis_url.is_none());
    }
}
