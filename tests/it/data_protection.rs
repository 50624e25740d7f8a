//! What is kept of people, and how they get at it (policy 3, domain "Data protection").

mod declarations;
mod everything;
mod office;
pub mod person;
mod retention;
mod spellings;
