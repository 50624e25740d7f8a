//! Bulk e-mail (policy 2.5).

mod audience;
mod start;
mod unsubscribe;
mod world;
