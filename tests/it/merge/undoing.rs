//! A merge is undone whole: the database is as it was, and keeps what was changed meanwhile.

use chrono::TimeDelta;
use entity::{
    ids::TagId,
    organisation,
    profile_field::{self, ProfileFieldKind},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use support::{TestBed, on_both_columns};

use uuid::Uuid;

use super::{
    snapshot::{self, Row, Rows, Snapshot},
    world::{UNDO, World},
};

const EDITS: usize = 50;
const STARTS: u64 = 3;

/// What goes up at every change, and so can't be as it was.
const GOES_UP: [&str; 2] = ["version", "updated_at"];

/// Two records that became one.
pub struct Pair {
    /// Their table, and the column by which others point at them.
    pub table: &'static str,
    pub column: &'static str,
    /// The one that is left, and the other.
    pub survivor: Uuid,
    pub merged: Uuid,
}

impl Pair {
    fn of(world: &World) -> Self {
        Self {
            table: "organisation",
            column: "organisation_id",
            survivor: world.survivor.uuid(),
            merged: world.merged.uuid(),
        }
    }
}

/// Without what goes up in the record that is left.
fn settled(mut snapshot: Snapshot, pair: &Pair) -> Snapshot {
    let id = pair.survivor.simple().to_string();
    let row = snapshot.get_mut(pair.table).unwrap().get_mut(&id).unwrap();
    row.retain(|column, _| !GOES_UP.contains(&column.as_str()));
    snapshot
}

/// Undoes it as it stands, and gives the answer's outcome and refusals.
async fn undo(world: &World, merge: &Value, decisions: Value) -> (Value, Vec<String>) {
    let input = json!({ "mergeId": merge, "decisions": decisions });
    let answer = world.admin.graphql(UNDO, json!({ "input": input })).await;
    assert_eq!(answer.codes(), [""; 0], "{answer:?}");
    let refusals = answer
        .refusals()
        .iter()
        .map(|code| (*code).to_owned())
        .collect();
    (answer.data["undoMerge"]["outcome"].clone(), refusals)
}

/// One edit of what is left, as an operator makes it.
async fn edit(world: &World, random: &mut StdRng, number: usize) {
    const UPDATE: &str = "mutation($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { userErrors { code message } } }";
    let contact = &world.contacts[random.random_range(0..world.contacts.len())];
    let tag: TagId = world.tags[random.random_range(0..world.tags.len())].id;
    let organisation = world.survivor;
    match random.random_range(0..8) {
        0 => {
            let db = world.system.store().reader();
            let row = organisation::Entity::find_by_id(organisation)
                .one(db)
                .await
                .unwrap()
                .unwrap();
            let mut input = json!({ "id": organisation, "version": row.version });
            let (field, value) = [
                ("sector", json!(format!("Sector {number}"))),
                ("address", json!(format!("{number} Mill Street"))),
                ("website", json!(format!("https://n{number}.example/"))),
                ("tradingNames", json!([format!("Robots {number}")])),
                ("founded", json!(format!("19{number:02}"))),
                ("name", json!(format!("Robots of Leeds {number}"))),
            ][random.random_range(0..6)]
            .clone();
            input[field] = value;
            world.done(UPDATE, input).await;
        }
        1 => {
            let db = world.system.store().reader();
            let row = entity::contact::Entity::find_by_id(contact.id)
                .one(db)
                .await
                .unwrap()
                .unwrap();
            world.done(
                "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code message } } }",
                json!({ "id": contact.id, "version": row.version, "jobTitle": format!("Post {number}") }),
            ).await;
        }
        2 => {
            world.done(
                "mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code message } } }",
                json!({ "organisationId": organisation, "name": format!("Nia {number}") }),
            ).await;
        }
        3 => {
            world.done(
                "mutation($input: AddNoteInput!) { addNote(input: $input) { userErrors { code message } } }",
                json!({ "organisationId": organisation, "contactId": contact.id, "kind": "MEETING", "body": format!("Met {number}.") }),
            ).await;
        }
        4 => {
            world.done(
                "mutation($input: TagOrganisationsInput!) { tagOrganisations(input: $input) { userErrors { code message } } }",
                json!({ "organisationIds": [organisation], "tagIds": [tag] }),
            ).await;
        }
        5 => {
            world.done(
                "mutation($input: UntagOrganisationsInput!) { untagOrganisations(input: $input) { userErrors { code message } } }",
                json!({ "organisationIds": [organisation], "tagIds": [tag] }),
            ).await;
        }
        6 => {
            let fields = profile_field::Entity::find()
                .filter(profile_field::Column::Kind.eq(ProfileFieldKind::Text))
                .order_by_asc(profile_field::Column::Name)
                .all(world.system.store().reader())
                .await
                .unwrap();
            let field = &fields[random.random_range(0..fields.len())];
            let value = [json!(format!("Said {number}")), Value::Null];
            let value = value[random.random_range(0..2)].clone();
            world.say(organisation, &json!(field.id), value).await;
        }
        _ => {
            world
                .create(
                    json!({ "name": format!("Bystander {number}"), "confirmNotDuplicate": true }),
                )
                .await;
        }
    }
}

/// What the database must be: as it was before the merge, with what was changed since.
struct Expected<'w> {
    pair: &'w Pair,
    before: Snapshot,
    merged: Snapshot,
    edited: Snapshot,
    /// The conflicts, by their keys, and whether each is restored.
    decided: Vec<(String, bool)>,
}

impl Expected<'_> {
    fn is_restored(&self, key: &str) -> Option<bool> {
        self.decided
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, restore)| *restore)
    }

    /// The row that one of what is left was before the merge.
    fn former(&self, table: &str, row: &Row) -> (String, bool) {
        let key = snapshot::key_of(row);
        if self.before[table].contains_key(&key) || row.contains_key("id") {
            return (key, false);
        }
        let mut former = row.clone();
        former.insert(
            self.pair.column.to_owned(),
            json!(self.pair.merged.simple().to_string()),
        );
        let former = snapshot::key_of(&former);
        if self.before[table].contains_key(&former) {
            (former, true)
        } else {
            (key, false)
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut expected = self.before.clone();
        for (table, rows) in &mut expected {
            self.apply(table, rows);
        }
        expected
    }

    fn apply(&self, table: &str, rows: &mut Rows) {
        let (merged, edited) = (&self.merged[table], &self.edited[table]);
        for (key, row) in merged {
            let (former, was_moved) = self.former(table, row);
            let Some(now) = edited.get(key) else {
                rows.remove(&former);
                continue;
            };
            if now == row {
                continue;
            }
            let other = row
                .iter()
                .filter(|(column, _)| column.ends_with("_id") && *column != self.pair.column)
                .find_map(|(_, value)| value.as_str()?.parse::<Uuid>().ok());
            let conflict = other.map(|other| format!("{table}:{other}"));
            if was_moved
                && conflict.is_some_and(|conflict| self.is_restored(&conflict) == Some(false))
            {
                // Made anew since, and left where it is.
                rows.remove(&former);
                rows.insert(key.clone(), now.clone());
                continue;
            }
            for (column, value) in now {
                if row[column] == *value {
                    continue;
                }
                let is_survivor = *key == self.pair.survivor.simple().to_string();
                let field = if is_survivor { column.as_str() } else { "" };
                if self.is_restored(&api_name(field)) == Some(true) {
                    continue;
                }
                // What follows from the name goes with it.
                if field == "name_key" && self.is_restored("name") == Some(true) {
                    continue;
                }
                rows.get_mut(&former)
                    .unwrap()
                    .insert(column.clone(), value.clone());
            }
        }
        for (key, row) in edited {
            if !merged.contains_key(key) {
                rows.insert(key.clone(), row.clone());
            }
        }
    }
}

/// A column as the API names it.
fn api_name(column: &str) -> String {
    let mut name = String::new();
    for (at, part) in column.trim_end_matches("_at").split('_').enumerate() {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) if at > 0 => {
                name.extend(first.to_uppercase());
                name.push_str(letters.as_str());
            }
            _ => name.push_str(part),
        }
    }
    name
}

async fn after_edits(bed: &TestBed, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::open(bed).await;
    let before = world.snapshot().await;
    let outcome = world.merged(&world.input()).await;
    let merge = outcome["merge"]["id"].clone();
    let merged = world.snapshot().await;
    for number in 0..EDITS {
        edit(&world, &mut random, number).await;
    }
    let pair = Pair::of(&world);
    undone_after(&world, &mut random, &pair, &merge, [before, merged]).await;
}

/// Undoes a merge after edits, deciding each conflict by chance, and compares the whole database with what it must be.
pub async fn undone_after(
    world: &World,
    random: &mut StdRng,
    pair: &Pair,
    merge: &Value,
    [before, merged]: [Snapshot; 2],
) {
    let edited = world.snapshot().await;
    // Nothing is guessed: while something is undecided, nothing is done.
    let (outcome, refusals) = undo(world, merge, json!([])).await;
    let conflicts = outcome["conflicts"].as_array().unwrap().clone();
    let decided: Vec<(String, bool)> = conflicts
        .iter()
        .map(|conflict| {
            (
                conflict["key"].as_str().unwrap().to_owned(),
                random.random(),
            )
        })
        .collect();
    if !conflicts.is_empty() {
        assert_eq!(refusals, ["UNDECIDED"], "{conflicts:?}");
        assert_eq!(outcome["isUndone"], false);
        assert_eq!(
            snapshot::differences(&world.snapshot().await, &edited),
            [""; 0]
        );
        let decisions: Vec<Value> = decided
            .iter()
            .map(|(key, restore)| json!({ "key": key, "restore": restore }))
            .collect();
        let (outcome, refusals) = undo(world, merge, json!(decisions)).await;
        assert_eq!(
            (outcome["isUndone"].clone(), refusals.len()),
            (json!(true), 0),
            "{outcome}"
        );
    }
    let expected = Expected {
        pair,
        before,
        merged,
        edited,
        decided,
    };
    let expected = settled(expected.snapshot(), pair);
    let found = settled(world.snapshot().await, pair);
    let differences = snapshot::differences(&expected, &found);
    assert!(differences.is_empty(), "{differences:#?}");
}

on_both_columns! {
    async fn merge_then_undo_leaves_the_database_as_it_was(bed: TestBed) {
        let world = World::open(&bed).await;
        world.dismiss_pair_with("Brightwater").await;
        let pair = Pair::of(&world);
        let before = settled(world.snapshot().await, &pair);
        let mut input = world.input();
        input["take"] = json!(["NAME", "ADDRESS", "WEBSITE", "KIND", "SIZE"]);
        let outcome = world.merged(&input).await;
        let merged = settled(world.snapshot().await, &pair);
        assert!(snapshot::differences(&before, &merged).len() > 10, "the merge did something");

        let (outcome, refusals) = undo(&world, &outcome["merge"]["id"], json!([])).await;
        assert_eq!((outcome["isUndone"].clone(), outcome["conflicts"].clone(), refusals.len()), (json!(true), json!([]), 0));
        let after = settled(world.snapshot().await, &pair);
        let differences = snapshot::differences(&before, &after);
        assert!(differences.is_empty(), "{differences:#?}");
    }

    async fn undoing_keeps_what_was_changed_since_and_asks_where_both_want_it(bed: TestBed) {
        after_edits(&bed, 1).await;
    }

    async fn a_dry_run_of_undoing_shows_the_conflicts_and_does_nothing(bed: TestBed) {
        let world = World::open(&bed).await;
        let merge = world.merged(&world.input()).await["merge"]["id"].clone();
        let row = world.organisation_named("Aire Valley Robotics plc").await;
        world.done(
            "mutation($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { userErrors { code } } }",
            json!({ "id": row.id, "version": row.version, "sector": "Toys" }),
        ).await;
        let before = world.snapshot().await;
        let data = world.done(UNDO, json!({ "mergeId": merge, "dryRun": true })).await;
        let outcome = &data["undoMerge"]["outcome"];
        assert_eq!(outcome["isUndone"], false);
        let conflicts = outcome["conflicts"].as_array().unwrap();
        let conflict = conflicts.iter().find(|conflict| conflict["key"] == "sector").unwrap();
        assert_eq!((&conflict["before"], &conflict["now"]), (&Value::Null, &json!("Toys")));
        assert!(conflict["merged"].is_string() && conflict["canBeRestored"] == true, "{conflict}");
        assert_eq!(world.snapshot().await, before);
    }

    async fn a_merge_is_undone_once_and_within_thirty_days(bed: TestBed) {
        let world = World::open(&bed).await;
        let merge = world.merged(&world.input()).await["merge"]["id"].clone();
        assert_eq!(undo(&world, &merge, json!([])).await.1.len(), 0);
        assert_eq!(undo(&world, &merge, json!([])).await.1, ["WRONG_STATE"]);

        let merge = world.merged(&world.input()).await["merge"]["id"].clone();
        bed.clock().advance(TimeDelta::days(30));
        let admin = world.system.demo_client("admin").await;
        let input = json!({ "mergeId": merge });
        let answer = admin.graphql(UNDO, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["WRONG_STATE"], "{answer:?}");
    }

    async fn merges_in_a_row_are_undone_from_the_last(bed: TestBed) {
        let world = World::open(&bed).await;
        let before = world.snapshot().await;
        let first = world.merged(&world.input()).await["merge"]["id"].clone();
        let third = world.organisation_named("Brightwater Energy plc").await;
        let second = json!({ "survivorId": third.id, "mergedId": world.survivor });
        let second = world.merged(&second).await["merge"]["id"].clone();
        let data = world.admin
            .data("query($id: ID!) { mergeOf(id: $id) { organisation { name } } }", json!({ "id": world.merged }))
            .await;
        assert_eq!(data["mergeOf"]["organisation"]["name"], "Brightwater Energy plc", "an old id leads all the way");

        assert_eq!(undo(&world, &first, json!([])).await.1, ["WRONG_STATE"]);
        assert_eq!(undo(&world, &second, json!([])).await.1.len(), 0);
        assert_eq!(undo(&world, &first, json!([])).await.1.len(), 0);
        let differences = snapshot::differences(&before, &world.snapshot().await);
        assert!(
            differences.iter().all(|difference| GOES_UP.iter().any(|column| difference.contains(column))),
            "{differences:#?}"
        );
    }
}

/// The same from other starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undoing_keeps_what_was_changed_since_from_other_starts() {
    for seed in 2..=STARTS {
        after_edits(&TestBed::new(support::Column::SqliteMemory).await, seed).await;
    }
}
