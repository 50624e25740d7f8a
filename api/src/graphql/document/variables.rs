//! Whether the variables of a request fit what the operation declares (GraphQL specification, section 6.1.2). The library
//! would only find out in the middle of the execution.

use async_graphql::{
    ServerError, Value, Variables,
    parser::types::{BaseType, OperationDefinition, Type},
};

use super::index::{InputEntry, Kind, SchemaIndex};
use crate::graphql::errors::{Code, server_error};

/// Checks the variables, [filled in](super::fill_in) as they are.
pub(super) fn check(
    index: &SchemaIndex,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), ServerError> {
    for definition in &operation.variable_definitions {
        let name = &definition.node.name.node;
        let of = &definition.node.var_type.node;
        fits(index, of, variables.get(name), &format!("${name}")).map_err(|reason| {
            let mut error = server_error(Code::BadUserInput, reason);
            error.locations = vec![definition.pos];
            error
        })?;
    }
    Ok(())
}

/// Whether a value, or none, fits a type; the reason why not names the place.
fn fits(index: &SchemaIndex, of: &Type, value: Option<&Value>, place: &str) -> Result<(), String> {
    match (value, &of.base) {
        (None | Some(Value::Null), _) if of.nullable => Ok(()),
        (None | Some(Value::Null), _) => Err(format!("{place} is missing: it has to be {of}.")),
        (Some(Value::List(items)), BaseType::List(item)) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, value)| fits(index, item, Some(value), &format!("{place}.{at}"))),
        // One value stands for a list of one.
        (value, BaseType::List(item)) => fits(index, item, value, place),
        (Some(value), BaseType::Named(name)) => named(index, name, value, place),
    }
}

fn named(index: &SchemaIndex, name: &str, value: &Value, place: &str) -> Result<(), String> {
    let is_good = match (name, value) {
        ("Int", Value::Number(number)) => number
            .as_i64()
            .is_some_and(|number| i32::try_from(number).is_ok()),
        ("Float", Value::Number(_))
        | ("String" | "ID", Value::String(_))
        | ("Boolean", Value::Boolean(_)) => true,
        ("ID", Value::Number(number)) => number.as_i64().is_some(),
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        _ => match (index.type_named(name).map(|of| &of.kind), value) {
            (Some(Kind::Input(fields)), Value::Object(given)) => {
                if let Some(unknown) = given
                    .keys()
                    .find(|name| !fields.contains_key(name.as_str()))
                {
                    return Err(format!("{place}.{unknown} is not a field of {name}."));
                }
                return fields.iter().try_for_each(|(name, field)| {
                    field_fits(
                        index,
                        field,
                        given.get(name.as_str()),
                        &format!("{place}.{name}"),
                    )
                });
            }
            (Some(Kind::Enum(values)), Value::String(value)) => values.contains_key(value.as_str()),
            (Some(Kind::Enum(values)), Value::Enum(value)) => values.contains_key(value.as_str()),
            (Some(Kind::Input(_) | Kind::Enum(_)), _) => false,
            // Other scalars read their values themselves; other types are the validation's business.
            _ => true,
        },
    };
    if is_good {
        Ok(())
    } else {
        Err(format!("{place} is not a value of {name}."))
    }
}

fn field_fits(
    index: &SchemaIndex,
    field: &InputEntry,
    value: Option<&Value>,
    place: &str,
) -> Result<(), String> {
    if value.is_none() && field.has_default {
        return Ok(());
    }
    fits(index, &field.as_written, value, place)
}
