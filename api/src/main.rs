//! `mycareer`: the API, and the commands of whoever runs it.

use std::process::ExitCode;

use clap::Parser;
use mycareer_api::commands::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match commands::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mycareer: {error}");
            ExitCode::FAILURE
        }
    }
}
