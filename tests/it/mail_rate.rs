//! The mail rate limit over several processes, counted in Redis.

use std::time::{Duration, Instant};

use domain::mail_rules::MailRules;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use support::{OwnRedis, until};
use worker::mail::rate::{Permit, Rate, RateLimiter, RateLimits};

const WINDOW: Duration = Duration::from_secs(1);

fn limits(overall: Option<&str>, per_domain: Option<&str>) -> RateLimits {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    RateLimits {
        overall: overall.map(rate),
        per_domain: per_domain.map(rate),
    }
}

async fn limiter(redis: &str, limits: RateLimits) -> RateLimiter {
    let client = redis::Client::open(redis).unwrap();
    // This Redis writes every change to the disk, which can take longer than the half second it is given by default.
    let config = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_secs(4)));
    let connection = ConnectionManager::new_with_config(client, config).await;
    RateLimiter::in_redis(limits, connection.unwrap(), "test")
}

/// The most of `arrivals` that fall into any one window.
fn fullest(mut arrivals: Vec<Instant>) -> usize {
    arrivals.sort_unstable();
    let within = |from: Instant| {
        arrivals
            .iter()
            .filter(|at| (from..from + WINDOW).contains(*at))
            .count()
    };
    arrivals
        .iter()
        .map(|at| within(*at))
        .max()
        .unwrap_or_default()
}

/// Sends `mails` from several senders of each of three processes; answers when each was received.
async fn send_all(
    redis: &str,
    limits: RateLimits,
    domains: &[&str],
    mails: usize,
) -> Vec<(String, Instant)> {
    let mut senders = Vec::new();
    for process in 0..3 {
        let limiter = limiter(redis, limits).await;
        for sender in 0..4 {
            let limiter = limiter.clone();
            let domain = domains[(process + sender) % domains.len()].to_owned();
            senders.push(tokio::spawn(async move {
                let mut received = Vec::new();
                for _ in 0..mails / 12 {
                    let permit = limiter.acquire(&domain).await.unwrap();
                    // The relay's moment lies anywhere between the grant and the answer.
                    tokio::task::yield_now().await;
                    received.push((domain.clone(), Instant::now()));
                    tokio::task::yield_now().await;
                    permit.used();
                }
                received
            }));
        }
    }
    let mut received = Vec::new();
    for sender in senders {
        received.extend(sender.await.unwrap());
    }
    received
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_together_never_exceed_the_limit() {
    let redis = OwnRedis::start().await;
    let received = send_all(&redis.url(), limits(Some("40/s"), None), &["a.test"], 120).await;
    assert_eq!(received.len(), 120);
    assert_eq!(
        fullest(received.into_iter().map(|(_, at)| at).collect()),
        40,
        "as many as allowed, and no more"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_domain_of_recipients_has_a_limit_of_its_own() {
    let redis = OwnRedis::start().await;
    let domains = ["a.test", "B.test", "c.test"];
    let received = send_all(
        &redis.url(),
        limits(Some("60/s"), Some("10/s")),
        &domains,
        72,
    )
    .await;
    for domain in domains {
        let to_it = received
            .iter()
            .filter(|(to, _)| to == domain)
            .map(|(_, at)| *at);
        assert_eq!(fullest(to_it.collect()), 10, "{domain}");
    }
    assert!(
        fullest(received.iter().map(|(_, at)| *at).collect()) > 10,
        "the domains do not wait for each other"
    );
}

#[tokio::test]
async fn several_are_granted_by_one_question_past_a_domain_that_is_full() {
    let redis = OwnRedis::start().await;
    let limiter = limiter(&redis.url(), limits(Some("4/h"), Some("2/h"))).await;
    let asked = ["a.test", "A.test", "a.test", "b.test", "c.test", "d.test"];
    let decision = limiter.try_acquire(&asked).await.unwrap();
    let granted: Vec<bool> = decision.permits.iter().map(Option::is_some).collect();
    assert_eq!(granted, [true, true, false, true, true, false]);
    let wait = decision.wait.unwrap();
    assert!(
        wait > Duration::from_secs(3590) && wait <= Duration::from_secs(3604),
        "{wait:?}"
    );

    // One is given back, and somebody else has it.
    let last = decision.permits.into_iter().flatten().next_back();
    last.unwrap().unused();
    let permit = tokio::time::timeout(Duration::from_secs(10), limiter.acquire("e.test")).await;
    assert!(permit.unwrap().is_ok());
}

#[tokio::test]
async fn keys_go_by_themselves_once_nothing_is_counted() {
    let redis = OwnRedis::start().await;
    let limiter = limiter(&redis.url(), limits(Some("5/s"), Some("5/s"))).await;
    limiter.acquire("a.test").await.unwrap().used();
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for key in ["{test:mail-rate}:overall", "{test:mail-rate}:domain:a.test"] {
        let lives: i64 = redis::cmd("PTTL")
            .arg(key)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!((1_000..60_000).contains(&lives), "{key} lives {lives} ms");
    }
}

#[tokio::test]
async fn without_redis_nothing_may_be_sent_and_with_it_again_all_goes_on() {
    let mut redis = OwnRedis::start().await;
    let limiter = limiter(&redis.url(), limits(Some("100/s"), None)).await;
    limiter.acquire("a.test").await.unwrap().used();
    redis.stop();
    assert!(limiter.acquire("a.test").await.is_err());
    redis.start_again().await;
    support::until(
        Duration::from_secs(20),
        "permits are granted again",
        async || limiter.acquire("a.test").await.ok().map(Permit::used),
    )
    .await;
}

#[tokio::test]
async fn a_rate_that_is_changed_counts_what_was_sent_before_by_the_new_window() {
    let redis = OwnRedis::start().await;
    let limiter = limiter(&redis.url(), limits(Some("3/h"), None)).await;
    let granted = async || {
        let decision = limiter.try_acquire(&["a.test"; 9]).await.unwrap();
        decision
            .permits
            .into_iter()
            .flatten()
            .map(Permit::used)
            .count()
    };
    let set = |rate: &str| {
        limiter.follow(&MailRules {
            mail_rate: Some(rate.parse().unwrap()),
            ..MailRules::default()
        });
    };
    assert_eq!(granted().await, 3);
    set("5/h");
    assert_eq!(granted().await, 2, "three of the five are gone");
    assert_eq!(granted().await, 0);
    set("2/min");
    assert_eq!(granted().await, 0, "five in the last minute");
    set("6/s");
    until(
        Duration::from_secs(30),
        "a second is soon over",
        async || (granted().await > 0).then_some(()),
    )
    .await;
}
