//! `mycareer serve`.

use std::{net::SocketAddr, sync::Arc};

use domain::clock::SystemClock;
use worker::{shutdown, telemetry};

use super::CommandError;
use crate::{demo, server::Server, settings::Settings};

/// Serves until the process is asked to stop.
pub async fn run(settings: Settings) -> Result<(), CommandError> {
    telemetry::start_log(settings.engine.log_format);
    let metrics =
        telemetry::start_metrics().map_err(|error| CommandError::Told(error.to_string()))?;
    let by_tls = settings.tls_cert.is_some();
    let catches_mail =
        settings.engine.smtp_url.is_none() && settings.engine.smtp_url_file.is_none();
    let server = Server::start(settings, Arc::new(SystemClock), metrics).await?;
    announce(
        server.address(),
        by_tls,
        server.has_demo_data(),
        catches_mail && server.has_demo_data(),
    );
    let asked = shutdown::requested().await;
    tracing::info!("asked to stop");
    server.stop().await;
    asked.map_err(|source| CommandError::Io {
        what: "the signal to stop can't be waited for".to_owned(),
        source,
    })
}

fn announce(address: SocketAddr, by_tls: bool, has_demo_data: bool, catches_mail: bool) {
    let (http, ws) = if by_tls {
        ("https", "wss")
    } else {
        ("http", "ws")
    };
    println!("MyCareer is listening on {http}://{address}");
    println!("  GraphiQL       {http}://{address}/graphiql");
    println!("  GraphQL        {http}://{address}/graphql");
    println!("  Subscriptions  {ws}://{address}/graphql/ws and {http}://{address}/graphql/stream");
    if catches_mail {
        println!("  Caught mail    {http}://{address}/dev/mailbox");
    }
    println!("  Health         {http}://{address}/health/ready");
    if has_demo_data {
        println!("Sign in with the password {} as", demo::PASSWORD);
        for (mailboxes, who) in demo::SIGN_INS {
            println!("  {:<28} {who}", format!("{mailboxes}@{}", demo::DOMAIN));
        }
    }
}
