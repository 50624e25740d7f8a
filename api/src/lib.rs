pub mod commands;
pub mod graphql;
pub mod http;
