//! Bulk mail: how many go out in a second with the ledger on PostgreSQL, beside bare connections of lettre and beside
//! nodemailer's pool, to one relay; how much memory that takes; and how long it takes to freeze an audience.

use std::{env, fs, process::Stdio, sync::Arc, time::Instant};

use domain::{
    campaign::{self, Audience, Draft, Timing},
    viewer::Viewer,
};
use entity::{
    delivery::{self, DeliveryState},
    ids::{CampaignId, TagId},
};
use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{client::AsyncSmtpConnection, extension::ClientId},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use support::Column;
use tokio::{net::TcpStream, process::Command, task::JoinSet};

use crate::{
    fill::{self, Words},
    relay::Relay,
    stage::Stage,
    table::{print, row, whole},
    timing::median,
};

const ORGANISATIONS: usize = 10_000;
const CONTACTS: usize = 10;
const RECIPIENTS: usize = ORGANISATIONS * CONTACTS;
/// What the others send.
const MAILS: usize = 50_000;
const CONNECTIONS: usize = 10;
const ROUNDS: usize = 3;

/// Where npm has put nodemailer: a folder that has `node_modules`.
const NODE_VARIABLE: &str = "MYCAREER_BENCH_NODE_FOLDER";

const BODY: &str = "Dear {{ name or \"colleague\" }},\n\nthe **autumn careers fair** is on 12 November in the Great Hall. Last year \
    {{ organisation }} met 300 of our students there.\n\n- Doors open at 10:00.\n- Stands are free for charities.\n\nWe look \
    forward to seeing you.\n";

pub async fn measure() {
    let stage = Stage::new(Column::PostgresRedis).await;
    stage
        .sql("UPDATE mail_rules SET review_above = NULL, contact_cap = NULL, organisation_cap = NULL, quiet_from = NULL, quiet_until = NULL")
        .await;
    let tag = fill::tag(&stage.store, "Measured").await;
    fill::organisations(
        &stage.store,
        &mut Words::new(1),
        ORGANISATIONS,
        CONTACTS,
        tag,
    )
    .await;
    stage.settle().await;
    let sender = stage.viewer("operator").await;
    let relay = Relay::start();

    let (mut ours, mut freezing, mut memory) = (Vec::new(), Vec::new(), 0);
    let (mut bare, mut node) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let begun = Instant::now();
        let campaign = start(&stage, &sender, tag).await;
        freezing.push(begun.elapsed().as_secs_f64());
        let (rate, bytes) = send(&stage, &relay, campaign).await;
        ours.push(rate);
        memory = memory.max(bytes);
        let mail = Arc::new(relay.mail());
        bare.push(lettre_alone(&relay, &mail).await);
        node.push(nodemailer(&relay).await);
        eprintln!(
            "round {round}: {:.0} with ledger, {:.0} bare, {:.0} nodemailer",
            ours[round], bare[round], node[round]
        );
    }
    let size = relay.mail().len();
    let (ours, bare, node) = (median(ours), median(bare), median(node));
    print(
        "Bulk mail",
        &format!(
            "The middle of {ROUNDS} rounds. {CONNECTIONS} connections to a relay on the same machine; no rate limit, caps or quiet hours; the last mail had {size} bytes."
        ),
        &[
            row([
                &"what sends",
                &"mails",
                &"mails/s",
                &"of bare lettre",
                &"of nodemailer",
            ]),
            row([
                &"`mycareer-worker`, with its ledger on PostgreSQL",
                &whole(RECIPIENTS as f64),
                &whole(ours),
                &format!("{:.0}%", 100.0 * ours / bare),
                &format!("{:.1} times", ours / node),
            ]),
            row([
                &"lettre alone, one mail ready made, TCP_NODELAY",
                &whole(MAILS as f64),
                &whole(bare),
                &"",
                &"",
            ]),
            row([
                &"nodemailer's pool, which writes each mail",
                &whole(MAILS as f64),
                &whole(node),
                &"",
                &"",
            ]),
        ],
    );
    print(
        "A large campaign",
        &format!("{RECIPIENTS} recipients."),
        &[
            row([&"what", &"figure"]),
            row([
                &"freezing the audience and rendering every mail once",
                &format!("{:.2} s", median(freezing)),
            ]),
            row([
                &"most memory of the worker",
                &format!("{:.0} MB", memory as f64 / 1e6),
            ]),
        ],
    );
}

/// Freezes the audience: the campaign is being sent from then on.
async fn start(stage: &Stage, sender: &Viewer, tag: TagId) -> CampaignId {
    let mut tx = stage.store.begin().await.unwrap();
    let draft = Draft {
        name: "Autumn fair".to_owned(),
        subject: "The autumn fair and {{ organisation }}".to_owned(),
        body: BODY.to_owned(),
        audience: Audience {
            all_of: vec![tag],
            ..Audience::default()
        },
        topic: None,
    };
    let id = campaign::create(&mut tx, sender, draft).await.unwrap().id;
    campaign::schedule(&mut tx, sender, id, Timing::default())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

/// Mails a second of one worker, and the most memory it had.
async fn send(stage: &Stage, relay: &Relay, campaign: CampaignId) -> (f64, u64) {
    relay.forget();
    let url = format!("smtp://{}", relay.address());
    let (mut worker, _) = stage.start("mycareer-worker", &[("SMTP_URL", &url)]).await;
    relay.wait_for(RECIPIENTS).await;
    let memory = worker.peak().unwrap();
    worker.terminate().await;
    let sent = delivery::Entity::find()
        .filter(delivery::Column::CampaignId.eq(campaign))
        .filter(delivery::Column::State.eq(DeliveryState::Sent))
        .count(stage.store.reader())
        .await
        .unwrap();
    assert_eq!(
        (sent, relay.mails()),
        (RECIPIENTS as u64, RECIPIENTS),
        "the ledger and the relay agree"
    );
    (relay.rate(), memory)
}

/// The same mail again and again, over connections that lettre opens on streams of our own.
async fn lettre_alone(relay: &Relay, mail: &Arc<Vec<u8>>) -> f64 {
    relay.forget();
    let address = relay.address();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mail = Arc::clone(mail);
        connections.spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let hello = ClientId::Domain("bench.test".to_owned());
            let mut connection =
                AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello)
                    .await
                    .unwrap();
            let from: Address = "careers@mycareer.test".parse().unwrap();
            let to: Address = "contact@employer.test".parse().unwrap();
            let envelope = Envelope::new(Some(from), vec![to]).unwrap();
            for _ in 0..MAILS / CONNECTIONS {
                connection.send(&envelope, &mail).await.unwrap();
            }
            connection.quit().await.unwrap();
        });
    }
    connections.join_all().await;
    relay.rate()
}

/// nodemailer's pool with as many connections, writing text and HTML of about the same length to each recipient.
async fn nodemailer(relay: &Relay) -> f64 {
    relay.forget();
    let folder = env::var(NODE_VARIABLE).unwrap_or_else(|_| {
        panic!("{NODE_VARIABLE} is not set: take this measurement with `tests/bench/run`")
    });
    let script = format!("{folder}/nodemailer.mjs");
    assert!(fs::exists(&script).unwrap(), "{script} is missing");
    let done = Command::new("node")
        .arg(script)
        .args([
            relay.address().port().to_string(),
            MAILS.to_string(),
            CONNECTIONS.to_string(),
        ])
        .stdin(Stdio::null())
        .status()
        .await
        .unwrap();
    assert!(done.success());
    assert_eq!(relay.mails(), MAILS);
    relay.rate()
}
