//! What was merged into what.

use std::collections::{HashMap, HashSet};

use entity::{ids::OrganisationId, merge, merge::MergeKind};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{error::Result, viewer::Viewer};

/// How many merges in a row are followed at most.
const FURTHEST: usize = 20;

/// The merge that took the record with this id away; none when nothing did. With it, the id of the record that is left by
/// now. Staff alone are told.
pub async fn trace(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    kind: MergeKind,
    id: Uuid,
) -> Result<Option<(merge::Model, Uuid)>> {
    if !viewer.is_staff() {
        return Ok(None);
    }
    let Some(first) = live(db, kind, id).await? else {
        return Ok(None);
    };
    let mut left = first.survivor_id;
    for _ in 0..FURTHEST {
        match live(db, kind, left).await? {
            Some(next) => left = next.survivor_id,
            None => break,
        }
    }
    Ok(Some((first, left)))
}

/// The merge that took the record with this id away and wasn't undone.
pub(super) async fn live(
    db: &impl ConnectionTrait,
    kind: MergeKind,
    id: Uuid,
) -> Result<Option<merge::Model>> {
    Ok(merge::Entity::find()
        .filter(merge::Column::Kind.eq(kind))
        .filter(merge::Column::MergedId.eq(id))
        .filter(merge::Column::UndoneAt.is_null())
        .one(db)
        .await?)
}

/// The merges whose record that is left was one of these, the latest first.
pub async fn into_records(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    kind: MergeKind,
    ids: &[Uuid],
) -> Result<Vec<merge::Model>> {
    if !viewer.is_staff() {
        return Ok(Vec::new());
    }
    Ok(merge::Entity::find()
        .filter(merge::Column::Kind.eq(kind))
        .filter(merge::Column::SurvivorId.is_in(ids.iter().copied()))
        .order_by_desc(merge::Column::Id)
        .all(db)
        .await?)
}

/// Everything that went into each of these records and was not undone, over as many merges as it took.
pub(crate) async fn all_that_went_into(
    db: &impl ConnectionTrait,
    kind: MergeKind,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let mut roots: HashMap<Uuid, Uuid> = ids.iter().map(|id| (*id, *id)).collect();
    let mut next: Vec<Uuid> = ids.to_vec();
    let mut all: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for _ in 0..FURTHEST {
        if next.is_empty() {
            break;
        }
        let found: Vec<(Uuid, Uuid)> = merge::Entity::find()
            .select_only()
            .columns([merge::Column::MergedId, merge::Column::SurvivorId])
            .filter(merge::Column::Kind.eq(kind))
            .filter(merge::Column::SurvivorId.is_in(next))
            .filter(merge::Column::UndoneAt.is_null())
            .into_tuple()
            .all(db)
            .await?;
        next = Vec::with_capacity(found.len());
        for (merged, survivor) in found {
            if let (Some(root), false) =
                (roots.get(&survivor).copied(), roots.contains_key(&merged))
            {
                roots.insert(merged, root);
                all.entry(root).or_default().push(merged);
                next.push(merged);
            }
        }
    }
    Ok(all)
}

/// Those of the keys by which an import knows organisations that are merged by now.
pub async fn known_source_keys<'k>(
    db: &impl ConnectionTrait,
    keys: impl IntoIterator<Item = &'k str> + Send,
) -> Result<HashSet<String>> {
    let found: Vec<String> = merge::Entity::find()
        .select_only()
        .column(merge::Column::SourceKey)
        .filter(merge::Column::SourceKey.is_in(keys))
        .filter(merge::Column::UndoneAt.is_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

/// The organisations that went into others and were known by these keys to an import: the id that each key had.
pub(crate) async fn merged_with_keys<'k>(
    db: &impl ConnectionTrait,
    keys: impl IntoIterator<Item = &'k str> + Send,
) -> Result<HashMap<String, OrganisationId>> {
    let found: Vec<(String, Uuid)> = merge::Entity::find()
        .select_only()
        .columns([merge::Column::SourceKey, merge::Column::MergedId])
        .filter(merge::Column::Kind.eq(MergeKind::Organisation))
        .filter(merge::Column::SourceKey.is_in(keys))
        .filter(merge::Column::UndoneAt.is_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|(key, id)| (key, OrganisationId(id)))
        .collect())
}

/// What has become of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Became {
    /// The organisation that is left by now.
    pub left: OrganisationId,
    /// What those were called that went into it on the way.
    pub names: Vec<String>,
}

/// What has become of those of the organisations that were merged, with a statement for each merge in a row.
pub(crate) async fn became(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = OrganisationId>,
) -> Result<HashMap<OrganisationId, Became>> {
    let mut all: HashMap<OrganisationId, Became> = ids
        .into_iter()
        .map(|id| {
            let names = Vec::new();
            (id, Became { left: id, names })
        })
        .collect();
    for _ in 0..FURTHEST {
        let left: HashSet<Uuid> = all.values().map(|became| became.left.uuid()).collect();
        let found: HashMap<Uuid, merge::Model> = merge::Entity::find()
            .filter(merge::Column::Kind.eq(MergeKind::Organisation))
            .filter(merge::Column::MergedId.is_in(left))
            .filter(merge::Column::UndoneAt.is_null())
            .all(db)
            .await?
            .into_iter()
            .map(|merge| (merge.merged_id, merge))
            .collect();
        if found.is_empty() {
            break;
        }
        for became in all.values_mut() {
            if let Some(merge) = found.get(&became.left.uuid()) {
                became.left = OrganisationId(merge.survivor_id);
                became.names.extend(merge.merged_name.clone());
            }
        }
    }
    all.retain(|id, became| became.left != *id);
    Ok(all)
}

/// The organisation that an id leads to.
pub(super) async fn left_of(
    db: &impl ConnectionTrait,
    id: OrganisationId,
) -> Result<Option<OrganisationId>> {
    let mut left = id.uuid();
    for _ in 0..FURTHEST {
        match live(db, MergeKind::Organisation, left).await? {
            Some(next) => left = next.survivor_id,
            None => return Ok(Some(OrganisationId(left))),
        }
    }
    Ok(None)
}
