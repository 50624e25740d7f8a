//! Who may claim what.

use entity::{
    access_grant::Permission,
    ids::{KeyAccountId, OrganisationId, UserId},
    key_account::{self, KeyAccountScope, KeyAccountState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::json;
use support::on_both_columns;
use tokio::task::JoinSet;

use super::office::{CLAIM, Office};

/// How many claim at once.
const CLAIMANTS: usize = 8;

impl Office {
    async fn live_claims(&self, id: OrganisationId) -> u64 {
        key_account::Entity::find()
            .filter(key_account::Column::OrganisationId.eq(id))
            .filter(key_account::Column::State.eq(KeyAccountState::Live))
            .count(self.system.store().reader())
            .await
            .unwrap()
    }

    /// Students, who are many, with the permission: the rule of the claim itself is looked at.
    async fn claimants(&self) -> Vec<UserId> {
        let mut people = Vec::new();
        for number in 1..=CLAIMANTS {
            let who = format!("student{number}");
            self.grant(&who, &["CLAIM_KEY_ACCOUNT"]).await;
            people.push(self.person(&who).await);
        }
        people
    }
}

fn claim_of(
    organisation_id: OrganisationId,
    operator_id: UserId,
    office: &Office,
) -> key_account::Model {
    let now = office.system.store().now();
    key_account::Model {
        id: KeyAccountId::new_at(now),
        organisation_id,
        operator_id,
        scope: KeyAccountScope::Whole,
        state: KeyAccountState::Live,
        claimed_at: now,
        held_since: now,
        ended_at: None,
    }
}

on_both_columns! {
    async fn an_operator_claims_an_organisation_with_named_contacts_and_guidance(bed: TestBed) {
        let office = Office::open(&bed).await;
        let rhys = office.contact("Rhys Morgan").await;
        let named = [("Rhys Morgan", "Only by letter.")];
        let claimed = office.claim("operator", rhys.organisation_id, &named).await;
        assert_eq!(claimed["scope"], "WHOLE");
        assert_eq!(claimed["contacts"], json!([{ "name": "Rhys Morgan", "guidance": "Only by letter." }]));
        let query = "query($id: ID!) { notes(filter: { contactId: $id, kind: GUIDANCE_ON_CONTACT }) { nodes { body authorName } } }";
        let notes = office.client("admin").await.data(query, json!({ "id": rhys.id })).await;
        assert_eq!(notes["notes"]["nodes"], json!([{ "body": "Only by letter.", "authorName": "Oliver Hughes" }]));
        let query = "query($id: ID!) { node(id: $id) { ... on Organisation { keyAccounts { operator { name } } } } }";
        let data = office.client("untrained").await.data(query, json!({ "id": rhys.organisation_id })).await;
        assert_eq!(data["node"]["keyAccounts"], json!([{ "operator": { "name": "Oliver Hughes" } }]));
    }

    async fn claiming_needs_its_permission_and_the_refusal_names_the_training(bed: TestBed) {
        let office = Office::open(&bed).await;
        let rhys = office.contact("Rhys Morgan").await;
        let input = office.claim_input(rhys.organisation_id, &[]).await;
        let answer = office.client("untrained").await.graphql(CLAIM, input.clone()).await;
        assert_eq!(answer.codes()[0], "FORBIDDEN");
        assert!(format!("{:?}", answer.errors).contains("Key accounts and clean records"));
        office.grant("untrained", &["CLAIM_KEY_ACCOUNT"]).await;
        assert_eq!(office.client("untrained").await.graphql(CLAIM, input).await.refusals(), [""; 0]);
    }

    async fn a_named_contact_is_of_the_organisation_is_named_once_and_has_guidance(bed: TestBed) {
        let office = Office::open(&bed).await;
        let rhys = office.contact("Rhys Morgan").await;
        let operator = office.client("operator").await;
        for (named, expected) in [
            (vec![("Rhys Morgan", " ")], vec!["REQUIRED"]),
            (vec![("Erin Doyle", "Ring.")], vec!["NOT_FOUND"]),
            (vec![("Rhys Morgan", "Ring."), ("Rhys Morgan", "Write.")], vec!["INVALID"]),
        ] {
            let input = office.claim_input(rhys.organisation_id, &named).await;
            assert_eq!(operator.graphql(CLAIM, input).await.refusals(), expected, "{named:?}");
        }
        assert_eq!(office.live_claims(rhys.organisation_id).await, 0);
    }

    async fn an_organisation_is_claimed_whole_by_one_operator(bed: TestBed) {
        let office = Office::open(&bed).await;
        let imogen = office.contact("Imogen Moss").await;
        let input = office.claim_input(imogen.organisation_id, &[]).await;
        for who in ["admin", "operator"] {
            let answer = office.client(who).await.graphql(CLAIM, input.clone()).await;
            assert_eq!(answer.refusals(), ["TAKEN"], "{who}");
        }
        assert_eq!(office.live_claims(imogen.organisation_id).await, 1);
    }

    async fn an_organisation_with_many_touch_points_is_not_claimed_whole_and_a_contact_has_one_holder(bed: TestBed) {
        let office = Office::open(&bed).await;
        let jo = office.contact("Jo Lennox").await;
        office.grant("superuser", &["CLAIM_KEY_ACCOUNT"]).await;
        let other = office.client("superuser").await;
        let whole = office.claim_input(jo.organisation_id, &[]).await;
        assert_eq!(other.graphql(CLAIM, whole).await.refusals(), ["REQUIRED"]);
        let held = office.claim_input(jo.organisation_id, &[("Jo Lennox", "Ring.")]).await;
        assert_eq!(other.graphql(CLAIM, held).await.refusals(), ["TAKEN"]);
        assert_eq!(office.live_claims(jo.organisation_id).await, 2, "the operator's and the administrator's");

        // Sana Iqbal is given back, and then there to be had.
        let sana = office.account_of("Sana Iqbal").await;
        let last = "mutation($input: RemoveKeyAccountContactInput!) { removeKeyAccountContact(input: $input) {
            keyAccount { contacts { name } } userErrors { code } } }";
        let input = json!({ "input": { "keyAccountId": sana.id, "contactId": office.contact("Sana Iqbal").await.id } });
        let admin = office.client("admin").await;
        assert_eq!(admin.graphql(last, input).await.refusals(), ["WRONG_STATE"], "it is the last one");
    }

    async fn a_whole_claim_becomes_one_on_contacts_when_many_touch_points_are_found_and_two_claims_stay_two(bed: TestBed) {
        let office = Office::open(&bed).await;
        let update = "mutation($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) {
            organisation { keyAccounts { scope } } userErrors { code field } } }";
        let change = async |name: &str, multiple: bool| {
            let id = office.contact(name).await.organisation_id;
            let row = entity::organisation::Entity::find_by_id(id)
                .one(office.system.store().reader())
                .await
                .unwrap()
                .unwrap();
            let input = json!({ "input": { "id": id, "version": row.version, "multipleTouchPoints": multiple } });
            office.client("operator").await.graphql(update, input).await
        };
        let scopes = |answer: &support::Response| answer.data["updateOrganisation"]["organisation"]["keyAccounts"].clone();
        assert_eq!(scopes(&change("Imogen Moss", true).await), json!([{ "scope": "CONTACTS" }]));
        assert_eq!(scopes(&change("Imogen Moss", false).await), json!([{ "scope": "WHOLE" }]));
        assert_eq!(change("Jo Lennox", false).await.refusals(), ["WRONG_STATE"]);
    }

    async fn contacts_are_added_and_given_back_one_by_one(bed: TestBed) {
        let office = Office::open(&bed).await;
        let nadia = office.contact("Nadia Hussain").await;
        let account = office.claim("operator", nadia.organisation_id, &[]).await;
        let add = "mutation($input: AddKeyAccountContactsInput!) { addKeyAccountContacts(input: $input) {
            keyAccount { contacts { name } } userErrors { code } } }";
        let remove = "mutation($input: RemoveKeyAccountContactInput!) { removeKeyAccountContact(input: $input) {
            keyAccount { contacts { name } } userErrors { code } } }";
        let operator = office.client("operator").await;
        let input = json!({ "input": { "keyAccountId": account["id"], "contacts": [
            { "contactId": nadia.id, "guidance": "Ring." },
            { "contactId": office.contact("Tom Ellery").await.id, "guidance": "Write." },
        ] } });
        let added = operator.data(add, input.clone()).await;
        assert_eq!(
            added["addKeyAccountContacts"]["keyAccount"]["contacts"],
            json!([{ "name": "Nadia Hussain" }, { "name": "Tom Ellery" }])
        );
        assert_eq!(operator.graphql(add, input).await.refusals(), ["TAKEN", "TAKEN"]);
        let input = json!({ "input": { "keyAccountId": account["id"], "contactId": nadia.id } });
        let removed = operator.data(remove, input).await;
        assert_eq!(removed["removeKeyAccountContact"]["keyAccount"]["contacts"], json!([{ "name": "Tom Ellery" }]));
    }

    async fn of_many_who_claim_at_once_one_has_the_organisation(bed: TestBed) {
        let office = Office::open(&bed).await;
        let people = office.claimants().await;
        let rhys = office.contact("Rhys Morgan").await;
        let mut claims = JoinSet::new();
        for id in people {
            let (store, organisation) = (office.system.store().clone(), rhys.organisation_id);
            claims.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let viewer = domain::Viewer::load(tx.conn(), id, None, tx.now()).await.unwrap().unwrap();
                // Staff alone see every organisation, and these are students; approved ones they see.
                let claimed = domain::key_account::claim(&mut tx, &viewer, organisation, Vec::new()).await;
                match claimed {
                    Ok(_) => {
                        tx.commit().await.unwrap();
                        true
                    }
                    Err(domain::Error::Refused(refusals)) => {
                        assert_eq!(refusals[0].code, domain::RefusalCode::Taken);
                        false
                    }
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let won = claims.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
        assert_eq!(office.live_claims(rhys.organisation_id).await, 1);
    }

    // The control of the test above: without the lock the index alone holds, and without the index nothing does.
    async fn without_lock_and_index_an_organisation_would_be_claimed_more_than_once(bed: TestBed) {
        let office = Office::open(&bed).await;
        let people = office.claimants().await;
        let rhys = office.contact("Rhys Morgan").await;
        let db = office.system.store().reader();
        let mut written = 0;
        for id in &people {
            let row = claim_of(rhys.organisation_id, *id, &office).into_active_model().reset_all();
            written += usize::from(key_account::Entity::insert(row).exec_without_returning(db).await.is_ok());
        }
        assert_eq!(written, 1, "the index lets one through");
        db.execute_unprepared("DROP INDEX key_account_one_whole").await.unwrap();
        for id in &people[1..] {
            let row = claim_of(rhys.organisation_id, *id, &office).into_active_model().reset_all();
            key_account::Entity::insert(row).exec_without_returning(db).await.unwrap();
        }
        assert_eq!(office.live_claims(rhys.organisation_id).await, CLAIMANTS as u64);
    }

    async fn whoever_grants_access_in_a_faculty_gives_no_key_account_away(bed: TestBed) {
        let office = Office::open(&bed).await;
        let account = office.account_of("Imogen Moss").await;
        let store = office.system.store();
        let release = "mutation($id: ID!) { releaseKeyAccount(input: { keyAccountId: $id }) { userErrors { code } } }";
        let person = office.person("untrained").await;
        let law = entity::faculty::Entity::find().one(store.reader()).await.unwrap().unwrap().id;
        support::operator::grant(store, person, Permission::ClaimKeyAccount, None).await;
        support::operator::grant(store, person, Permission::GrantAccess, Some(law)).await;
        let untrained = office.client("untrained").await;
        let refused = untrained.graphql(release, json!({ "id": account.id })).await;
        assert_eq!(refused.codes(), ["FORBIDDEN"], "{refused:?}");
        support::operator::grant(store, person, Permission::GrantAccess, None).await;
        let released = untrained.data(release, json!({ "id": account.id })).await;
        assert_eq!(released["releaseKeyAccount"]["userErrors"], json!([]));
    }
}
