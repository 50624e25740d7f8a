//! Making administrators: outside the embedded default there are no accounts to begin with.

use std::{
    fs,
    io::{self, IsTerminal},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use domain::{Store, credential, session};

use super::CommandError;

/// Manage administrators.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Make an administrator, who can then give others access.
    Create(CreateArgs),
}

/// Who is to be an administrator.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The e-mail address to sign in with.
    #[arg(long)]
    email: String,
    /// The name as shown.
    #[arg(long)]
    name: String,
    /// A file whose first line is the password; without it the password is asked for, or read from standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Carries out `mycareer admin …`.
pub async fn run(command: Admin, store: &Store) -> Result<(), CommandError> {
    let Admin::Create(args) = command;
    let password = read_password(args.password_file)?;
    let mut tx = store.begin().await?;
    let id = session::create_administrator(&mut tx, &args.email, &args.name, password).await?;
    tx.commit().await?;
    println!("{} is an administrator now ({id}).", args.email);
    Ok(())
}

fn read_password(file: Option<PathBuf>) -> Result<String, CommandError> {
    let text = if let Some(path) = file {
        fs::read_to_string(&path).map_err(|source| CommandError::Io {
            what: format!("the password file {} can't be read", path.display()),
            source,
        })?
    } else {
        let failed = |source| CommandError::Io {
            what: "the password can't be read from standard input".to_owned(),
            source,
        };
        if io::stdin().is_terminal() {
            // Nobody who looks on sees it.
            let prompt = format!(
                "Password (at least {} characters): ",
                credential::MINIMUM_LENGTH
            );
            rpassword::prompt_password(prompt).map_err(failed)?
        } else {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map_err(failed)?;
            line
        }
    };
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
