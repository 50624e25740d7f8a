//! Agreements: what operators accept before anything that they were granted counts (policy 2.5 and 3).

use chrono::TimeDelta;
use domain::{
    RefusalCode, Viewer,
    agreement::{self as agreements, NewVersion, Of},
};
use entity::{
    access_grant::Permission,
    agreement::{self, AgreementKind},
    ids::AgreementVersionId,
    operator_access::AccessState,
};
use serde_json::json;
use support::on_both_columns;

use crate::campus::{Campus, codes};

impl Campus {
    async fn publish(
        &self,
        by: &Viewer,
        of: Of,
        grace_days: i32,
    ) -> (agreement::Model, AgreementVersionId) {
        let new = NewVersion {
            of,
            text: "I work with care.".to_owned(),
            grace_days,
        };
        let agreement = self
            .change(async |tx| agreements::publish(tx, by, new).await)
            .await
            .unwrap();
        let version = agreements::current_version(self.store.reader(), agreement.id)
            .await
            .unwrap()
            .unwrap();
        (agreement, version.id)
    }

    async fn terms(&self, by: &Viewer, title: &str) -> (agreement::Model, AgreementVersionId) {
        let of = Of::New {
            kind: AgreementKind::OperatorTerms,
            title: title.to_owned(),
        };
        self.publish(by, of, 0).await
    }

    async fn accept(
        &self,
        person: &Viewer,
        version: AgreementVersionId,
    ) -> domain::Result<agreement::Model> {
        self.change(async |tx| agreements::accept(tx, person, version).await)
            .await
    }
}

on_both_columns! {
    async fn a_grant_counts_only_when_every_agreement_of_its_course_is_accepted(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let (terms, terms_version) = campus.terms(&admin, "Terms").await;
        let (guidance, guidance_version) = campus.terms(&admin, "Guidance on bulk e-mail").await;
        let course = campus.course(&admin, Permission::SendBulkEmail, vec![terms.id, guidance.id]).await;
        campus.train(&admin, course.id, &sid).await;
        campus.grant(&admin, &sid, Permission::SendBulkEmail).await.unwrap();
        assert!(!campus.may(&sid, Permission::SendBulkEmail).await);
        assert_eq!(campus.stands(&sid).await, AccessState::Trained);
        campus.accept(&sid, terms_version).await.unwrap();
        assert!(!campus.may(&sid, Permission::SendBulkEmail).await, "one of two is not enough");
        let why = campus.again(&sid).await.why_not(Permission::SendBulkEmail);
        assert!(why.contains("accepted"), "{why}");
        campus.accept(&sid, guidance_version).await.unwrap();
        assert!(campus.may(&sid, Permission::SendBulkEmail).await);
        assert_eq!(campus.stands(&sid).await, AccessState::Active);
        campus.accept(&sid, guidance_version).await.unwrap();
        let mut accepted = agreements::acceptances_of(campus.store.reader(), &[sid.user_id().unwrap()]).await.unwrap();
        accepted.retain(|(_, version)| [terms.id, guidance.id].contains(&version.agreement_id));
        assert_eq!(accepted.len(), 2, "accepting twice is accepting once");
    }

    async fn a_new_version_asks_again_and_gives_a_grace_period(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let admin = campus.administrator("ada").await;
        let (ann, ben) = (campus.staff("ann").await, campus.staff("ben").await);
        let (terms, first) = campus.terms(&admin, "Terms").await;
        let course = campus.course(&admin, Permission::ReadReport, vec![terms.id]).await;
        for person in [&ann, &ben] {
            campus.train(&admin, course.id, person).await;
            campus.grant(&admin, person, Permission::ReadReport).await.unwrap();
        }
        campus.accept(&ann, first).await.unwrap();
        campus.run_jobs().await;
        let (_, second) = campus.publish(&admin, Of::Known(terms.id), 14).await;
        campus.run_jobs().await;
        assert!(campus.mails_to(&ann).await.contains(&"agreement_to_accept".to_owned()), "she is asked again");
        assert!(campus.may(&ann, Permission::ReadReport).await, "she has some days of grace");
        assert!(!campus.may(&ben, Permission::ReadReport).await, "who accepted nothing has none");
        assert_eq!(codes(campus.accept(&ben, first).await), [RefusalCode::Stale], "the old version is no longer to be had");

        campus.clock.advance(TimeDelta::days(14) - TimeDelta::seconds(1));
        assert!(campus.may(&ann, Permission::ReadReport).await);
        campus.clock.advance(TimeDelta::seconds(1));
        assert!(!campus.may(&ann, Permission::ReadReport).await);
        campus.change(async |tx| tx.enqueue(&domain::operator_access::LapseAccess {}, None).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(campus.stands(&ann).await, AccessState::Lapsed);
        for person in [&ann, &ben] {
            campus.accept(person, second).await.unwrap();
            assert!(campus.may(person, Permission::ReadReport).await);
            assert_eq!(campus.stands(person).await, AccessState::Active);
        }
    }

    async fn a_version_without_days_of_grace_binds_at_once(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let (terms, first) = campus.terms(&admin, "Terms").await;
        let course = campus.course(&admin, Permission::ReadReport, vec![terms.id]).await;
        campus.train(&admin, course.id, &sid).await;
        campus.grant(&admin, &sid, Permission::ReadReport).await.unwrap();
        campus.accept(&sid, first).await.unwrap();
        campus.publish(&admin, Of::Known(terms.id), 0).await;
        assert!(!campus.may(&sid, Permission::ReadReport).await);
        assert_eq!(campus.stands(&sid).await, AccessState::Lapsed);
    }

    async fn agreements_are_published_by_administrators_and_accepted_by_staff_for_themselves(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let publish = r#"mutation { publishAgreement(input: { kind: OTHER, title: "House rules", text: "Be kind." }) {
            agreement { kind title currentVersion { id number text graceDays } } userErrors { code field } } }"#;
        for other in ["operator", "superuser", "student1"] {
            let refused = system.demo_client(other).await.graphql(publish, json!({})).await;
            assert_eq!(refused.codes()[0], "FORBIDDEN", "{other}");
        }
        let admin = system.demo_client("admin").await;
        let published = admin.data(publish, json!({})).await;
        let version = &published["publishAgreement"]["agreement"]["currentVersion"];
        assert_eq!((&version["number"], &version["graceDays"]), (&json!(1), &json!(14)));
        assert_eq!(admin.graphql(publish, json!({})).await.refusals(), ["TAKEN"]);

        let accept = "mutation($id: ID!) { acceptAgreement(input: { agreementVersionId: $id }) {
            agreement { viewerAcceptance { version { number } acceptedAt } } userErrors { code } } }";
        let untrained = system.demo_client("untrained").await;
        let accepted = untrained.data(accept, json!({ "id": version["id"] })).await;
        let acceptance = &accepted["acceptAgreement"]["agreement"]["viewerAcceptance"];
        assert_eq!(acceptance["version"]["number"], 1);
        let admin_has = admin.data("{ agreements { nodes { title viewerAcceptance { acceptedAt } } } }", json!({})).await;
        let nodes = admin_has["agreements"]["nodes"].as_array().unwrap();
        let rules = nodes.iter().find(|node| node["title"] == "House rules").unwrap();
        assert!(rules["viewerAcceptance"].is_null(), "nobody accepts for somebody else");
        for other in ["employer", "student1"] {
            let refused = system.demo_client(other).await.graphql(accept, json!({ "id": version["id"] })).await;
            assert_eq!(refused.codes()[0], "FORBIDDEN", "{other}");
        }
        system.stop().await;
    }
}
