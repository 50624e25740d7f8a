//! What a document asks for, found out before anything runs.
//!
//! One pass over the parsed document measures it, against the [`Limits`], and collects the coordinates it uses that the
//! asker may not use. A fragment is looked at once, however often it is spread, so that the time grows with the length of
//! the text and not with what the text stands for. (The library's own limits write fragments out: 700 bytes of nested
//! spreads keep them busy for seconds.)

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Pos, Positioned, ServerError, Value as ConstValue, Variables,
    parser::{
        parse_query,
        types::{
            Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
            SelectionSet,
        },
    },
};
use async_graphql_value::Value;
use domain::policy::{Denial, Use, Who};

mod index;
mod limits;
mod scan;
mod variables;

pub use index::{Entry, FieldEntry, InputEntry, Kind, SchemaIndex, TypeEntry};
pub use limits::{Excess, Limits};

use crate::graphql::{
    connection::DEFAULT_ROWS,
    errors::{Code, server_error},
};

/// How many rows a list without paging is taken to have.
const ROWS_OF_A_LIST: u64 = 10;

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
    let mut surveyor = Surveyor {
        index,
        limits,
        document,
        variables,
        standing,
        measured: HashMap::new(),
        open: HashSet::new(),
        path: Vec::new(),
        denied: Vec::new(),
        refused: Vec::new(),
    };
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

/// The size of a part of a document, with fragments written out.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    selections: u64,
    aliases: u64,
    depth: u64,
    /// Fields of the answer, but for those of a connection's rows.
    flat: u64,
    /// Fields of the answer for each row, where the part belongs to a connection.
    per_row: u64,
}

impl Size {
    const fn and(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: if self.depth > other.depth {
                self.depth
            } else {
                other.depth
            },
            flat: self.flat.saturating_add(other.flat),
            per_row: self.per_row.saturating_add(other.per_row),
        }
    }

    const fn cost(self) -> u64 {
        self.flat.saturating_add(self.per_row)
    }

    /// The size of what this is selected in, one level up.
    const fn below(self) -> Self {
        Self {
            depth: self.depth.saturating_add(1),
            ..self
        }
    }
}

struct Surveyor<'d> {
    index: &'d SchemaIndex,
    limits: &'d Limits,
    document: &'d ExecutableDocument,
    variables: &'d Variables,
    standing: Who,
    /// The fragments that are done, and whether they were looked at as something to carry out.
    measured: HashMap<(&'d str, bool), Size>,
    /// The fragments in hand.
    open: HashSet<&'d str>,
    /// The response keys from the root to the field in hand.
    path: Vec<&'d str>,
    denied: Vec<DeniedField>,
    refused: Vec<DeniedUse>,
}

impl<'d> Surveyor<'d> {
    fn operation(
        &mut self,
        operation: &'d OperationDefinition,
        live: bool,
    ) -> Result<Size, ServerError> {
        let root = self.index.root(operation.ty);
        self.set(&operation.selection_set.node, root, 1, live)
    }

    /// Refuses what is too large already.
    fn check(&self, size: Size, level: u64) -> Result<(), Excess> {
        let limits = self.limits;
        if size.depth.saturating_add(level) > limits.depth {
            Err(Excess::Depth(limits.depth))
        } else if size.selections > limits.selections {
            Err(Excess::Selections(limits.selections))
        } else if size.aliases > limits.aliases {
            Err(Excess::Aliases(limits.aliases))
        } else {
            Ok(())
        }
    }

    /// Measures a selection set; `live` tells whether it is carried out.
    fn set(
        &mut self,
        set: &'d SelectionSet,
        of: Option<&'d TypeEntry>,
        level: u64,
        live: bool,
    ) -> Result<Size, ServerError> {
        let mut size = Size::default();
        if set.items.is_empty() {
            return Ok(size);
        }
        if level > self.limits.depth {
            return Err(Excess::Depth(self.limits.depth).into());
        }
        for selection in &set.items {
            let live = live && !self.is_left_out(selection.node.directives());
            let part = match &selection.node {
                Selection::Field(field) => self.field(field, of, level, live)?,
                Selection::FragmentSpread(spread) => {
                    self.spread(&spread.node.fragment_name.node, level, live)?
                }
                Selection::InlineFragment(fragment) => {
                    let of = match &fragment.node.type_condition {
                        Some(condition) => self.index.type_named(&condition.node.on.node),
                        None => of,
                    };
                    self.set(&fragment.node.selection_set.node, of, level + 1, live)?
                        .below()
                }
            };
            size = size.and(part);
            self.check(size, level - 1)?;
        }
        Ok(size)
    }

    fn spread(&mut self, name: &'d Name, level: u64, live: bool) -> Result<Size, ServerError> {
        // The validation that follows has its own words for a fragment that isn't there.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else {
            return Ok(Size::default());
        };
        if let Some(size) = self.measured.get(&(name.as_str(), live)) {
            return Ok(*size);
        }
        if !self.open.insert(name) {
            let mut error = server_error(
                Code::ValidationFailed,
                format!("The fragment `{name}` spreads itself."),
            );
            error.locations = vec![fragment.pos];
            return Err(error);
        }
        let of = self
            .index
            .type_named(&fragment.node.type_condition.node.on.node);
        let size = self
            .set(&fragment.node.selection_set.node, of, level + 1, live)?
            .below();
        self.open.remove(name.as_str());
        self.measured.insert((name, live), size);
        Ok(size)
    }

    fn field(
        &mut self,
        field: &'d Positioned<Field>,
        owner: Option<&'d TypeEntry>,
        level: u64,
        live: bool,
    ) -> Result<Size, ServerError> {
        let name = field.node.name.node.as_str();
        let entry = owner.and_then(|owner| owner.field(name));
        self.path.push(&field.node.response_key().node);
        let live = live
            && match (owner, entry) {
                (Some(owner), Some(entry)) => self.may_select(field, owner, entry),
                _ => true,
            };
        let of = entry.and_then(|entry| self.index.type_named(&entry.of));
        let within = self.set(&field.node.selection_set.node, of, level + 1, live)?;
        self.path.pop();
        let is_row =
            owner.is_some_and(TypeEntry::is_connection) && matches!(name, "nodes" | "edges");
        let rows = match (entry, of) {
            (Some(entry), Some(of)) if !is_row => self.rows(&field.node, entry, of),
            _ => Rows::ONE,
        };
        let answer = within
            .flat
            .saturating_add(within.per_row.saturating_mul(rows.of_connection))
            .saturating_mul(rows.of_list)
            .saturating_add(1);
        Ok(Size {
            selections: within.selections.saturating_add(1),
            aliases: within
                .aliases
                .saturating_add(u64::from(field.node.alias.is_some())),
            depth: within.depth.saturating_add(1),
            flat: if is_row { 0 } else { answer },
            per_row: if is_row { answer } else { 0 },
        })
    }

    /// How many rows a field stands for.
    fn rows(&self, field: &Field, entry: &FieldEntry, of: &TypeEntry) -> Rows {
        if of.is_connection() {
            let asked = ["first", "last"]
                .into_iter()
                .find_map(|argument| self.number(field.get_argument(argument)?));
            Rows {
                of_connection: asked.unwrap_or(DEFAULT_ROWS),
                ..Rows::ONE
            }
        } else if entry.is_list && matches!(of.kind, Kind::Fields { .. } | Kind::Union) {
            let ids = field
                .get_argument("ids")
                .and_then(|ids| self.length(&ids.node));
            Rows {
                of_list: ids.unwrap_or(ROWS_OF_A_LIST),
                ..Rows::ONE
            }
        } else {
            Rows::ONE
        }
    }

    fn number(&self, value: &Positioned<Value>) -> Option<u64> {
        match &value.node {
            Value::Number(number) => number.as_u64(),
            Value::Variable(name) => match self.variable(name)? {
                ConstValue::Number(number) => number.as_u64(),
                _ => None,
            },
            _ => None,
        }
    }

    fn length(&self, value: &Value) -> Option<u64> {
        let length = match value {
            Value::List(items) => items.len(),
            Value::Variable(name) => match self.variable(name)? {
                ConstValue::List(items) => items.len(),
                _ => 1,
            },
            _ => 1,
        };
        u64::try_from(length).ok()
    }

    /// The value of a variable, if it has one.
    fn variable(&self, name: &str) -> Option<&'d ConstValue> {
        self.variables.get(name)
    }

    /// Whether `@skip` or `@include` leave something out, as the execution will read them.
    fn is_left_out(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let included = match directive.node.name.node.as_str() {
                "skip" => false,
                "include" => true,
                _ => return false,
            };
            match directive.node.get_argument("if").map(|value| &value.node) {
                Some(Value::Boolean(condition)) => *condition != included,
                Some(Value::Variable(name)) => match self.variable(name) {
                    Some(ConstValue::Boolean(condition)) => *condition != included,
                    _ => false,
                },
                _ => false,
            }
        })
    }

    /// Notes what of a field the asker may not use. Answers whether what is selected in it will be looked at at all.
    fn may_select(
        &mut self,
        field: &'d Positioned<Field>,
        owner: &'d TypeEntry,
        entry: &'d FieldEntry,
    ) -> bool {
        if let Some(denial) = self.denial(&entry.entry, Use::Read) {
            let is_root = [OperationType::Mutation, OperationType::Subscription]
                .into_iter()
                .any(|root| {
                    self.index
                        .root(root)
                        .is_some_and(|root| std::ptr::eq(root, owner))
                });
            if is_root {
                self.refuse(denial, field.pos);
            } else {
                self.deny(denial, field, owner, entry);
            }
            return false;
        }
        for (name, value) in &field.node.arguments {
            if let Some(argument) = entry.arguments.get(name.node.as_str()) {
                self.give(argument, &value.node, name.pos);
            }
        }
        true
    }

    fn deny(
        &mut self,
        denial: Denial,
        field: &Positioned<Field>,
        owner: &TypeEntry,
        entry: &FieldEntry,
    ) {
        if self
            .denied
            .iter()
            .any(|known| std::ptr::eq(known.denial.row, denial.row))
        {
            return;
        }
        let owners = match &owner.kind {
            Kind::Fields { implementors, .. } if !implementors.is_empty() => implementors.clone(),
            _ => vec![owner.name.clone()],
        };
        self.denied.push(DeniedField {
            denial,
            owners,
            name: field.node.name.node.to_string(),
            is_non_null: entry.is_non_null,
            position: field.pos,
            path: self.path.iter().map(|&key| key.to_owned()).collect(),
        });
    }

    fn refuse(&mut self, denial: Denial, position: Pos) {
        let is_known = self
            .refused
            .iter()
            .any(|known| std::ptr::eq(known.denial.row, denial.row));
        if !is_known {
            self.refused.push(DeniedUse { denial, position });
        }
    }

    /// The denial of a coordinate, if the asker may not use it so. The start-up has made sure that every coordinate has a
    /// row.
    fn denial(&self, entry: &Entry, usage: Use) -> Option<Denial> {
        entry
            .row
            .filter(|row| !row.allows(self.standing, usage))
            .map(|row| Denial { row, usage })
    }

    /// Notes what the asker may not send, of an argument or an input field.
    fn give(&mut self, input: &'d InputEntry, value: &'d Value, position: Pos) {
        if let Value::Variable(name) = value {
            // A variable that has no value leaves the argument out.
            if let Some(value) = self.variable(name) {
                self.give_constant(input, value, position);
            }
            return;
        }
        self.send(&input.entry, position);
        self.look_into(input, value, position);
    }

    fn look_into(&mut self, input: &'d InputEntry, value: &'d Value, position: Pos) {
        match (self.index.type_named(&input.of).map(|of| &of.kind), value) {
            (_, Value::List(items)) => {
                for item in items {
                    if let Value::Variable(name) = item {
                        if let Some(value) = self.variable(name) {
                            self.look_into_constant(input, value, position);
                        }
                    } else {
                        self.look_into(input, item, position);
                    }
                }
            }
            (Some(Kind::Input(fields)), Value::Object(given)) => {
                for (name, value) in given {
                    if let Some(field) = fields.get(name.as_str()) {
                        self.give(field, value, position);
                    }
                }
            }
            (Some(Kind::Enum(values)), Value::Enum(value)) => {
                self.send_value(values.get(value.as_str()), position);
            }
            _ => {}
        }
    }

    fn give_constant(&mut self, input: &'d InputEntry, value: &'d ConstValue, position: Pos) {
        self.send(&input.entry, position);
        self.look_into_constant(input, value, position);
    }

    fn look_into_constant(&mut self, input: &'d InputEntry, value: &'d ConstValue, position: Pos) {
        match (self.index.type_named(&input.of).map(|of| &of.kind), value) {
            (_, ConstValue::List(items)) => {
                for item in items {
                    self.look_into_constant(input, item, position);
                }
            }
            (Some(Kind::Input(fields)), ConstValue::Object(given)) => {
                for (name, value) in given {
                    if let Some(field) = fields.get(name.as_str()) {
                        self.give_constant(field, value, position);
                    }
                }
            }
            (Some(Kind::Enum(values)), ConstValue::Enum(value)) => {
                self.send_value(values.get(value.as_str()), position);
            }
            // JSON has no enum values: they come as strings.
            (Some(Kind::Enum(values)), ConstValue::String(value)) => {
                self.send_value(values.get(value.as_str()), position);
            }
            _ => {}
        }
    }

    fn send_value(&mut self, entry: Option<&Entry>, position: Pos) {
        if let Some(entry) = entry {
            self.send(entry, position);
        }
    }

    fn send(&mut self, entry: &Entry, position: Pos) {
        let usage = entry.row.map_or(Use::Give, domain::policy::Row::sent_as);
        if let Some(denial) = self.denial(entry, usage) {
            self.refuse(denial, position);
        }
    }
}

/// How many rows a field stands for.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// Of the connection that the field is.
    of_connection: u64,
    /// Of the list that the field is.
    of_list: u64,
}

impl Rows {
    /// No list at all.
    const ONE: Self = Self {
        of_connection: 1,
        of_list: 1,
    };
}

#[cfg(test)]
mod tests;
