//! Full-text search over organisations, contacts and notes (policy 2.2).

use async_graphql::{Context, Enum, Object, Result};
use domain::search::{self, Hit, Kind, Question};

use super::{
    connection::{Connection, PageArgs, connect},
    contact, note, organisation,
    schema::Node,
    store, viewer,
};

/// The query that searches.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// What exists for the viewer and has all the words of a text, the nearest first: organisations by name and the names they
    /// trade under, contacts by name and job title, notes by what they say. A word finds what begins with it, in whatever case, with or without
    /// accents. When nothing has the words, names that are spelt nearly so are found where the database is `PostgreSQL`.
    #[allow(clippy::too_many_arguments, reason = "those of every list, and two")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The words; signs between them mean nothing.")] text: String,
        #[graphql(desc = "In what; in everything that is open to the viewer when left out.")]
        kinds: Option<Vec<SearchKind>>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<SearchHit>>> {
        let page = PageArgs::new(first, after, last, before);
        let kinds = kinds.unwrap_or_default();
        let kinds = kinds.into_iter().map(Into::into).collect();
        Some(list(ctx, Question { text, kinds }, &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    question: Question,
    page: &PageArgs,
) -> Result<Connection<SearchHit>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), question.clone());
    connect(
        ctx,
        "search",
        page,
        async |page| search::find(store.reader(), viewer, &question, &page).await,
        search::key,
        SearchHit,
        move || {
            let (store, viewer, question) = counted.clone();
            async move { search::count(store.reader(), &viewer, &question).await }
        },
    )
    .await
}

/// Something that was found.
#[derive(Clone, Copy, Debug)]
pub struct SearchHit(Hit);

#[Object]
impl SearchHit {
    /// What it is.
    async fn kind(&self) -> SearchKind {
        self.0.kind.into()
    }

    /// The thing itself; null when it has gone in the meantime.
    async fn node(&self, ctx: &Context<'_>) -> Option<Result<Node>> {
        let found = match self.0.kind {
            Kind::Organisation => organisation::find(ctx, self.0.id())
                .await
                .map(|found| found.map(Node::Organisation)),
            Kind::Contact => contact::find(ctx, self.0.id())
                .await
                .map(|found| found.map(Node::Contact)),
            Kind::Note => note::find(ctx, self.0.id())
                .await
                .map(|found| found.map(Node::Note)),
        };
        found.transpose()
    }
}

/// What is searched, and found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum SearchKind {
    /// Organisations.
    Organisation,
    /// Contacts.
    Contact,
    /// Notes.
    Note,
}
