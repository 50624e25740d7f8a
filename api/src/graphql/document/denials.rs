//! The walk over a document: what of it the asker may not use.

use async_graphql::{
    Pos, Positioned, Value as ConstValue,
    parser::types::{Field, OperationType},
};
use async_graphql_value::Value;
use domain::policy::{Denial, Use};

use super::{
    DeniedField, DeniedUse, Entry, FieldEntry, InputEntry, Kind, TypeEntry, surveyor::Surveyor,
};

impl<'d> Surveyor<'d> {
    /// Notes what of a field the asker may not use. Answers whether what is selected in it will be looked at at all.
    pub(super) fn may_select(
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
