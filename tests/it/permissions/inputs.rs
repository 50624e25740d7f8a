//! The least that an operation can be called with, made from the schema alone.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use api::graphql::document::{Entry, FieldEntry, InputEntry, Kind, SchemaIndex};
use async_graphql::parser::types::{BaseType, Type};

/// What the ids in inputs are, by the names of fields: `eventId`, and `id` with the operation before it.
pub type KnownIds = BTreeMap<String, String>;

/// The prefix of ids whose kind isn't known yet: the schema calls all of them `ID`.
const UNKNOWN: &str = "zzz";

/// The same call with an id of the right kind, when the answer to it says which kind that is.
pub fn corrected(text: &str, message: &str) -> Option<String> {
    let (before, rest) = message.split_once("begins with ")?;
    let prefix = rest.split_once('_')?.0;
    let given = before.rsplit('"').find(|part| part.starts_with(UNKNOWN))?;
    let suffix = given.strip_prefix(UNKNOWN)?;
    Some(text.replace(given, &format!("{prefix}{suffix}")))
}

/// Writes calls of root fields.
pub struct Caller<'i> {
    index: &'i SchemaIndex,
    /// Ids to be used where a field of this name wants one, even where it could be left out.
    known: &'i KnownIds,
    /// How many ids have been made up for this call.
    made_up: Cell<u8>,
    used: RefCell<Vec<&'i Entry>>,
}

/// A call, and every coordinate that it sends.
pub struct Call<'i> {
    pub text: String,
    pub sent: Vec<&'i Entry>,
}

impl<'i> Caller<'i> {
    /// With these ids, and made-up ones for all other fields.
    pub fn new(index: &'i SchemaIndex, known: &'i KnownIds) -> Self {
        Self {
            index,
            known,
            made_up: Cell::default(),
            used: RefCell::default(),
        }
    }

    /// Calls the field `name` of `mutation`, say, with what it can't do without, and selects the least.
    pub fn call(&self, keyword: &str, name: &str, field: &'i FieldEntry) -> Call<'i> {
        self.used.borrow_mut().clear();
        self.made_up.set(0);
        let arguments = self.given(&field.arguments);
        let arguments = if arguments.is_empty() {
            arguments
        } else {
            format!("({arguments})")
        };
        Call {
            text: format!("{keyword} {{ {name}{arguments}{} }}", self.selection(field)),
            sent: self.used.take(),
        }
    }

    /// `userErrors` of a payload, and else the name of the type.
    fn selection(&self, field: &FieldEntry) -> &'static str {
        match self.index.type_named(&field.of).map(|of| &of.kind) {
            Some(Kind::Fields { fields, .. }) if fields.contains_key("userErrors") => {
                " { userErrors { code field } }"
            }
            Some(Kind::Fields { .. } | Kind::Union) => " { __typename }",
            _ => "",
        }
    }

    fn given(&self, entries: &'i BTreeMap<String, InputEntry>) -> String {
        let given: Vec<String> = entries
            .iter()
            .filter(|(name, entry)| {
                let can_do_without = entry.as_written.nullable || entry.has_default;
                !can_do_without || self.known.contains_key(*name)
            })
            .map(|(name, entry)| {
                self.used.borrow_mut().push(&entry.entry);
                format!("{name}: {}", self.value(name, entry, &entry.as_written))
            })
            .collect();
        given.join(", ")
    }

    fn value(&self, name: &str, entry: &'i InputEntry, of: &Type) -> String {
        if let BaseType::List(item) = &of.base {
            return format!("[{}]", self.value(name, entry, item));
        }
        match self.index.type_named(&entry.of).map(|of| &of.kind) {
            Some(Kind::Input(fields)) => format!("{{{}}}", self.given(fields)),
            Some(Kind::Enum(values)) => {
                let (value, of_value) = values.iter().next().unwrap();
                self.used.borrow_mut().push(of_value);
                value.clone()
            }
            _ => self.scalar(name, &entry.of),
        }
    }

    fn made_up_id(&self) -> String {
        let nth = self.made_up.get() + 1;
        self.made_up.set(nth);
        format!("\"{UNKNOWN}_01h455vb4pex5vsknk084sn0{nth:02}\"")
    }

    fn scalar(&self, name: &str, of: &str) -> String {
        match of {
            "ID" => self
                .known
                .get(name)
                .map_or_else(|| self.made_up_id(), |id| format!("{id:?}")),
            "Int" => "1".to_owned(),
            "Float" => "1.5".to_owned(),
            "Boolean" => "true".to_owned(),
            "Date" => "\"2030-03-04\"".to_owned(),
            "DateTime" if name.starts_with("end") => "\"2030-03-04T12:00:00Z\"".to_owned(),
            "DateTime" => "\"2030-03-04T10:00:00Z\"".to_owned(),
            _ if name.to_lowercase().contains("email") => "\"somebody@example.test\"".to_owned(),
            _ => "\"something\"".to_owned(),
        }
    }
}
