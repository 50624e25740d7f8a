//! Key accounts: one holder of a contact, marked for staff alone, gone with the holder's access (policy 2.3).

mod claims;
pub mod office;

use entity::{
    access_grant::{self, GrantState},
    key_account::{self, KeyAccountState},
    key_account_contact,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use support::on_both_columns;

use self::office::{CLAIM, Office};

const NAMES: &str = "query($filter: ContactFilter) { contacts(filter: $filter, first: 100) {
    nodes { id name displayName } } }";

/// What everybody reads of one contact, by whatever path.
async fn shown_names(office: &Office, who: &str, name: &str) -> Vec<String> {
    let contact = office.contact(name).await;
    let client = office.client(who).await;
    let list = client.data(NAMES, json!({})).await;
    let search = client
        .data(NAMES, json!({ "filter": { "search": name } }))
        .await;
    let node = client
        .data(
            "query($id: ID!) { node(id: $id) { ... on Contact { id name displayName } } }",
            json!({ "id": contact.id }),
        )
        .await;
    let nested = client
        .data(
            "query($id: ID!) { node(id: $id) { ... on Organisation { contacts { id name displayName } } } }",
            json!({ "id": contact.organisation_id }),
        )
        .await;
    let all = [
        list["contacts"]["nodes"].as_array().unwrap().clone(),
        search["contacts"]["nodes"].as_array().unwrap().clone(),
        vec![node["node"].clone()],
        nested["node"]["contacts"].as_array().unwrap().clone(),
    ];
    let mut shown: Vec<String> = all
        .concat()
        .into_iter()
        .filter(|row| row["id"] == json!(contact.id))
        .map(|row| {
            assert_eq!(row["name"], json!(name), "the name itself has no mark");
            row["displayName"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(shown.len(), 4, "{who} finds {name} by every path");
    shown.dedup();
    shown
}

on_both_columns! {
    async fn key_account_contacts_show_a_star_to_staff_alone_on_every_path(bed: TestBed) {
        let office = Office::open(&bed).await;
        for staff in ["operator", "admin", "untrained"] {
            assert_eq!(shown_names(&office, staff, "Imogen Moss").await, ["Imogen Moss *"], "{staff}");
            assert_eq!(shown_names(&office, staff, "Erin Doyle").await, ["Erin Doyle"], "{staff}");
        }
        assert_eq!(shown_names(&office, "student1", "Imogen Moss").await, ["Imogen Moss"]);

        // The demo employer's own contact is claimed: they are not told.
        let erin = office.contact("Erin Doyle").await;
        office.claim("operator", erin.organisation_id, &[("Erin Doyle", "Ring first.")]).await;
        assert_eq!(shown_names(&office, "operator", "Erin Doyle").await, ["Erin Doyle *"]);
        assert_eq!(shown_names(&office, "employer", "Erin Doyle").await, ["Erin Doyle"]);
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { isKeyAccountContact guidance keyAccount { id } } } }";
        for outsider in ["employer", "student1"] {
            let answer = office.client(outsider).await.graphql(query, json!({ "id": erin.id })).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"; 3], "{outsider}");
            assert_eq!(
                answer.data["node"],
                json!({ "isKeyAccountContact": null, "guidance": null, "keyAccount": null })
            );
            let answer = office.client(outsider).await.graphql("{ keyAccounts { totalCount } }", json!({})).await;
            assert_eq!(answer.codes()[0], "FORBIDDEN", "{outsider}");
        }
        let seen = office.client("untrained").await.data(query, json!({ "id": erin.id })).await;
        assert_eq!((&seen["node"]["isKeyAccountContact"], &seen["node"]["guidance"]), (&json!(true), &json!("Ring first.")));
    }

    async fn the_mark_is_shown_and_never_written(bed: TestBed) {
        let office = Office::open(&bed).await;
        let erin = office.contact("Erin Doyle").await;
        let create = "mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code field } } }";
        let input = |name: &str| json!({ "input": { "organisationId": erin.organisation_id, "name": name } });
        let operator = office.client("operator").await;
        for name in ["Ann Lee *", "Ann Lee*"] {
            assert_eq!(operator.graphql(create, input(name)).await.refusals(), ["INVALID"], "{name}");
        }
        assert_eq!(operator.graphql(create, input("Ann Lee")).await.refusals(), [""; 0]);
    }

    async fn a_mail_names_a_contact_without_the_mark(bed: TestBed) {
        let office = Office::open(&bed).await;
        office.request("admin", "Jo Lennox", "Ask her to speak.").await;
        office.until_told(&bed, "Liaison about Jo Lennox, Northern Data Works Ltd", 2).await;
    }

    async fn a_claim_lapses_when_its_operators_access_does_and_both_sides_are_told(bed: TestBed) {
        let office = Office::open(&bed).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { displayName email isKeyAccountContact } } }";
        let imogen = office.contact("Imogen Moss").await;
        let admin = office.client("admin").await;
        let before = admin.data(query, json!({ "id": imogen.id })).await;
        assert_eq!(before["node"], json!({ "displayName": "Imogen Moss *", "email": null, "isKeyAccountContact": true }));

        office.end_grants("operator", GrantState::Revoked).await;
        // It counts at the next request, whether or not a job has run.
        let after = admin.data(query, json!({ "id": imogen.id })).await;
        assert_eq!(
            after["node"],
            json!({ "displayName": "Imogen Moss", "email": "imogen.moss@caldermoss.test", "isKeyAccountContact": false })
        );
        office.look_after().await;
        let row = office.account_of("Imogen Moss").await;
        assert_eq!(row.state, KeyAccountState::Lapsed);
        assert_eq!(office.letters("operator", "key_account_lapsed").await.len(), 2, "one for each of two claims");
        assert_eq!(office.letters("admin", "liaison_expired").await.len(), 1);
        assert_eq!(office.letters("operator", "liaison_expired").await.len(), 1);
        office.look_after().await;
        assert_eq!(office.letters("operator", "key_account_lapsed").await.len(), 2, "nobody is told twice");

        // Somebody else may claim it now; the first operator comes too late.
        office.claim("admin", imogen.organisation_id, &[("Imogen Moss", "Write first.")]).await;
        office.end_grants("operator", GrantState::Active).await;
        let operator = office.client("operator").await;
        let seen = operator.data(query, json!({ "id": imogen.id })).await;
        assert_eq!(seen["node"]["email"], Value::Null);
        let input = json!({ "input": { "organisationId": imogen.organisation_id } });
        assert_eq!(operator.graphql(CLAIM, input).await.refusals(), ["TAKEN"]);
    }

    async fn an_operator_whose_account_is_closed_holds_nothing(bed: TestBed) {
        let office = Office::open(&bed).await;
        entity::user::Entity::update_many()
            .col_expr(entity::user::Column::State, Expr::val(entity::user::UserState::Suspended))
            .filter(entity::user::Column::Id.eq(office.person("operator").await))
            .exec(office.system.store().reader())
            .await
            .unwrap();
        assert_eq!(shown_names(&office, "admin", "Imogen Moss").await, ["Imogen Moss"]);
    }

    async fn a_claim_is_handed_over_with_contacts_guidance_and_agreements(bed: TestBed) {
        let office = Office::open(&bed).await;
        let id = office.request("admin", "Jo Lennox", "Ask her to speak.").await;
        office.answer("operator", &id, true).await;
        office.grant("superuser", &["CLAIM_KEY_ACCOUNT"]).await;
        let jo = office.account_of("Jo Lennox").await;
        let to = office.person("superuser").await;
        let hand_over = "mutation($input: HandOverKeyAccountInput!) { handOverKeyAccount(input: $input) {
            keyAccount { operator { name } contacts { name guidance } } userErrors { code field } } }";
        let input = json!({ "input": { "keyAccountId": jo.id, "toUserId": to } });

        // Not anybody's to give away, and not to anybody.
        let by_heir = office.client("superuser").await.graphql(hand_over, input.clone()).await;
        assert_eq!(by_heir.codes(), ["FORBIDDEN"]);
        let untrained = office.person("untrained").await;
        let operator = office.client("operator").await;
        let wrong = json!({ "input": { "keyAccountId": jo.id, "toUserId": untrained } });
        assert_eq!(operator.graphql(hand_over, wrong).await.refusals(), ["INVALID"]);

        let data = operator.data(hand_over, input).await;
        assert_eq!(
            data["handOverKeyAccount"]["keyAccount"],
            json!({
                "operator": { "name": "Sandra Byrne" },
                "contacts": [{ "name": "Jo Lennox", "guidance": "Prefers a call before nine." }],
            })
        );
        for side in ["operator", "superuser"] {
            assert_eq!(office.letters(side, "key_account_handed_over").await.len(), 1, "{side}");
        }
        let email = "query($id: ID!) { node(id: $id) { ... on Contact { email } } }";
        let jo = office.contact("Jo Lennox").await;
        let seen = async |who: &str| office.client(who).await.data(email, json!({ "id": jo.id })).await["node"]["email"].clone();
        assert_eq!(seen("admin").await, "jo.lennox@northerndata.test", "what was agreed stays");
        assert_eq!(seen("superuser").await, "jo.lennox@northerndata.test");
        assert_eq!(seen("operator").await, Value::Null, "who gave it away liaises like everybody");
    }

    async fn a_leavers_claims_go_to_whoever_follows_them(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (from, to) = (office.person("operator").await, office.person("admin").await);
        let mut tx = office.system.store().begin().await.unwrap();
        let heir = domain::Viewer::load(tx.conn(), to, None, tx.now()).await.unwrap().unwrap();
        let handed = domain::key_account::hand_over(&mut tx, &heir, from, to).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(handed.len(), 2);
        // The heir had asked about one of the contacts: that is theirs to decide now. In the organisation with many touch
        // points they already held one, which the other joins.
        assert_eq!(office.letters("admin", "liaison_expired").await.len(), 1);
        assert_eq!(office.account_of("Jo Lennox").await.id, office.account_of("Sana Iqbal").await.id);
        for name in ["Imogen Moss", "Jo Lennox", "Sana Iqbal"] {
            assert_eq!(office.account_of(name).await.operator_id, to, "{name}");
        }
        let live = key_account::Entity::find()
            .filter(key_account::Column::State.eq(KeyAccountState::Live))
            .all(office.system.store().reader())
            .await
            .unwrap();
        assert_eq!(live.len(), 2);
        // What the leaver may still contact stays agreed.
        let query = "{ liaisonRequests(filter: { state: AGREED }) { nodes { contact { name } } } }";
        let data = office.client("operator").await.data(query, json!({})).await;
        assert_eq!(data["liaisonRequests"]["nodes"], json!([{ "contact": { "name": "Sana Iqbal" } }]));
    }

    async fn a_released_contact_is_everybodys_again(bed: TestBed) {
        let office = Office::open(&bed).await;
        let account = office.account_of("Imogen Moss").await;
        let release = "mutation($input: ReleaseKeyAccountInput!) { releaseKeyAccount(input: $input) {
            keyAccount { state } userErrors { code } } }";
        let input = json!({ "input": { "keyAccountId": account.id } });
        office.grant("superuser", &["CLAIM_KEY_ACCOUNT"]).await;
        let other = office.client("superuser").await.graphql(release, input.clone()).await;
        assert_eq!(other.codes(), ["FORBIDDEN"], "it is not theirs");
        let data = office.client("operator").await.data(release, input.clone()).await;
        assert_eq!(data["releaseKeyAccount"]["keyAccount"]["state"], "RELEASED");
        assert_eq!(shown_names(&office, "admin", "Imogen Moss").await, ["Imogen Moss"]);
        assert_eq!(office.letters("admin", "liaison_expired").await.len(), 1, "who had asked is told");
        let again = office.client("operator").await.graphql(release, input).await;
        assert_eq!(again.refusals(), ["WRONG_STATE"]);
        let held = key_account_contact::Entity::find()
            .filter(key_account_contact::Column::KeyAccountId.eq(account.id))
            .filter(key_account_contact::Column::EndedAt.is_null())
            .all(office.system.store().reader())
            .await
            .unwrap();
        assert!(held.is_empty(), "{held:?}");
    }
}

impl Office {
    /// Sets the state of every grant of somebody.
    async fn end_grants(&self, who: &str, state: GrantState) {
        access_grant::Entity::update_many()
            .col_expr(access_grant::Column::State, Expr::val(state))
            .filter(access_grant::Column::UserId.eq(self.person(who).await))
            .exec(self.system.store().reader())
            .await
            .unwrap();
    }
}
