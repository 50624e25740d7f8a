//! A worker inside the test that works when it is told to, and sends to a relay inside the test.

use clap::Parser;
use domain::Store;
use worker::{
    engine::{Engine, EngineConfig, EngineSignals},
    jobs,
    services::Services,
    settings::EngineSettings,
};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    settings: EngineSettings,
}

/// A worker for everything that is due, and what it works with. `settings` are as on the command line.
pub async fn worker(store: &Store, relay: &str, settings: &[&str]) -> (Engine, Services) {
    let arguments = ["test", "--smtp-url", relay, "--data-dir", "/nowhere"];
    let arguments = arguments.iter().chain(settings);
    let settings = Command::try_parse_from(arguments).unwrap().settings;
    let services = Services::open(&settings, store).await.unwrap();
    let engine = Engine::new(
        store.clone(),
        EngineSignals::memory(),
        jobs::registry(),
        services.clone(),
        EngineConfig::default(),
    );
    (engine, services)
}
