//! What a field can be called with, made from the schema alone: the least, and the least with one thing more.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use api::graphql::document::{Entry, FieldEntry, InputEntry, Kind, SchemaIndex};
use async_graphql::parser::types::{BaseType, Type};

/// What is sent, as it is written in a call, by the name of the argument or field (`eventId`) or, where that isn't enough, by
/// its coordinate (`GrantAccessInput.userId`).
pub type Known = BTreeMap<String, String>;

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

/// One thing that a call can do without: an argument, a field of an input or a value of an enum, and the way to it.
#[derive(Clone, Default)]
pub struct Extra {
    /// The names of the argument and of the fields of inputs that lead there.
    way: Vec<String>,
    /// The value at its end; the first of the enum when there is none.
    value: Option<String>,
}

impl Extra {
    /// What is left of the way after this name, if it begins with it.
    fn after(&self, name: &str) -> Option<Self> {
        let (first, rest) = self.way.split_first()?;
        (first == name).then(|| Self {
            way: rest.to_vec(),
            value: self.value.clone(),
        })
    }
}

/// Writes calls of fields.
pub struct Caller<'i> {
    index: &'i SchemaIndex,
    /// What is sent, even where it could be left out.
    known: &'i Known,
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
    /// With these values, and made-up ones for all else.
    pub fn new(index: &'i SchemaIndex, known: &'i Known) -> Self {
        Self {
            index,
            known,
            made_up: Cell::default(),
            used: RefCell::default(),
        }
    }

    /// Calls the field `name` of `mutation`, say, with what it can't do without, and selects the least.
    pub fn call(&self, keyword: &str, name: &str, field: &'i FieldEntry) -> Call<'i> {
        let mut call = self.select(name, field, &Extra::default());
        call.text = format!("{keyword} {{ {} }}", call.text);
        call
    }

    /// Everything that a call of the field can do without.
    pub fn extras(&self, field: &'i FieldEntry) -> Vec<Extra> {
        let mut extras = Vec::new();
        self.gather(
            &field.arguments,
            &mut Vec::new(),
            &mut Vec::new(),
            &mut extras,
        );
        extras
    }

    fn gather(
        &self,
        entries: &'i BTreeMap<String, InputEntry>,
        within: &mut Vec<&'i str>,
        way: &mut Vec<String>,
        extras: &mut Vec<Extra>,
    ) {
        for (name, entry) in entries {
            way.push(name.clone());
            if !is_needed(entry) {
                extras.push(Extra {
                    way: way.clone(),
                    value: None,
                });
            }
            match self.index.type_named(&entry.of).map(|of| &of.kind) {
                // An input may hold itself.
                Some(Kind::Input(fields)) if !within.contains(&entry.of.as_str()) => {
                    within.push(&entry.of);
                    self.gather(fields, within, way, extras);
                    within.pop();
                }
                Some(Kind::Enum(values)) => {
                    extras.extend(values.keys().skip(1).map(|value| Extra {
                        way: way.clone(),
                        value: Some(value.clone()),
                    }));
                }
                _ => {}
            }
            way.pop();
        }
    }

    /// Selects a field with what it can't do without and one thing more, and the least below it.
    pub fn select(&self, name: &str, field: &'i FieldEntry, extra: &Extra) -> Call<'i> {
        self.used.borrow_mut().clear();
        self.made_up.set(0);
        let arguments = in_brackets(self.given(&field.arguments, extra));
        Call {
            text: format!("{name}{arguments}{}", self.selection(field)),
            sent: self.used.take(),
        }
    }

    /// What a field is asked for with, the brackets with it.
    pub fn arguments(&self, field: &'i FieldEntry) -> String {
        in_brackets(self.given(&field.arguments, &Extra::default()))
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

    fn given(&self, entries: &'i BTreeMap<String, InputEntry>, extra: &Extra) -> String {
        let given: Vec<String> = entries
            .iter()
            .filter_map(|(name, entry)| {
                let wanted = extra.after(name);
                let is_sent = is_needed(entry) || wanted.is_some() || self.known.contains_key(name);
                is_sent.then(|| {
                    self.used.borrow_mut().push(&entry.entry);
                    let below = wanted.unwrap_or_default();
                    format!(
                        "{name}: {}",
                        self.value(name, entry, &entry.as_written, &below)
                    )
                })
            })
            .collect();
        given.join(", ")
    }

    fn value(&self, name: &str, entry: &'i InputEntry, of: &Type, extra: &Extra) -> String {
        if let Some(known) = self.known(name, entry) {
            return known.clone();
        }
        if let BaseType::List(item) = &of.base {
            return format!("[{}]", self.value(name, entry, item, extra));
        }
        match self.index.type_named(&entry.of).map(|of| &of.kind) {
            Some(Kind::Input(fields)) => format!("{{{}}}", self.given(fields, extra)),
            Some(Kind::Enum(values)) => {
                let wanted = extra
                    .value
                    .as_deref()
                    .and_then(|value| values.get_key_value(value));
                let (value, of_value) = wanted.or_else(|| values.iter().next()).unwrap();
                self.used.borrow_mut().push(of_value);
                value.clone()
            }
            _ => self.scalar(name, &entry.of),
        }
    }

    fn known(&self, name: &str, entry: &InputEntry) -> Option<&'i String> {
        let known = self.known;
        known
            .get(&entry.entry.coordinate)
            .or_else(|| known.get(name))
    }

    fn made_up_id(&self) -> String {
        let nth = self.made_up.get() + 1;
        self.made_up.set(nth);
        format!("\"{UNKNOWN}_01h455vb4pex5vsknk084sn0{nth:02}\"")
    }

    fn scalar(&self, name: &str, of: &str) -> String {
        match of {
            "ID" => self.made_up_id(),
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

fn in_brackets(arguments: String) -> String {
    if arguments.is_empty() {
        arguments
    } else {
        format!("({arguments})")
    }
}

/// Whether a call can't do without it.
fn is_needed(entry: &InputEntry) -> bool {
    !(entry.as_written.nullable || entry.has_default)
}
