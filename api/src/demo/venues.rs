//! Rooms that events take place in.

use domain::{Error, Tx, venue as venues};
use entity::{ids::VenueId, venue::Model};

use super::insert_all;

const CAMPUS: &str = "City Campus";

/// Name, building, how many people it holds, how one gets in.
const SAMPLES: &[(&str, &str, i32, &str)] = &[
    (
        "Great Hall",
        "Main building",
        400,
        "Level access from the court; a lift to the gallery; a hearing loop.",
    ),
    (
        "Lecture theatre A",
        "Engineering building",
        120,
        "Level access at the back; two places for wheelchairs; a hearing loop.",
    ),
    (
        "Room 1",
        "Careers Centre",
        12,
        "Level access; doors open by a button.",
    ),
    (
        "Room 2",
        "Careers Centre",
        40,
        "Level access; doors open by a button.",
    ),
    (
        "Room 3",
        "Careers Centre",
        30,
        "On the first floor; a lift from the entrance.",
    ),
];

pub async fn load(tx: &Tx) -> Result<Vec<Model>, Error> {
    let now = tx.now();
    let made: Vec<Model> = SAMPLES
        .iter()
        .map(|(name, building, capacity, accessibility)| {
            let mut venue = Model {
                id: VenueId::new_at(now),
                name: (*name).to_owned(),
                building: Some((*building).to_owned()),
                campus: Some(CAMPUS.to_owned()),
                name_key: String::new(),
                capacity: Some(*capacity),
                accessibility: Some((*accessibility).to_owned()),
                map_link: None,
                archived_at: None,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            venue.name_key = venues::key(&venues::label(&venue));
            venue
        })
        .collect();
    insert_all::<entity::venue::Entity>(tx, made.clone()).await?;
    Ok(made)
}
