//! What is served besides GraphQL: pages for people and answers for machines that watch.

pub mod graphql;
pub mod headers;
pub mod intake;
pub mod mail_report;
pub mod mailbox;
pub mod origins;
pub mod pages;
pub mod photo;
pub mod preferences;
pub mod unsubscribe;
