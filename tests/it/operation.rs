//! Starting, serving and leaving: the programs as whoever runs them meets them.

use serde_json::json;
use support::{Client, Column, Process, on_both_columns, plain_get};

const WHO_AM_I: &str = "{ viewer { email } }";

on_both_columns! {
    async fn the_system_in_a_test_serves_its_demo_people(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let me = operator.data(WHO_AM_I, json!({})).await;
        assert_eq!(me["viewer"]["email"], "operator@demo.mycareer.test");
        system.stop().await;
        assert!(operator.request(reqwest::Method::GET, "/health/live").send().await.is_err());
    }

    async fn the_programs_become_ready_and_leave_when_asked(bed: TestBed) {
        let mut programs = vec![bed.start_api(&[])];
        programs[0].ready().await;
        if bed.column() == Column::PostgresRedis {
            programs.push(bed.start_worker(&[]));
            programs.push(bed.start_worker(&[]));
        }
        for program in &mut programs {
            let address = program.ready().await;
            let live = plain_get(&format!("{address}/health/live")).await;
            assert!(live.status().is_success());
            let metrics = plain_get(&format!("{address}/metrics")).await;
            assert!(metrics.status().is_success());
        }
        for program in &mut programs {
            let status = program.terminate().await;
            assert!(status.success(), "{status}: {}", program.output());
        }
    }
}

/// The first administrator is made on the command line, with a password that nobody guesses.
#[tokio::test]
async fn an_administrator_is_made_with_a_password_from_standard_input() {
    const CREATE: [&str; 6] = [
        "admin",
        "create",
        "--email",
        "kim@university.test",
        "--name",
        "Kim Park",
    ];
    const GOOD: &str = "seven quiet otters borrow a lantern";
    let folder = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite://{}?mode=rwc",
        folder.path().join("campus.sqlite").display()
    );
    let settings = [
        ("MYCAREER_LISTEN", "127.0.0.1:0"),
        ("MYCAREER_DATA_DIR", folder.path().to_str().unwrap()),
        ("DATABASE_URL", &url),
    ];
    for weak in ["short", "kim@university.test", "password1234"] {
        let (made, said) = Process::run("mycareer", settings, &CREATE, &format!("{weak}\n")).await;
        assert!(!made && said.contains("password"), "{weak}: {said}");
    }
    let (made, said) = Process::run("mycareer", settings, &CREATE, &format!("{GOOD}\n")).await;
    assert!(made && said.contains("is an administrator now"), "{said}");
    assert!(!said.contains(GOOD), "{said}");

    let mut program = Process::start("mycareer", settings, &[]);
    let administrator = Client::new(program.ready().await)
        .sign_in("kim@university.test", GOOD)
        .await;
    let me = administrator
        .data("{ viewer { isAdministrator } }", json!({}))
        .await;
    assert_eq!(me["viewer"]["isAdministrator"], true);
    assert!(program.terminate().await.success());
}

/// With nothing set there is one process, one folder, and the demo data, which a second start leaves alone.
#[tokio::test]
async fn the_embedded_default_needs_nothing_and_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("MYCAREER_LISTEN", "127.0.0.1:0"),
        ("MYCAREER_DATA_DIR", folder.path().to_str().unwrap()),
    ];
    for start in 1..=2 {
        let mut program = Process::start("mycareer", settings, &[]);
        let address = program.ready().await;
        assert!(program.output().contains("operator@demo.mycareer.test"));
        let student = Client::new(address)
            .sign_in("student1@demo.mycareer.test", "mycareer-demo")
            .await;
        let me = student.data(WHO_AM_I, json!({})).await;
        assert_eq!(
            me["viewer"]["email"], "student1@demo.mycareer.test",
            "start {start}"
        );
        assert!(program.terminate().await.success());
    }
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_a_sentence_that_names_it() {
    for (setting, value) in [
        ("DATABASE_URL", "mysql://host/name"),
        ("REDIS_URL", "localhost:6379"),
        ("SMTP_URL", "http://relay"),
        ("MYCAREER_LISTEN", "nowhere"),
        ("MYCAREER_PUBLIC_URL", "mailto:a@b.test"),
        ("MYCAREER_MAIL_RATE", "often"),
        ("MYCAREER_TRUSTED_PROXIES", "10.0.0.0/99"),
        ("MYCAREER_OIDC_ISSUER", "http://university.test"),
        ("MYCAREER_MAIL_CONNECTIONS", "0"),
        ("MYCAREER_CORS_ORIGINS", "*"),
        ("MYCAREER_TLS_CERT", "/does/not/exist"),
        ("MYCAREER_READ_SECONDS", "0"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = vec![
            ("MYCAREER_LISTEN", "127.0.0.1:0"),
            ("MYCAREER_DATA_DIR", folder.path().to_str().unwrap()),
        ];
        environment.push((setting, value));
        let mut program = Process::start("mycareer", environment, &[]);
        let status = program.ended().await;
        let said = program.output();
        assert!(!status.success(), "{setting}={value} is accepted: {said}");
        let option = setting.trim_start_matches("MYCAREER_");
        let option = format!("--{}", option.to_lowercase().replace('_', "-"));
        assert!(
            said.contains(setting) || said.contains(&option),
            "{setting} is not named: {said}"
        );
        assert!(!said.contains("panicked"), "{said}");
    }
}
