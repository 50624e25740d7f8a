//! Bulk e-mail (policy 2.5).

pub(crate) mod api;
mod attachments;
mod audience;
mod bounces;
mod caps;
mod hardship;
mod hindered;
pub(crate) mod office;
mod pace;
mod postfix;
mod preferences;
mod processes;
mod promotion;
mod review;
pub(crate) mod segments;
pub(crate) mod sending;
mod start;
mod subscribers;
mod unsubscribe;
pub(crate) mod world;
