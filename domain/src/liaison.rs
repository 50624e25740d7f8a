//! Liaison: before another operator contacts a key account contact, they ask its Key Account Operator (policy 2.3).
//!
//! ```text
//! REQUESTED --agree--> AGREED --its time is over--> EXPIRED
//!     |----decline---> DECLINED
//!     '--no answer---> EXPIRED
//! ```
//!
//! What was asked and agreed is about one contact of one key account. It goes with the key account to another operator, and
//! ends with it.

mod lists;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant::Permission,
    ids::{ContactId, KeyAccountId, LiaisonRequestId, UserId},
    key_account::{self, KeyAccountState},
    liaison_request::{self, LiaisonState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::lists::{Filter, count, find_all, list, visible};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    job::{Job, Queue},
    key_account::{
        guard::{Standing, standing},
        letters,
    },
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How long a request waits for its answer.
pub const ANSWER_WITHIN: TimeDelta = TimeDelta::days(14);
/// How long an agreement lasts when nobody says otherwise.
pub const AGREED_FOR: TimeDelta = TimeDelta::days(90);
/// How long it lasts at most.
pub const LONGEST_AGREEMENT: TimeDelta = TimeDelta::days(366);

/// The states in which a request is still about something.
const LIVE: [LiaisonState; 2] = [LiaisonState::Requested, LiaisonState::Agreed];

/// Ends a request or an agreement whose time is over.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ExpireLiaison {
    /// The request.
    pub request_id: LiaisonRequestId,
    /// The time that was set. It may have been given another since.
    pub expires_at: DateTime<Utc>,
}

impl Job for ExpireLiaison {
    const KIND: &'static str = "liaison.expire";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(format!(
            "{}/{}/{}",
            Self::KIND,
            self.request_id,
            self.expires_at.timestamp_micros()
        ))
    }
}

/// Asks the Key Account Operator of a contact to agree that the viewer contacts them.
pub async fn request(
    tx: &mut Tx,
    viewer: &Viewer,
    contact_id: ContactId,
    purpose: &str,
) -> Result<liaison_request::Model> {
    let requested_by = operator(viewer)?;
    let mut refusals = Refusals::default();
    let purpose = Text::block("purpose", 1_000).required(purpose, &mut refusals);
    refusals.into_result()?;
    if crate::contact::find(tx.conn(), viewer, contact_id)
        .await?
        .is_none()
    {
        return Err(Error::not_found("contactId", "contact"));
    }
    let Some(held) = held_by_other(tx, viewer, contact_id).await? else {
        return Err(nobody_to_ask());
    };
    lock_account(tx, held.key_account_id).await?;
    // Looked at again behind the lock: the claim may have ended, or have been handed over to the viewer.
    let again = held_by_other(tx, viewer, contact_id).await?;
    if again.is_none_or(|again| again.key_account_id != held.key_account_id) {
        return Err(nobody_to_ask());
    }
    let own = liaison_request::Entity::find()
        .filter(liaison_request::Column::ContactId.eq(contact_id))
        .filter(liaison_request::Column::RequestedBy.eq(requested_by))
        .filter(liaison_request::Column::State.is_in(LIVE))
        .one(tx.conn())
        .await?;
    if let Some(own) = own {
        if own.expires_at > tx.now() {
            return Err(Error::refused(
                RefusalCode::Taken,
                "contactId",
                if own.state == LiaisonState::Agreed {
                    "This was agreed, and the agreement lasts."
                } else {
                    "You have asked, and wait for the answer."
                },
            ));
        }
        end(tx, own, false).await?;
    }
    let asked = liaison_request::ActiveModel {
        id: Set(LiaisonRequestId::new_at(tx.now())),
        key_account_id: Set(held.key_account_id),
        contact_id: Set(contact_id),
        requested_by: Set(requested_by),
        purpose: Set(purpose),
        state: Set(LiaisonState::Requested),
        requested_at: Set(tx.now()),
        expires_at: Set(tx.now() + ANSWER_WITHIN),
        answered_by: Set(None),
        answered_at: Set(None),
        answer: Set(None),
        agreed_until: Set(None),
    }
    .insert(tx.conn())
    .await?;
    expire_in_time(tx, &asked).await?;
    letters::liaison_requested(tx, &asked).await?;
    let after = json!({ "keyAccountId": asked.key_account_id, "contactId": contact_id });
    tx.audit(viewer, "liaison.request", asked.id, None, Some(after))
        .await?;
    Ok(asked)
}

/// How a contact stands that another operator holds.
async fn held_by_other(tx: &Tx, viewer: &Viewer, id: ContactId) -> Result<Option<Standing>> {
    let held = standing(tx.conn(), viewer, tx.now(), id).await?;
    Ok(held.filter(|held| Some(held.operator_id) != viewer.user_id()))
}

fn nobody_to_ask() -> Error {
    Error::refused(
        RefusalCode::WrongState,
        "contactId",
        "Nobody need agree: this is no key account contact, or your own.",
    )
}

/// What a Key Account Operator says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether they agree.
    pub agree: bool,
    /// What they say; asked for when they don't agree.
    pub words: Option<String>,
    /// Until when they agree; [`AGREED_FOR`] when it isn't given.
    pub until: Option<DateTime<Utc>>,
}

/// Answers a request, as the Key Account Operator.
pub async fn answer(
    tx: &mut Tx,
    viewer: &Viewer,
    id: LiaisonRequestId,
    answer: Answer,
) -> Result<liaison_request::Model> {
    viewer.require(Permission::ClaimKeyAccount)?;
    let missing = || Error::not_found("liaisonRequestId", "liaison request");
    let found = visible(viewer)
        .filter(liaison_request::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(missing)?;
    let account = lock_account(tx, found.key_account_id).await?;
    let request = lock(tx, id).await?.ok_or_else(missing)?;
    if account.is_none_or(|account| Some(account.operator_id) != viewer.user_id()) {
        return Err(Error::Forbidden(
            "Only the Key Account Operator answers a liaison request.".to_owned(),
        ));
    }
    if request.state != LiaisonState::Requested || request.expires_at <= tx.now() {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "liaisonRequestId",
            "This request doesn't wait for an answer any more.",
        ));
    }
    let mut refusals = Refusals::default();
    let words = Text::block("answer", 2_000).optional(answer.words.as_deref(), &mut refusals);
    refusals.add_if(
        !answer.agree && words.is_none(),
        RefusalCode::Required,
        "answer",
        "Say why not, and what they might do instead.",
    );
    let until = answer.until.unwrap_or_else(|| tx.now() + AGREED_FOR);
    refusals.add_if(
        answer.agree && until <= tx.now(),
        RefusalCode::InThePast,
        "validUntil",
        "This time has passed.",
    );
    refusals.add_if(
        answer.agree && until > tx.now() + LONGEST_AGREEMENT,
        RefusalCode::Invalid,
        "validUntil",
        "An agreement lasts a year at most.",
    );
    refusals.into_result()?;
    let mut row = request.into_active_model();
    row.answered_by = Set(viewer.user_id());
    row.answered_at = Set(Some(tx.now()));
    row.answer = Set(words);
    if answer.agree {
        row.state = Set(LiaisonState::Agreed);
        row.expires_at = Set(until);
        row.agreed_until = Set(Some(until));
    } else {
        row.state = Set(LiaisonState::Declined);
    }
    let answered = row.update(tx.conn()).await?;
    if answer.agree {
        expire_in_time(tx, &answered).await?;
    }
    letters::liaison_answered(tx, &answered).await?;
    let after = json!({ "state": answered.state, "agreedUntil": answered.agreed_until });
    tx.audit(viewer, "liaison.answer", id, None, Some(after))
        .await?;
    Ok(answered)
}

/// Ends a request or an agreement whose time is over, and tells both sides. Answers whether it did.
pub async fn expire(tx: &mut Tx, id: LiaisonRequestId) -> Result<bool> {
    match lock(tx, id).await? {
        Some(request) if LIVE.contains(&request.state) && request.expires_at <= tx.now() => {
            end(tx, request, false).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Ends those whose time is over and whose own job was lost. Answers how many they are.
pub(crate) async fn expire_overdue(tx: &mut Tx, limit: u64) -> Result<usize> {
    let overdue: Vec<LiaisonRequestId> = liaison_request::Entity::find()
        .select_only()
        .column(liaison_request::Column::Id)
        .filter(liaison_request::Column::State.is_in(LIVE))
        .filter(liaison_request::Column::ExpiresAt.lte(tx.now()))
        .order_by_asc(liaison_request::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut expired = 0;
    for id in overdue {
        expired += usize::from(expire(tx, id).await?);
    }
    Ok(expired)
}

/// Ends what was asked and agreed about a key account that ends, or about one of its contacts that is given back.
pub(crate) async fn end_all(
    tx: &mut Tx,
    account: &key_account::Model,
    contact_id: Option<ContactId>,
) -> Result<()> {
    let mut of = Condition::all();
    if let Some(contact_id) = contact_id {
        of = of.add(liaison_request::Column::ContactId.eq(contact_id));
    }
    end_these(tx, account, of).await
}

/// Ends what somebody had asked about a key account that is now theirs.
pub(crate) async fn end_of_requester(
    tx: &mut Tx,
    account: &key_account::Model,
    requester: UserId,
) -> Result<()> {
    let of = Condition::all().add(liaison_request::Column::RequestedBy.eq(requester));
    end_these(tx, account, of).await
}

async fn end_these(tx: &mut Tx, account: &key_account::Model, of: Condition) -> Result<()> {
    let live = liaison_request::Entity::find()
        .filter(liaison_request::Column::KeyAccountId.eq(account.id))
        .filter(liaison_request::Column::State.is_in(LIVE))
        .filter(of)
        .order_by_asc(liaison_request::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    for request in live {
        end(tx, request, true).await?;
    }
    Ok(())
}

/// What is live about one key account is about another from now on.
pub(crate) async fn move_live(tx: &Tx, from: KeyAccountId, to: KeyAccountId) -> Result<()> {
    liaison_request::Entity::update_many()
        .col_expr(liaison_request::Column::KeyAccountId, Expr::val(to))
        .filter(liaison_request::Column::KeyAccountId.eq(from))
        .filter(liaison_request::Column::State.is_in(LIVE))
        .exec(tx.conn())
        .await?;
    Ok(())
}

async fn end(tx: &mut Tx, request: liaison_request::Model, claim_ended: bool) -> Result<()> {
    let agreed_until = request.agreed_until.map(|until| until.min(tx.now()));
    let before = request.state;
    let mut row = request.into_active_model();
    row.state = Set(LiaisonState::Expired);
    row.agreed_until = Set(agreed_until);
    let ended = row.update(tx.conn()).await?;
    letters::liaison_expired(tx, &ended, claim_ended).await?;
    tx.audit(
        &Viewer::system(),
        "liaison.expire",
        ended.id,
        Some(json!({ "state": before })),
        Some(json!({ "state": ended.state, "claimEnded": claim_ended })),
    )
    .await
}

async fn expire_in_time(tx: &mut Tx, request: &liaison_request::Model) -> Result<()> {
    let job = ExpireLiaison {
        request_id: request.id,
        expires_at: request.expires_at,
    };
    tx.enqueue(&job, Some(request.expires_at)).await?;
    Ok(())
}

/// The account of the viewer, if they are an operator: liaison is between operators.
fn operator(viewer: &Viewer) -> Result<UserId> {
    let person = viewer.signed_in()?;
    if viewer.is_operator() {
        Ok(person.id)
    } else {
        Err(Error::Forbidden(
            "Liaison is between operators: staff with training.".to_owned(),
        ))
    }
}

/// Locks a key account that stands. Claims end behind the same lock.
async fn lock_account(tx: &Tx, id: KeyAccountId) -> Result<Option<key_account::Model>> {
    Ok(key_account::Entity::find_by_id(id)
        .filter(key_account::Column::State.eq(KeyAccountState::Live))
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}

async fn lock(tx: &Tx, id: LiaisonRequestId) -> Result<Option<liaison_request::Model>> {
    Ok(liaison_request::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?)
}
