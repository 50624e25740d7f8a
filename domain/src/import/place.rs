//! Which organisation a row of contacts or notes is about.

use std::collections::{BTreeMap, HashMap};

use entity::{
    ids::OrganisationId,
    organisation::{self, RecordSource},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    error::{RefusalCode, Refusals, Result},
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
}

/// The organisations that some rows name. They are locked: neither is an address added twice to one of them, nor does one
/// go while it is written to.
#[derive(Default)]
pub(super) struct Places {
    all: BTreeMap<OrganisationId, Place>,
    by_key: HashMap<String, OrganisationId>,
    by_name: HashMap<String, Vec<OrganisationId>>,
}

impl Places {
    /// Looks them up with one statement.
    pub async fn named(tx: &Tx, rows: impl Iterator<Item = &Where> + Clone + Send) -> Result<Self> {
        let ids = rows
            .clone()
            .filter_map(|row| row.id.as_deref()?.trim().parse::<OrganisationId>().ok());
        let keys = rows.clone().filter_map(|row| row.key.as_deref());
        let names = rows.filter_map(|row| row.name.as_deref()).map(name_key);
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
        let mut places = Self::default();
        for row in found {
            if let (RecordSource::Import, Some(key)) = (row.source, row.source_key) {
                places.by_key.insert(key, row.id);
            }
            places.by_name.entry(row.name_key).or_default().push(row.id);
            let (id, name) = (row.id, row.name);
            places.all.insert(id, Place { id, name });
        }
        Ok(places)
    }

    /// The one that a row names. What is wrong with the naming is noted.
    pub fn of(&self, row: &Where, refusals: &mut Refusals) -> Option<OrganisationId> {
        let mut refuse = |message: String| {
            refusals.add(RefusalCode::NotFound, "organisation", message);
            None
        };
        if let Some(given) = &row.id {
            let id = given.trim().parse().ok();
            return id
                .filter(|id| self.all.contains_key(id))
                .or_else(|| refuse(format!("There is no organisation with the id {given:?}.")));
        }
        if let Some(key) = &row.key {
            return self.by_key.get(key).copied().or_else(|| {
                refuse(format!(
                    "No organisation was imported with the key {key:?}."
                ))
            });
        }
        let Some(name) = &row.name else {
            return refuse("Say which organisation this is about.".to_owned());
        };
        let alike = self
            .by_name
            .get(&name_key(name))
            .map_or(&[][..], Vec::as_slice);
        let exactly = alike
            .iter()
            .filter(|id| self.name(**id) == Some(name.as_str()));
        match (alike, exactly.copied().collect::<Vec<_>>().as_slice()) {
            ([only], _) | (_, [only]) => Some(*only),
            ([], _) => refuse(format!(
                "There is no organisation {name:?}; import or add it first."
            )),
            _ => refuse(format!(
                "There are {} organisations {name:?}; say which by organisation_id or organisation_key.",
                alike.len()
            )),
        }
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
