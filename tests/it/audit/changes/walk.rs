//! Goes through the mutations one after the other, over HTTP, and looks at the log after each.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use domain::{Result, Store, Tx, clock::ManualClock};
use entity::{
    audit_entry,
    booking::BookingState,
    faculty,
    ids::{FacultyId, UserId},
    user,
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, TestBed, until};

const PATIENCE: Duration = Duration::from_secs(20);

/// A walk through the mutations.
pub struct Walk<'b> {
    bed: &'b TestBed,
    system: System,
    clients: HashMap<String, Client>,
    kept: HashMap<String, Value>,
    called: BTreeSet<String>,
    silent: BTreeSet<String>,
}

impl<'b> Walk<'b> {
    pub async fn begin(bed: &'b TestBed) -> Self {
        Self {
            system: bed.system_with_demo_data().await,
            bed,
            clients: HashMap::new(),
            kept: HashMap::new(),
            called: BTreeSet::new(),
            silent: BTreeSet::new(),
        }
    }

    pub async fn end(self) {
        self.system.stop().await;
    }

    pub fn store(&self) -> &Store {
        self.system.store()
    }

    pub fn clock(&self) -> &Arc<ManualClock> {
        self.bed.clock()
    }

    /// The mutations that changed something and wrote no line of their caller.
    pub fn silent(&self) -> Vec<&str> {
        self.silent.iter().map(String::as_str).collect()
    }

    /// The mutations of the schema that were not called.
    pub async fn not_called(&self) -> Vec<String> {
        let query = "{ __schema { mutationType { fields { name } } } }";
        let client = &self.clients["admin"];
        let data = client.data(query, json!({})).await;
        let fields = data["__schema"]["mutationType"]["fields"]
            .as_array()
            .unwrap();
        fields
            .iter()
            .map(|field| field["name"].as_str().unwrap().to_owned())
            .filter(|name| !self.called.contains(name))
            .collect()
    }

    pub async fn change<T>(&self, act: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> T {
        let mut tx = self.store().begin().await.unwrap();
        let done = act(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        done
    }

    pub async fn account(&self, mailbox: &str) -> user::Model {
        user::Entity::find()
            .filter(user::Column::Email.eq(format!("{mailbox}@{}", api::demo::DOMAIN)))
            .one(self.store().reader())
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn person(&self, mailbox: &str) -> UserId {
        self.account(mailbox).await.id
    }

    pub async fn another_faculty(&self, than: FacultyId) -> FacultyId {
        let other = faculty::Entity::find().filter(faculty::Column::Id.ne(than));
        other.one(self.store().reader()).await.unwrap().unwrap().id
    }

    pub fn keep(&mut self, name: &str, id: &Value) {
        self.kept.insert(name.to_owned(), id.clone());
    }

    pub fn id(&self, name: &str) -> Value {
        self.kept[name].clone()
    }

    /// Signs somebody in once more.
    pub async fn sign_in_again(&mut self, who: &str) {
        self.client(who).await;
        self.clients.remove(who);
    }

    /// Lets time go by. Whoever was signed in may no longer be.
    pub async fn later(&mut self, by: TimeDelta) {
        self.bed.clock().advance(by);
        self.clients.clear();
        self.client("admin").await;
    }

    async fn client(&mut self, who: &str) -> Client {
        if !self.clients.contains_key(who) {
            let client = self.system.demo_client(who).await;
            self.clients.insert(who.to_owned(), client);
        }
        self.clients[who].clone()
    }

    pub async fn ask(&mut self, who: &str, query: &str) -> Value {
        self.client(who).await.data(query, json!({})).await
    }

    /// Calls a mutation, which must succeed, and looks whether its caller has a new line. Answers the payload.
    pub async fn call(
        &mut self,
        who: &str,
        mutation: &str,
        input: Value,
        selection: &str,
    ) -> Value {
        let (first, rest) = mutation.split_at(1);
        let text = format!(
            "mutation($input: {}{rest}Input!) {{
                {mutation}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}",
            first.to_uppercase(),
        );
        self.run(who, mutation, &text, json!({ "input": input }))
            .await
    }

    pub async fn call_without_input(&mut self, who: &str, mutation: &str) -> Value {
        let text = format!("mutation {{ {mutation} {{ __typename }} }}");
        self.run(who, mutation, &text, json!({})).await
    }

    async fn run(&mut self, who: &str, mutation: &str, text: &str, variables: Value) -> Value {
        let client = self.client(who).await;
        let id = self.person(who).await;
        let before = self.lines_of(id).await;
        let answer = client.graphql(text, variables.clone()).await;
        assert!(
            answer.errors.is_empty(),
            "{mutation} as {who}: {variables}: {answer:?}"
        );
        let payload = answer.data[mutation].clone();
        let refused = payload["userErrors"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        assert!(!refused, "{mutation} as {who}: {variables}: {payload}");
        if self.lines_of(id).await == before {
            self.silent.insert(mutation.to_owned());
        }
        self.called.insert(mutation.to_owned());
        payload
    }

    async fn lines_of(&self, id: UserId) -> u64 {
        audit_entry::Entity::find()
            .filter(audit_entry::Column::ActorId.eq(id))
            .count(self.store().reader())
            .await
            .unwrap()
    }

    /// Waits for what a job does.
    /// Waits until somebody is answered with this text in it.
    pub async fn until_answered(&mut self, who: &str, query: &str, text: &str) {
        let client = self.client(who).await;
        until(PATIENCE, text, async || {
            let answer = client.data(query, json!({})).await;
            answer.to_string().contains(text).then_some(())
        })
        .await;
    }

    pub async fn until_booking_is(&mut self, who: &str, id: &Value, state: BookingState) {
        let client = self.client(who).await;
        let state = state.to_value();
        let query = "query($id: ID!) { node(id: $id) { ... on Booking { state } } }";
        until(PATIENCE, "the booking moves", async || {
            let data = client.data(query, json!({ "id": id })).await;
            (data["node"]["state"] == state.as_str()).then_some(())
        })
        .await;
    }
}
