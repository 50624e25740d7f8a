//! The API of MyCareer: GraphQL over HTTP, the pages beside it, and the command line. It parses, calls one function of
//! `domain`, and wraps what comes back; it has no rules of its own.

pub mod chart;
pub mod commands;
pub mod demo;
pub mod graphql;
pub mod http;
pub mod server;
pub mod settings;
pub mod university;
