//! Every behavioural test, in one program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on panics, and that is its way to fail"
)]

mod access_token;
mod activity;
mod agreement;
mod announcement;
mod attendance;
mod audit;
mod booking;
mod calendar;
mod campaign;
mod campus;
mod chart_in_browser;
mod clash;
mod clock_changes;
mod coming_events;
mod communication;
mod compose;
mod contact;
mod credential;
mod data_protection;
mod delivered;
mod documentation;
mod duplicate;
mod employer_rules;
mod event;
mod event_rules;
mod event_sharing;
mod feedback;
mod generated;
mod graphiql_in_browser;
mod graphql_http;
mod group_booking;
mod import;
mod jobs;
mod key_account;
mod leaks;
mod letter;
mod liaison;
mod mail_in_browser;
mod mail_rate;
mod mail_rules;
mod mail_transport;
mod merge;
mod migration;
mod note;
mod notice;
mod offer;
mod operation;
mod operator_access;
mod organisation;
mod permissions;
mod profile;
mod profile_field;
mod register;
mod registration;
mod reminder;
mod report;
mod search;
mod security;
mod segment;
mod series;
mod session;
mod statements;
mod suggestion;
mod super_user_group;
mod tag;
mod ticket;
mod training_course;
mod university;
mod vacancy;
mod venue;
mod waiting_list;
