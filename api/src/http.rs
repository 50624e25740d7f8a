//! What is served besides GraphQL: pages for people and answers for machines that watch.

pub mod graphql;
pub mod mailbox;
pub mod pages;
pub mod unsubscribe;
