//! Liaison: asking the Key Account Operator first (policy 2.3).

use async_graphql::{Context, Enum, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::liaison::{self as requests, Answer, Filter};
use entity::{
    ids::{ContactId, LiaisonRequestId},
    liaison_request::{LiaisonState as State, Model},
};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    contact::{self, Contact},
    errors::{Payload, payload},
    id::Id,
    key_account::{self, KeyAccount},
    person::{self, Person},
    rows::{by_id, rows},
    store, viewer,
};

/// Queries about liaison.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiaisonQuery;

/// Mutations of liaison.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiaisonMutation;

/// A liaison request.
#[derive(Clone, Debug)]
pub struct LiaisonRequest(pub Model);

impl From<Model> for LiaisonRequest {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The liaison request with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: LiaisonRequestId) -> Result<Option<LiaisonRequest>> {
    Ok(rows(ctx)?.load_one(id).await?.map(LiaisonRequest))
}

by_id!(LiaisonRequestId => Model, found |rows, ids| requests::find_all(rows.store.reader(), &rows.viewer, ids));

/// A liaison request: an operator asks before they contact a key account contact (policy 2.3).
#[Object]
impl LiaisonRequest {
    /// Its id.
    pub async fn id(&self) -> Id<LiaisonRequestId> {
        Id(self.0.id)
    }

    /// The contact it is about.
    async fn contact(&self, ctx: &Context<'_>) -> Option<Result<Contact>> {
        contact::find(ctx, self.0.contact_id).await.transpose()
    }

    /// The key account, whose operator answers.
    async fn key_account(&self, ctx: &Context<'_>) -> Option<Result<KeyAccount>> {
        key_account::find(ctx, self.0.key_account_id)
            .await
            .transpose()
    }

    /// Who asks.
    async fn requested_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.requested_by).await.transpose()
    }

    /// What they want to contact them for.
    async fn purpose(&self) -> Option<&str> {
        Some(&self.0.purpose)
    }

    /// Where it stands.
    async fn state(&self) -> Option<LiaisonState> {
        Some(self.0.state.into())
    }

    /// When it was asked.
    async fn requested_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.requested_at)
    }

    /// When it is too late: for the answer, or for what was agreed.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.expires_at)
    }

    /// Who answered; null while nobody has.
    async fn answered_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.answered_by?).await.transpose()
    }

    /// When they answered; null while nobody has.
    async fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.0.answered_at
    }

    /// What they said.
    async fn answer(&self) -> Option<&str> {
        self.0.answer.as_deref()
    }

    /// Until when the contact may be contacted; null when it was not agreed.
    async fn agreed_until(&self) -> Option<DateTime<Utc>> {
        self.0.agreed_until
    }
}

/// Where a liaison request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum LiaisonState {
    /// It waits for an answer.
    Requested,
    /// The Key Account Operator agreed, until a certain time.
    Agreed,
    /// The Key Account Operator did not agree.
    Declined,
    /// Nobody answered in time, the time of the agreement is over, or the claim ended.
    Expired,
}

/// What a list of liaison requests is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct LiaisonRequestFilter {
    /// Those that wait for the viewer's answer (`true`), or the others.
    mine_to_answer: Option<bool>,
    /// Those that the viewer asked (`true`), or the others.
    mine_asked: Option<bool>,
    /// Where they stand.
    state: Option<LiaisonState>,
    /// The contact they are about.
    contact_id: Option<Id<ContactId>>,
}

impl From<LiaisonRequestFilter> for Filter {
    fn from(given: LiaisonRequestFilter) -> Self {
        Self {
            mine_to_answer: given.mine_to_answer,
            mine_asked: given.mine_asked,
            state: given.state.map(Into::into),
            contact_id: given.contact_id.map(|id| id.0),
        }
    }
}

/// A request to the Key Account Operator of a contact.
#[derive(Debug, InputObject)]
pub struct RequestLiaisonInput {
    /// The contact.
    contact_id: Id<ContactId>,
    /// What the viewer wants to contact them for.
    purpose: String,
}

/// The answer of a Key Account Operator.
#[derive(Debug, InputObject)]
pub struct AnswerLiaisonInput {
    /// The request.
    liaison_request_id: Id<LiaisonRequestId>,
    /// Whether they agree.
    agree: bool,
    /// What they say; needed when they don't agree.
    answer: Option<String>,
    /// Until when they agree: 90 days when it isn't given, a year at most.
    valid_until: Option<DateTime<Utc>>,
}

payload! {
    /// What became of asking.
    RequestLiaisonPayload {
        /// The request.
        liaison_request: LiaisonRequest,
    }
}

payload! {
    /// What became of answering.
    AnswerLiaisonPayload {
        /// The request as it is now.
        liaison_request: LiaisonRequest,
    }
}

#[Object]
impl LiaisonQuery {
    /// Liaison requests: those the viewer asked, and those of the viewer's key accounts, the latest first. The Super User
    /// Group sees all of them.
    async fn liaison_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<LiaisonRequestFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<LiaisonRequest>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    page: &PageArgs,
) -> Result<Connection<LiaisonRequest>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "liaisonRequests",
        page,
        async |page| requests::list(store.reader(), viewer, &filter, &page).await,
        |row: &Model| row.id,
        LiaisonRequest,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { requests::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl LiaisonMutation {
    /// Asks the Key Account Operator of a contact to agree that the viewer contacts them (policy 2.3).
    async fn request_liaison(
        &self,
        ctx: &Context<'_>,
        input: RequestLiaisonInput,
    ) -> Result<RequestLiaisonPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.contact_id.0;
        let asked = requests::request(&mut tx, viewer(ctx)?, id, &input.purpose).await;
        RequestLiaisonPayload::commit(tx, asked).await
    }

    /// Answers a liaison request, as the Key Account Operator.
    async fn answer_liaison(
        &self,
        ctx: &Context<'_>,
        input: AnswerLiaisonInput,
    ) -> Result<AnswerLiaisonPayload> {
        let mut tx = begin(ctx).await?;
        let answer = Answer {
            agree: input.agree,
            words: input.answer,
            until: input.valid_until,
        };
        let id = input.liaison_request_id.0;
        let answered = requests::answer(&mut tx, viewer(ctx)?, id, answer).await;
        AnswerLiaisonPayload::commit(tx, answered).await
    }
}
