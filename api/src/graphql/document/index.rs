//! The schema as the checks before execution need it: every type and field by name, with its policy row at hand.

use std::collections::{BTreeMap, HashMap};

use async_graphql::parser::{
    parse_schema,
    types::{
        BaseType, FieldDefinition, InputValueDefinition, OperationType, ServiceDocument, Type,
        TypeDefinition, TypeKind, TypeSystemDefinition,
    },
};
use domain::policy::{self, Row};

/// A schema, indexed.
#[derive(Debug)]
pub struct SchemaIndex {
    types: HashMap<String, TypeEntry>,
    query: Option<String>,
    mutation: Option<String>,
    subscription: Option<String>,
}

/// A type of the schema.
#[derive(Debug)]
pub struct TypeEntry {
    /// Its name.
    pub name: String,
    /// What it consists of.
    pub kind: Kind,
}

/// What a type consists of.
#[derive(Debug)]
pub enum Kind {
    /// An object or an interface.
    Fields {
        /// The fields by name.
        fields: BTreeMap<String, FieldEntry>,
        /// The objects that implement the interface.
        implementors: Vec<String>,
    },
    /// An input object.
    Input(BTreeMap<String, InputEntry>),
    /// An enum.
    Enum(BTreeMap<String, Entry>),
    /// A scalar, and whether it says where it is specified.
    Scalar {
        /// Whether it says so.
        specified: bool,
    },
    /// A union.
    Union,
}

/// A coordinate and its row in the policy table.
#[derive(Debug)]
pub struct Entry {
    /// The coordinate.
    pub coordinate: String,
    /// Its row.
    pub row: Option<&'static Row>,
}

/// A field of an object or an interface.
#[derive(Debug)]
pub struct FieldEntry {
    /// Its coordinate and row.
    pub entry: Entry,
    /// The name of its type, without list and non-null.
    pub of: String,
    /// Whether it is a list.
    pub is_list: bool,
    /// Whether it is never null.
    pub is_non_null: bool,
    /// Its arguments by name.
    pub arguments: BTreeMap<String, InputEntry>,
}

/// An argument or a field of an input object.
#[derive(Debug)]
pub struct InputEntry {
    /// Its coordinate and row.
    pub entry: Entry,
    /// The name of its type, without list and non-null.
    pub of: String,
    /// Its type as the schema writes it.
    pub as_written: Type,
    /// Whether the schema says what holds when it isn't given.
    pub has_default: bool,
}

impl SchemaIndex {
    /// Indexes a schema, from its SDL, with the rows of the policy.
    pub fn of(sdl: &str) -> Result<Self, async_graphql::parser::Error> {
        Self::with_rows(sdl, policy::row)
    }

    /// Indexes a schema, from its SDL, with rows from elsewhere.
    pub fn with_rows(
        sdl: &str,
        row: impl Fn(&str) -> Option<&'static Row>,
    ) -> Result<Self, async_graphql::parser::Error> {
        let ServiceDocument { definitions } = parse_schema(sdl)?;
        let mut index = Self {
            types: HashMap::new(),
            query: None,
            mutation: None,
            subscription: None,
        };
        let mut implementations = Vec::new();
        for definition in definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let name = |name: async_graphql::Positioned<async_graphql::Name>| {
                        name.node.to_string()
                    };
                    index.query = schema.node.query.map(name);
                    index.mutation = schema.node.mutation.map(name);
                    index.subscription = schema.node.subscription.map(name);
                }
                TypeSystemDefinition::Type(definition) => {
                    let definition = definition.node;
                    if let TypeKind::Object(object) = &definition.kind {
                        for interface in &object.implements {
                            implementations.push((
                                interface.node.to_string(),
                                definition.name.node.to_string(),
                            ));
                        }
                    }
                    let entry = type_entry(definition, &row);
                    index.types.insert(entry.name.clone(), entry);
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        for (interface, object) in implementations {
            if let Some(TypeEntry {
                kind: Kind::Fields { implementors, .. },
                ..
            }) = index.types.get_mut(&interface)
            {
                implementors.push(object);
            }
        }
        Ok(index)
    }

    /// The type of this name; none for the types of introspection.
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<&TypeEntry> {
        self.types.get(name)
    }

    /// Every type, by name.
    #[must_use]
    pub fn types(&self) -> Vec<&TypeEntry> {
        let mut types: Vec<&TypeEntry> = self.types.values().collect();
        types.sort_by_key(|entry| &entry.name);
        types
    }

    /// The type whose fields an operation of this kind selects.
    #[must_use]
    pub fn root(&self, operation: OperationType) -> Option<&TypeEntry> {
        let name = match operation {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        };
        self.types.get(name.as_deref()?)
    }

    /// Every coordinate of the schema, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<&Entry> {
        let mut entries = Vec::new();
        for entry in self.types() {
            entries.extend(entry.entries());
        }
        entries
    }
}

impl TypeEntry {
    /// The coordinates of the type, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<&Entry> {
        match &self.kind {
            Kind::Fields { fields, .. } => fields
                .values()
                .flat_map(|field| {
                    let arguments = field.arguments.values().map(|argument| &argument.entry);
                    std::iter::once(&field.entry).chain(arguments)
                })
                .collect(),
            Kind::Input(fields) => fields.values().map(|field| &field.entry).collect(),
            Kind::Enum(values) => values.values().collect(),
            Kind::Scalar { .. } | Kind::Union => Vec::new(),
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldEntry> {
        match &self.kind {
            Kind::Fields { fields, .. } => fields.get(name),
            _ => None,
        }
    }

    /// Whether it is one page of a list, in the manner of Relay.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        self.name.ends_with("Connection") && self.field("pageInfo").is_some()
    }
}

impl Entry {
    fn new(coordinate: String, row: RowOf<'_>) -> Self {
        Self {
            row: row(&coordinate),
            coordinate,
        }
    }
}

/// How the row of a coordinate is found.
type RowOf<'a> = &'a dyn Fn(&str) -> Option<&'static Row>;

fn type_entry(definition: TypeDefinition, row: RowOf<'_>) -> TypeEntry {
    let name = definition.name.node.to_string();
    let kind = match definition.kind {
        TypeKind::Object(object) => fields(&name, object.fields, row),
        TypeKind::Interface(interface) => fields(&name, interface.fields, row),
        TypeKind::InputObject(input) => Kind::Input(
            input
                .fields
                .into_iter()
                .map(|field| {
                    let coordinate = format!("{name}.{}", field.node.name.node);
                    input_entry(field.node, coordinate, row)
                })
                .collect(),
        ),
        TypeKind::Enum(values) => Kind::Enum(
            values
                .values
                .into_iter()
                .map(|value| {
                    let value = value.node.value.node.to_string();
                    let entry = Entry::new(format!("{name}.{value}"), row);
                    (value, entry)
                })
                .collect(),
        ),
        TypeKind::Scalar => Kind::Scalar {
            specified: definition
                .directives
                .iter()
                .any(|directive| directive.node.name.node == "specifiedBy"),
        },
        TypeKind::Union(_) => Kind::Union,
    };
    TypeEntry { name, kind }
}

fn fields(
    owner: &str,
    definitions: Vec<async_graphql::Positioned<FieldDefinition>>,
    row: RowOf<'_>,
) -> Kind {
    let fields = definitions
        .into_iter()
        .map(|definition| {
            let definition = definition.node;
            let name = definition.name.node.to_string();
            let arguments = definition
                .arguments
                .into_iter()
                .map(|argument| {
                    let coordinate = format!("{owner}.{name}({}:)", argument.node.name.node);
                    input_entry(argument.node, coordinate, row)
                })
                .collect();
            let entry = FieldEntry {
                entry: Entry::new(format!("{owner}.{name}"), row),
                of: named(&definition.ty.node).to_owned(),
                is_list: matches!(definition.ty.node.base, BaseType::List(_)),
                is_non_null: !definition.ty.node.nullable,
                arguments,
            };
            (name, entry)
        })
        .collect();
    Kind::Fields {
        fields,
        implementors: Vec::new(),
    }
}

fn input_entry(
    definition: InputValueDefinition,
    coordinate: String,
    row: RowOf<'_>,
) -> (String, InputEntry) {
    let entry = InputEntry {
        entry: Entry::new(coordinate, row),
        of: named(&definition.ty.node).to_owned(),
        as_written: definition.ty.node,
        has_default: definition.default_value.is_some(),
    };
    (definition.name.node.to_string(), entry)
}

fn named(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => named(of),
    }
}
