//! Calendars for the programs in which people keep them: iCalendar (RFC 5545), policy 2.4.
//!
//! [`entry`] is an event as it stands in one, [`mod@file`] how it is written, [`feed`] who gets which.

pub mod entry;
pub mod feed;
pub mod file;

pub use self::{entry::Entry, file::Method};
