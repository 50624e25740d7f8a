//! What a document asks for, found out before anything runs.
//!
//! One pass over the parsed document measures it, against the [`Limits`], and collects the coordinates it uses that the
//! asker may not use. A fragment is looked at once, however often it is spread, so that the time grows with the length of
//! the text and not with what the text stands for. (The library's own limits write fragments out: 700 bytes of nested
//! spreads keep them busy for seconds.)

use async_graphql::{
    Pos, ServerError, Variables,
    parser::{
        parse_query,
        types::{ExecutableDocument, OperationDefinition, OperationType},
    },
};
use domain::policy::{Denial, Who};

mod denials;
mod index;
mod limits;
mod scan;
mod size;
mod surveyor;
mod variables;

pub use index::{Entry, FieldEntry, InputEntry, Kind, SchemaIndex, TypeEntry};
pub use limits::{Excess, Limits};

use surveyor::Surveyor;

use crate::graphql::errors::{Code, server_error};

/// What was found out about a document.
#[derive(Debug)]
pub struct Survey {
    /// What kind of operation is to be carried out.
    pub operation: OperationType,
    /// How many fields the answer can have at most.
    pub cost: u64,
    /// Fields that must be answered with null, each once.
    pub denied: Vec<DeniedField>,
    /// What is used and must not be: the whole request is refused.
    pub refused: Vec<DeniedUse>,
}

/// A field that the asker may not read.
#[derive(Clone, Debug)]
pub struct DeniedField {
    /// The row that denies it.
    pub denial: Denial,
    /// The types in which it is denied: the one that was selected on, or the kinds of an interface.
    pub owners: Vec<String>,
    /// Its name.
    pub name: String,
    /// Whether the schema says it is never null, so that null goes on to what it belongs to.
    pub is_non_null: bool,
    /// Where it is in the document.
    pub position: Pos,
    /// The first place where it would stand in the answer, without the indices of lists.
    pub path: Vec<String>,
}

/// An argument, input field, enum value, mutation or subscription that the asker may not use.
#[derive(Clone, Copy, Debug)]
pub struct DeniedUse {
    /// The row that denies it.
    pub denial: Denial,
    /// Where it is in the document.
    pub position: Pos,
}

/// Parses a document that isn't too large for it.
pub fn parse(text: &str, limits: &Limits) -> Result<ExecutableDocument, ServerError> {
    scan::scan(text, limits)?;
    parse_query(text).map_err(|error| {
        let positions = error.positions().collect();
        let mut error = server_error(Code::ParseFailed, error.to_string());
        error.locations = positions;
        error
    })
}

/// The operation of a document that is to be carried out.
pub fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d OperationDefinition, ServerError> {
    let mut operations = document.operations.iter();
    let found = match name {
        Some(name) => operations.find(|(known, _)| known.is_some_and(|known| known == name)),
        None if operations.len() > 1 => {
            return Err(server_error(
                Code::OperationUnknown,
                "The document has several operations: `operationName` must say which to carry out.",
            ));
        }
        None => operations.next(),
    };
    found.map(|(_, operation)| &operation.node).ok_or_else(|| {
        server_error(
            Code::OperationUnknown,
            "The document has no operation of the name in `operationName`.",
        )
    })
}

/// Gives the variables that were not sent the values that the operation says in their place.
///
/// The library would not do so for `@skip` and `@include`. Filled in beforehand, the survey and the execution read the same.
pub fn fill_in(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in &operation.variable_definitions {
        if let Some(value) = &definition.node.default_value
            && !variables.contains_key(&definition.node.name.node)
        {
            variables.insert(definition.node.name.node.clone(), value.node.clone());
        }
    }
}

/// Measures a document and finds what of it an asker of this standing may not use. The variables are [filled in](fill_in),
/// and it is an error when they don't fit.
pub fn survey(
    index: &SchemaIndex,
    limits: &Limits,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    standing: Who,
) -> Result<Survey, ServerError> {
    variables::check(index, operation, variables)?;
    let mut surveyor = Surveyor::new(index, limits, document, variables, standing);
    let size = surveyor.operation(operation, true)?;
    let mut whole = size;
    // What isn't carried out is validated nevertheless.
    for (_, other) in document.operations.iter() {
        if !std::ptr::eq(&raw const other.node, operation) {
            whole = whole.and(surveyor.operation(&other.node, false)?);
            surveyor.check(whole, 0)?;
        }
    }
    for name in document.fragments.keys() {
        surveyor.spread(name, 1, false)?;
    }
    let cost = size.cost();
    if cost > limits.cost {
        return Err(Excess::Cost {
            cost,
            limit: limits.cost,
        }
        .into());
    }
    Ok(Survey {
        operation: operation.ty,
        cost,
        denied: surveyor.denied,
        refused: surveyor.refused,
    })
}

#[cfg(test)]
mod tests;
