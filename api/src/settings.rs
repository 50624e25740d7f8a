//! The settings of the API. `mycareer --help` is their reference.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use domain::clock::Clock;
use ipnet::IpNet;
use worker::settings::{EngineSettings, SettingsError, read_secret};

use crate::{
    graphql::document::Limits,
    http::{
        graphql::{
            Terms,
            budget::{Allowances, Budget, RedisBudget},
        },
        origins::Origins,
        proxies::TrustedProxies,
    },
    server::{connections::ConnectionLimits, tls::Tls},
    university::UniversitySettings,
};

/// How many letters a secret has at least that opens an address to anybody who knows it.
const SHORTEST_SECRET: usize = 20;

/// Where the API listens, and everything that it shares with the workers.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// The address and port to serve at
    #[arg(
        long,
        env = "MYCAREER_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDRESS"
    )]
    pub listen: SocketAddr,

    /// The pages of other sites that may call the API from a browser: their origins, such as `https://careers.example`,
    /// with commas in between. Unset: none
    #[arg(
        long,
        env = "MYCAREER_CORS_ORIGINS",
        default_value = "",
        hide_default_value = true,
        value_name = "ORIGINS"
    )]
    pub cors_origins: Origins,

    /// A PEM file with the certificate to speak TLS with, and those of its issuers. Unset: no TLS, which a proxy in front
    /// then does
    #[arg(
        long,
        env = "MYCAREER_TLS_CERT",
        requires = "tls_key",
        value_name = "FILE"
    )]
    pub tls_cert: Option<PathBuf>,

    /// A PEM file with the private key of the certificate
    #[arg(
        long,
        env = "MYCAREER_TLS_KEY",
        requires = "tls_cert",
        value_name = "FILE"
    )]
    pub tls_key: Option<PathBuf>,

    /// How many seconds a client may take to send the head of a request, and again for its body. A connection that is kept
    /// open for the next request is closed after the same time
    #[arg(long, env = "MYCAREER_READ_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=600), value_name = "SECONDS")]
    pub read_seconds: u16,

    /// How many seconds a query or a mutation may take before it is given up
    #[arg(long, env = "MYCAREER_ANSWER_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=600), value_name = "SECONDS")]
    pub answer_seconds: u16,

    /// How many connections one network address may have open, sockets among them; 0 for any number. Behind a proxy
    /// all of them come from one address
    #[arg(
        long,
        env = "MYCAREER_CONNECTIONS_PER_ADDRESS",
        default_value_t = 1_000,
        value_name = "N"
    )]
    pub connections_per_address: u32,

    /// What the operations of one account may cost together in a minute, as `extensions.cost` of answers tells it: at least
    /// as much as the largest operation, 100000; 0 for any amount
    #[arg(
        long,
        env = "MYCAREER_COST_BUDGET",
        default_value_t = 1_000_000,
        value_name = "COST"
    )]
    pub cost_budget: u64,

    /// The same for all at one network address who aren't signed in
    #[arg(
        long,
        env = "MYCAREER_COST_BUDGET_ANONYMOUS",
        default_value_t = 1_000_000,
        value_name = "COST"
    )]
    pub cost_budget_anonymous: u64,

    /// The networks of the proxies in front, such as `10.0.0.0/8,127.0.0.1/32`: their `X-Forwarded-For` is believed, and
    /// nobody else's. Unset: there are none
    #[arg(long, env = "MYCAREER_TRUSTED_PROXIES", value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,

    /// Signing in with the university.
    #[command(flatten)]
    pub university: UniversitySettings,
    /// What a mail server has to know to post reports of failed delivery and complaints to `/hooks/mail-report`, as
    /// `Authorization: Bearer SECRET`. Unset: there is no such address
    #[arg(
        long,
        env = "MYCAREER_BOUNCE_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub bounce_secret: Option<String>,

    /// A file that holds `MYCAREER_BOUNCE_SECRET`
    #[arg(
        long,
        env = "MYCAREER_BOUNCE_SECRET_FILE",
        conflicts_with = "bounce_secret",
        value_name = "FILE"
    )]
    pub bounce_secret_file: Option<PathBuf>,

    /// What is shared with the workers.
    #[command(flatten)]
    pub engine: EngineSettings,
}

impl Settings {
    /// Reads the files that hold secrets, and checks what can be checked without asking another machine.
    pub fn resolve(mut self) -> Result<Self, SettingsError> {
        read_secret(
            "MYCAREER_BOUNCE_SECRET_FILE",
            &mut self.bounce_secret,
            self.bounce_secret_file.take(),
        )?;
        if self
            .bounce_secret
            .as_ref()
            .is_some_and(|secret| secret.len() < SHORTEST_SECRET)
        {
            return Err(SettingsError::new(
                "MYCAREER_BOUNCE_SECRET",
                format!("it must have at least {SHORTEST_SECRET} letters, because anybody can try"),
            ));
        }
        check_budget("MYCAREER_COST_BUDGET", self.cost_budget)?;
        check_budget("MYCAREER_COST_BUDGET_ANONYMOUS", self.cost_budget_anonymous)?;
        self.proxies()?;
        Ok(Self {
            university: self.university.resolve()?,
            engine: self.engine.resolve()?,
            ..self
        })
    }

    /// What the GraphQL endpoint is held to.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            origins: Arc::new(self.cors_origins.clone()),
            own_origin: self.engine.public_url.origin().ascii_serialization(),
            answer_within: Duration::from_secs(self.answer_seconds.into()),
        }
    }

    /// What everybody may spend. Must be called within a Tokio runtime.
    pub fn budget(&self, clock: Arc<dyn Clock>) -> Result<Budget, SettingsError> {
        let allowances = Allowances {
            account: self.cost_budget,
            address: self.cost_budget_anonymous,
        };
        let redis = self
            .engine
            .redis_url
            .as_deref()
            .map(|url| RedisBudget::new(url, &self.engine.redis_prefix))
            .transpose()?;
        Ok(Budget::new(allowances, clock, redis))
    }

    /// What connections are held to.
    #[must_use]
    pub fn connection_limits(&self) -> ConnectionLimits {
        ConnectionLimits {
            head_within: self.read_within(),
            per_address: Some(self.connections_per_address).filter(|most| *most > 0),
        }
    }

    /// How long a body may take to come.
    #[must_use]
    pub fn read_within(&self) -> Duration {
        Duration::from_secs(self.read_seconds.into())
    }

    /// The certificate to serve with, if there is one.
    pub fn tls(&self) -> Result<Option<Tls>, SettingsError> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => Tls::open(chain, key).map(Some),
            _ => Ok(None),
        }
    }

    /// The proxies whose word is believed.
    pub fn proxies(&self) -> Result<TrustedProxies, SettingsError> {
        let networks = self
            .trusted_proxies
            .iter()
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|network| !network.is_empty())
            .map(|network| {
                // An address alone is the network of that one machine.
                network
                    .parse::<IpNet>()
                    .or_else(|_| network.parse::<IpAddr>().map(IpNet::from))
                    .map_err(|_| {
                        SettingsError::new(
                            "MYCAREER_TRUSTED_PROXIES",
                            format!("{network:?} is not a network; one looks like 10.0.0.0/8"),
                        )
                    })
            })
            .collect::<Result<_, _>>()?;
        Ok(TrustedProxies::new(networks))
    }
}

/// A budget below what one operation may cost would shut the largest ones out for good.
fn check_budget(setting: &'static str, budget: u64) -> Result<(), SettingsError> {
    let least = Limits::default().cost;
    if budget == 0 || budget >= least {
        return Ok(());
    }
    Err(SettingsError::new(
        setting,
        format!("one operation may cost {least}: give at least as much, or 0 for any amount"),
    ))
}
