//! Every behavioural test, in one program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on panics, and that is its way to fail"
)]

mod booking;
mod campaign;
mod campus;
mod compose;
mod contact;
mod credential;
mod data_protection;
mod delivered;
mod documentation;
mod event;
mod generated;
mod graphql_http;
mod import;
mod jobs;
mod mail_rate;
mod mail_transport;
mod migration;
mod note;
mod notice;
mod operation;
mod organisation;
mod permissions;
mod register;
mod security;
mod session;
mod statements;
mod tag;
mod university;
mod waiting_list;
