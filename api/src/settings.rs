//! The settings of the API. `mycareer --help` is their reference.

use std::net::SocketAddr;

use clap::Args;
use worker::settings::{EngineSettings, SettingsError};

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

    /// What is shared with the workers.
    #[command(flatten)]
    pub engine: EngineSettings,
}

impl Settings {
    /// Reads the files that hold secrets, and checks what can be checked without asking another machine.
    pub fn resolve(self) -> Result<Self, SettingsError> {
        Ok(Self {
            engine: self.engine.resolve()?,
            ..self
        })
    }
}
