//! Handing over when somebody leaves.

use entity::{
    access_grant::Permission,
    campaign::{self, CampaignState},
    contact,
    ids::CampaignId,
    list::{IdList, SubscriberTypeList},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter};
use serde_json::json;
use support::on_both_columns;

use super::office::{account, permission};

const HAND_OVER: &str = "mutation($input: HandOverInput!) { handOver(input: $input) {
    handOver { events campaigns keyAccounts grants sessions marks isDryRun } userErrors { code field message } } }";

on_both_columns! {
    async fn what_somebody_has_in_hand_goes_to_another_when_they_leave(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let (from, to) = (account(&system, "operator").await.id, account(&system, "untrained").await.id);
        let tags = operator.data("{ tags(first: 1) { nodes { id } } }", json!({})).await;
        let create = "mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
            campaign { id } userErrors { code message } } }";
        let input = json!({
            "name": "Spring", "subject": "Spring", "body": "Dear {{ name }},",
            "allOfTags": [tags["tags"]["nodes"][0]["id"]],
        });
        let drafted = operator.data(create, json!({ "input": input })).await;
        let campaign = &drafted["createCampaign"]["campaign"]["id"];
        assert!(campaign.is_string(), "{drafted}");

        let erin = contact::Entity::find()
            .filter(contact::Column::Name.eq("Erin Doyle"))
            .one(system.store().reader())
            .await
            .unwrap()
            .unwrap();
        let claim = "mutation($input: ClaimKeyAccountInput!) { claimKeyAccount(input: $input) {
            keyAccount { id } userErrors { code message } } }";
        let claimed = operator.data(claim, json!({ "input": { "organisationId": erin.organisation_id } })).await;
        let key_account = &claimed["claimKeyAccount"]["keyAccount"]["id"];
        assert!(key_account.is_string(), "{claimed}");

        // Whoever takes over must be able to do what they take.
        let input = json!({ "fromUserId": from, "toUserId": to, "dryRun": true });
        let refused = admin.graphql(HAND_OVER, json!({ "input": input })).await;
        assert_eq!(refused.refusals(), ["NOT_ELIGIBLE"; 3], "{refused:?}");
        for held in [Permission::ManageEvent, Permission::SendBulkEmail, Permission::ClaimKeyAccount] {
            support::operator::grant(system.store(), to, held, None).await;
        }
        let looked = admin.data(HAND_OVER, json!({ "input": input })).await;
        let counted = looked["handOver"]["handOver"].clone();
        assert_eq!((&counted["events"], &counted["sessions"]), (&json!(7), &json!(1)), "{counted}");
        assert!(counted["campaigns"].as_u64().unwrap() >= 1 && counted["grants"].as_u64().unwrap() >= 8, "{counted}");
        assert_eq!(permission(&operator, "MANAGE_EVENT").await["held"], true, "nothing has changed yet");

        let input = json!({ "fromUserId": from, "toUserId": to });
        let handed = admin.data(HAND_OVER, json!({ "input": input })).await;
        let mut expected = counted.clone();
        expected["isDryRun"] = json!(false);
        assert_eq!(handed["handOver"]["handOver"], expected, "the dry run told the truth");
        let answer = operator.graphql("{ viewer { name } }", json!({})).await;
        assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "their sessions end");
        let operator = system.demo_client("operator").await;
        assert_eq!(permission(&operator, "MANAGE_EVENT").await["held"], false, "and their grants");
        let taken = system.demo_client("untrained").await;
        let seen = taken.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": campaign })).await;
        assert_eq!(&seen["node"]["id"], campaign);
        let query = "query($id: ID!) { node(id: $id) { ... on KeyAccount { operator { name } } } }";
        let seen = taken.data(query, json!({ "id": key_account })).await;
        assert_eq!(seen["node"]["operator"]["name"], "Uma Shah");
        let query = "{ events(first: 100, state: PUBLISHED) { nodes { organiser { name } } } }";
        let events = admin.data(query, json!({})).await;
        let events = events["events"]["nodes"].as_array().unwrap();
        let organised_by = |name: &str| events.iter().filter(|event| event["organiser"]["name"] == name).count();
        assert_eq!(organised_by("Oliver Hughes"), 0, "{events:?}");
        assert!(organised_by("Uma Shah") > 0, "{events:?}");
        for other in ["superuser", "untrained"] {
            let refused = system.demo_client(other).await.graphql(HAND_OVER, json!({ "input": input })).await;
            assert_eq!(refused.codes()[0], "FORBIDDEN", "{other}");
        }
        let own = admin.graphql(HAND_OVER, json!({ "input": { "fromUserId": to, "toUserId": to } })).await;
        assert_eq!(own.refusals(), ["INVALID"]);
        system.stop().await;
    }

    async fn every_campaign_that_is_not_over_is_handed_over(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let store = system.store();
        let (from, to) = (account(&system, "operator").await.id, account(&system, "untrained").await.id);
        for held in [Permission::ManageEvent, Permission::SendBulkEmail, Permission::ClaimKeyAccount] {
            support::operator::grant(store, to, held, None).await;
        }
        let like = campaign::Model {
            id: CampaignId::new_at(store.now()),
            name: "Spring".to_owned(),
            subject: "Spring".to_owned(),
            body: "Dear {{ name }},".to_owned(),
            state: CampaignState::Draft,
            all_of: IdList::default(),
            any_of: IdList::default(),
            none_of: IdList::default(),
            subscriber_types: SubscriberTypeList::default(),
            segment_id: None,
            segment_asked: None,
            mail_topic_id: None,
            approved_by: None,
            approved_at: None,
            archived_at: None,
            created_by: from,
            not_before: None,
            not_after: None,
            scheduled_by: None,
            refusal: None,
            started_at: None,
            finished_at: None,
            recipients: 0,
            skipped: json!({}),
            version: 1,
            created_at: store.now(),
            updated_at: store.now(),
        };
        let mut made = Vec::new();
        for state in CampaignState::iter() {
            let id = CampaignId::new_at(store.now());
            let row = campaign::Model { id, state, scheduled_by: Some(from), ..like.clone() };
            campaign::Entity::insert(row.into_active_model()).exec_without_returning(store.reader()).await.unwrap();
            made.push((id, state));
        }
        let input = json!({ "fromUserId": from, "toUserId": to });
        let handed = admin.data(HAND_OVER, json!({ "input": input })).await;
        assert_eq!(handed["handOver"]["userErrors"], json!([]));
        for (id, state) in made {
            let row = campaign::Entity::find_by_id(id).one(store.reader()).await.unwrap().unwrap();
            let is_over = matches!(state, CampaignState::Sent | CampaignState::Cancelled | CampaignState::Missed);
            let expected = if is_over { from } else { to };
            // Who set its time must be able to send when it comes.
            assert_eq!((row.created_by, row.scheduled_by), (expected, Some(expected)), "{state:?}");
        }
        system.stop().await;
    }

    async fn whoever_leaves_stands_for_no_faculty_any_more_and_it_is_shown_as_not_covered(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let (from, to) = (account(&system, "operator").await, account(&system, "untrained").await);
        for held in [Permission::ManageEvent, Permission::SendBulkEmail, Permission::ClaimKeyAccount] {
            support::operator::grant(system.store(), to.id, held, None).await;
        }
        let query = "{ superUserGroup { members { person { id } } coverage {
            faculty { id } representative { id } disseminator { id } } } }";
        let standing = async || {
            let told = admin.data(query, json!({})).await;
            let faculties = told["superUserGroup"]["coverage"].as_array().unwrap();
            let own = faculties.iter().find(|covered| covered["faculty"]["id"] == json!(from.faculty_id)).unwrap().clone();
            let is_member = told["superUserGroup"]["members"].to_string().contains(&from.id.to_string());
            (is_member, own["representative"]["id"].clone(), own["disseminator"]["id"].clone())
        };
        // Whoever stands for it in the demo data makes room.
        entity::faculty_role::Entity::delete_many()
            .filter(entity::faculty_role::Column::FacultyId.eq(from.faculty_id.unwrap()))
            .exec(system.store().reader())
            .await
            .unwrap();
        let add = "mutation($input: AddSuperUserInput!) { addSuperUser(input: $input) { userErrors { code message } } }";
        let input = json!({ "userId": from.id, "facultyId": from.faculty_id });
        assert_eq!(admin.data(add, json!({ "input": input })).await["addSuperUser"]["userErrors"], json!([]));
        let set = "mutation($input: SetDisseminatorInput!) { setDisseminator(input: $input) { userErrors { code message } } }";
        assert_eq!(admin.data(set, json!({ "input": input })).await["setDisseminator"]["userErrors"], json!([]));
        let own = json!(from.id);
        assert_eq!(standing().await, (true, own.clone(), own), "the control");

        let input = json!({ "fromUserId": from.id, "toUserId": to.id, "dryRun": true });
        let looked = admin.data(HAND_OVER, json!({ "input": input })).await;
        assert_eq!(looked["handOver"]["handOver"]["marks"], 3, "{looked}");
        assert!(standing().await.0, "nothing has changed yet");
        let input = json!({ "fromUserId": from.id, "toUserId": to.id });
        let handed = admin.data(HAND_OVER, json!({ "input": input })).await;
        assert_eq!(handed["handOver"]["handOver"]["marks"], 3, "{handed}");
        assert_eq!(standing().await, (false, json!(null), json!(null)));
        let left = system.demo_client("operator").await;
        let me = left.data("{ viewer { isSuperUser } }", json!({})).await;
        assert_eq!(me["viewer"]["isSuperUser"], false);
        let subject = json!({ "filter": { "subject": from.id, "action": "super_user.remove" } });
        let query = "query($filter: AuditFilter) { auditLog(filter: $filter) { totalCount } }";
        assert_eq!(admin.data(query, subject).await["auditLog"]["totalCount"], 1);
        system.stop().await;
    }
}
