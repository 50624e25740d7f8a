//! The campus set-up of `docker-compose.yml` and the `Dockerfile`, as far as it can be checked without Docker.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;
use support::Process;

#[tokio::test]
async fn every_variable_is_one_that_the_programs_know() {
    let compose = compose();
    for (service, program) in [("api", "mycareer"), ("worker", "mycareer-worker")] {
        let known = settings(program).await;
        let environment = compose["services"][service]["environment"]
            .as_object()
            .unwrap();
        assert!(!environment.is_empty(), "{service} has no settings");
        for variable in environment.keys() {
            assert!(
                known.contains(variable),
                "{service} sets {variable}, which is not in `{program} --help`: {known:?}"
            );
        }
    }
}

#[test]
fn every_service_has_a_health_check_and_starts_after_what_it_needs() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    let names: BTreeSet<_> = services.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        BTreeSet::from(["api", "mail", "postgres", "redis", "worker"])
    );
    for (name, service) in services {
        assert!(
            service["healthcheck"]["test"].is_array(),
            "{name} has no health check"
        );
        for (other, needed) in service["depends_on"].as_object().into_iter().flatten() {
            assert!(names.contains(other.as_str()), "{name} needs {other}");
            assert_eq!(
                needed["condition"], "service_healthy",
                "{name} does not wait until {other} is healthy"
            );
        }
    }
    let needed_by_api = services["api"]["depends_on"].as_object().unwrap();
    assert!(needed_by_api.contains_key("postgres") && needed_by_api.contains_key("redis"));
    assert_eq!(services["worker"]["deploy"]["replicas"], 2);
}

#[test]
fn redis_keeps_what_it_is_given() {
    let compose = compose();
    let redis = &compose["services"]["redis"];
    let command: Vec<_> = redis["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    let has = |pair: [&str; 2]| command.windows(2).any(|words| words == pair);
    assert!(has(["--appendonly", "yes"]));
    assert!(has(["--maxmemory-policy", "noeviction"]));
    assert_eq!(redis["volumes"][0], "redis:/data");
}

#[test]
fn no_password_stands_in_the_file() {
    let compose = compose();
    for (name, service) in compose["services"].as_object().unwrap() {
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            let secret = ["PASSWORD", "SECRET", "KEY", "TOKEN", "DATABASE_URL"]
                .iter()
                .any(|word| variable.contains(word));
            if secret {
                assert!(
                    variable.ends_with("_FILE") && value.starts_with("/run/secrets/"),
                    "{name} has {variable} in the open"
                );
                let file = value.trim_start_matches("/run/secrets/");
                let granted = service["secrets"].as_array().unwrap();
                assert!(
                    granted.iter().any(|secret| secret == file)
                        && compose["secrets"][file].is_object(),
                    "{name} is not given the secret {file}"
                );
            }
        }
    }
}

#[test]
fn the_image_is_built_from_every_crate() {
    let manifest = read("Cargo.toml");
    let dockerfile = read("Dockerfile");
    let members = manifest
        .split_once("members = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(members, _)| members)
        .unwrap();
    for member in members
        .split(',')
        .map(|member| member.trim().trim_matches('"'))
    {
        assert!(
            dockerfile.contains(&format!("COPY {member}/Cargo.toml {member}/\n")),
            "the Dockerfile does not copy the manifest of {member}"
        );
    }
    for service in ["api", "worker"] {
        let target = compose()["services"][service]["build"]["target"].clone();
        assert!(
            dockerfile.contains(&format!(" AS {}\n", target.as_str().unwrap())),
            "the Dockerfile has no target {target}"
        );
    }
}

/// The environment variables that the `--help` of a program names.
async fn settings(program: &str) -> BTreeSet<String> {
    let mut process = Process::start(program, [("COLUMNS", "200")], &["--help"]);
    assert!(process.ended().await.success());
    process
        .output()
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .filter(|word| word.contains('_') && *word == word.to_uppercase())
        .map(str::to_owned)
        .collect()
}

fn compose() -> Value {
    serde_saphyr::from_str(&read("docker-compose.yml")).unwrap()
}

/// A file of the project, by its path from the root.
fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap()
}
