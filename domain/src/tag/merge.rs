//! Two tags that mean the same become one.

use entity::{
    access_grant::Permission,
    ids::{OrganisationId, TagId},
    list::IdList,
    organisation_tag, segment, tag,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use serde_json::json;

use super::visible;
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    store::Tx,
    viewer::Viewer,
};

/// How many tags go into one at once.
const MOST: usize = 20;

/// Makes one tag of several: organisations and segments that have one of `others` have `id`, and the others are out of use.
pub async fn merge(
    tx: &mut Tx,
    viewer: &Viewer,
    id: TagId,
    others: &[TagId],
) -> Result<tag::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let mut others = others.to_vec();
    others.sort_unstable();
    others.dedup();
    let mut refusals = Refusals::default();
    refusals.add_if(
        others.is_empty(),
        RefusalCode::Required,
        "otherIds",
        "Name at least one other tag.",
    );
    refusals.add_if(
        others.contains(&id),
        RefusalCode::Invalid,
        "otherIds",
        "A tag can't be merged with itself.",
    );
    refusals.add_if(
        others.len() > MOST,
        RefusalCode::TooLong,
        "otherIds",
        "At most 20 tags go into one at once.",
    );
    refusals.into_result()?;
    // Locked in the order of their ids, so that two merges wait for each other.
    let found = visible(viewer)
        .filter(tag::Column::Id.is_in(others.iter().copied().chain([id])))
        .order_by_asc(tag::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let left = found
        .iter()
        .find(|tag| tag.id == id)
        .cloned()
        .ok_or_else(|| Error::not_found("tagId", "tag"))?;
    let mut refusals = Refusals::default();
    refusals.add_if(
        found.len() <= others.len(),
        RefusalCode::NotFound,
        "otherIds",
        "There is no such tag, or it is not open to you.",
    );
    refusals.add_if(
        left.archived_at.is_some(),
        RefusalCode::WrongState,
        "tagId",
        "The tag that is left is out of use.",
    );
    refusals.into_result()?;
    let mut moved = 0;
    for other in &others {
        moved += give(tx, *other, id).await?;
    }
    rename_in_segments(tx, &others, id).await?;
    let names: Vec<&str> = found
        .iter()
        .filter(|tag| tag.id != id)
        .map(|tag| tag.name.as_str())
        .collect();
    let told = json!({ "merged": others, "names": names, "organisations": moved });
    tx.audit(viewer, "tag.merge", id, None, Some(told)).await?;
    for tag in found.into_iter().filter(|tag| tag.id != id) {
        let told = json!({ "mergedInto": id, "archivedAt": tx.now() });
        let other = tag.id;
        if tag.archived_at.is_none() {
            let mut row = tag.into_active_model();
            row.archived_at = Set(Some(tx.now()));
            row.update(tx.conn()).await?;
        }
        tx.audit(viewer, "tag.merge", other, None, Some(told))
            .await?;
    }
    Ok(left)
}

/// Gives every organisation that has one tag the other instead. Answers how many there were.
async fn give(tx: &Tx, from: TagId, to: TagId) -> Result<u64> {
    let have: Vec<OrganisationId> = organisation_tag::Entity::find()
        .select_only()
        .column(organisation_tag::Column::OrganisationId)
        .filter(organisation_tag::Column::TagId.eq(to))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let both = organisation_tag::Entity::delete_many()
        .filter(organisation_tag::Column::TagId.eq(from))
        .filter(organisation_tag::Column::OrganisationId.is_in(have))
        .exec(tx.conn())
        .await?;
    let moved = organisation_tag::Entity::update_many()
        .col_expr(organisation_tag::Column::TagId, Expr::value(to))
        .filter(organisation_tag::Column::TagId.eq(from))
        .exec(tx.conn())
        .await?;
    Ok(both.rows_affected + moved.rows_affected)
}

/// Whoever asked for one of the others asks for the one that is left.
async fn rename_in_segments(tx: &Tx, others: &[TagId], id: TagId) -> Result<()> {
    let all = segment::Entity::find()
        .order_by_asc(segment::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    for row in all {
        let lists = [&row.all_of, &row.any_of, &row.none_of];
        if !lists
            .iter()
            .any(|list| list.0.iter().any(|tag| others.contains(tag)))
        {
            continue;
        }
        let [all_of, any_of, none_of] = lists.map(|list| renamed(list, others, id));
        let version = row.version + 1;
        let mut row = row.into_active_model();
        row.all_of = Set(all_of);
        row.any_of = Set(any_of);
        row.none_of = Set(none_of);
        row.version = Set(version);
        row.updated_at = Set(tx.now());
        row.update(tx.conn()).await?;
    }
    Ok(())
}

fn renamed(list: &IdList, others: &[TagId], id: TagId) -> IdList {
    let mut tags: Vec<TagId> = Vec::with_capacity(list.0.len());
    for tag in &list.0 {
        let tag = if others.contains(tag) { id } else { *tag };
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    IdList(tags)
}
