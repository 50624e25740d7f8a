//! Merges, fetched for many records at once.

use std::collections::HashMap;

use async_graphql::{Result, dataloader::Loader};
use entity::merge::{MergeKind, Model};
use uuid::Uuid;

use crate::graphql::rows::{LoadError, Rows};

/// The merges into a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MergesInto(pub MergeKind, pub Uuid);

impl Loader<MergesInto> for Rows {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[MergesInto],
    ) -> Result<HashMap<MergesInto, Self::Value>, LoadError> {
        let mut all: HashMap<MergesInto, Self::Value> = HashMap::new();
        for kind in [MergeKind::Organisation, MergeKind::Contact] {
            let ids: Vec<Uuid> = keys
                .iter()
                .filter(|key| key.0 == kind)
                .map(|key| key.1)
                .collect();
            if ids.is_empty() {
                continue;
            }
            let found =
                domain::merge::into_records(self.store.reader(), &self.viewer, kind, &ids).await?;
            for row in found {
                all.entry(MergesInto(kind, row.survivor_id))
                    .or_default()
                    .push(row);
            }
        }
        Ok(all)
    }
}
