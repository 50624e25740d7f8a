//! When somebody leaves: what they had in hand goes to another, and what they could do ends (policy 3).

use entity::{
    access_grant::{self, GrantState, Permission},
    campaign::{self, CampaignState},
    event::{self, EventState},
    ids::{CampaignId, EventId, UserId},
    session,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde_json::json;

use super::{end_grant, member_of_staff, require_to_grant, review};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    session as sessions,
    store::Tx,
    viewer::Viewer,
};

/// What went from one person to another, and what ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// Events that are still to come, or drafts of them.
    pub events: u64,
    /// Drafts of campaigns.
    pub campaigns: u64,
    /// Grants that ended.
    pub grants: u64,
    /// Sessions that ended.
    pub sessions: u64,
    /// Whether it was only looked at, and nothing has changed.
    pub is_dry_run: bool,
}

/// Hands what `from` has in hand to `to`, who must hold the permissions for it, and ends what `from` may do and where they
/// are signed in. As a dry run it counts, and refuses what it would refuse, and changes nothing.
pub async fn hand_over(
    tx: &mut Tx,
    viewer: &Viewer,
    from: UserId,
    to: UserId,
    is_dry_run: bool,
) -> Result<HandedOver> {
    require_to_grant(viewer, None)?;
    if from == to {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "toUserId",
            "Hand over to somebody else.",
        ));
    }
    let leaver = super::staff(tx, from, "fromUserId").await?;
    if leaver.is_administrator {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "fromUserId",
            "They administer the system: take that from them first.",
        ));
    }
    member_of_staff(tx, to, "toUserId").await?;
    let receiver = Viewer::load(tx.conn(), to, None, tx.now())
        .await?
        .ok_or_else(|| Error::not_found("toUserId", "member of staff"))?;

    let events = event::Entity::find()
        .filter(event::Column::OrganiserId.eq(from))
        .filter(event::Column::State.is_in([EventState::Draft, EventState::Published]))
        .order_by_asc(event::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let campaigns: Vec<CampaignId> = campaign::Entity::find()
        .filter(campaign::Column::CreatedBy.eq(from))
        .filter(campaign::Column::State.eq(CampaignState::Draft))
        .order_by_asc(campaign::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?
        .into_iter()
        .map(|campaign| campaign.id)
        .collect();
    let mut refusals = Refusals::default();
    let beyond = events
        .iter()
        .filter(|event| !receiver.has_for(Permission::ManageEvent, event.faculty_id))
        .count();
    if beyond > 0 {
        refusals.add(
            RefusalCode::NotEligible,
            "toUserId",
            format!("They don't hold MANAGE_EVENT for {beyond} of the events."),
        );
    }
    refusals.add_if(
        !campaigns.is_empty() && !receiver.has(Permission::SendBulkEmail),
        RefusalCode::NotEligible,
        "toUserId",
        "They don't hold SEND_BULK_EMAIL, which the drafts of campaigns need.",
    );
    refusals.into_result()?;

    let grants = access_grant::Entity::find()
        .filter(access_grant::Column::UserId.eq(from))
        .filter(access_grant::Column::State.ne(GrantState::Revoked))
        .all(tx.conn())
        .await?;
    let open = session::Entity::find()
        .filter(session::Column::UserId.eq(from))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(tx.now()))
        .count(tx.conn())
        .await?;
    let handed = HandedOver {
        events: events.len() as u64,
        campaigns: campaigns.len() as u64,
        grants: grants.len() as u64,
        sessions: open,
        is_dry_run,
    };
    if is_dry_run {
        return Ok(handed);
    }
    let events: Vec<EventId> = events.into_iter().map(|event| event.id).collect();
    event::Entity::update_many()
        .col_expr(event::Column::OrganiserId, Expr::value(to))
        .col_expr(
            event::Column::Version,
            Expr::col(event::Column::Version).add(1),
        )
        .col_expr(event::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(event::Column::Id.is_in(events.iter().copied()))
        .exec(tx.conn())
        .await?;
    campaign::Entity::update_many()
        .col_expr(campaign::Column::CreatedBy, Expr::value(to))
        .col_expr(
            campaign::Column::Version,
            Expr::col(campaign::Column::Version).add(1),
        )
        .col_expr(campaign::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(campaign::Column::Id.is_in(campaigns.iter().copied()))
        .exec(tx.conn())
        .await?;
    for grant in grants {
        end_grant(tx, viewer, grant).await?;
    }
    sessions::revoke_all(tx, from).await?;
    tx.audit(
        viewer,
        "operator_access.hand_over",
        from,
        None,
        Some(json!({ "toUserId": to, "events": events, "campaigns": campaigns })),
    )
    .await?;
    review(tx, viewer, &[from]).await?;
    Ok(handed)
}
