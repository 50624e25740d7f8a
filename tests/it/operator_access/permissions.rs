//! Policy in sight: what one may do, and for what not, why and what leads there.

use entity::{agreement_acceptance, ids::AgreementVersionId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use support::{Desk, on_both_columns};

use super::office::{account, permission};

on_both_columns! {
    async fn permissions_say_why_not_which_training_leads_there_and_what_is_to_be_accepted(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let untrained = system.demo_client("untrained").await;
        let status = permission(&untrained, "SEND_BULK_EMAIL").await;
        assert_eq!(status["held"], false);
        assert!(status["reason"].as_str().unwrap().contains("Bulk e-mail and data protection"), "{status}");
        assert_eq!(status["trainingCourses"], json!([{
            "title": "Bulk e-mail and data protection",
            "nextSessions": [{ "title": "Training: bulk e-mail and data protection", "placesLeft": 12 }],
        }]));
        let titles: Vec<_> = status["agreementsToAccept"].as_array().unwrap().iter().map(|a| &a["title"]).collect();
        assert_eq!(titles, ["Data protection code of practice", "Guidance on bulk e-mail", "Operator terms"]);

        let operator = system.demo_client("operator").await;
        let status = permission(&operator, "SEND_BULK_EMAIL").await;
        assert_eq!((&status["held"], &status["isCampusWide"]), (&json!(true), &json!(true)));
        assert_eq!((&status["reason"], &status["agreementsToAccept"]), (&json!(null), &json!([])));
        system.stop().await;
    }

    async fn a_permission_whose_agreement_is_not_accepted_says_so_and_which(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let person = account(&system, "untrained").await;
        let granted = entity::access_grant::Permission::SendBulkEmail;
        support::operator::grant(system.store(), person.id, granted, None).await;
        let untrained = system.demo_client("untrained").await;
        let status = permission(&untrained, "SEND_BULK_EMAIL").await;
        assert_eq!((&status["held"], &status["reason"]), (&json!(true), &json!(null)), "the control");

        // Trained, granted, and one of the agreements isn't accepted.
        let query = "{ agreements { nodes { title currentVersion { id } } } }";
        let agreements = untrained.data(query, json!({})).await;
        let agreements = agreements["agreements"]["nodes"].as_array().unwrap();
        let guidance = agreements.iter().find(|one| one["title"] == "Guidance on bulk e-mail").unwrap();
        let version = guidance["currentVersion"]["id"].as_str().unwrap();
        agreement_acceptance::Entity::delete_many()
            .filter(agreement_acceptance::Column::UserId.eq(person.id))
            .filter(agreement_acceptance::Column::AgreementVersionId.eq(version.parse::<AgreementVersionId>().unwrap()))
            .exec(system.store().reader())
            .await
            .unwrap();
        let status = permission(&untrained, "SEND_BULK_EMAIL").await;
        assert_eq!(status["held"], false);
        let reason = status["reason"].as_str().unwrap();
        assert!(reason.contains("once you have accepted the agreements"), "{reason}");
        assert!(reason.contains("Bulk e-mail and data protection"), "{reason}");
        assert_eq!(status["agreementsToAccept"], json!([{ "title": "Guidance on bulk e-mail" }]));

        super::office::accept_everything(&untrained).await;
        let status = permission(&untrained, "SEND_BULK_EMAIL").await;
        assert_eq!((&status["held"], &status["reason"]), (&json!(true), &json!(null)));
        system.stop().await;
    }

    async fn a_permission_for_a_faculty_names_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let person = account(&system, "untrained").await;
        let granted = entity::access_grant::Permission::ReadReport;
        support::operator::grant(system.store(), person.id, granted, person.faculty_id).await;
        let untrained = system.demo_client("untrained").await;
        let status = permission(&untrained, "READ_REPORT").await;
        assert_eq!((&status["held"], &status["isCampusWide"]), (&json!(true), &json!(false)));
        assert_eq!(status["faculties"], json!([{ "name": "Engineering and Physical Sciences" }]));
        system.stop().await;
    }

    async fn a_list_of_operators_takes_no_more_statements_for_more_of_them(bed: TestBed) {
        let desk = Desk::open(&bed).await;
        api::demo::load(desk.store()).await.unwrap();
        let query = "query($first: Int) { operatorAccess(first: $first) { nodes { state person { name }
            grants { permission trainingCourse { title agreements { title currentVersion { number } } } }
            training { course { title } } acceptances { agreement { title } } } } }";
        let viewer = domain::Viewer::system();
        let (one, for_one) = desk.data(&viewer, query, json!({ "first": 1 })).await;
        let (four, for_four) = desk.data(&viewer, query, json!({ "first": 4 })).await;
        assert_eq!(one["operatorAccess"]["nodes"].as_array().unwrap().len(), 1);
        assert_eq!(four["operatorAccess"]["nodes"].as_array().unwrap().len(), 4);
        assert_eq!(for_one, for_four);
    }
}
