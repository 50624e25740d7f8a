//! Which organisation a row of contacts or notes is about.

use std::collections::{BTreeMap, HashMap};

use entity::{
    ids::OrganisationId,
    organisation::{self, RecordSource},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    error::{RefusalCode, Refusals, Result},
    merge::{self, Became},
    organisation::name_key,
    store::Tx,
};

/// How a row names its organisation: whatever of it is given must be right, and one is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    /// Its id.
    pub id: Option<String>,
    /// What it was known by in the file that it was imported from.
    pub key: Option<String>,
    /// Its name; legal suffixes and the like make no difference.
    pub name: Option<String>,
}

/// An organisation that rows may be about.
pub(super) struct Place {
    /// Its id.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// The keys of its name, of the names it trades under, and of those that went into it and are named here.
    names: Vec<String>,
}

impl Place {
    fn is_called(&self, name: &str) -> bool {
        self.names.contains(&name_key(name))
    }
}

/// The organisations that some rows name. They are locked: neither is an address added twice to one of them, nor does one
/// go while it is written to. What was merged into another is known by its old id and key still.
#[derive(Default)]
pub(super) struct Places {
    all: BTreeMap<OrganisationId, Place>,
    /// What those have become that are named by an old id.
    became: HashMap<OrganisationId, Became>,
    by_key: HashMap<String, OrganisationId>,
    by_name: HashMap<String, Vec<OrganisationId>>,
}

impl Places {
    /// Looks them up with a few statements.
    pub async fn named(tx: &Tx, rows: impl Iterator<Item = &Where> + Clone + Send) -> Result<Self> {
        let mut ids: Vec<OrganisationId> = rows
            .clone()
            .filter_map(|row| row.id.as_deref()?.trim().parse().ok())
            .collect();
        let keys = rows.clone().filter_map(|row| row.key.as_deref());
        let names = rows.filter_map(|row| row.name.as_deref()).map(name_key);
        let old_keys = merge::merged_with_keys(tx.conn(), keys.clone()).await?;
        ids.extend(old_keys.values());
        let became = merge::became(tx.conn(), ids.iter().copied()).await?;
        ids.extend(became.values().map(|became| became.left));
        let found = organisation::Entity::find()
            .filter(
                Condition::any()
                    .add(organisation::Column::Id.is_in(ids))
                    .add(
                        Condition::all()
                            .add(organisation::Column::Source.eq(RecordSource::Import))
                            .add(organisation::Column::SourceKey.is_in(keys)),
                    )
                    .add(organisation::Column::NameKey.is_in(names)),
            )
            .order_by_asc(organisation::Column::Id)
            .lock_exclusive()
            .all(tx.conn())
            .await?;
        let mut places = Self {
            by_key: old_keys,
            ..Self::default()
        };
        for row in found {
            if let (RecordSource::Import, Some(key)) = (row.source, row.source_key) {
                places.by_key.insert(key, row.id);
            }
            let mut names = vec![row.name_key.clone()];
            names.extend(row.trading_names.0.iter().map(|name| name_key(name)));
            places.by_name.entry(row.name_key).or_default().push(row.id);
            let (id, name) = (row.id, row.name);
            places.all.insert(id, Place { id, name, names });
        }
        for became in became.values() {
            if let Some(place) = places.all.get_mut(&became.left) {
                let names = became.names.iter().map(|name| name_key(name));
                place.names.extend(names);
            }
        }
        places.became = became;
        Ok(places)
    }

    /// The one that a row names. What is wrong with the naming is noted.
    pub fn of(&self, row: &Where, refusals: &mut Refusals) -> Option<OrganisationId> {
        let mut given: Vec<(&'static str, OrganisationId)> = Vec::new();
        if let Some(id) = &row.id {
            let Some(place) = id.trim().parse().ok().and_then(|id| self.left(id)) else {
                return refuse(
                    refusals,
                    format!("There is no organisation with the id {id:?}."),
                );
            };
            given.push(("organisation_id", place.id));
        }
        if let Some(key) = &row.key {
            let Some(place) = self.by_key.get(key).and_then(|id| self.left(*id)) else {
                return refuse(
                    refusals,
                    format!("No organisation was imported with the key {key:?}."),
                );
            };
            given.push(("organisation_key", place.id));
        }
        let Some((column, id)) = given.first().copied() else {
            return self.of_name(row.name.as_deref(), refusals);
        };
        let called = |id| self.name(id).unwrap_or_default();
        if let Some((other_column, other)) = given.iter().find(|(_, other)| *other != id) {
            return refuse(
                refusals,
                format!(
                    "{column} is that of {:?}, and {other_column} that of {:?}: correct one of them, or leave it empty.",
                    called(id),
                    called(*other)
                ),
            );
        }
        if let Some(name) = &row.name
            && !self.all.get(&id).is_some_and(|place| place.is_called(name))
        {
            return refuse(
                refusals,
                format!(
                    "{column} is that of {:?}, and organisation says {name:?}: correct one of them, or leave it empty.",
                    called(id)
                ),
            );
        }
        Some(id)
    }

    fn of_name(&self, name: Option<&str>, refusals: &mut Refusals) -> Option<OrganisationId> {
        let Some(name) = name else {
            return refuse(refusals, "Say which organisation this is about.".to_owned());
        };
        let alike = self
            .by_name
            .get(&name_key(name))
            .map_or(&[][..], Vec::as_slice);
        let exactly = alike.iter().filter(|id| self.name(**id) == Some(name));
        match (alike, exactly.copied().collect::<Vec<_>>().as_slice()) {
            ([only], _) | (_, [only]) => Some(*only),
            ([], _) => refuse(
                refusals,
                format!("There is no organisation {name:?}; import or add it first."),
            ),
            _ => refuse(
                refusals,
                format!(
                    "There are {} organisations {name:?}; say which by organisation_id or organisation_key.",
                    alike.len()
                ),
            ),
        }
    }

    /// The one that an id leads to by now.
    fn left(&self, id: OrganisationId) -> Option<&Place> {
        let left = self.became.get(&id).map_or(id, |became| became.left);
        self.all.get(&left)
    }

    /// The name of one of them.
    pub fn name(&self, id: OrganisationId) -> Option<&str> {
        self.all.get(&id).map(|place| place.name.as_str())
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = OrganisationId> + '_ {
        self.all.values().map(|place| place.id)
    }
}

fn refuse(refusals: &mut Refusals, message: String) -> Option<OrganisationId> {
    refusals.add(RefusalCode::NotFound, "organisation", message);
    None
}
