//! Printing what is generated from the code.

use super::CommandError;
use crate::graphql::{access::permissions_markdown, schema};

/// Prints the schema in SDL.
pub fn print_sdl() -> Result<(), CommandError> {
    print!("{}", endpoint()?.sdl());
    Ok(())
}

/// Prints who may do what.
pub fn print_permissions() -> Result<(), CommandError> {
    print!("{}", permissions_markdown(endpoint()?.index()));
    Ok(())
}

fn endpoint() -> Result<schema::ApiEndpoint, CommandError> {
    schema::endpoint().map_err(|error| CommandError::Told(error.to_string()))
}
