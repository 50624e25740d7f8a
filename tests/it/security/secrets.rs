//! Secrets needn't stand in the environment.

use api::commands::Cli;
use clap::CommandFactory;

/// Every setting whose value `--help` hides has a twin that names a file.
#[test]
fn every_setting_that_is_a_secret_can_come_from_a_file() {
    let command = Cli::command();
    let names: Vec<&str> = command
        .get_arguments()
        .filter_map(|argument| argument.get_env()?.to_str())
        .collect();
    let secrets: Vec<&str> = command
        .get_arguments()
        .filter(|argument| argument.is_hide_env_values_set())
        .filter_map(|argument| argument.get_env()?.to_str())
        .collect();
    assert!(secrets.len() >= 3, "{secrets:?}");
    for secret in secrets {
        let twin = format!("{secret}_FILE");
        assert!(names.contains(&twin.as_str()), "{secret} has no {twin}");
    }
}

/// A setting that sounds like a secret is treated as one.
#[test]
fn no_secret_is_shown_by_help() {
    let command = Cli::command();
    for argument in command.get_arguments() {
        let Some(name) = argument.get_env().and_then(|name| name.to_str()) else {
            continue;
        };
        let is_file = name.ends_with("_FILE") || name == "MYCAREER_TLS_KEY";
        let sounds_secret = [
            "PASSWORD",
            "SECRET",
            "TOKEN",
            "KEY",
            "DATABASE_URL",
            "REDIS_URL",
            "SMTP_URL",
        ]
        .iter()
        .any(|word| name.contains(word));
        assert!(
            !sounds_secret || is_file || argument.is_hide_env_values_set(),
            "{name} would be shown by --help"
        );
    }
}
