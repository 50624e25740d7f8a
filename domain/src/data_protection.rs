//! Data protection (policy 3): what is kept of people, what a person is told of it, and how it goes. Everything here reads
//! the declarations that each entity makes of itself (`entity::personal_data`) and names hardly a table.

mod access;
mod document;
mod erasure;
mod export;
mod person;
mod retention;
pub(crate) mod rows;
mod traces;

pub use access::{
    GatherCopy, PATH as ACCESS_PATH, fetch as fetch_copy, gather as gather_copy, open as open_copy,
    request as request_copy,
};
pub use document::markdown;
pub use erasure::{Erased, Outcome, Run, erase};
pub use export::{Export, export};
pub use person::Person;
pub use retention::{Applied, ApplyRetention, apply as apply_retention};
