//! Data protection (policy 3): what is kept of people, what a person is told of it, and how it goes. Everything here reads
//! the declarations that each entity makes of itself (`entity::personal_data`) and names no table.

mod document;

pub use document::markdown;
