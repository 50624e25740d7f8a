//! The test bed: what the integration tests stand on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a test that can't go on panics, and that is its way to fail"
)]

mod bed;
mod browser;
pub mod calendar;
mod client;
mod columns;
mod confidential;
mod database;
mod desk;
mod figure;
mod forger;
pub mod operator;
mod port;
mod postfix;
mod postgres_server;
mod process;
mod provider;
mod put;
mod redis_server;
mod smtp;
mod system;
mod tls;
mod wait;
mod worker;

pub use bed::TestBed;
pub use browser::Browser;
pub use client::{Client, Response, Watch};
pub use columns::Column;
pub use confidential::keep_values_of;
pub use database::Database;
pub use desk::Desk;
pub use figure::figure;
pub use forger::{Forged, Forger, Signature};
pub use postfix::Postfix;
pub use postgres_server::OwnPostgres;
pub use process::Process;
pub use provider::Provider;
pub use put::put;
pub use redis_server::{OwnRedis, RedisCorner};
pub use smtp::{At, Behaviour, Hindrances, Received, SmtpServer};
pub use system::System;
pub use tls::{http_client, plain_get, trusting};
pub use wait::{until, until_equal};
pub use worker::worker;
