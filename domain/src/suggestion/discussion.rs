//! Votes for a suggestion, and what people say of it.

use std::collections::HashSet;

use entity::{
    ids::{SuggestionCommentId, SuggestionId, UserId},
    suggestion, suggestion_comment, suggestion_vote,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::{is_open, locked, require_staff, tell};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    first_of_each::first_of_each,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// Votes for a suggestion, or takes the vote back. Everybody has one; a second time changes nothing.
pub async fn vote(
    tx: &mut Tx,
    viewer: &Viewer,
    id: SuggestionId,
    supports: bool,
) -> Result<suggestion::Model> {
    let user_id = require_staff(viewer)?;
    let current = locked(tx, id).await?;
    if !is_open(current.state) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "suggestionId",
            "It is over, so votes are too.",
        ));
    }
    // The count changes only by a vote that was really given or taken back, so it is the number of votes.
    let change = if supports {
        let written = suggestion_vote::Entity::insert(suggestion_vote::ActiveModel {
            suggestion_id: Set(id),
            user_id: Set(user_id),
            voted_at: Set(tx.now()),
        })
        .on_conflict(
            OnConflict::columns([
                suggestion_vote::Column::SuggestionId,
                suggestion_vote::Column::UserId,
            ])
            .do_nothing()
            .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
        i32::from(written > 0)
    } else {
        let gone = suggestion_vote::Entity::delete_by_id((id, user_id))
            .exec(tx.conn())
            .await?;
        -i32::from(gone.rows_affected > 0)
    };
    if change == 0 {
        return Ok(current);
    }
    suggestion::Entity::update_many()
        .col_expr(
            suggestion::Column::Votes,
            Expr::col(suggestion::Column::Votes).add(change),
        )
        .filter(suggestion::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    tx.audit(
        viewer,
        "suggestion.vote",
        id,
        None,
        Some(json!({ "supports": supports })),
    )
    .await?;
    Ok(suggestion::Model {
        votes: current.votes + change,
        ..current
    })
}

/// Those of the suggestions that `user_id` has voted for.
pub async fn voted_by(
    db: &impl ConnectionTrait,
    ids: &[SuggestionId],
    user_id: UserId,
) -> Result<HashSet<SuggestionId>> {
    let voted: Vec<SuggestionId> = suggestion_vote::Entity::find()
        .select_only()
        .column(suggestion_vote::Column::SuggestionId)
        .filter(suggestion_vote::Column::SuggestionId.is_in(ids.iter().copied()))
        .filter(suggestion_vote::Column::UserId.eq(user_id))
        .into_tuple()
        .all(db)
        .await?;
    Ok(voted.into_iter().collect())
}

/// Says something of a suggestion, and tells whoever filed it.
pub async fn comment(
    tx: &mut Tx,
    viewer: &Viewer,
    id: SuggestionId,
    body: &str,
) -> Result<suggestion::Model> {
    let author_id = require_staff(viewer)?;
    let mut refusals = Refusals::default();
    let body = Text::block("body", 5_000).required(body, &mut refusals);
    refusals.into_result()?;
    let current = locked(tx, id).await?;
    let said = suggestion_comment::ActiveModel {
        id: Set(SuggestionCommentId::new_at(tx.now())),
        suggestion_id: Set(id),
        author_id: Set(author_id),
        body: Set(body),
        created_at: Set(tx.now()),
    }
    .insert(tx.conn())
    .await?;
    tx.audit(
        viewer,
        "suggestion.comment",
        id,
        None,
        Some(json!({ "commentId": said.id })),
    )
    .await?;
    if author_id != current.filed_by {
        let author = viewer.person().map_or("", |person| person.name.as_str());
        let fields = json!({
            "title": current.title,
            "author": author,
            "comment": said.body,
            "suggestion_link": format!("/suggestions/{id}"),
        });
        let purpose = format!("suggestion_comment/{}", said.id);
        tell(
            tx,
            current.filed_by,
            "suggestion_discussed",
            purpose,
            fields,
        )
        .await?;
    }
    Ok(current)
}

/// The first `limit` comments on each of the suggestions, in the order in which they were made.
pub async fn comments_of(
    db: &impl ConnectionTrait,
    ids: &[SuggestionId],
    limit: u64,
) -> Result<Vec<suggestion_comment::Model>> {
    first_of_each(
        db,
        suggestion_comment::Entity::find()
            .filter(suggestion_comment::Column::SuggestionId.is_in(ids.iter().copied())),
        suggestion_comment::Column::SuggestionId,
        [
            (
                suggestion_comment::Column::CreatedAt.into_expr(),
                Order::Asc,
            ),
            (suggestion_comment::Column::Id.into_expr(), Order::Asc),
        ],
        limit,
    )
    .await
}
