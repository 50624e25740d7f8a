//! Tags: the themes that organisations are found by (policy 2.2).

mod merge;

use entity::{
    access_grant::Permission,
    ids::{OrganisationId, TagId},
    organisation, organisation_tag, tag,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    JoinType, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use serde_json::json;

pub use self::merge::merge;
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    organisation::{self as organisations, nothing},
    page::{Page, Slice},
    segment,
    store::Tx,
    text::{Text, part, sought},
    viewer::Viewer,
};

/// How many organisations are tagged at once at most.
pub const MOST_ORGANISATIONS: usize = 10_000;

/// How many tags are put on organisations at once at most.
pub const MOST_TAGS: usize = 20;

/// Which tags exist for `viewer`: they are the words of staff about employers, and staff alone see them.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.is_staff() {
        Condition::all()
    } else {
        Condition::all().add(nothing())
    }
}

/// The tags that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<tag::Entity> {
    tag::Entity::find().filter(visible_to(viewer))
}

/// The tags that exist for `viewer` on each of these organisations, by name.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
) -> Result<Vec<(OrganisationId, tag::Model)>> {
    let rows = organisation_tag::Entity::find()
        .filter(organisation_tag::Column::OrganisationId.is_in(ids.iter().copied()))
        .join(
            JoinType::InnerJoin,
            organisation_tag::Entity::belongs_to(tag::Entity)
                .from(organisation_tag::Column::TagId)
                .to(tag::Column::Id)
                .into(),
        )
        .filter(visible_to(viewer))
        .order_by_asc(tag::Column::NameKey)
        .select_also(tag::Entity)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(on, tag)| tag.map(|tag| (on.organisation_id, tag)))
        .collect())
}

/// What a list of tags is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the name.
    pub search: Option<String>,
    /// The category.
    pub category: Option<String>,
    /// Whether those that are out of use are listed too.
    pub archived: bool,
}

impl Filter {
    fn condition(&self) -> Condition {
        let mut all = Condition::all();
        if let Some(search) = &self.search {
            all = all.add(tag::Column::NameKey.like(part(&key(search))));
        }
        if let Some(category) = &self.category {
            all = all.add(tag::Column::Category.eq(sought(category)));
        }
        if !self.archived {
            all = all.add(tag::Column::ArchivedAt.is_null());
        }
        all
    }
}

/// One page of the tags that exist for `viewer` and meet the filter, by name.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<(String, TagId)>,
) -> Result<Slice<tag::Model>> {
    let columns = [
        tag::Column::NameKey.into_expr(),
        tag::Column::Id.into_expr(),
    ];
    let query = visible(viewer).filter(filter.condition());
    page.read(db, query, columns, Order::Asc).await
}

/// How many tags exist for `viewer` and meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(visible(viewer).filter(filter.condition()).count(db).await?)
}

/// The organisations that have every tag of `all`, one of `any` (when there are some) and none of `none`, as a condition
/// on `organisation`.
#[must_use]
pub fn having(all: &[TagId], any: &[TagId], none: &[TagId]) -> Condition {
    let mut condition = Condition::all();
    if !all.is_empty() {
        let distinct: std::collections::HashSet<_> = all.iter().copied().collect();
        let count = i64::try_from(distinct.len()).unwrap_or(i64::MAX);
        let tagged = tagged_with(all)
            .group_by(organisation_tag::Column::OrganisationId)
            .having(organisation_tag::Column::TagId.count().eq(count));
        condition = condition.add(organisation::Column::Id.in_subquery(tagged.into_query()));
    }
    if !any.is_empty() {
        condition =
            condition.add(organisation::Column::Id.in_subquery(tagged_with(any).into_query()));
    }
    if !none.is_empty() {
        condition =
            condition.add(organisation::Column::Id.not_in_subquery(tagged_with(none).into_query()));
    }
    condition
}

fn tagged_with(tags: &[TagId]) -> Select<organisation_tag::Entity> {
    organisation_tag::Entity::find()
        .select_only()
        .column(organisation_tag::Column::OrganisationId)
        .filter(organisation_tag::Column::TagId.is_in(tags.iter().copied()))
}

/// Adds a tag to the list that organisations are tagged from.
pub async fn create(
    tx: &mut Tx,
    viewer: &Viewer,
    name: &str,
    category: Option<&str>,
) -> Result<tag::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let mut refusals = Refusals::default();
    let name = Text::line("name", 60).required(name, &mut refusals);
    let category = Text::line("category", 60).optional(category, &mut refusals);
    refusals.into_result()?;
    // Two at once would both find the name free.
    tx.hold("tags").await?;
    let name_key = key(&name);
    let same = tag::Entity::find()
        .filter(tag::Column::NameKey.eq(name_key.as_str()))
        .one(tx.conn())
        .await?;
    if let Some(same) = same {
        let archived = same.archived_at.map_or("", |_| ", which is out of use");
        return Err(Error::refused(
            RefusalCode::Taken,
            "name",
            format!("There is a tag {:?}{archived}.", same.name),
        ));
    }
    let created = tag::ActiveModel {
        id: Set(TagId::new_at(tx.now())),
        name: Set(name),
        name_key: Set(name_key),
        category: Set(category),
        archived_at: Set(None),
        created_at: Set(tx.now()),
    }
    .insert(tx.conn())
    .await?;
    tx.audit(
        viewer,
        "tag.create",
        created.id,
        None,
        Some(json!({ "name": created.name, "category": created.category })),
    )
    .await?;
    Ok(created)
}

/// Takes a tag out of use. It stays on the organisations that have it, and can't be put on others.
pub async fn archive(tx: &mut Tx, viewer: &Viewer, id: TagId) -> Result<tag::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let current = visible(viewer)
        .filter(tag::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "tag"))?;
    if current.archived_at.is_some() {
        return Ok(current);
    }
    let mut row = current.into_active_model();
    row.archived_at = Set(Some(tx.now()));
    let archived = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "tag.archive",
        id,
        Some(json!({ "archivedAt": null })),
        Some(json!({ "archivedAt": archived.archived_at })),
    )
    .await?;
    Ok(archived)
}

/// Which organisations are to be tagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// These.
    These(Vec<OrganisationId>),
    /// All that exist for the viewer and meet the filter.
    Matching(organisations::Filter),
}

impl Which {
    /// With what the segment asks that the filter names.
    async fn resolved(self, tx: &Tx, viewer: &Viewer) -> Result<Self> {
        Ok(match self {
            Self::These(ids) => Self::These(ids),
            Self::Matching(filter) => {
                Self::Matching(segment::resolve(tx.conn(), viewer, filter).await?)
            }
        })
    }
}

/// Puts every one of `tags` on every one of the organisations, in one statement. What they have already, they keep.
/// Gives the number of tags that were put on.
pub async fn tag_organisations(
    tx: &mut Tx,
    viewer: &Viewer,
    which: &Which,
    tags: &[TagId],
) -> Result<u64> {
    viewer.require(Permission::EditOrganisation)?;
    let found = check(tx, viewer, which, tags).await?;
    let which = &which.clone().resolved(tx, viewer).await?;
    let archived: Vec<_> = found
        .iter()
        .filter(|tag| tag.archived_at.is_some())
        .map(|tag| format!("{:?}", tag.name))
        .collect();
    if !archived.is_empty() {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "tagIds",
            format!("Out of use: {}.", archived.join(", ")),
        ));
    }
    let mut pairs = Query::select();
    pairs
        .column((organisation::Entity, organisation::Column::Id))
        .column((tag::Entity, tag::Column::Id))
        .expr(Expr::val(viewer.user_id()))
        .expr(Expr::val(tx.now()))
        .from(organisation::Entity)
        .from(tag::Entity)
        .cond_where(chosen(tx, viewer, which))
        .and_where(tag::Column::Id.is_in(tags.iter().copied()));
    let mut insert = Query::insert();
    insert
        .into_table(organisation_tag::Entity)
        .columns([
            organisation_tag::Column::OrganisationId,
            organisation_tag::Column::TagId,
            organisation_tag::Column::TaggedBy,
            organisation_tag::Column::TaggedAt,
        ])
        .select_from(pairs)
        .map_err(|error| Error::Fault(error.to_string()))?
        .on_conflict(
            OnConflict::columns([
                organisation_tag::Column::OrganisationId,
                organisation_tag::Column::TagId,
            ])
            .do_nothing()
            .to_owned(),
        )
        .returning(touched());
    let rows = tx.conn().query_all(&insert).await?;
    record(tx, viewer, "organisation.tag", rows, &found).await
}

/// Takes every one of `tags` off every one of the organisations, in one statement. Gives the number of tags that were
/// taken off.
pub async fn untag_organisations(
    tx: &mut Tx,
    viewer: &Viewer,
    which: &Which,
    tags: &[TagId],
) -> Result<u64> {
    viewer.require(Permission::EditOrganisation)?;
    let found = check(tx, viewer, which, tags).await?;
    let which = &which.clone().resolved(tx, viewer).await?;
    let organisations = organisation::Entity::find()
        .select_only()
        .column(organisation::Column::Id)
        .filter(chosen(tx, viewer, which))
        .into_query();
    let mut delete = Query::delete();
    delete
        .from_table(organisation_tag::Entity)
        .and_where(organisation_tag::Column::OrganisationId.in_subquery(organisations))
        .and_where(organisation_tag::Column::TagId.is_in(tags.iter().copied()))
        .returning(touched());
    let rows = tx.conn().query_all(&delete).await?;
    record(tx, viewer, "organisation.untag", rows, &found).await
}

fn chosen(tx: &Tx, viewer: &Viewer, which: &Which) -> Condition {
    organisations::visible_to(viewer).add(match which {
        Which::These(ids) => {
            Condition::all().add(organisation::Column::Id.is_in(ids.iter().copied()))
        }
        Which::Matching(filter) => filter.condition(tx.backend()),
    })
}

fn touched() -> sea_orm::sea_query::ReturningClause {
    Query::returning().columns([
        organisation_tag::Column::OrganisationId,
        organisation_tag::Column::TagId,
    ])
}

/// The tags, when there are some, when all of them and all of the organisations exist and when they are not too many.
async fn check(tx: &Tx, viewer: &Viewer, which: &Which, tags: &[TagId]) -> Result<Vec<tag::Model>> {
    let mut refusals = Refusals::default();
    refusals.add_if(
        tags.is_empty(),
        RefusalCode::Required,
        "tagIds",
        "Name at least one tag.",
    );
    if tags.len() > MOST_TAGS {
        refusals.add(
            RefusalCode::TooLong,
            "tagIds",
            format!(
                "At most {MOST_TAGS} tags at once; {} were given.",
                tags.len()
            ),
        );
    }
    if let Which::These(ids) = which {
        refusals.add_if(
            ids.is_empty(),
            RefusalCode::Required,
            "organisationIds",
            "Name at least one organisation.",
        );
        too_many(ids.len(), &mut refusals);
    }
    refusals.into_result()?;

    let mut refusals = Refusals::default();
    let found = visible(viewer)
        .filter(tag::Column::Id.is_in(tags.iter().copied()))
        .order_by_asc(tag::Column::Id)
        .all(tx.conn())
        .await?;
    for missing in tags
        .iter()
        .filter(|id| found.iter().all(|tag| tag.id != **id))
    {
        refusals.add(
            RefusalCode::NotFound,
            "tagIds",
            format!("There is no tag {missing}, or it is not open to you."),
        );
    }
    match which {
        Which::Matching(_) => {
            let count = organisation::Entity::find()
                .filter(chosen(tx, viewer, which))
                .count(tx.conn())
                .await?;
            too_many(usize::try_from(count).unwrap_or(usize::MAX), &mut refusals);
        }
        Which::These(ids) => {
            let there: std::collections::HashSet<OrganisationId> = organisation::Entity::find()
                .select_only()
                .column(organisation::Column::Id)
                .filter(chosen(tx, viewer, which))
                .into_tuple::<OrganisationId>()
                .all(tx.conn())
                .await?
                .into_iter()
                .collect();
            for missing in ids.iter().filter(|id| !there.contains(id)) {
                refusals.add(
                    RefusalCode::NotFound,
                    "organisationIds",
                    format!("There is no organisation {missing}, or it is not open to you."),
                );
            }
        }
    }
    refusals.into_result()?;
    Ok(found)
}

fn too_many(count: usize, refusals: &mut Refusals) {
    if count > MOST_ORGANISATIONS {
        refusals.add(
            RefusalCode::TooLong,
            "organisationIds",
            format!("At most {MOST_ORGANISATIONS} organisations at once; these are {count}."),
        );
    }
}

#[derive(FromQueryResult)]
struct Touched {
    organisation_id: OrganisationId,
    tag_id: TagId,
}

/// One line of the audit log for each tag, with the organisations whose tags changed.
async fn record(
    tx: &mut Tx,
    viewer: &Viewer,
    action: &'static str,
    rows: Vec<sea_orm::QueryResult>,
    tags: &[tag::Model],
) -> Result<u64> {
    let touched = rows
        .iter()
        .map(|row| Touched::from_query_result(row, ""))
        .collect::<Result<Vec<_>, _>>()?;
    for tag in tags {
        let organisations: Vec<_> = touched
            .iter()
            .filter(|pair| pair.tag_id == tag.id)
            .map(|pair| pair.organisation_id)
            .collect();
        if !organisations.is_empty() {
            let after = json!({ "tag": tag.name, "organisations": organisations });
            tx.audit(viewer, action, tag.id, None, Some(after)).await?;
        }
    }
    Ok(touched.len() as u64)
}

/// The name as it is compared.
fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, QueryTrait};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_same_tag_named_twice_counts_once() {
        let tag = TagId(Uuid::nil());
        let sql = organisation::Entity::find()
            .filter(having(&[tag, tag], &[], &[]))
            .build(DbBackend::Sqlite)
            .to_string();
        assert!(
            sql.contains("COUNT(\"organisation_tag\".\"tag_id\") = 1"),
            "{sql}"
        );
    }
}
