//! What is served besides GraphQL: pages for people and answers for machines that watch.

pub mod account;
pub mod graphql;
pub mod headers;
pub mod intake;
pub mod mailbox;
pub mod origins;
pub mod pages;
pub mod photo;
pub mod proxies;
pub mod university;
pub mod unsubscribe;
