//! Organisations that are likely the same, by what only a scan can compare.

use std::time::Duration;

use chrono::TimeDelta;
use domain::organisation::duplicates::{Candidate, ScanDuplicates, Search};
use entity::{duplicate_pair, ids::OrganisationId};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;
use support::{TestBed, on_both_columns, until};

use crate::{campaign::segments::done, duplicate::scan, key_account::office::Office};

const PATIENCE: Duration = Duration::from_secs(30);

const LIST: &str =
    "{ duplicateOrganisations { totalCount nodes { one { name } other { name } signals } } }";

/// Three organisations, of which the first two are likely the same by house and telephone number.
async fn neighbours(bed: &TestBed) -> (Office, [OrganisationId; 3]) {
    let office = Office::open(bed).await;
    let operator = office.client("operator").await;
    let house = Some("12 Victoria Road, Saltaire BD18 3LA");
    let mut ids: Vec<OrganisationId> = Vec::new();
    for (name, address, buyer, telephone) in [
        ("Saltaire Looms", house, "Titus Salt", "01274 531888"),
        ("Saltaire Lomms", house, "Joan Webb", "01274 531888"),
        ("Esholt Sidings", None, "Sam Bell", "01274 601777"),
    ] {
        let organisation = json!({ "name": name, "address": address, "confirmNotDuplicate": true });
        let made = done(
            &operator,
            "createOrganisation",
            "organisation { id }",
            organisation,
        )
        .await;
        let id = made["organisation"]["id"].clone();
        let contact = json!({ "name": buyer, "telephone": telephone, "organisationId": id });
        done(&operator, "createContact", "contact { id }", contact).await;
        ids.push(id.as_str().unwrap().parse().unwrap());
        bed.clock().advance(TimeDelta::minutes(1));
    }
    (office, ids.try_into().unwrap())
}

/// How many pairs of organisations somebody should look at.
async fn open(office: &Office) -> u64 {
    duplicate_pair::Entity::find()
        .count(office.system.store().reader())
        .await
        .unwrap()
}

/// Looks for them among all organisations, and tells how many there are.
async fn searched(office: &Office) -> u64 {
    scan::<Candidate>(&office.system).await;
    open(office).await
}

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
        let (office, [looms, ..]) = neighbours(&bed).await;
        let store = office.system.store();
        let look = async || Search::among_all(store.reader(), store.now()).await.unwrap();
        let keep = async |search: &Search| {
            let mut tx = store.begin().await.unwrap();
            search.keep(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            open(&office).await
        };
        bed.clock().advance(TimeDelta::minutes(1));
        let search = look().await;
        assert_eq!(keep(&search).await, 1, "the control: nobody claimed anything");
        bed.clock().advance(TimeDelta::minutes(1));
        let search = look().await;
        office.claim("operator", looms, &[("Titus Salt", "By letter")]).await;
        assert_eq!(keep(&search).await, 0, "the search knew the number from before");
    }

    async fn a_number_is_withheld_wherever_the_record_of_whoever_is_claimed_stands(bed: TestBed) {
        let (office, [looms, _, sidings]) = neighbours(&bed).await;
        let operator = office.client("operator").await;
        let post = json!({ "contactId": office.contact("Titus Salt").await.id, "version": 1, "organisationId": sidings });
        done(&operator, "addContactPost", "contact { id }", post).await;
        assert_eq!(searched(&office).await, 1, "the control: nobody has claimed anything");
        // Who is claimed at one place has their record, and so their number, at another.
        office.claim("operator", sidings, &[("Titus Salt", "By letter")]).await;
        assert_eq!(office.contact("Titus Salt").await.organisation_id, looms);
        assert_eq!(open(&office).await, 0);
    }

    async fn undoing_a_merge_brings_no_pair_back_by_a_number_that_is_withheld_by_now(bed: TestBed) {
        let (office, [looms, _, sidings]) = neighbours(&bed).await;
        let admin = office.client("admin").await;
        let merge_and_undo = async |meanwhile: bool| {
            bed.clock().advance(TimeDelta::minutes(1));
            let both = json!({ "survivorId": sidings, "mergedId": looms });
            let merged = done(&admin, "mergeOrganisations", "outcome { merge { id } }", both).await;
            assert_eq!(open(&office).await, 0, "what was merged is in no pair");
            if meanwhile {
                office.claim("operator", sidings, &[("Titus Salt", "By letter")]).await;
            }
            let undo = json!({ "mergeId": merged["outcome"]["merge"]["id"] });
            let undone = done(&admin, "undoMerge", "outcome { isUndone }", undo).await;
            assert_eq!(undone["outcome"]["isUndone"], true);
            open(&office).await
        };
        assert_eq!(searched(&office).await, 1);
        assert_eq!(merge_and_undo(false).await, 1, "the control: nobody has claimed anything");
        assert_eq!(merge_and_undo(true).await, 0);
    }
}
