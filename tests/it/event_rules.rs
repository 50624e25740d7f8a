//! The rules of events as a frontend meets them, one after the other as the policy says them (policy 2.4): by GraphQL, and with
//! the mails that follow as they arrive. What these leave out has tests of its own, with the part of the system that it is
//! about.

mod afterwards;
mod booking;
mod calendar;
mod clash;
mod frontend;
mod marketing;
mod register;
mod sharing;
mod waiting_list;
