//! Suggestions: faults and improvements that staff put forward (policy 3).

mod inputs;
mod loaders;

use async_graphql::{Context, Object, Result};
use chrono::{DateTime, Utc};
use domain::suggestion::{self as suggestions, Filter, Order, Standing};
use entity::{
    ids::{SuggestionCommentId, SuggestionId},
    suggestion::Model,
    suggestion_comment,
};

use self::{
    inputs::{
        DiscussSuggestionInput, FileSuggestionInput, SuggestionFilter, SuggestionKind,
        SuggestionOrder, SuggestionPriority, SuggestionState, UpdateSuggestionInput,
        VoteSuggestionInput,
    },
    loaders::{CommentsOn, MyVote},
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    person::{self, Person},
    rows::rows,
    store, viewer,
};

/// Queries about suggestions.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuggestionQuery;

/// Mutations about suggestions.
#[derive(Clone, Copy, Debug, Default)]
pub struct SuggestionMutation;

/// A suggestion.
#[derive(Clone, Debug)]
pub struct Suggestion(pub Model);

impl From<Model> for Suggestion {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The suggestion with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: SuggestionId) -> Result<Option<Suggestion>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Suggestion))
}

/// A fault or an improvement that a member of staff put forward.
#[Object]
impl Suggestion {
    /// Its id.
    pub async fn id(&self) -> Id<SuggestionId> {
        Id(self.0.id)
    }

    /// What it is.
    async fn kind(&self) -> Option<SuggestionKind> {
        Some(self.0.kind.into())
    }

    /// What it is about, in a line.
    async fn title(&self) -> Option<&str> {
        Some(&self.0.title)
    }

    /// What is wrong, or what would be better.
    async fn body(&self) -> Option<&str> {
        Some(&self.0.body)
    }

    /// Where it stands.
    async fn state(&self) -> Option<SuggestionState> {
        Some(self.0.state.into())
    }

    /// How much it matters to the Super User Group; null until it has said so.
    async fn priority(&self) -> Option<SuggestionPriority> {
        self.0.priority.map(Into::into)
    }

    /// What came of it.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// Who filed it.
    async fn filed_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.filed_by).await.transpose()
    }

    /// When it was filed.
    async fn filed_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }

    /// How many people voted for it.
    async fn votes(&self) -> Option<i32> {
        Some(self.0.votes)
    }

    /// Whether the viewer voted for it.
    async fn has_my_vote(&self, ctx: &Context<'_>) -> Option<Result<bool>> {
        Some(has_my_vote(ctx, self.0.id).await)
    }

    /// The discussion, in the order in which it went: at most 100 comments.
    async fn comments(&self, ctx: &Context<'_>) -> Option<Result<Vec<SuggestionComment>>> {
        Some(comments(ctx, self.0.id).await)
    }

    /// The version, for the next change.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }
}

/// What somebody says of a suggestion.
#[derive(Clone, Debug)]
pub struct SuggestionComment(suggestion_comment::Model);

/// What somebody says of a suggestion.
#[Object]
impl SuggestionComment {
    /// Its id.
    async fn id(&self) -> Id<SuggestionCommentId> {
        Id(self.0.id)
    }

    /// Who says it.
    async fn author(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.author_id).await.transpose()
    }

    /// What they say.
    async fn body(&self) -> Option<&str> {
        Some(&self.0.body)
    }

    /// When they said it.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }
}

async fn has_my_vote(ctx: &Context<'_>, id: SuggestionId) -> Result<bool> {
    Ok(rows(ctx)?.load_one(MyVote(id)).await?.is_some())
}

async fn comments(ctx: &Context<'_>, id: SuggestionId) -> Result<Vec<SuggestionComment>> {
    let found = rows(ctx)?.load_one(CommentsOn(id)).await?;
    Ok(found.unwrap_or_default())
}

payload! {
    /// What became of a new suggestion.
    FileSuggestionPayload {
        /// The suggestion.
        suggestion: Suggestion,
    }
}

payload! {
    /// What became of a vote.
    VoteSuggestionPayload {
        /// The suggestion with its votes.
        suggestion: Suggestion,
    }
}

payload! {
    /// What became of a comment.
    DiscussSuggestionPayload {
        /// The suggestion with its discussion.
        suggestion: Suggestion,
    }
}

payload! {
    /// What became of a change of a suggestion.
    UpdateSuggestionPayload {
        /// The suggestion as it is now.
        suggestion: Suggestion,
    }
}

#[Object]
impl SuggestionQuery {
    /// The faults and improvements that staff put forward.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of the GraphQL field"
    )]
    async fn suggestions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<SuggestionFilter>,
        #[graphql(desc = "What comes first.", default)] order_by: SuggestionOrder,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Suggestion>>> {
        let page = PageArgs::new(first, after, last, before);
        let filter = filter.unwrap_or_default().into();
        Some(list(ctx, filter, order_by.into(), &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    order: Order,
    page: &PageArgs,
) -> Result<Connection<Suggestion>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    let count = move || {
        let (store, viewer) = counted.clone();
        async move { suggestions::count(store.reader(), &viewer, filter).await }
    };
    match order {
        Order::Newest => {
            connect(
                ctx,
                "suggestions",
                page,
                async |page| suggestions::list_newest(store.reader(), viewer, filter, &page).await,
                |row: &Model| row.id,
                Suggestion,
                count,
            )
            .await
        }
        Order::MostVotes => {
            connect(
                ctx,
                "suggestions by votes",
                page,
                async |page| {
                    suggestions::list_by_votes(store.reader(), viewer, filter, &page).await
                },
                |row: &Model| (row.votes, row.id),
                Suggestion,
                count,
            )
            .await
        }
    }
}

#[Object]
impl SuggestionMutation {
    /// Puts a fault or an improvement forward.
    async fn file_suggestion(
        &self,
        ctx: &Context<'_>,
        input: FileSuggestionInput,
    ) -> Result<FileSuggestionPayload> {
        let mut tx = begin(ctx).await?;
        let (kind, title, body) = (input.kind.into(), &input.title, &input.body);
        let filed = suggestions::file(&mut tx, viewer(ctx)?, kind, title, body).await;
        FileSuggestionPayload::commit(tx, filed).await
    }

    /// Votes for a suggestion, or takes the vote back. Everybody has one.
    async fn vote_suggestion(
        &self,
        ctx: &Context<'_>,
        input: VoteSuggestionInput,
    ) -> Result<VoteSuggestionPayload> {
        let mut tx = begin(ctx).await?;
        let (id, supports) = (input.suggestion_id.0, input.supports);
        let voted = suggestions::vote(&mut tx, viewer(ctx)?, id, supports).await;
        VoteSuggestionPayload::commit(tx, voted).await
    }

    /// Says something of a suggestion, and tells whoever filed it.
    async fn discuss_suggestion(
        &self,
        ctx: &Context<'_>,
        input: DiscussSuggestionInput,
    ) -> Result<DiscussSuggestionPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.suggestion_id.0;
        let said = suggestions::comment(&mut tx, viewer(ctx)?, id, &input.body).await;
        DiscussSuggestionPayload::commit(tx, said).await
    }

    /// Changes a suggestion, and tells whoever filed it. Where it stands, its priority and its outcome are for the Super
    /// User Group to say.
    async fn update_suggestion(
        &self,
        ctx: &Context<'_>,
        input: UpdateSuggestionInput,
    ) -> Result<UpdateSuggestionPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let edit = |standing: &mut Standing| input.apply(standing);
        let updated = suggestions::update(&mut tx, viewer(ctx)?, id, version, edit).await;
        UpdateSuggestionPayload::commit(tx, updated).await
    }
}
