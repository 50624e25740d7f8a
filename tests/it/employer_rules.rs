//! The rules of employers as staff, students and employers meet them (policy 2.2): over HTTP, and with the mails that follow as
//! they arrive. What these leave out has tests of its own, with the part of the system that it is about.

mod activity;
mod at_once;
mod consent;
mod duplicates;
mod lock_order;
mod notes;
mod standing;
mod tags;

use entity::{
    ids::OrganisationId,
    organisation::{self, OrganisationState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, System};

/// The codes with which a mutation is refused.
pub(crate) async fn refused(client: &Client, mutation: &str, input: Value) -> Vec<String> {
    let name = mutation[..1].to_uppercase() + &mutation[1..];
    let query = format!(
        "mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code field message }} }} }}"
    );
    let answer = client.graphql(&query, json!({ "input": input })).await;
    assert_eq!(answer.codes(), [""; 0], "{answer:?}");
    answer
        .refusals()
        .iter()
        .map(|code| (*code).to_owned())
        .collect()
}

/// An organisation, as it is now.
async fn organisation(system: &System, name: &str) -> organisation::Model {
    organisation::Entity::find()
        .filter(organisation::Column::Name.eq(name))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

/// Puts an organisation in a state, from whatever state it is in.
async fn put(system: &System, id: OrganisationId, state: OrganisationState) {
    let db = system.store().reader();
    let row = organisation::Entity::find_by_id(id).one(db).await.unwrap();
    let mut row = row.unwrap().into_active_model();
    row.state = Set(state);
    row.update(db).await.unwrap();
}
