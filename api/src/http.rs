//! What is served besides GraphQL: pages for people and answers for machines that watch.

pub mod account;
pub mod audit_log;
pub mod calendar;
pub mod chart;
mod download;
pub mod export;
pub mod graphql;
pub mod headers;
pub mod intake;
pub mod mail_report;
pub mod mailbox;
pub mod offer;
pub mod origins;
pub mod pages;
pub mod personal_data;
pub mod photo;
pub mod preferences;
pub mod proxies;
pub mod report;
pub mod university;
pub mod unsubscribe;
