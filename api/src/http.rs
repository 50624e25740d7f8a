//! What is served besides GraphQL: pages for people and answers for machines that watch.

pub mod calendar;
pub mod graphql;
pub mod headers;
pub mod intake;
pub mod mailbox;
pub mod offer;
pub mod origins;
pub mod pages;
pub mod photo;
pub mod unsubscribe;
