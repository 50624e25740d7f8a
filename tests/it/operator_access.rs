//! Operator access: earned by training and accepted terms, watched, and given back (policy 3).

mod administrators;
pub mod grants;
mod leavers;
pub mod office;
mod overview;
mod permissions;
mod reminders;
