//! The test bed: what the integration tests stand on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test that can't go on panics, and that is its way to fail"
)]

mod bed;
pub mod calendar;
mod client;
mod columns;
mod confidential;
mod database;
mod desk;
pub mod operator;
mod process;
mod redis_server;
mod smtp;
mod system;
mod wait;

pub use bed::TestBed;
pub use client::{Client, Response};
pub use columns::Column;
pub use database::Database;
pub use desk::Desk;
pub use process::Process;
pub use redis_server::{OwnRedis, RedisCorner};
pub use smtp::{At, Behaviour, Received, SmtpServer};
pub use system::System;
pub use wait::{until, until_equal};
