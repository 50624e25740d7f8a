//! Who is left out of a bulk mail and why, before and after it went.

use serde_json::{Value, json};
use support::{Client, on_both_columns};

use super::{arrived, campaign, contact, draft, employer, preview, skipped, start, told};
use crate::{
    campaign::{api::until_sent, segments::done},
    key_account::office::Office,
};

async fn change(operator: &Client, contact: &Value, change: Value) {
    let mut input = change;
    (input["id"], input["version"]) = (contact["id"].clone(), contact["version"].clone());
    done(operator, "updateContact", "contact { id }", input).await;
}

on_both_columns! {
    async fn each_reason_to_be_left_out_is_counted_before_and_after_and_nobody_who_has_one_gets_the_mail(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (operator, admin) = (office.client("operator").await, office.client("admin").await);
        let (tag, organisation) = employer(&operator, "Otley Presses", &["free@otley.test", "twice@otley.test", "keyholder@otley.test"]).await;
        for (name, flags) in [
            ("quiet", json!({ "doNotEmail": true })),
            ("out", json!({ "bulkOptedOut": true })),
            ("gone", json!({ "state": "INACTIVE" })),
            ("held", json!({ "onHold": true })),
            ("mute", json!({ "email": null })),
        ] {
            let made = contact(&operator, &organisation, &format!("{name}@otley.test")).await;
            change(&operator, &made, flags).await;
        }
        // Somebody else's record, with the address of one of them.
        let (_, elsewhere) = employer(&operator, "Ilkley Mills", &["twice@otley.test"]).await;
        let input = json!({ "organisationIds": [elsewhere], "tagIds": [tag] });
        done(&operator, "tagOrganisations", "tagged", input).await;
        let id = organisation.as_str().unwrap().parse().unwrap();
        office.claim("operator", id, &[("keyholder", "Ring first.")]).await;

        let mut reasons = skipped([
            ("DO_NOT_EMAIL", 1), ("OPTED_OUT", 1), ("INACTIVE", 1), ("ON_HOLD", 1), ("NO_ADDRESS", 1), ("DUPLICATE_ADDRESS", 1),
        ]);
        let by_holder = draft(&operator, &tag, "Hello").await;
        assert_eq!(preview(&operator, &by_holder).await, (3, reasons.clone()), "the control: the claim is the operator's own");
        reasons.insert("KEY_ACCOUNT_WITHOUT_AGREEMENT".to_owned(), 1);
        let by_other = draft(&admin, &tag, "Hello").await;
        assert_eq!(preview(&admin, &by_other).await, (2, reasons.clone()));
        assert_eq!(start(&admin, &by_other).await, (2, reasons.clone()));
        until_sent(&admin, &by_other).await;
        assert_eq!(arrived(&bed, "@otley.test"), ["free@otley.test", "twice@otley.test"]);
        let over = campaign(&admin, &by_other).await;
        assert_eq!((told(&over), &over["counts"]["sent"]), ((2, reasons), &json!(2)), "it is told when all is over too");
    }
}
