//! Logos of organisations.

use entity::organisation_logo;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use support::{Client, on_both_columns};

use crate::profile::PNG;

const SET: &str =
    "mutation($input: SetOrganisationLogoInput!) { setOrganisationLogo(input: $input) {
    organisation { version logo { url width height } } userErrors { code field message } } }";
const AIRE: &str =
    "{ organisations(filter: { search: \"Aire Valley\" }) { nodes { id logo { url } } } }";

async fn set(client: &Client, id: &Value, version: i32, logo: Value) -> support::Response {
    let input = json!({ "organisationId": id, "version": version, "logo": logo });
    client.graphql(SET, json!({ "input": input })).await
}

on_both_columns! {
    async fn an_organisation_has_a_logo_that_its_employer_and_operators_set(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, employer) = (system.demo_client("operator").await, system.demo_client("employer").await);
        let student = system.demo_client("student1").await;
        let data = student.data(AIRE, json!({})).await;
        let aire = &data["organisations"]["nodes"][0];
        assert_eq!(aire["logo"], Value::Null);
        let id = &aire["id"];

        let answer = set(&employer, id, 1, json!(format!("data:image/png;base64,{PNG}"))).await;
        let logo = &answer.data["setOrganisationLogo"]["organisation"]["logo"];
        assert_eq!((&logo["width"], &logo["height"]), (&json!(64), &json!(64)), "{answer:?}");
        let first = logo["url"].as_str().unwrap().to_owned();
        assert_eq!(student.data(AIRE, json!({})).await["organisations"]["nodes"][0]["logo"]["url"], first.as_str());
        let served = system.client().get(&first).await;
        assert_eq!(served.status(), 200);
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("x-content-type-options", "nosniff"),
            ("content-disposition", "inline; filename=\"logo.jpg\""),
            ("cache-control", "private, max-age=86400, immutable"),
        ] {
            assert_eq!(served.headers()[name], value);
        }
        let bytes = served.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0xff, 0xd8]), "it was made anew as JPEG");
        assert!(!bytes.windows(12).any(|part| part == b"secret place"));

        // Another logo has another address; a stale change is refused; none is none.
        assert_eq!(set(&operator, id, 1, json!(PNG)).await.refusals(), ["STALE"]);
        let answer = set(&operator, id, 2, json!(PNG)).await;
        let second = answer.data["setOrganisationLogo"]["organisation"]["logo"]["url"].as_str().unwrap().to_owned();
        assert_ne!(first, second);
        assert_eq!(system.client().get(&first).await.status(), 404);
        let answer = set(&operator, id, 3, Value::Null).await;
        assert_eq!(answer.data["setOrganisationLogo"]["organisation"], json!({ "version": 4, "logo": null }));
        assert_eq!(system.client().get(&second).await.status(), 404);
        assert_eq!(organisation_logo::Entity::find().count(system.store().reader()).await.unwrap(), 0);
    }

    async fn what_is_no_picture_and_what_is_not_ones_own_is_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, employer) = (system.demo_client("operator").await, system.demo_client("employer").await);
        let data = operator.data("{ organisations { nodes { id name } } }", json!({})).await;
        let all = data["organisations"]["nodes"].as_array().unwrap();
        let of = |name: &str| all.iter().find(|node| node["name"].as_str().unwrap().starts_with(name)).unwrap()["id"].clone();
        for logo in [
            // SVG by its content and by its name, GIF, a line of text, nothing, and a file that is too large.
            "PHN2ZyB4bWxucz0naHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmcnIG9ubG9hZD0nYWxlcnQoMSknLz4=".to_owned(),
            "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+".to_owned(),
            "data:image/png;base64,R0lGODlhAQABAAAAACw=".to_owned(),
            "not base 64".to_owned(),
            String::new(),
            "A".repeat(940_000),
        ] {
            let answer = set(&employer, &of("Aire"), 1, json!(logo)).await;
            assert_eq!(answer.data["setOrganisationLogo"]["userErrors"][0]["field"], "logo", "{answer:?}");
        }
        let answer = set(&employer, &of("Brightwater"), 1, json!(PNG)).await;
        assert!(answer.codes().contains(&"FORBIDDEN") || !answer.refusals().is_empty(), "{answer:?}");
        for mailbox in ["student1", "untrained"] {
            let answer = set(&system.demo_client(mailbox).await, &of("Aire"), 1, json!(PNG)).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{mailbox}");
        }
        assert_eq!(organisation_logo::Entity::find().count(system.store().reader()).await.unwrap(), 0);
    }
}
