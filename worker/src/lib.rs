//! The worker: runs jobs and sends mail.

pub mod engine;
pub mod health;
pub mod jobs;
pub mod mail;
pub mod runtime;
pub mod services;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
