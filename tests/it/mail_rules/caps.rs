//! How many mails somebody gets in a period, whoever on the campus writes to them.

use chrono::TimeDelta;
use serde_json::{Value, json};
use support::{Client, on_both_columns};

use super::{arrived, contact, draft, employer, preview, skipped, start};
use crate::{
    campaign::{api::until_sent, segments::done},
    employer_rules::refused,
};

async fn rules(superuser: &Client, input: Value) {
    done(superuser, "updateMailRules", "rules { version }", input).await;
}

on_both_columns! {
    async fn caps_of_a_contact_and_of_an_organisation_hold_whoever_sends_until_the_period_is_over(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, admin) = (system.demo_client("operator").await, system.demo_client("admin").await);
        let superuser = system.demo_client("superuser").await;
        let (tag, organisation) = employer(&operator, "Otley Presses", &["ann@otley.test", "ben@otley.test"]).await;
        let (other_tag, _) = employer(&operator, "Ilkley Mills", &["ivo@ilkley.test"]).await;
        rules(&superuser, json!({ "version": 0, "contactCap": 1, "organisationCap": null, "capDays": 30 })).await;
        let first = draft(&operator, &tag, "Hello").await;
        assert_eq!(start(&operator, &first).await, (2, skipped([])));
        until_sent(&operator, &first).await;

        // Another sender's counts as well.
        let second = draft(&admin, &tag, "Hello").await;
        assert_eq!(preview(&admin, &second).await, (0, skipped([("OVER_CAP", 2)])));
        assert_eq!(refused(&admin, "scheduleCampaign", json!({ "campaignId": second })).await, ["EMPTY_AUDIENCE"]);
        let control = draft(&admin, &other_tag, "Hello").await;
        assert_eq!(preview(&admin, &control).await, (1, skipped([])), "who had none can have one");
        contact(&operator, &organisation, "dan@otley.test").await;
        assert_eq!(start(&admin, &second).await, (1, skipped([("OVER_CAP", 2)])), "the reason is told after the start too");
        until_sent(&admin, &second).await;
        assert_eq!(arrived(&bed, "@otley.test"), ["ann@otley.test", "ben@otley.test", "dan@otley.test"]);

        // Three went to the organisation.
        let third = draft(&operator, &tag, "Hello").await;
        for (version, cap, expected) in [(1, 3, (0, skipped([("OVER_CAP", 3)]))), (2, 5, (2, skipped([("OVER_CAP", 1)]))), (3, 6, (3, skipped([])))] {
            rules(&superuser, json!({ "version": version, "contactCap": null, "organisationCap": cap })).await;
            assert_eq!(preview(&operator, &third).await, expected, "{cap}");
        }
        rules(&superuser, json!({ "version": 4, "contactCap": 1, "organisationCap": 3 })).await;
        assert_eq!(preview(&operator, &third).await, (0, skipped([("OVER_CAP", 3)])));
        bed.clock().advance(TimeDelta::days(31));
        let operator = system.demo_client("operator").await;
        assert_eq!(preview(&operator, &third).await, (3, skipped([])), "the period is over");
    }
}
