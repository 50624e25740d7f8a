//! The tables of MyCareer as sea-orm entities: one file a table, and nothing but the rows.
//!
//! Times are UTC throughout, to the microsecond. What the words mean is told in `domain`, which owns every rule.

pub mod access_grant;
pub mod audit_entry;
pub mod booking;
pub mod campaign;
pub mod contact;
pub mod credential;
pub mod delivery;
pub mod event;
pub mod event_audience;
pub mod event_organisation;
pub mod faculty;
pub mod identity;
pub mod ids;
pub mod job;
pub mod kept_notice;
pub mod list;
pub mod note;
pub mod notice_choice;
pub mod one_time_token;
pub mod organisation;
pub mod organisation_tag;
pub mod personal_data;
pub mod programme;
pub mod refresh_token;
pub mod school;
pub mod secret;
pub mod session;
pub mod sign_in_attempt;
pub mod signing_key;
pub mod suppression;
pub mod tag;
pub mod training_course;
pub mod university_sign_in;
pub mod user;
