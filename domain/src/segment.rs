//! Segments: searches for organisations that staff keep under a name, for themselves or for all staff (policy 2.2: tags
//! allow users to perform tailored searches).
//!
//! A segment is a filter and never a list: whoever meets it today is in it. It names nothing of contacts, so that neither its
//! count nor what is in it tells of anybody's details.

use entity::{
    ids::{SegmentId, TagId, UserId},
    list::{IdList, SoughtFieldList},
    organisation, segment, tag,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Order, PaginatorTrait,
    QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Query, SubQueryStatement},
};
use serde::Serialize;

use crate::{
    change::{self, Change},
    error::{Error, RefusalCode, Refusals, Result},
    organisation::{self as organisations, Filter, nothing},
    page::{Page, Slice},
    profile_field,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// What the audit log calls a change.
const UPDATED: &str = "segment.save";

/// How many tags a list may name.
const MOST_TAGS: usize = 50;

/// Which segments exist for `viewer`: staff have their own and what is shared.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.is_system() {
        return Condition::all();
    }
    if !viewer.is_staff() {
        return Condition::all().add(nothing());
    }
    own_or_shared(viewer.user_id())
}

fn own_or_shared(owner: Option<UserId>) -> Condition {
    Condition::any()
        .add(segment::Column::IsShared.eq(true))
        .add_option(owner.map(|id| segment::Column::OwnerId.eq(id)))
}

/// The segments that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<segment::Entity> {
    segment::Entity::find().filter(visible_to(viewer))
}

/// The segment, if a campaign can be written for it in the name of `by`: it is theirs, or shared.
pub(crate) async fn usable(
    db: &impl ConnectionTrait,
    by: Option<UserId>,
    id: SegmentId,
) -> Result<Option<segment::Model>> {
    Ok(segment::Entity::find_by_id(id)
        .filter(own_or_shared(by))
        .one(db)
        .await?)
}

/// What a list of segments is ordered by.
pub type Key = (String, SegmentId);

/// The key of a row.
#[must_use]
pub fn key(row: &segment::Model) -> Key {
    (row.name.clone(), row.id)
}

/// One page of the segments that exist for `viewer`, by name.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    page: &Page<Key>,
) -> Result<Slice<segment::Model>> {
    let key = [
        segment::Column::Name.into_expr(),
        segment::Column::Id.into_expr(),
    ];
    page.read(db, visible(viewer), key, Order::Asc).await
}

/// How many segments exist for `viewer`.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<u64> {
    Ok(visible(viewer).count(db).await?)
}

/// The filter that a segment is.
#[must_use]
pub fn filter_of(row: &segment::Model) -> Filter {
    Filter {
        search: row.search.clone(),
        all_of_tags: row.all_of.0.clone(),
        any_of_tags: row.any_of.0.clone(),
        none_of_tags: row.none_of.0.clone(),
        sector: row.sector.clone(),
        state: row.state,
        engaged_by: row.engaged_by,
        last_contacted_before: row.last_contacted_before,
        profile_fields: row.profile_fields.0.clone(),
        segment_id: None,
        within: None,
    }
}

/// The filter with what its segment asks, where it names one that exists for `viewer`, and with the fields of profiles that exist
/// for them. A filter whose segment was not looked up finds nothing.
pub async fn resolve(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    mut filter: Filter,
) -> Result<Filter> {
    if let Some(id) = filter.segment_id.take() {
        let found = visible(viewer)
            .filter(segment::Column::Id.eq(id))
            .one(db)
            .await?
            .ok_or_else(|| Error::not_found("filter", "segment"))?;
        filter.within = Some(Box::new(filter_of(&found)));
    }
    let mut refusals = Refusals::default();
    filter.profile_fields =
        profile_field::sought_by(db, viewer, filter.profile_fields, &mut refusals).await?;
    refusals.into_result()?;
    Ok(filter)
}

/// How many organisations that exist for `viewer` are in each of these segments, with one statement.
pub async fn sizes(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[SegmentId],
) -> Result<Vec<(SegmentId, i64)>> {
    let found = visible(viewer)
        .filter(segment::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut counts = Query::select();
    for (at, row) in found.iter().enumerate() {
        let count = organisations::visible(viewer)
            .filter(filter_of(row).condition(db.get_database_backend()))
            .select_only()
            .column_as(organisation::Column::Id.count(), "organisations")
            .into_query();
        let count = Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(count)));
        counts.expr_as(count, format!("s{at}"));
    }
    let Some(counted) = db.query_one(&counts).await? else {
        return Ok(Vec::new());
    };
    let mut all = Vec::with_capacity(found.len());
    for (at, row) in found.iter().enumerate() {
        all.push((row.id, counted.try_get("", &format!("s{at}"))?));
    }
    Ok(all)
}

/// What of a segment is saved. The field names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Criteria {
    /// Its name.
    pub name: String,
    /// Whether all staff have it.
    pub is_shared: bool,
    /// What it asks.
    pub filter: Filter,
}

/// Keeps a new segment, or changes one of the viewer's own that is at the version given with its id.
pub async fn save(
    tx: &mut Tx,
    viewer: &Viewer,
    known: Option<(SegmentId, i32)>,
    criteria: Criteria,
) -> Result<segment::Model> {
    let owner_id = viewer.signed_in()?.id;
    if !viewer.is_operator() {
        return Err(Error::Forbidden(
            "Operators keep segments: staff with at least one permission that counts.".to_owned(),
        ));
    }
    let mut refusals = Refusals::default();
    let criteria = criteria.checked(tx, viewer, &mut refusals).await?;
    let name_key = criteria.name.to_lowercase();
    // Two saves of one name wait for each other.
    tx.hold(&format!("segments/{owner_id}")).await?;
    let mut same = segment::Entity::find()
        .filter(segment::Column::OwnerId.eq(owner_id))
        .filter(segment::Column::NameKey.eq(name_key.as_str()));
    if let Some((id, _)) = known {
        same = same.filter(segment::Column::Id.ne(id));
    }
    refusals.add_if(
        same.count(tx.conn()).await? > 0,
        RefusalCode::Taken,
        "name",
        "You have a segment of this name.",
    );
    let Some((id, version)) = known else {
        refusals.into_result()?;
        let mut row = segment::ActiveModel {
            id: Set(SegmentId::new_at(tx.now())),
            owner_id: Set(owner_id),
            version: Set(1),
            created_at: Set(tx.now()),
            updated_at: Set(tx.now()),
            ..Default::default()
        };
        fill(&mut row, &criteria, name_key);
        let saved = row.insert(tx.conn()).await?;
        let told = serde_json::to_value(&criteria)?;
        tx.audit(viewer, UPDATED, saved.id, None, Some(told))
            .await?;
        return Ok(saved);
    };
    let current = own(tx, viewer, id).await?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    refusals.into_result()?;
    let old = Criteria {
        name: current.name.clone(),
        is_shared: current.is_shared,
        filter: filter_of(&current),
    };
    let change = Change::between(&old, &criteria)?;
    if change.is_empty() {
        return Ok(current);
    }
    let mut row = current.into_active_model();
    fill(&mut row, &criteria, name_key);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let saved = row.update(tx.conn()).await?;
    let (before, after) = change.into_audit(saved.version);
    tx.audit(viewer, UPDATED, id, before, after).await?;
    Ok(saved)
}

/// Takes a segment of the viewer's own away. What was made from it stays.
pub async fn delete(tx: &mut Tx, viewer: &Viewer, id: SegmentId) -> Result<segment::Model> {
    let current = own(tx, viewer, id).await?;
    segment::Entity::delete_by_id(id).exec(tx.conn()).await?;
    let told = serde_json::json!({ "name": current.name, "isShared": current.is_shared });
    tx.audit(viewer, "segment.delete", id, Some(told), None)
        .await?;
    Ok(current)
}

/// The segment, locked, if it is the viewer's own. Of somebody else's, only what is shared is told apart from nothing.
async fn own(tx: &Tx, viewer: &Viewer, id: SegmentId) -> Result<segment::Model> {
    let current = visible(viewer)
        .filter(segment::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "segment"))?;
    if viewer.user_id() == Some(current.owner_id) {
        return Ok(current);
    }
    Err(Error::Forbidden(
        "A shared segment is changed by its owner: save one of your own.".to_owned(),
    ))
}

fn fill(row: &mut segment::ActiveModel, criteria: &Criteria, name_key: String) {
    let filter = &criteria.filter;
    row.name = Set(criteria.name.clone());
    row.name_key = Set(name_key);
    row.is_shared = Set(criteria.is_shared);
    row.search = Set(filter.search.clone());
    row.all_of = Set(IdList(filter.all_of_tags.clone()));
    row.any_of = Set(IdList(filter.any_of_tags.clone()));
    row.none_of = Set(IdList(filter.none_of_tags.clone()));
    row.sector = Set(filter.sector.clone());
    row.state = Set(filter.state);
    row.engaged_by = Set(filter.engaged_by);
    row.last_contacted_before = Set(filter.last_contacted_before);
    row.profile_fields = Set(SoughtFieldList(filter.profile_fields.clone()));
}

impl Criteria {
    async fn checked(self, tx: &Tx, viewer: &Viewer, refusals: &mut Refusals) -> Result<Self> {
        let mut filter = self.filter;
        refusals.add_if(
            filter.segment_id.is_some(),
            RefusalCode::Invalid,
            "filter",
            "A segment isn't made of another one: say what it asks.",
        );
        let mut tags: Vec<TagId> = Vec::new();
        for list in [
            &filter.all_of_tags,
            &filter.any_of_tags,
            &filter.none_of_tags,
        ] {
            refusals.add_if(
                list.len() > MOST_TAGS,
                RefusalCode::TooLong,
                "filter",
                "At most 50 tags in a list.",
            );
            tags.extend(list);
        }
        tags.sort_unstable();
        tags.dedup();
        let known = tag::Entity::find()
            .filter(tag::Column::Id.is_in(tags.iter().copied().take(3 * MOST_TAGS)))
            .count(tx.conn())
            .await?;
        refusals.add_if(
            known != tags.len() as u64,
            RefusalCode::NotFound,
            "filter",
            "There is no such tag.",
        );
        filter.profile_fields =
            profile_field::sought_by(tx.conn(), viewer, filter.profile_fields, refusals).await?;
        if let Some(id) = filter.engaged_by {
            let known = crate::university::faculties_with(tx.conn(), &[id]).await?;
            refusals.add_if(
                known.is_empty(),
                RefusalCode::NotFound,
                "filter",
                "There is no such faculty.",
            );
        }
        Ok(Self {
            name: Text::line("name", 100).required(&self.name, refusals),
            is_shared: self.is_shared,
            filter: Filter {
                search: Text::line("filter", 200).optional(filter.search.as_deref(), refusals),
                sector: Text::line("filter", 200).optional(filter.sector.as_deref(), refusals),
                segment_id: None,
                ..filter
            },
        })
    }
}
