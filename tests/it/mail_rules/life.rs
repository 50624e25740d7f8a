//! The life of a campaign: draft, review, its time, and what can't become of it.

use chrono::TimeDelta;
use domain::clock::Clock;
use serde_json::json;
use support::{on_both_columns, until};

use super::{PATIENCE, arrived, campaign, draft, employer, start};
use crate::{
    campaign::{api::until_sent, office::text, segments::done},
    employer_rules::refused,
};

on_both_columns! {
    async fn a_campaign_goes_over_a_second_sender_to_its_time_and_one_whose_time_passed_is_missed(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, admin) = (system.demo_client("operator").await, system.demo_client("admin").await);
        let rules = json!({ "version": 0, "reviewAbove": 2 });
        done(&system.demo_client("superuser").await, "updateMailRules", "rules { version }", rules).await;
        let (tag, _) = employer(&operator, "Otley Presses", &["ann@otley.test", "ben@otley.test", "cem@otley.test"]).await;
        let opens = bed.clock().now();
        let at = |hours: i64| opens + TimeDelta::hours(hours);
        let (sent, missed) = (draft(&operator, &tag, "Dear {{ name }}").await, draft(&operator, &tag, "Dear {{ name }}").await);
        for (id, from, until) in [(&sent, 2, 3), (&missed, 4, 5)] {
            let timing = json!({ "campaignId": id, "notBefore": at(from), "notAfter": at(until) });
            assert_eq!(refused(&operator, "scheduleCampaign", timing.clone()).await, ["NEEDS_AGREEMENT"], "it goes to more than two");
            let submitted = done(&operator, "submitCampaign", "campaign { state version }", timing).await;
            assert_eq!(submitted["campaign"]["state"], "IN_REVIEW");
            let input = json!({ "campaignId": id, "version": submitted["campaign"]["version"] });
            assert_eq!(refused(&operator, "approveCampaign", input.clone()).await, ["NEEDS_AGREEMENT"], "nobody approves their own");
            let approved = done(&admin, "approveCampaign", "campaign { state approvedBy { name } }", input).await;
            assert_eq!(approved["campaign"], json!({ "state": "SCHEDULED", "approvedBy": { "name": "Alex Morgan" } }));
        }

        bed.clock().set(at(2));
        let operator = system.demo_client("operator").await;
        until_sent(&operator, &sent).await;
        let all = ["ann@otley.test", "ben@otley.test", "cem@otley.test"];
        assert_eq!(arrived(&bed, "@otley.test"), all);
        assert_eq!(campaign(&operator, &missed).await["state"], "SCHEDULED");
        // Nobody was there to start it in time.
        bed.clock().set(at(6));
        let operator = system.demo_client("operator").await;
        until(PATIENCE, "it is missed", async || {
            (campaign(&operator, &missed).await["state"] == "MISSED").then_some(())
        })
        .await;
        assert_eq!(arrived(&bed, "@otley.test"), all, "and nothing of it went out");
        for mutation in ["scheduleCampaign", "pauseCampaign", "resumeCampaign", "cancelCampaign"] {
            for id in [&sent, &missed] {
                assert_eq!(refused(&operator, mutation, json!({ "campaignId": id })).await, ["WRONG_STATE"], "{mutation}: it is over");
            }
        }
    }

    async fn one_mail_that_can_not_be_written_stops_the_start_of_all_and_is_named(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, organisation) = employer(&operator, "Otley Presses", &["ann@otley.test"]).await;
        let input = json!({ "organisationId": organisation, "name": "Dora", "email": "dora@otley.test", "jobTitle": "Printer" });
        done(&operator, "createContact", "contact { id }", input).await;
        let id = draft(&operator, &tag, "Dear {{ job_title }}").await;
        let query = "mutation($id: ID!) { scheduleCampaign(input: { campaignId: $id }) { userErrors { code message } } }";
        let answer = operator.data(query, json!({ "id": id })).await;
        let [error] = &answer["scheduleCampaign"]["userErrors"].as_array().unwrap()[..] else { panic!("{answer}") };
        assert_eq!(error["code"], "CANNOT_RENDER");
        let told = error["message"].as_str().unwrap();
        assert!(told.contains("1 of 2 recipients: ann (") && !told.contains("Dora"), "{told}");
        let stands = campaign(&operator, &id).await;
        assert_eq!((&stands["state"], &stands["recipients"], &stands["counts"]["queued"]), (&json!("DRAFT"), &json!(0), &json!(0)));

        let input = json!({ "campaignId": id, "version": 1, "body": "Dear {{ job_title or \"colleague\" }}" });
        done(&operator, "updateCampaign", "campaign { id }", input).await;
        assert_eq!(start(&operator, &id).await.0, 2);
        until_sent(&operator, &id).await;
        let mails = bed.mail().received();
        let to = |address: &str| text(mails.iter().find(|mail| mail.to == [address]).unwrap());
        assert!(to("ann@otley.test").contains("Dear colleague") && to("dora@otley.test").contains("Dear Printer"));
        let version = campaign(&operator, &id).await["version"].take();
        let late = json!({ "campaignId": id, "version": version, "body": "Other words" });
        assert_eq!(refused(&operator, "updateCampaign", late).await, ["WRONG_STATE"], "what is sent stays as it was");
    }
}
