//! Lists, as Relay connections: <https://relay.dev/graphql/connections.htm>.

use std::{borrow::Cow, fmt, future::Future};

use async_graphql::{Context, Object, OutputType, Result, TypeName, connection::PageInfo};
use domain::page::{Page, Slice};
use futures_util::{FutureExt, future::BoxFuture};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    cursor::Cursors,
    errors::{Code, refusal},
};

/// How many rows a page has that asks for no number.
pub const DEFAULT_ROWS: u64 = 20;

/// How many rows a page has at most.
pub const MOST_ROWS: u64 = 100;

/// The four arguments of every list.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
}

impl PageArgs {
    /// The arguments in the order of the Relay specification.
    #[must_use]
    pub const fn new(
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Self {
        Self {
            first,
            after,
            last,
            before,
        }
    }

    fn page<K: DeserializeOwned>(&self, cursors: &Cursors, of: &str) -> Result<Page<K>> {
        let (limit, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(refusal(
                    Code::BadUserInput,
                    "Give `first` or `last`, not both.",
                ));
            }
            (Some(first), None) => (rows("first", first)?, false),
            (None, Some(last)) => (rows("last", last)?, true),
            (None, None) => (DEFAULT_ROWS, self.before.is_some() && self.after.is_none()),
        };
        Ok(Page {
            limit,
            after: key(cursors, of, "after", self.after.as_deref())?,
            before: key(cursors, of, "before", self.before.as_deref())?,
            backward,
        })
    }
}

fn rows(argument: &str, given: i32) -> Result<u64> {
    u64::try_from(given)
        .ok()
        .filter(|rows| *rows <= MOST_ROWS)
        .ok_or_else(|| {
            refusal(
                Code::BadUserInput,
                format!("`{argument}` is from 0 to {MOST_ROWS}; {given} was given."),
            )
        })
}

fn key<K: DeserializeOwned>(
    cursors: &Cursors,
    list: &str,
    argument: &str,
    cursor: Option<&str>,
) -> Result<Option<K>> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    cursors.open(list, cursor).map(Some).ok_or_else(|| {
        refusal(
            Code::BadUserInput,
            format!("`{argument}` is not a cursor of this list."),
        )
    })
}

/// How the rows of a whole list are counted, when a client asks.
type Count = Box<dyn Fn() -> BoxFuture<'static, domain::Result<u64>> + Send + Sync>;

/// One page of a list.
pub struct Connection<N> {
    edges: Vec<Edge<N>>,
    page_info: PageInfo,
    count: Count,
}

/// A row of a list, with its place in it.
#[derive(Debug)]
pub struct Edge<N> {
    node: N,
    cursor: String,
}

/// Answers a list field.
///
/// `list` names the list and its order for cursors; `key` is what it is ordered by, whose last part is an id. `fetch` is
/// not called when the client asks for nothing but `totalCount`, and `count` only when it asks for that.
pub async fn connect<K, R, N, Fetch, Fetching, Counting>(
    ctx: &Context<'_>,
    list: &str,
    args: &PageArgs,
    fetch: impl FnOnce(Page<K>) -> Fetch,
    key: impl Fn(&R) -> K,
    node: impl Fn(R) -> N,
    count: Counting,
) -> Result<Connection<N>>
where
    K: Serialize + DeserializeOwned,
    Fetch: Future<Output = domain::Result<Slice<R>>>,
    Counting: Fn() -> Fetching + Send + Sync + 'static,
    Fetching: Future<Output = domain::Result<u64>> + Send + 'static,
{
    let cursors = ctx.data::<Cursors>()?;
    let page = args.page(cursors, list)?;
    let look = ctx.look_ahead();
    let slice = if ["edges", "nodes", "pageInfo"]
        .iter()
        .any(|field| look.field(field).exists())
    {
        fetch(page).await?
    } else {
        Slice {
            rows: Vec::new(),
            has_previous: false,
            has_next: false,
        }
    };
    let edges = slice
        .rows
        .into_iter()
        .map(|row| {
            Ok(Edge {
                cursor: cursors.seal(list, &key(&row))?,
                node: node(row),
            })
        })
        .collect::<domain::Result<Vec<_>>>()?;
    Ok(Connection {
        page_info: PageInfo {
            has_previous_page: slice.has_previous,
            has_next_page: slice.has_next,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        },
        edges,
        count: Box::new(move || count().boxed()),
    })
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// One page of a list.
#[Object(name_type)]
impl<N: OutputType> Connection<N> {
    /// The rows of the page with their cursors.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The rows of the page.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where the page is in the list.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }

    /// How many rows the whole list has that the viewer may see. It is counted when it is asked for.
    async fn total_count(&self) -> Option<Result<u64>> {
        Some((self.count)().await.map_err(Into::into))
    }
}

/// A row of a list, with its place in it.
#[Object(name_type)]
impl<N: OutputType> Edge<N> {
    /// The row.
    async fn node(&self) -> &N {
        &self.node
    }

    /// The row's place in the list, for `after` and `before`.
    async fn cursor(&self) -> &str {
        &self.cursor
    }
}

impl<N: fmt::Debug> fmt::Debug for Connection<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("edges", &self.edges)
            .field("page_info", &self.page_info.has_next_page)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use async_graphql::{EmptyMutation, EmptySubscription, Schema, Value, value};

    use super::*;

    #[derive(Debug)]
    struct Number(u64);

    #[Object]
    impl Number {
        async fn value(&self) -> u64 {
            self.0
        }
    }

    #[derive(Default)]
    struct Calls {
        fetched: AtomicUsize,
        counted: AtomicUsize,
    }

    struct Query(Arc<Calls>);

    #[Object]
    impl Query {
        /// The numbers from 0 to 9.
        async fn numbers(
            &self,
            ctx: &Context<'_>,
            first: Option<i32>,
            after: Option<String>,
            last: Option<i32>,
            before: Option<String>,
        ) -> Result<Connection<Number>> {
            let calls = Arc::clone(&self.0);
            connect(
                ctx,
                "numbers",
                &PageArgs::new(first, after, last, before),
                |page: Page<u64>| {
                    self.0.fetched.fetch_add(1, Ordering::Relaxed);
                    let kept = |n: &u64| {
                        page.after.is_none_or(|after| *n > after)
                            && page.before.is_none_or(|before| *n < before)
                    };
                    let take = usize::try_from(page.limit).unwrap() + 1;
                    let found = if page.backward {
                        (0..10).rev().filter(kept).take(take).collect()
                    } else {
                        (0..10).filter(kept).take(take).collect()
                    };
                    std::future::ready(Ok(page.slice(found)))
                },
                |n| *n,
                Number,
                move || {
                    calls.counted.fetch_add(1, Ordering::Relaxed);
                    std::future::ready(Ok(10))
                },
            )
            .await
        }
    }

    fn schema() -> (Arc<Calls>, Schema<Query, EmptyMutation, EmptySubscription>) {
        let calls = Arc::new(Calls::default());
        let schema = Schema::build(Query(Arc::clone(&calls)), EmptyMutation, EmptySubscription)
            .data(Cursors::new(b"secret"))
            .finish();
        (calls, schema)
    }

    async fn ask(query: &str) -> Value {
        let response = schema().1.execute(query).await;
        assert_eq!(response.errors, [], "{query}");
        response.data
    }

    fn field<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
        path.iter().fold(value, |value, name| match value {
            Value::Object(fields) => &fields[*name],
            _ => panic!("{name} in {value}"),
        })
    }

    #[tokio::test]
    async fn pages_lead_from_one_to_the_next_and_back() {
        let data = ask("{ numbers(first: 4) { nodes { value } pageInfo { hasNextPage hasPreviousPage endCursor } } }").await;
        assert_eq!(
            field(&data, &["numbers", "nodes"]),
            &value!([{"value": 0}, {"value": 1}, {"value": 2}, {"value": 3}])
        );
        assert_eq!(
            field(&data, &["numbers", "pageInfo", "hasNextPage"]),
            &value!(true)
        );
        assert_eq!(
            field(&data, &["numbers", "pageInfo", "hasPreviousPage"]),
            &value!(false)
        );
        let end = field(&data, &["numbers", "pageInfo", "endCursor"]);

        let next = ask(&format!("{{ numbers(first: 2, after: {end}) {{ nodes {{ value }} pageInfo {{ startCursor hasPreviousPage }} }} }}")).await;
        assert_eq!(
            field(&next, &["numbers", "nodes"]),
            &value!([{"value": 4}, {"value": 5}])
        );
        assert_eq!(
            field(&next, &["numbers", "pageInfo", "hasPreviousPage"]),
            &value!(true)
        );

        let start = field(&next, &["numbers", "pageInfo", "startCursor"]);
        let back = ask(&format!(
            "{{ numbers(last: 2, before: {start}) {{ nodes {{ value }} }} }}"
        ))
        .await;
        assert_eq!(
            field(&back, &["numbers", "nodes"]),
            &value!([{"value": 2}, {"value": 3}])
        );
    }

    #[tokio::test]
    async fn only_what_is_asked_for_is_fetched_and_counted() {
        for (query, fetched, counted) in [
            ("{ numbers { nodes { value } } }", 1, 0),
            ("{ numbers { totalCount } }", 0, 1),
            ("{ numbers { totalCount edges { cursor } } }", 1, 1),
            (
                "{ numbers { ...F } } fragment F on NumberConnection { pageInfo { hasNextPage } }",
                1,
                0,
            ),
        ] {
            let (calls, schema) = schema();
            assert_eq!(schema.execute(query).await.errors, [], "{query}");
            assert_eq!(calls.fetched.load(Ordering::Relaxed), fetched, "{query}");
            assert_eq!(calls.counted.load(Ordering::Relaxed), counted, "{query}");
        }
    }

    #[tokio::test]
    async fn wrong_arguments_are_refused_with_a_code_and_a_reason() {
        for (arguments, reason) in [
            ("first: 101", "`first` is from 0 to 100; 101 was given."),
            ("last: -1", "`last` is from 0 to 100; -1 was given."),
            ("first: 1, last: 1", "Give `first` or `last`, not both."),
            (
                "after: \"nonsense\"",
                "`after` is not a cursor of this list.",
            ),
        ] {
            let query = format!("{{ numbers({arguments}) {{ totalCount }} }}");
            let response = schema().1.execute(&query).await;
            assert_eq!(response.errors[0].message, reason);
            assert_eq!(
                super::super::errors::code(&response.errors[0]),
                Some("BAD_USER_INPUT")
            );
        }
    }

    #[test]
    fn connections_are_named_after_what_they_list() {
        let sdl = schema().1.sdl();
        for name in ["type NumberConnection", "type NumberEdge", "type PageInfo"] {
            assert!(sdl.contains(name), "{sdl}");
        }
    }
}
