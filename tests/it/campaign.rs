//! Bulk e-mail (policy 2.5).

mod api;
mod audience;
mod bounces;
mod caps;
mod hardship;
mod hindered;
mod office;
mod postfix;
mod preferences;
mod processes;
mod review;
mod sending;
mod start;
mod unsubscribe;
mod world;
