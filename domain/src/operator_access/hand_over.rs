//! When somebody leaves: what they had in hand goes to another, and what they could do ends (policy 3).

use entity::{
    access_grant::{self, GrantState, Permission},
    campaign::{self, CampaignState},
    event::{self, EventState},
    ids::{CampaignId, EventId, UserId},
    key_account::{self, KeyAccountState},
    session,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use serde_json::json;

use super::{end_grant, member_of_staff, require_to_grant, review};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    key_account as key_accounts, session as sessions,
    store::Tx,
    super_user_group,
    viewer::Viewer,
};

/// What went from one person to another, and what ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// Events that are still to come, or drafts of them.
    pub events: u64,
    /// Campaigns that are not over: drafts, and those that wait, are sent or are paused.
    pub campaigns: u64,
    /// Key accounts, of which both sides are told.
    pub key_accounts: u64,
    /// Grants that ended.
    pub grants: u64,
    /// Sessions that ended.
    pub sessions: u64,
    /// Marks that ended: of a member of the Super User Group, a faculty's representative, its disseminator.
    pub marks: u64,
    /// Whether it was only looked at, and nothing has changed.
    pub is_dry_run: bool,
}

/// Hands what `from` has in hand to `to`, who must hold the permissions for it, and ends what `from` may do, whom they stand
/// for and where they are signed in. As a dry run it counts, and refuses what it would refuse, and changes nothing.
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

    let hand = InHand::of(tx, from).await?;
    hand.check_receiver(&receiver)?;
    let handed = hand.counted(is_dry_run);
    if is_dry_run {
        return Ok(handed);
    }
    hand.give(tx, viewer, from, to).await?;
    review(tx, viewer, &[from]).await?;
    Ok(handed)
}

/// The states of a campaign that is not over.
const NOT_OVER: [CampaignState; 5] = [
    CampaignState::Draft,
    CampaignState::InReview,
    CampaignState::Scheduled,
    CampaignState::Sending,
    CampaignState::Paused,
];

/// What a column becomes that names somebody: `to` where it is `from`.
fn instead_of(column: campaign::Column, from: UserId, to: UserId) -> Expr {
    Expr::case(column.eq(from), Expr::value(to))
        .finally(column.into_expr())
        .into()
}

/// What somebody has in hand, locked.
struct InHand {
    events: Vec<event::Model>,
    campaigns: Vec<CampaignId>,
    key_accounts: u64,
    grants: Vec<access_grant::Model>,
    sessions: u64,
    marks: u64,
}

impl InHand {
    async fn of(tx: &Tx, from: UserId) -> Result<Self> {
        let events = event::Entity::find()
            .filter(event::Column::OrganiserId.eq(from))
            .filter(event::Column::State.is_in([EventState::Draft, EventState::Published]))
            .order_by_asc(event::Column::Id)
            .lock_exclusive()
            .all(tx.conn())
            .await?;
        let campaigns = campaign::Entity::find()
            .filter(
                Condition::any()
                    .add(campaign::Column::CreatedBy.eq(from))
                    .add(campaign::Column::ScheduledBy.eq(from)),
            )
            .filter(campaign::Column::State.is_in(NOT_OVER))
            .order_by_asc(campaign::Column::Id)
            .lock_exclusive()
            .all(tx.conn())
            .await?;
        let key_accounts = key_account::Entity::find()
            .filter(key_account::Column::OperatorId.eq(from))
            .filter(key_account::Column::State.eq(KeyAccountState::Live))
            .count(tx.conn())
            .await?;
        let grants = access_grant::Entity::find()
            .filter(access_grant::Column::UserId.eq(from))
            .filter(access_grant::Column::State.ne(GrantState::Revoked))
            .all(tx.conn())
            .await?;
        let sessions = session::Entity::find()
            .filter(session::Column::UserId.eq(from))
            .filter(session::Column::EndedAt.is_null())
            .filter(session::Column::ExpiresAt.gt(tx.now()))
            .count(tx.conn())
            .await?;
        let marks = super_user_group::marks(tx, from).await?;
        Ok(Self {
            events,
            campaigns: campaigns.into_iter().map(|campaign| campaign.id).collect(),
            key_accounts,
            grants,
            sessions,
            marks,
        })
    }

    /// Refuses a receiver who may not have all of it.
    fn check_receiver(&self, receiver: &Viewer) -> Result<()> {
        let mut refusals = Refusals::default();
        let beyond = self
            .events
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
            !self.campaigns.is_empty() && !receiver.has(Permission::SendBulkEmail),
            RefusalCode::NotEligible,
            "toUserId",
            "They don't hold SEND_BULK_EMAIL, which the campaigns need.",
        );
        refusals.add_if(
            self.key_accounts > 0 && !receiver.has(Permission::ClaimKeyAccount),
            RefusalCode::NotEligible,
            "toUserId",
            "They don't hold CLAIM_KEY_ACCOUNT, which the key accounts need.",
        );
        refusals.into_result()
    }

    fn counted(&self, is_dry_run: bool) -> HandedOver {
        HandedOver {
            events: self.events.len() as u64,
            campaigns: self.campaigns.len() as u64,
            key_accounts: self.key_accounts,
            grants: self.grants.len() as u64,
            sessions: self.sessions,
            marks: self.marks,
            is_dry_run,
        }
    }

    async fn give(self, tx: &mut Tx, viewer: &Viewer, from: UserId, to: UserId) -> Result<()> {
        let events: Vec<EventId> = self.events.into_iter().map(|event| event.id).collect();
        let campaigns = self.campaigns;
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
            .col_expr(
                campaign::Column::CreatedBy,
                instead_of(campaign::Column::CreatedBy, from, to),
            )
            // One that waits for its time starts only for somebody who may send.
            .col_expr(
                campaign::Column::ScheduledBy,
                instead_of(campaign::Column::ScheduledBy, from, to),
            )
            .col_expr(
                campaign::Column::Version,
                Expr::col(campaign::Column::Version).add(1),
            )
            .col_expr(campaign::Column::UpdatedAt, Expr::value(tx.now()))
            .filter(campaign::Column::Id.is_in(campaigns.iter().copied()))
            .exec(tx.conn())
            .await?;
        // While the grants of the leaver still count: a claim lapses with them.
        let key_accounts = key_accounts::hand_over(tx, viewer, from, to).await?;
        for grant in self.grants {
            end_grant(tx, viewer, grant).await?;
        }
        // policy 3: who stands for a faculty is appointed, and not handed on; until then it is shown as not covered.
        super_user_group::release(tx, viewer, from).await?;
        sessions::revoke_all(tx, from).await?;
        tx.audit(
            viewer,
            "operator_access.hand_over",
            from,
            None,
            Some(json!({
                "toUserId": to, "events": events, "campaigns": campaigns, "keyAccounts": key_accounts,
            })),
        )
        .await
    }
}
