//! `mycareer`: the API, and the commands of whoever runs it.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use mycareer_api::commands::{self, Cli};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mycareer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    let runtime = worker::runtime::new()?;
    Ok(runtime.block_on(commands::run(cli))?)
}
