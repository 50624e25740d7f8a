//! Ids as clients know them: the GraphQL scalar `ID`, a typed id in Rust.

use std::fmt;

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use entity::ids::TypedId;

use super::errors::Code;

/// The id of one kind of thing: `Id<OrganisationId>` takes `org_...` and refuses `evt_...` by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id<T>(pub T);

impl<T> From<T> for Id<T> {
    fn from(id: T) -> Self {
        Self(id)
    }
}

impl<T: fmt::Display> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A `TypeID`: a prefix that names the kind of thing, and 26 characters, as in `org_01h455vb4pex5vsknk084sn02q`.
#[Scalar(name = "ID")]
impl<T: TypedId + Send + Sync + 'static> ScalarType for Id<T> {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(given) = value else {
            return Err(InputValueError::expected_type(value)
                .with_extension(Code::EXTENSION, Code::BadUserInput.as_str()));
        };
        given.parse().map(Self).map_err(|error| {
            InputValueError::custom(error)
                .with_extension(Code::EXTENSION, Code::BadUserInput.as_str())
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use entity::ids::{EventId, OrganisationId};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn organisation(&self, id: Id<OrganisationId>) -> Id<OrganisationId> {
            id
        }

        async fn event(&self, id: Id<EventId>) -> Option<Id<EventId>> {
            Some(id)
        }
    }

    fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
        Schema::new(Query, EmptyMutation, EmptySubscription)
    }

    #[tokio::test]
    async fn an_id_of_the_right_kind_goes_in_and_out() {
        let answer = schema()
            .execute(r#"{ organisation(id: "org_01h455vb4pex5vsknk084sn02q") }"#)
            .await;
        assert_eq!(answer.errors, []);
        assert_eq!(
            answer.data.to_string(),
            r#"{organisation: "org_01h455vb4pex5vsknk084sn02q"}"#
        );
    }

    #[tokio::test]
    async fn an_id_of_another_kind_or_none_is_refused_with_a_code_and_the_prefix() {
        for given in ["org_01h455vb4pex5vsknk084sn02q", "17", "evt_", ""] {
            let answer = schema()
                .execute(format!(r#"{{ event(id: "{given}") }}"#))
                .await;
            let [error] = &answer.errors[..] else {
                panic!("{given}: {:?}", answer.errors);
            };
            assert!(error.message.contains("evt_"), "{}", error.message);
            assert_eq!(super::super::errors::code(error), Some("BAD_USER_INPUT"));
        }
    }

    #[test]
    fn the_schema_has_one_scalar_for_all_ids() {
        let sdl = schema().sdl();
        assert!(sdl.contains("event(id: ID!): ID"), "{sdl}");
        assert!(!sdl.contains("scalar"), "{sdl}");
    }
}
