//! The walk over a document: what it measures.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, ServerError, Value as ConstValue, Variables,
    parser::types::{
        Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
    },
};
use async_graphql_value::Value;
use domain::policy::Who;

use super::{
    DeniedField, DeniedUse, Excess, FieldEntry, Kind, Limits, SchemaIndex, TypeEntry,
    size::{Rows, Size},
};
use crate::graphql::{
    connection::DEFAULT_ROWS,
    errors::{Code, server_error},
};

/// How many rows a list without paging is taken to have.
const ROWS_OF_A_LIST: u64 = 10;

/// Walks a document, once.
pub(super) struct Surveyor<'d> {
    pub(super) index: &'d SchemaIndex,
    limits: &'d Limits,
    document: &'d ExecutableDocument,
    variables: &'d Variables,
    pub(super) standing: Who,
    /// The fragments that are done, and whether they were looked at as something to carry out.
    measured: HashMap<(&'d str, bool), Size>,
    /// The fragments in hand.
    open: HashSet<&'d str>,
    /// The response keys from the root to the field in hand.
    pub(super) path: Vec<&'d str>,
    pub(super) denied: Vec<DeniedField>,
    pub(super) refused: Vec<DeniedUse>,
}

impl<'d> Surveyor<'d> {
    /// Before the first step.
    pub(super) fn new(
        index: &'d SchemaIndex,
        limits: &'d Limits,
        document: &'d ExecutableDocument,
        variables: &'d Variables,
        standing: Who,
    ) -> Self {
        Self {
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
        }
    }

    /// Measures an operation; `live` tells whether it is carried out.
    pub(super) fn operation(
        &mut self,
        operation: &'d OperationDefinition,
        live: bool,
    ) -> Result<Size, ServerError> {
        let root = self.index.root(operation.ty);
        self.set(&operation.selection_set.node, root, 1, live)
    }

    /// Refuses what is too large already.
    pub(super) fn check(&self, size: Size, level: u64) -> Result<(), Excess> {
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

    pub(super) fn spread(
        &mut self,
        name: &'d Name,
        level: u64,
        live: bool,
    ) -> Result<Size, ServerError> {
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
    pub(super) fn variable(&self, name: &str) -> Option<&'d ConstValue> {
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
}
