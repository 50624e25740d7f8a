//! Organisations that are likely the same, by what only a scan can compare.

use std::time::Duration;

use chrono::TimeDelta;
use domain::organisation::duplicates::{ScanDuplicates, Search};
use entity::duplicate_pair;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use support::{on_both_columns, until};

use crate::{campaign::segments::done, key_account::office::Office};

const PATIENCE: Duration = Duration::from_secs(30);

const LIST: &str =
    "{ duplicateOrganisations { totalCount nodes { one { name } other { name } signals } } }";

on_both_columns! {
    async fn a_scan_tells_of_one_domain_of_web_and_mail_and_of_one_telephone(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        // The web site of one is where the mail of the other goes, and both are rung at one number, written in two ways.
        let one = json!({ "name": "Saltaire Looms Limited", "website": "https://www.saltairelooms.test/" });
        let other = json!({ "name": "SALTAIRE LOOMS", "emailDomains": ["saltairelooms.test"] });
        // The control: nothing of it is theirs.
        let third = json!({ "name": "Shipley Clocks", "website": "shipleyclocks.test" });
        for (mut organisation, buyer, telephone) in [
            (one, "Titus Salt", "01274 531888"),
            (other, "Joan Webb", "+44 (0)1274 531 888"),
            (third, "Sam Bell", "01274 601777"),
        ] {
            let mut contact = json!({ "name": buyer, "telephone": telephone });
            organisation["confirmNotDuplicate"] = json!(true);
            let made = done(&operator, "createOrganisation", "organisation { id }", organisation).await;
            contact["organisationId"] = made["organisation"]["id"].clone();
            done(&operator, "createContact", "contact { id }", contact).await;
        }
        // What was noted when they were added: no telephone was known then.
        let store = system.store();
        duplicate_pair::Entity::delete_many().exec(store.reader()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&ScanDuplicates::default(), None).await.unwrap();
        tx.commit().await.unwrap();
        let pairs = until(PATIENCE, "the scan is over", async || {
            let list = operator.data(LIST, json!({})).await["duplicateOrganisations"].take();
            // Each is a statement of its own, and the scan may come between.
            (list["totalCount"] != 0 && list["nodes"] != json!([])).then_some(list)
        })
        .await;
        assert_eq!(pairs["totalCount"], 1, "{pairs}");
        let pair = &pairs["nodes"][0];
        let mut names = [&pair["one"]["name"], &pair["other"]["name"]].map(|name| name.as_str().unwrap());
        names.sort_unstable();
        assert_eq!(names, ["SALTAIRE LOOMS", "Saltaire Looms Limited"]);
        for signal in ["SAME_NAME", "DOMAIN", "TELEPHONE"] {
            assert!(pair["signals"].as_array().unwrap().contains(&json!(signal)), "{signal} in {pair}");
        }
        assert!(!pair["signals"].as_array().unwrap().contains(&json!("COMPANY_NUMBER")), "what both lack says nothing: {pair}");
    }

    async fn a_number_that_is_withheld_since_the_search_began_is_in_no_pair(bed: TestBed) {
        let office = Office::open(&bed).await;
        let operator = office.client("operator").await;
        let mut ids = Vec::new();
        for (name, buyer) in [("Saltaire Looms", "Titus Salt"), ("Baildon Mills", "Joan Webb")] {
            let organisation = json!({ "name": name, "address": "12 Victoria Road, Saltaire BD18 3LA", "confirmNotDuplicate": true });
            let made = done(&operator, "createOrganisation", "organisation { id }", organisation).await;
            let id = made["organisation"]["id"].clone();
            let contact = json!({ "name": buyer, "telephone": "01274 531888", "organisationId": id });
            done(&operator, "createContact", "contact { id }", contact).await;
            ids.push(id);
        }
        let store = office.system.store();
        let look = async || Search::among_all(store.reader(), store.now()).await.unwrap();
        let keep = async |search: &Search| {
            let mut tx = store.begin().await.unwrap();
            search.keep(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            duplicate_pair::Entity::find().count(store.reader()).await.unwrap()
        };
        bed.clock().advance(TimeDelta::minutes(1));
        let search = look().await;
        assert_eq!(keep(&search).await, 1, "the control: nobody claimed anything");
        bed.clock().advance(TimeDelta::minutes(1));
        let search = look().await;
        office.claim("operator", ids[0].as_str().unwrap().parse().unwrap(), &[("Titus Salt", "By letter")]).await;
        assert_eq!(keep(&search).await, 0, "the search knew the number from before");
    }
}
