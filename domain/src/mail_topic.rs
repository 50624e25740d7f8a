//! Topics of bulk mail: what recipients can have without the rest (policy 2.5).

use entity::{access_grant::Permission, ids::MailTopicId, mail_topic};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::json;

use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    organisation::nothing,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How many topics are in use at most: they stand on one page, and nobody reads more.
pub const MOST_TOPICS: u64 = 20;

/// The topics that exist for `viewer`: those who may send bulk e-mail, super users and administrators see them.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<mail_topic::Entity> {
    let may = viewer.has(Permission::SendBulkEmail) || may_manage(viewer);
    let condition = if may {
        Condition::all()
    } else {
        Condition::all().add(nothing())
    };
    mail_topic::Entity::find().filter(condition)
}

fn may_manage(viewer: &Viewer) -> bool {
    viewer.is_super_user() || viewer.is_administrator()
}

/// The topics that exist for `viewer`, by name; those out of use too when `archived`.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    archived: bool,
) -> Result<Vec<mail_topic::Model>> {
    let mut query = visible(viewer);
    if !archived {
        query = query.filter(mail_topic::Column::ArchivedAt.is_null());
    }
    Ok(query
        .order_by_asc(mail_topic::Column::NameKey)
        .limit(10 * MOST_TOPICS)
        .all(db)
        .await?)
}

/// The topics that recipients choose from.
pub(crate) async fn in_use(db: &impl ConnectionTrait) -> Result<Vec<mail_topic::Model>> {
    list(db, &Viewer::system(), false).await
}

/// Adds a topic. Recipients find it on their preferences page, and get mail about it unless they say otherwise.
pub async fn create(
    tx: &mut Tx,
    viewer: &Viewer,
    name: &str,
    description: Option<&str>,
) -> Result<mail_topic::Model> {
    require(viewer)?;
    let mut refusals = Refusals::default();
    let name = Text::line("name", 60).required(name, &mut refusals);
    let description = Text::line("description", 200).optional(description, &mut refusals);
    refusals.into_result()?;
    // Two at once would both find room for one.
    tx.hold("mail_topic").await?;
    let name_key = name.to_lowercase();
    let same = mail_topic::Entity::find()
        .filter(mail_topic::Column::NameKey.eq(&name_key))
        .one(tx.conn())
        .await?;
    if same.is_some() {
        return Err(Error::refused(
            RefusalCode::Taken,
            "name",
            format!("There is a topic {name:?}, or there was one."),
        ));
    }
    if in_use(tx.conn()).await?.len() as u64 >= MOST_TOPICS {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "name",
            format!(
                "There are {MOST_TOPICS} topics, and recipients read no more: archive one first."
            ),
        ));
    }
    let created = mail_topic::ActiveModel {
        id: Set(MailTopicId::new_at(tx.now())),
        name: Set(name),
        name_key: Set(name_key),
        description: Set(description),
        archived_at: Set(None),
        created_at: Set(tx.now()),
    }
    .insert(tx.conn())
    .await?;
    let after = json!({ "name": created.name, "description": created.description });
    tx.audit(viewer, "mail_topic.create", created.id, None, Some(after))
        .await?;
    Ok(created)
}

/// Takes a topic out of use. No campaign can be about it any more; what recipients said of it is kept.
pub async fn archive(tx: &mut Tx, viewer: &Viewer, id: MailTopicId) -> Result<mail_topic::Model> {
    require(viewer)?;
    let topic = mail_topic::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "topic"))?;
    if topic.archived_at.is_some() {
        return Ok(topic);
    }
    let mut row = topic.into_active_model();
    row.archived_at = Set(Some(tx.now()));
    let archived = row.update(tx.conn()).await?;
    tx.audit(viewer, "mail_topic.archive", id, None, None)
        .await?;
    Ok(archived)
}

/// Notes it when `topic` can't be what a campaign is about.
pub(crate) async fn check(
    db: &impl ConnectionTrait,
    topic: Option<MailTopicId>,
    refusals: &mut Refusals,
) -> Result<()> {
    let Some(id) = topic else { return Ok(()) };
    let known = mail_topic::Entity::find_by_id(id).one(db).await?;
    refusals.add_if(
        known.is_none_or(|topic| topic.archived_at.is_some()),
        RefusalCode::NotFound,
        "topicId",
        "There is no such topic in use.",
    );
    Ok(())
}

fn require(viewer: &Viewer) -> Result<()> {
    if may_manage(viewer) {
        return Ok(());
    }
    viewer.signed_in()?;
    Err(Error::Forbidden(
        "Topics of bulk e-mail are kept by super users and administrators.".to_owned(),
    ))
}
