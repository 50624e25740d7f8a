//! The worker: runs jobs and sends mail.

pub mod engine;
pub mod jobs;
pub mod services;
