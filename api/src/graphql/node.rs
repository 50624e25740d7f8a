//! Anything by its id: `node` and `nodes` of the Relay specification.

/// How many nodes one field gives at most.
pub const MOST_NODES: usize = 100;

/// Declares the interface `Node`, and how each kind of node is found by its id: an async function of the context and the
/// typed id that gives an `Option`. It must use the aggregate's own visibility rule, so that what is hidden and what is
/// absent have the same answer, and a loader, so that many are fetched at once.
///
/// ```text
/// nodes! {
///     Organisation(OrganisationId) by organisation::find;
///     Event(EventId) by event::find;
/// }
/// ```
macro_rules! nodes {
    ($($kind:ident($id:ty) by $find:path;)+) => {
        /// Something that has an id.
        #[derive(Debug, ::async_graphql::Interface)]
        #[graphql(field(name = "id", ty = "::async_graphql::ID", desc = "Its id, which is like no other's."))]
        #[allow(clippy::large_enum_variant, reason = "a node is made for one answer and dropped")]
        pub enum Node {
            $(
                #[doc = concat!("A node of this kind: ", stringify!($kind), ".")]
                $kind($kind),
            )+
        }

        impl Node {
            /// What has this id; none when there is no such thing, or the viewer may not know of it.
            async fn find(
                ctx: &::async_graphql::Context<'_>,
                id: &str,
            ) -> ::async_graphql::Result<Option<Self>> {
                let prefix = id.rsplit_once('_').map_or("", |(prefix, _)| prefix);
                $(if prefix == <$id as ::entity::ids::TypedId>::PREFIX {
                    let id: $id = id.parse().map_err(|error: ::entity::ids::IdError| {
                        $crate::graphql::errors::refusal(
                            $crate::graphql::errors::Code::BadUserInput,
                            error.to_string(),
                        )
                    })?;
                    return Ok($find(ctx, id).await?.map(Self::$kind));
                })+
                Ok(None)
            }
        }

        /// Anything by its id.
        #[derive(Clone, Copy, Debug, Default)]
        pub struct NodeQuery;

        #[::async_graphql::Object]
        impl NodeQuery {
            /// What has this id; null when there is no such thing, or it is not open to the viewer.
            async fn node(
                &self,
                ctx: &::async_graphql::Context<'_>,
                #[graphql(desc = "An id of any kind.")] id: ::async_graphql::ID,
            ) -> Option<::async_graphql::Result<Node>> {
                Node::find(ctx, &id).await.transpose()
            }

            /// What has these ids, in the order of the ids; null in the place of each that there is not, or that is not
            /// open to the viewer. At most 100.
            async fn nodes(
                &self,
                ctx: &::async_graphql::Context<'_>,
                #[graphql(desc = "Ids of any kinds.")] ids: Vec<::async_graphql::ID>,
            ) -> ::async_graphql::Result<Vec<Option<::async_graphql::Result<Node>>>> {
                if ids.len() > $crate::graphql::node::MOST_NODES {
                    return Err($crate::graphql::errors::refusal(
                        $crate::graphql::errors::Code::BadUserInput,
                        format!(
                            "`ids` takes at most {}; {} were given.",
                            $crate::graphql::node::MOST_NODES,
                            ids.len()
                        ),
                    ));
                }
                let found = ids
                    .iter()
                    .map(|id| async move { Node::find(ctx, id).await.transpose() });
                Ok(::futures_util::future::join_all(found).await)
            }
        }
    };
}

pub(crate) use nodes;

#[cfg(test)]
mod tests {
    use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Result, Schema, value};
    use entity::ids::{EventId, TagId};

    use super::super::{errors, id::Id};

    /// A tag.
    #[derive(Debug)]
    pub struct Tag(TagId);

    #[Object]
    impl Tag {
        async fn id(&self) -> Id<TagId> {
            Id(self.0)
        }
    }

    /// An event.
    #[derive(Debug)]
    pub struct Event(EventId);

    #[Object]
    impl Event {
        async fn id(&self) -> Id<EventId> {
            Id(self.0)
        }
    }

    async fn tag(_: &Context<'_>, id: TagId) -> Result<Option<Tag>> {
        Ok(Some(Tag(id)))
    }

    async fn hidden(_: &Context<'_>, _: EventId) -> Result<Option<Event>> {
        Ok(None)
    }

    nodes! {
        Tag(TagId) by tag;
        Event(EventId) by hidden;
    }

    const TAG: &str = "tag_01h455vb4pex5vsknk084sn02q";
    const EVENT: &str = "evt_01h455vb4pex5vsknk084sn02q";

    async fn ask(query: String) -> async_graphql::Response {
        Schema::new(NodeQuery, EmptyMutation, EmptySubscription)
            .execute(query)
            .await
    }

    #[tokio::test]
    async fn the_prefix_of_an_id_says_where_to_look() {
        let answer = ask(format!(r#"{{ node(id: "{TAG}") {{ __typename id }} }}"#)).await;
        assert_eq!(answer.errors, []);
        assert_eq!(
            answer.data,
            value!({"node": {"__typename": "Tag", "id": TAG}})
        );
    }

    #[tokio::test]
    async fn hidden_absent_and_unheard_of_have_the_same_answer() {
        let answer = ask(format!(
            r#"{{ nodes(ids: ["{EVENT}", "{TAG}", "ses_01h455vb4pex5vsknk084sn02q", "x"]) {{ id }} }}"#
        ))
        .await;
        assert_eq!(answer.errors, []);
        assert_eq!(
            answer.data,
            value!({"nodes": [null, {"id": TAG}, null, null]})
        );
    }

    #[tokio::test]
    async fn a_malformed_id_is_told_from_an_absent_one() {
        let answer = ask(r#"{ node(id: "tag_x") { id } }"#.to_owned()).await;
        assert_eq!(errors::code(&answer.errors[0]), Some("BAD_USER_INPUT"));
    }

    #[tokio::test]
    async fn a_malformed_id_costs_the_others_nothing() {
        let answer = ask(format!(r#"{{ nodes(ids: ["{TAG}", "tag_x"]) {{ id }} }}"#)).await;
        assert_eq!(answer.errors.len(), 1);
        assert_eq!(answer.data, value!({"nodes": [{"id": TAG}, null]}));
    }

    #[tokio::test]
    async fn too_many_nodes_are_refused() {
        let ids = vec![format!("{TAG:?}"); 101].join(",");
        let answer = ask(format!("{{ nodes(ids: [{ids}]) {{ id }} }}")).await;
        assert_eq!(
            answer.errors[0].message,
            "`ids` takes at most 100; 101 were given."
        );
    }
}
