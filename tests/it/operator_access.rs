//! Operator access: earned by training and accepted terms, watched, and given back (policy 3).

mod administrators;
mod grants;
pub mod office;
mod permissions;
mod reminders;
