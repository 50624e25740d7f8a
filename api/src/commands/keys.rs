//! The keys that access tokens are signed with.

use clap::Subcommand;
use domain::{
    Store,
    session::{KEY_RIPENS, Keyring},
};

use super::CommandError;

/// Look after the keys that access tokens are signed with.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Keys {
    /// Make a new key. Running processes take it up by themselves, and nobody is signed out.
    Rotate,
}

/// Carries out `mycareer keys …`.
pub async fn run(command: Keys, store: &Store) -> Result<(), CommandError> {
    let Keys::Rotate = command;
    Keyring::rotate(store).await?;
    println!(
        "A new key was made. Tokens are signed with it in {} minutes, when every process has read it.",
        KEY_RIPENS.num_minutes()
    );
    Ok(())
}
