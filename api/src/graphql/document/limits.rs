//! How large an operation may be.

use async_graphql::ServerError;

use crate::graphql::errors::{Code, server_error};

/// The limits of every document.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tokens in the text.
    pub tokens: u64,
    /// Brackets within brackets in the text.
    pub nesting: u64,
    /// Fields and fragments within each other.
    pub depth: u64,
    /// Fields, with every fragment written out where it is spread.
    pub selections: u64,
    /// Fields under another name, counted likewise.
    pub aliases: u64,
    /// Fields of all the rows that the answer can have.
    pub cost: u64,
}

impl Default for Limits {
    /// The introspection query of `GraphiQL` has some 300 tokens, is 18 deep and selects some 350 fields.
    fn default() -> Self {
        Self {
            tokens: 10_000,
            nesting: 60,
            depth: 30,
            selections: 2_000,
            aliases: 200,
            cost: 100_000,
        }
    }
}

/// The limit that a document exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// See [`Limits::tokens`].
    #[error("The document has more than {0} tokens.")]
    Tokens(u64),
    /// See [`Limits::nesting`].
    #[error("The document has more than {0} brackets within each other.")]
    Nesting(u64),
    /// See [`Limits::depth`].
    #[error("The document is more than {0} levels deep.")]
    Depth(u64),
    /// See [`Limits::selections`].
    #[error("The document selects more than {0} fields when its fragments are written out.")]
    Selections(u64),
    /// See [`Limits::aliases`].
    #[error("The document has more than {0} aliases when its fragments are written out.")]
    Aliases(u64),
    /// See [`Limits::cost`].
    #[error(
        "The answer could have {cost} fields; at most {limit} can be asked for at once. Ask for fewer rows."
    )]
    Cost {
        /// What the document costs.
        cost: u64,
        /// What it may cost.
        limit: u64,
    },
}

impl From<Excess> for ServerError {
    fn from(excess: Excess) -> Self {
        server_error(Code::LimitExceeded, excess.to_string())
    }
}
