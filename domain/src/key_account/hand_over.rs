//! A claim goes to another operator.

use entity::{
    access_grant::Permission,
    ids::{KeyAccountId, UserId},
    key_account::{self, KeyAccountState},
    key_account_contact as held_contact,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use serde_json::json;

use super::{end, letters, lock_live};
use crate::{
    error::{Error, RefusalCode, Result},
    liaison,
    store::Tx,
    viewer::Viewer,
};

/// Hands every key account of one operator over to another, as when somebody leaves. Answers which they are.
///
/// Contacts, guidance and what was agreed stay. Both are told by mail.
pub async fn hand_over(
    tx: &mut Tx,
    viewer: &Viewer,
    from: UserId,
    to: UserId,
) -> Result<Vec<KeyAccountId>> {
    let ids: Vec<KeyAccountId> = key_account::Entity::find()
        .select_only()
        .column(key_account::Column::Id)
        .filter(key_account::Column::OperatorId.eq(from))
        .filter(key_account::Column::State.eq(KeyAccountState::Live))
        // Locked in one order, whoever else hands over meanwhile.
        .order_by_asc(key_account::Column::OrganisationId)
        .into_tuple()
        .all(tx.conn())
        .await?;
    for id in &ids {
        hand_over_one(tx, viewer, *id, to).await?;
    }
    Ok(ids)
}

/// Hands a key account over to another operator, who may hold key accounts.
///
/// Where that operator already holds contacts in the organisation, these join them.
pub async fn hand_over_one(
    tx: &mut Tx,
    viewer: &Viewer,
    id: KeyAccountId,
    to: UserId,
) -> Result<key_account::Model> {
    let account = lock_live(tx, viewer, id).await?;
    let from = account.operator_id;
    if from == to {
        return Ok(account);
    }
    let heir = Viewer::load(tx.conn(), to, None, tx.now()).await?;
    if !heir.is_some_and(|heir| heir.has(Permission::ClaimKeyAccount)) {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "toUserId",
            "A key account goes to an operator who may claim key accounts.",
        ));
    }
    let own = key_account::Entity::find()
        .filter(key_account::Column::OrganisationId.eq(account.organisation_id))
        .filter(key_account::Column::OperatorId.eq(to))
        .filter(key_account::Column::State.eq(KeyAccountState::Live))
        .one(tx.conn())
        .await?;
    // What the heir had asked is now theirs to decide.
    liaison::end_of_requester(tx, &account, to).await?;
    let handed = if let Some(own) = own {
        held_contact::Entity::update_many()
            .col_expr(held_contact::Column::KeyAccountId, Expr::val(own.id))
            .filter(held_contact::Column::KeyAccountId.eq(id))
            .filter(held_contact::Column::EndedAt.is_null())
            .exec(tx.conn())
            .await?;
        liaison::move_live(tx, id, own.id).await?;
        end::end(tx, viewer, account, KeyAccountState::Released).await?;
        own
    } else {
        let mut row = account.into_active_model();
        row.operator_id = Set(to);
        row.held_since = Set(tx.now());
        row.update(tx.conn()).await?
    };
    letters::handed_over(tx, &handed, from, to).await?;
    tx.audit(
        viewer,
        "key_account.hand_over",
        id,
        Some(json!({ "operatorId": from })),
        Some(json!({ "operatorId": to, "keyAccountId": handed.id })),
    )
    .await?;
    Ok(handed)
}
