//! Values that clash, when two people say them at once: the second is told, and nothing is in disorder afterwards.

use std::time::Duration;

use domain::{Tx, Viewer, contact, organisation as organisations, tag};
use entity::ids::{ContactId, OrganisationId};
use serde_json::{Value, json};
use support::{Client, Column, System, TestBed, on_both_columns, until};

use super::{organisation, refused};
use crate::campaign::{segments::done, sending::waiting};

const PATIENCE: Duration = Duration::from_secs(30);

/// Adds something, and gives its id.
pub(super) async fn make<T: std::str::FromStr<Err: std::fmt::Debug>>(
    client: &Client,
    mutation: &str,
    what: &str,
    input: Value,
) -> T {
    let made = done(client, mutation, &format!("{what} {{ id }}"), input).await;
    made[what]["id"].as_str().unwrap().parse().unwrap()
}

/// What a mutation is refused for that is called while `first` has been done and is not yet written.
async fn refused_meanwhile(
    bed: &TestBed,
    system: &System,
    first: Tx,
    (mutation, input): (&'static str, Value),
    client: Client,
) -> Vec<String> {
    let asked = tokio::spawn(async move { refused(&client, mutation, input).await });
    // On SQLite there is one writer at a time anyhow.
    if bed.column() == Column::PostgresRedis {
        until(
            PATIENCE,
            "the second waits, or didn't have to",
            async || (asked.is_finished() || waiting(system.store()).await > 0).then_some(()),
        )
        .await;
    }
    first.commit().await.unwrap();
    asked.await.unwrap()
}

/// Makes an organisation a division of another, as the first of two who change something.
async fn dividing(system: &System, [division, head]: [OrganisationId; 2]) -> Tx {
    let mut tx = system.store().begin().await.unwrap();
    let belongs = |profile: &mut organisations::Profile| profile.parent_id = Some(head);
    organisations::update(&mut tx, &Viewer::system(), division, 1, belongs)
        .await
        .unwrap();
    tx
}

on_both_columns! {
    async fn of_two_who_make_each_the_division_of_the_other_at_once_one_is_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let forge = make(&operator, "createOrganisation", "organisation", json!({ "name": "Forge Group" })).await;
        let castings = make(&operator, "createOrganisation", "organisation", json!({ "name": "Castings" })).await;
        let first = dividing(&system, [castings, forge]).await;
        let second = ("updateOrganisation", json!({ "id": forge, "version": 1, "parentId": castings }));
        assert_eq!(refused_meanwhile(&bed, &system, first, second, operator).await, ["INVALID"]);
        assert_eq!(organisation(&system, "Castings").await.parent_id, Some(forge));
        assert_eq!(organisation(&system, "Forge Group").await.parent_id, None, "there is no circle");
    }

    async fn what_becomes_a_division_is_given_none_at_the_same_time(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let forge = make(&operator, "createOrganisation", "organisation", json!({ "name": "Forge Group" })).await;
        let castings: OrganisationId = make(&operator, "createOrganisation", "organisation", json!({ "name": "Castings" })).await;
        // The control: a head office is given one.
        assert_eq!(refused(&operator, "createOrganisation", json!({ "name": "Patterns", "parentId": forge })).await, [""; 0]);
        let first = dividing(&system, [castings, forge]).await;
        let second = ("createOrganisation", json!({ "name": "Dies", "parentId": castings }));
        assert_eq!(refused_meanwhile(&bed, &system, first, second, operator).await, ["INVALID"]);
    }

    async fn an_address_that_two_contacts_of_an_organisation_are_given_at_once_is_one_s(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let otley: OrganisationId = make(&operator, "createOrganisation", "organisation", json!({ "name": "Otley Presses" })).await;
        let named = |name: &str| json!({ "organisationId": otley, "name": name });
        let ann: ContactId = make(&operator, "createContact", "contact", named("Ann Lee")).await;
        let ben: ContactId = make(&operator, "createContact", "contact", named("Ben Loom")).await;
        let mut first = system.store().begin().await.unwrap();
        let address = |profile: &mut contact::Profile| profile.email = Some("office@otley.test".to_owned());
        contact::update(&mut first, &Viewer::system(), ann, 1, address).await.unwrap();
        let second = json!({ "id": ben, "version": 1, "email": "Office@otley.test" });
        assert_eq!(refused_meanwhile(&bed, &system, first, ("updateContact", second), operator).await, ["TAKEN"]);
    }

    async fn a_tag_that_two_make_at_once_is_made_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let mut first = system.store().begin().await.unwrap();
        tag::create(&mut first, &Viewer::system(), "Hydrogen", None).await.unwrap();
        let second = ("createTag", json!({ "name": "HYDROGEN" }));
        assert_eq!(refused_meanwhile(&bed, &system, first, second, operator.clone()).await, ["TAKEN"]);
        let found = operator.data("{ tags(filter: { search: \"hydrogen\" }) { totalCount } }", json!({})).await;
        assert_eq!(found["tags"]["totalCount"], 1);
    }
}
