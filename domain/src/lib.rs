//! The rules of MyCareer: everything that the policy asks for, and nothing of how it is asked or carried out. There is no
//! HTTP, no GraphQL, no Redis and no SMTP in here.
//!
//! A domain function is named as the policy would say it. It takes the [`viewer::Viewer`] who asks and the
//! [`store::Tx`] it happens in, which also knows what time it is; what it refuses, it refuses with a
//! [`error::Refusal`] that names the field and the remedy.

pub mod account;
pub mod activity;
pub mod agreement;
pub mod announcement;
pub mod attendance;
pub mod audit;
pub mod booking;
pub mod calendar;
pub mod campaign;
pub mod change;
pub mod clash;
pub mod clock;
pub mod coming_events;
pub mod communication;
pub mod contact;
pub mod credential;
pub mod data_protection;
pub mod delivery;
pub mod duplicate;
pub mod email_address;
pub mod error;
pub mod event;
pub mod event_sharing;
pub mod export;
pub mod feedback;
pub mod first_of_each;
pub mod group_booking;
pub mod history;
pub mod identity;
pub mod import;
pub mod job;
pub mod key_account;
pub mod liaison;
pub mod live;
pub mod mail;
pub mod mail_report;
pub mod mail_rules;
pub mod mail_topic;
pub mod merge;
pub mod note;
pub mod notice;
pub mod operator_access;
pub mod organisation;
pub mod page;
pub mod person;
pub mod personal_link;
pub mod policy;
pub mod profile;
pub mod profile_field;
pub mod register;
pub mod registration;
pub mod report;
pub mod request;
pub mod search;
pub mod secret;
pub mod segment;
pub mod session;
pub mod signed_link;
pub mod spreadsheet;
mod statement;
pub mod store;
pub mod suggestion;
pub mod super_user_group;
pub mod suppression;
pub mod tag;
pub mod term;
pub mod text;
pub mod training_course;
pub mod university;
pub mod vacancy;
pub mod venue;
pub mod viewer;
pub mod waiting_list;

pub use error::{Error, Refusal, RefusalCode, Refusals, Result};
pub use store::{Store, Tx};
pub use viewer::Viewer;
