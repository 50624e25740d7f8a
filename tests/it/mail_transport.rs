//! Handing mail to a relay: what arrives, and what a failure is taken for.

use std::time::Duration;

use chrono::{DateTime, Utc};
use support::{At, Behaviour, SmtpServer, until};
use worker::mail::{
    message::{Draft, Message, Nature, Sender},
    templates::Rendered,
    transport::{Accepted, Pool, PoolSettings, Relay, SendFailure, Stage, Transport},
};

const SOON: Duration = Duration::from_secs(10);

/// Time-outs short enough to be waited for.
fn impatient() -> PoolSettings {
    PoolSettings {
        connections: 3,
        connect: Duration::from_millis(300),
        hand_over: Duration::from_millis(300),
        answer: Duration::from_millis(300),
        ..PoolSettings::default()
    }
}

fn transport(url: &str, settings: PoolSettings) -> Transport {
    Transport::Smtp(Pool::new(url.parse::<Relay>().unwrap(), settings))
}

/// A transport that waits as long as it does in service, and the relay it talks to.
async fn patient() -> (SmtpServer, Transport) {
    let server = SmtpServer::start().await;
    let transport = transport(
        &server.url(),
        PoolSettings {
            connections: 3,
            ..PoolSettings::default()
        },
    );
    (server, transport)
}

fn mail(n: usize) -> Message {
    mail_to(
        n,
        &format!("student{n}@students.test"),
        "Dear student,\n.\n..and dots.\n",
    )
}

fn mail_to(n: usize, to: &str, text: &str) -> Message {
    let sender = Sender {
        from: "Careers Centre <careers@university.test>".parse().unwrap(),
        reply_to: None,
        bounces_to: Some("bounces@university.test".parse().unwrap()),
        signed_by: None,
    };
    let content = Rendered {
        subject: format!("Mail {n}"),
        text: text.to_owned(),
        html: "<p>Hello</p>".to_owned(),
    };
    let date: DateTime<Utc> = "2026-03-03T09:30:00Z".parse().unwrap();
    let message_id = &format!("m{n}@university.test");
    let nature = Nature::Automatic;
    Draft {
        message_id,
        date,
        sender: &sender,
        to,
        name: "",
        attachments: &[],
        content: &content,
        nature,
    }
    .compose()
    .unwrap()
}

async fn failure(transport: &Transport, n: usize) -> SendFailure {
    transport.send(&mail(n)).await.unwrap_err()
}

#[tokio::test]
async fn the_relay_gets_the_mail_as_it_was_made() {
    let (server, transport) = patient().await;
    let sent = mail(1);
    assert_eq!(
        transport.send(&sent).await,
        Ok(Accepted {
            reply: "250 2.0.0 queued".to_owned()
        })
    );

    let received = &server.received()[0];
    assert_eq!(received.message_id, "m1@university.test");
    assert_eq!(received.from, "bounces@university.test");
    assert_eq!(received.to, ["student1@students.test"]);
    // SMTP ends a mail with a line break of its own.
    assert_eq!(
        String::from_utf8_lossy(&received.raw).trim_end(),
        String::from_utf8_lossy(&sent.bytes).trim_end()
    );
}

#[tokio::test]
async fn many_mails_share_few_connections() {
    let (server, transport) = patient().await;
    let mails: Vec<Message> = (0..60).map(mail).collect();
    let sent = futures_util::future::join_all(mails.iter().map(|mail| transport.send(mail))).await;
    assert!(sent.iter().all(Result::is_ok));
    assert!(
        server
            .count_by_message_id()
            .values()
            .all(|count| *count == 1)
    );
    assert_eq!(server.received().len(), 60);
    assert!(
        (1..=3).contains(&server.connections()),
        "{} connections",
        server.connections()
    );
}

#[tokio::test]
async fn a_connection_is_closed_politely_after_its_share_of_mails() {
    let server = SmtpServer::start().await;
    let settings = PoolSettings {
        connections: 1,
        mails_per_connection: 2,
        ..PoolSettings::default()
    };
    let transport = transport(&server.url(), settings);
    for n in 0..5 {
        transport.send(&mail(n)).await.unwrap();
    }
    transport.close().await;
    assert_eq!(server.connections(), 3);
    assert_eq!(
        server
            .commands()
            .iter()
            .filter(|command| *command == "QUIT")
            .count(),
        3
    );
}

#[tokio::test]
async fn a_refused_recipient_is_permanent_and_costs_no_connection() {
    let (server, transport) = patient().await;
    server.behave(Behaviour::RefuseAddresses(vec![
        "student1@students.test".to_owned(),
    ]));
    let refused = failure(&transport, 1).await;
    let reply = "550 5.1.1 no such mailbox here".to_owned();
    assert_eq!(
        refused,
        SendFailure::Permanent {
            code: 550,
            reply,
            stage: Stage::Recipient
        }
    );
    assert!(refused.nothing_sent());
    transport.send(&mail(2)).await.unwrap();
    assert_eq!(server.received().len(), 1);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_relay_that_takes_one_command_at_a_time_is_told_one_at_a_time() {
    let (server, transport) = patient().await;
    server.behave(Behaviour::OneByOne);
    for n in 0..3 {
        transport.send(&mail(n)).await.unwrap();
    }
    assert_eq!(server.received().len(), 3);
    assert_eq!(server.connections(), 1);

    // It would notice: a connection on which it said that it takes several commands is closed when it gets them.
    server.behave(Behaviour::Accept);
    let other = Pool::new(server.url().parse::<Relay>().unwrap(), impatient());
    let other = Transport::Smtp(other);
    other.send(&mail(3)).await.unwrap();
    server.behave(Behaviour::OneByOne);
    let connections = server.connections();
    other.send(&mail(4)).await.unwrap();
    assert_eq!(server.connections(), connections + 1);
}

#[tokio::test]
async fn a_refused_mail_is_not_sent_to_a_relay_that_asks_for_it_all_the_same() {
    let (server, transport) = patient().await;
    server.behave(Behaviour::WantsAllTheSame);
    let refused = failure(&transport, 1).await;
    assert!(
        matches!(
            refused,
            SendFailure::Permanent {
                code: 550,
                stage: Stage::Recipient,
                ..
            }
        ),
        "{refused:?}"
    );
    server.behave(Behaviour::Accept);
    transport.send(&mail(2)).await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].message_id, "m2@university.test");
    assert_eq!(server.connections(), 2, "the first one is of no more use");
}

#[tokio::test]
async fn not_now_is_temporary_wherever_it_is_said() {
    let (server, transport) = patient().await;
    for (at, code, stage, counts) in [
        (At::Mail, 451, Stage::Sender, false),
        (At::Rcpt, 450, Stage::Recipient, false),
        (At::Data, 452, Stage::Content, false),
        (At::Dot, 451, Stage::Answer, true),
        (At::Mail, 421, Stage::Sender, false),
        (At::Connect, 421, Stage::Connect, false),
    ] {
        server.behave(Behaviour::Reply(at, code));
        let failure = failure(&transport, 1).await;
        let reply = format!("{code} told to say so");
        assert_eq!(failure, SendFailure::Temporary { code, reply, stage });
        assert_eq!(failure.nothing_sent(), !counts, "{failure:?}");
    }
    assert!(server.received().is_empty());
    server.behave(Behaviour::Accept);
    transport.send(&mail(1)).await.unwrap();
}

#[tokio::test]
async fn a_relay_that_refuses_us_has_said_nothing_about_the_mail() {
    let server = SmtpServer::start_with_account("careers", "p@ss word").await;
    let wrong = transport(
        &format!("smtp://careers:wrong@{}", server.address()),
        PoolSettings::default(),
    );
    let without = transport(&server.url(), PoolSettings::default());
    let right = transport(
        &format!("smtp://careers:p%40ss%20word@{}", server.address()),
        PoolSettings::default(),
    );

    for refused in [failure(&wrong, 1).await, failure(&without, 1).await] {
        assert!(
            matches!(&refused, SendFailure::Unreachable { why } if why.starts_with("53")),
            "{refused:?}"
        );
    }
    right.send(&mail(1)).await.unwrap();
    server.behave(Behaviour::Reply(At::Connect, 554));
    let refused = failure(&wrong, 1).await;
    assert!(
        matches!(refused, SendFailure::Unreachable { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn encryption_that_is_asked_for_and_not_offered_ends_the_conversation() {
    let server = SmtpServer::start().await;
    let transport = transport(
        &format!("{}?tls=required", server.url()),
        PoolSettings::default(),
    );
    let failure = failure(&transport, 1).await;
    assert!(
        matches!(&failure, SendFailure::Unreachable { why } if why.contains("STARTTLS")),
        "{failure:?}"
    );
    assert!(
        !server
            .commands()
            .iter()
            .any(|command| command.starts_with("MAIL"))
    );
}

#[tokio::test]
async fn no_relay_is_unreachable() {
    let server = SmtpServer::start().await;
    let gone = transport(&server.url(), impatient());
    drop(server);
    assert!(matches!(
        failure(&gone, 1).await,
        SendFailure::Unreachable { .. }
    ));
}

#[tokio::test]
async fn a_relay_lost_before_the_end_of_the_mail_does_not_have_it() {
    let server = SmtpServer::start().await;
    let transport = transport(&server.url(), impatient());
    for at in [At::Connect, At::Mail, At::Rcpt, At::Data] {
        for behaviour in [Behaviour::Drop(at), Behaviour::Stall(at)] {
            server.behave(behaviour.clone());
            let failure = failure(&transport, 1).await;
            assert!(
                matches!(failure, SendFailure::Unreachable { .. }),
                "{behaviour:?}: {failure:?}"
            );
        }
    }
    // More than the network holds on its way: its end can't have been written.
    let large = mail_to(
        1,
        "student1@students.test",
        &"long lines ".repeat(3_000_000),
    );
    for behaviour in [Behaviour::Drop(At::Content), Behaviour::Stall(At::Content)] {
        server.behave(behaviour.clone());
        let failure = transport.send(&large).await.unwrap_err();
        assert!(
            matches!(failure, SendFailure::Unreachable { .. }),
            "{behaviour:?}: {failure:?}"
        );
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_relay_lost_after_the_end_of_the_mail_may_have_it() {
    let server = SmtpServer::start().await;
    let transport = transport(&server.url(), impatient());
    for (n, behaviour) in [Behaviour::Drop(At::Dot), Behaviour::Stall(At::Dot)]
        .into_iter()
        .enumerate()
    {
        server.behave(behaviour.clone());
        let failure = failure(&transport, n).await;
        assert!(
            matches!(failure, SendFailure::Uncertain { .. }),
            "{behaviour:?}: {failure:?}"
        );
        assert!(!failure.nothing_sent());
        server.wait_for(n + 1, SOON).await;
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_relay_closed_is_replaced_unnoticed() {
    let (server, transport) = patient().await;
    transport.send(&mail(0)).await.unwrap();
    for (n, goodbye) in [Behaviour::Drop(At::Mail), Behaviour::Reply(At::Mail, 421)]
        .into_iter()
        .enumerate()
    {
        // What an idle connection meets first is the goodbye; the next one is met as usual.
        server.behave_once(goodbye);
        transport.send(&mail(n + 1)).await.unwrap();
        assert_eq!(server.connections(), n + 2);
    }
    assert!(
        server
            .count_by_message_id()
            .values()
            .all(|count| *count == 1)
    );
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn a_send_that_is_given_up_leaves_no_half_mail_behind() {
    let (server, transport) = patient().await;
    server.behave(Behaviour::Stall(At::Rcpt));
    let given_up = tokio::time::timeout(Duration::from_millis(100), transport.send(&mail(1))).await;
    assert!(given_up.is_err());
    server.behave(Behaviour::Accept);
    transport.send(&mail(2)).await.unwrap();
    assert_eq!(server.received().len(), 1);
    assert_eq!(server.received()[0].to, ["student2@students.test"]);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn more_sends_than_connections_wait_for_one() {
    let server = SmtpServer::start().await;
    let settings = PoolSettings {
        connections: 1,
        ..PoolSettings::default()
    };
    let transport = transport(&server.url(), settings);
    server.behave(Behaviour::Stall(At::Rcpt));
    let (one, other) = (mail(1), mail(2));
    let (mut stalled, mut waiting) = (
        Box::pin(transport.send(&one)),
        Box::pin(transport.send(&other)),
    );
    tokio::select! {
        biased;
        sent = &mut stalled => panic!("{sent:?}"),
        () = until(SOON, "it has the connection", async || (server.connections() == 1).then_some(())) => {}
    }
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut waiting).await;
    assert!(waited.is_err(), "{waited:?}");
    assert_eq!(server.connections(), 1, "the second has none");

    server.behave(Behaviour::Accept);
    drop(stalled);
    waiting.await.unwrap();
    assert_eq!(
        server.connections(),
        2,
        "and gets one when the first is gone"
    );
}

#[tokio::test]
async fn a_send_that_waits_too_long_for_a_connection_reaches_nobody() {
    let server = SmtpServer::start().await;
    let settings = PoolSettings {
        connections: 1,
        ..impatient()
    };
    let transport = transport(&server.url(), settings);
    server.behave(Behaviour::Stall(At::Rcpt));
    let (stalled, waiting) = (mail(1), mail(2));
    let (stalled, waiting) = tokio::join!(transport.send(&stalled), transport.send(&waiting));
    assert!(matches!(stalled, Err(SendFailure::Unreachable { .. })));
    assert!(matches!(waiting, Err(SendFailure::Unreachable { .. })));
}

#[tokio::test]
async fn addresses_beyond_ascii_need_a_relay_that_carries_them() {
    let (server, transport) = patient().await;
    let sent = transport
        .send(&mail_to(1, "zoë@students.test", "Hello"))
        .await;
    assert!(
        matches!(sent, Err(SendFailure::Permanent { code: 553, .. })),
        "{sent:?}"
    );
    transport.send(&mail(2)).await.unwrap();
    assert_eq!(server.received().len(), 1);
}
