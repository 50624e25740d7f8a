//! Who is trained for what, by faculty.

use chrono::TimeDelta;
use entity::{access_grant::Permission, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Desk, on_both_columns, operator};

use super::office::account;

const OVERVIEW: &str = "{ trainingOverview { faculty { name } course { title } trained lapsing lapsed never
    never_names: people(standing: NEVER) { name } lapsing_names: people(standing: LAPSING) { name } } }";

fn cell(data: &Value, faculty: &str, course: &str) -> Value {
    let cells = data["trainingOverview"].as_array().unwrap();
    cells
        .iter()
        .find(|cell| cell["faculty"]["name"] == faculty && cell["course"]["title"] == course)
        .unwrap_or_else(|| panic!("no {faculty}, {course} in {data}"))
        .clone()
}

on_both_columns! {
    async fn the_overview_says_by_faculty_who_is_trained_for_what(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (faculty, course) = ("Engineering and Physical Sciences", "Running events");
        let superuser = system.demo_client("superuser").await;
        let now = cell(&superuser.data(OVERVIEW, json!({})).await, faculty, course);
        assert_eq!((&now["trained"], &now["lapsing"], &now["lapsed"]), (&json!(1), &json!(0), &json!(0)));
        let never: Vec<_> = now["never_names"].as_array().unwrap().iter().map(|person| &person["name"]).collect();
        assert!(never.contains(&&json!("Sandra Byrne")) && never.contains(&&json!("Uma Shah")), "{never:?}");
        assert_eq!(now["never"], never.len());

        // The operator was trained 20 days ago, for a year.
        bed.clock().advance(TimeDelta::days(365 - 20 - 10));
        let superuser = system.demo_client("superuser").await;
        let soon = cell(&superuser.data(OVERVIEW, json!({})).await, faculty, course);
        assert_eq!((&soon["trained"], &soon["lapsing"], &soon["lapsed"]), (&json!(0), &json!(1), &json!(0)));
        assert_eq!(soon["lapsing_names"], json!([{ "name": "Oliver Hughes" }]));
        bed.clock().advance(TimeDelta::days(11));
        let superuser = system.demo_client("superuser").await;
        let late = cell(&superuser.data(OVERVIEW, json!({})).await, faculty, course);
        assert_eq!((&late["trained"], &late["lapsing"], &late["lapsed"]), (&json!(0), &json!(0), &json!(1)));
        system.stop().await;
    }

    async fn numbers_are_for_who_reads_reports_and_names_for_who_oversees_access(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await.graphql(OVERVIEW, json!({})).await;
        assert_eq!(student.codes()[0], "FORBIDDEN");
        let person = account(&system, "untrained").await;
        let untrained = system.demo_client("untrained").await;
        assert_eq!(untrained.graphql(OVERVIEW, json!({})).await.codes()[0], "FORBIDDEN");
        operator::grant(system.store(), person.id, Permission::ReadReport, person.faculty_id).await;
        let numbers = untrained.data("{ trainingOverview { faculty { name } never } }", json!({})).await;
        let cells = numbers["trainingOverview"].as_array().unwrap();
        assert!(!cells.is_empty());
        assert!(cells.iter().all(|cell| cell["faculty"]["name"] == "Engineering and Physical Sciences"), "{cells:?}");
        let names = untrained.graphql(OVERVIEW, json!({})).await;
        assert_eq!(names.codes(), ["FORBIDDEN"]);
        assert!(names.data["trainingOverview"][0]["never_names"].is_null());
        system.stop().await;
    }

    async fn the_overview_takes_no_more_statements_for_more_cells(bed: TestBed) {
        let desk = Desk::open(&bed).await;
        api::demo::load(desk.store()).await.unwrap();
        let viewer = domain::Viewer::system();
        let one = user::Entity::find()
            .filter(user::Column::Email.eq(format!("untrained@{}", api::demo::DOMAIN)))
            .one(desk.store().reader())
            .await
            .unwrap()
            .unwrap();
        let query = "query($faculty: ID) { trainingOverview(facultyId: $faculty) { faculty { name } course { title }
            never people(standing: NEVER) { name } } }";
        let (few, for_few) = desk.data(&viewer, query, json!({ "faculty": one.faculty_id })).await;
        let (all, for_all) = desk.data(&viewer, query, json!({})).await;
        let count = |data: &Value| data["trainingOverview"].as_array().unwrap().len();
        assert!(count(&all) > count(&few), "{all}");
        assert_eq!(for_few, for_all);
    }
}
