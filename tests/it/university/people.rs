//! Whose account somebody gets whom the university signs in, and what they may do with it.

use domain::clock::Clock;
use entity::ids::{ProgrammeId, SchoolId};
use entity::{credential, faculty, identity, programme, school, user};
use reqwest::StatusCode;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use serde_json::{Value, json};
use support::on_both_columns;

use super::{Scene, VIEWER, ada};

on_both_columns! {
    async fn a_student_whom_the_university_signs_in_gets_an_account_without_rights(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let before = scene.accounts().await;
        let client = scene.exchange(scene.arrive().await.code()).await;
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!(viewer["name"], "Ada Okonkwo");
        assert_eq!(viewer["email"], "ada.okonkwo@university.test");
        assert_eq!(viewer["kind"], "STUDENT");
        assert_eq!(viewer["isOperator"], false);

        let account = scene.account("ada.okonkwo@university.test").await;
        let reader = scene.system.store().reader();
        let programme = programme::Entity::find_by_id(account.programme_id.unwrap()).one(reader).await.unwrap().unwrap();
        let faculty = faculty::Entity::find_by_id(account.faculty_id.unwrap()).one(reader).await.unwrap().unwrap();
        assert_eq!(programme.name, "BSc Computer Science");
        assert_eq!(faculty.name, "Engineering and Physical Sciences");
        assert_eq!(account.year_of_study, Some(2));
        assert_eq!(
            credential::Entity::find().filter(credential::Column::UserId.eq(account.id)).count(reader).await.unwrap(),
            0
        );

        // The second time it is the same account, which has the address that she has there by now.
        let again = scene.arrive_forged(&[("email", json!("other@university.test")), ("year_of_study", json!("3"))]).await;
        let again = scene.exchange(again.code()).await;
        assert_eq!(again.data(VIEWER, json!({})).await["viewer"]["id"], viewer["id"]);
        assert_eq!(scene.account("other@university.test").await.year_of_study, Some(3));
        assert_eq!(scene.accounts().await, before + 1);
        // One that somebody else has here, or that is not proved, is not taken over.
        for (email, proved) in [("student3@demo.mycareer.test", true), ("third@university.test", false)] {
            scene.arrive_forged(&[("email", json!(email)), ("email_verified", json!(proved))]).await.code();
            assert_eq!(scene.account("other@university.test").await.id.to_string(), viewer["id"]);
        }
        scene.system.stop().await;
    }

    async fn staff_come_without_rights_and_others_do_not_come(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let staff = scene.arrive_forged(&[("eduperson_affiliation", json!("staff@university.test"))]).await;
        let viewer = scene.exchange(staff.code()).await.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!(viewer["kind"], "STAFF");
        for right in ["isOperator", "isSuperUser", "isAdministrator"] {
            assert_eq!(viewer[right], false, "{right}");
        }
        for affiliation in [json!(["member"]), json!([]), Value::Null] {
            let others = scene
                .arrive_forged(&[("sub", json!("somebody")), ("eduperson_affiliation", affiliation)])
                .await;
            assert_eq!(others.status, StatusCode::FORBIDDEN);
            others.assert_refused();
        }
        scene.system.stop().await;
    }

    async fn an_account_with_the_same_proved_address_is_linked_unless_it_is_an_employers_or_anothers(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let email = json!("student2@demo.mycareer.test");
        // An address that the university has not proved leads to nobody's account.
        for unproved in [email.clone(), json!("nobody.yet@university.test")] {
            let unproved = scene.arrive_forged(&[("email", unproved), ("email_verified", json!(false))]).await;
            unproved.assert_refused();
        }
        let linked = scene.arrive_forged(&[("email", email.clone())]).await;
        let viewer = scene.exchange(linked.code()).await.data(VIEWER, json!({})).await;
        let student = scene.account("student2@demo.mycareer.test").await;
        assert_eq!(viewer["viewer"]["id"], student.id.to_string());

        let somebody_else = scene.arrive_forged(&[("email", email), ("sub", json!("bob-8"))]).await;
        somebody_else.assert_refused();
        let employer = json!("employer@demo.mycareer.test");
        scene.arrive_forged(&[("email", employer), ("sub", json!("cy-9"))]).await.assert_refused();
        assert_eq!(identity::Entity::find().count(scene.system.store().reader()).await.unwrap(), 1);
        scene.system.stop().await;
    }

    async fn a_graduate_is_signed_in_as_one(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        scene.arrive().await.code();
        let graduate = scene.arrive_forged(&[("eduperson_affiliation", json!(["member", "alum"]))]).await;
        let viewer = scene.exchange(graduate.code()).await.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!(viewer["kind"], "GRADUATE");
        scene.system.stop().await;
    }

    async fn who_leaves_the_staff_loses_what_the_staff_may_and_who_joins_gains_nothing(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let operator = json!("operator@demo.mycareer.test");
        let of_staff = [("email", operator.clone()), ("eduperson_affiliation", json!("staff"))];
        let client = scene.exchange(scene.arrive_forged(&of_staff).await.code()).await;
        assert_eq!(client.data(VIEWER, json!({})).await["viewer"]["isOperator"], true);
        let left = [("email", operator), ("eduperson_affiliation", json!("student"))];
        scene.arrive_forged(&left).await.code();
        // The session goes on, as that of a student.
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isOperator"]), (&json!("STUDENT"), &json!(false)));
        scene.arrive_forged(&of_staff).await.code();
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isOperator"]), (&json!("STAFF"), &json!(false)));
        scene.system.stop().await;
    }

    async fn the_last_administrator_stays_on_the_staff_whatever_the_university_says(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let left = [("email", json!("admin@demo.mycareer.test")), ("eduperson_affiliation", json!("student"))];
        let client = scene.exchange(scene.arrive_forged(&left).await.code()).await;
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isAdministrator"]), (&json!("STAFF"), &json!(true)));
        // The control: with another administrator they go.
        let mut other = scene.account("superuser@demo.mycareer.test").await.into_active_model();
        other.is_administrator = Set(true);
        other.update(scene.system.store().reader()).await.unwrap();
        scene.arrive_forged(&left).await.code();
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isAdministrator"]), (&json!("STUDENT"), &json!(false)));
        scene.system.stop().await;
    }

    async fn staff_get_the_faculty_that_the_university_names_and_keep_the_one_they_choose(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let of = |faculty: &str| [("eduperson_affiliation", json!("staff")), ("faculty", json!(faculty))];
        let faculty = async || {
            let account = scene.account("ada.okonkwo@university.test").await;
            match account.faculty_id {
                Some(id) => Some(faculty::Entity::find_by_id(id).one(scene.system.store().reader()).await.unwrap().unwrap().name),
                None => None,
            }
        };
        scene.arrive_forged(&of("A faculty that is not known here")).await.code();
        assert_eq!(faculty().await, None);
        scene.arrive_forged(&of("  environment ")).await.code();
        assert_eq!(faculty().await.as_deref(), Some("Environment"));
        scene.arrive_forged(&of("Biological Sciences")).await.code();
        assert_eq!(faculty().await.as_deref(), Some("Environment"));
        scene.system.stop().await;
    }

    async fn a_programme_whose_name_two_schools_have_is_that_of_the_faculty_that_is_told(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let reader = scene.system.store().reader();
        let environment = faculty::Entity::find().filter(faculty::Column::Name.eq("Environment")).one(reader).await.unwrap().unwrap();
        let school = school::Model {
            id: SchoolId::new_at(bed.clock().now()),
            faculty_id: environment.id,
            name: "School of Twins".to_owned(),
            created_at: bed.clock().now(),
        };
        school::Entity::insert(school.clone().into_active_model().reset_all()).exec_without_returning(reader).await.unwrap();
        let first = programme::Entity::find().filter(programme::Column::Name.eq("BSc Computer Science")).one(reader).await.unwrap().unwrap();
        let mut twin = first.clone();
        (twin.id, twin.school_id) = (ProgrammeId::new_at(bed.clock().now()), school.id);
        programme::Entity::insert(twin.clone().into_active_model().reset_all()).exec_without_returning(reader).await.unwrap();

        scene.arrive().await.code();
        assert_eq!(scene.account("ada.okonkwo@university.test").await.programme_id, None, "either may be meant");
        scene.arrive_forged(&[("faculty", json!("Environment"))]).await.code();
        assert_eq!(scene.account("ada.okonkwo@university.test").await.programme_id, Some(twin.id));
        scene.system.stop().await;
    }

    async fn a_suspended_account_is_closed_to_the_university_too(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        scene.arrive().await.code();
        let mut account = scene.account("ada.okonkwo@university.test").await.into_active_model();
        account.state = Set(user::UserState::Suspended);
        account.update(scene.system.store().reader()).await.unwrap();
        scene.arrive().await.assert_refused();
        scene.system.stop().await;
    }
}
