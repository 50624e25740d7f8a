//! `@access` in the schema.

use std::borrow::Cow;

use async_graphql::{
    ContextDirective, CustomDirective, CustomDirectiveFactory, ServerError, ServerResult,
    indexmap::IndexMap,
    parser::types::Directive,
    registry::{
        __DirectiveLocation as Location, MetaDirective, MetaDirectiveInvocation, MetaEnumValue,
        MetaInputValue, MetaType, Registry,
    },
};
use domain::policy::{self, PERMISSIONS, ROLES, Role, Row, Use, permission_token};

use super::{DIRECTIVE, RowOf, WHO, tokens};

/// Declares `@access` and writes it, and a sentence, wherever the policy has a row.
#[derive(Clone, Copy, Debug)]
pub struct AccessDirective {
    row: RowOf,
}

impl AccessDirective {
    /// From the policy table.
    #[must_use]
    pub const fn new() -> Self {
        Self { row: policy::row }
    }

    /// From rows of elsewhere.
    #[must_use]
    pub const fn with_rows(row: RowOf) -> Self {
        Self { row }
    }

    fn annotate(
        self,
        coordinate: &str,
        description: &mut Option<String>,
        invocations: &mut Vec<MetaDirectiveInvocation>,
    ) {
        let Some(row) = (self.row)(coordinate) else {
            return;
        };
        let sentence = policy::sentence(row);
        *description = Some(match description.take() {
            Some(text) => format!("{text} {sentence}"),
            None => sentence,
        });
        invocations.push(invocation(row));
    }
}

impl Default for AccessDirective {
    fn default() -> Self {
        Self::new()
    }
}

fn invocation(row: &Row) -> MetaDirectiveInvocation {
    MetaDirectiveInvocation {
        name: DIRECTIVE.into_owned(),
        args: row
            .uses()
            .map(|(usage, who)| (usage.token().to_owned(), tokens(who)))
            .collect(),
    }
}

fn declaration() -> MetaDirective {
    let mut args = IndexMap::new();
    for usage in Use::ALL {
        let name = usage.token();
        args.insert(
            name.to_owned(),
            MetaInputValue::new(name, format!("[{WHO}!]")),
        );
    }
    MetaDirective {
        name: DIRECTIVE.into_owned(),
        description: Some(
            "Who may read, give, filter by or sort by what this stands at: anybody who is one of those named. What is \
             not named is open to nobody."
                .to_owned(),
        ),
        locations: vec![
            Location::FIELD_DEFINITION,
            Location::ARGUMENT_DEFINITION,
            Location::INPUT_FIELD_DEFINITION,
            Location::ENUM_VALUE,
        ],
        args,
        is_repeatable: false,
        visible: None,
        composable: None,
    }
}

/// The enum of all roles and permissions.
fn who() -> MetaType {
    let value = |name: &str, description: String| {
        let mut value = MetaEnumValue::new(name);
        value.description = Some(description);
        (name.to_owned(), value)
    };
    let roles = ROLES
        .into_iter()
        .map(|role| value(role.token(), capitalised(role)));
    let permissions = PERMISSIONS.into_iter().map(|permission| {
        value(
            permission_token(permission),
            "Staff to whom this permission was granted.".to_owned(),
        )
    });
    MetaType::Enum {
        name: WHO.to_owned(),
        description: Some("A role or a permission.".to_owned()),
        enum_values: roles.chain(permissions).collect(),
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        rust_typename: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

fn capitalised(role: Role) -> String {
    let text = role.plural();
    let (first, rest) = text.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

impl CustomDirectiveFactory for AccessDirective {
    fn name(&self) -> Cow<'static, str> {
        DIRECTIVE
    }

    fn register(&self, registry: &mut Registry) {
        registry.types.insert(WHO.to_owned(), who());
        registry.add_directive(declaration());
        for (owner, of) in &mut registry.types {
            if owner.starts_with("__") {
                continue;
            }
            match of {
                MetaType::Object { fields, .. } | MetaType::Interface { fields, .. } => {
                    for (name, field) in fields {
                        if name.starts_with("__") {
                            continue;
                        }
                        self.annotate(
                            &format!("{owner}.{name}"),
                            &mut field.description,
                            &mut field.directive_invocations,
                        );
                        for (argument, value) in &mut field.args {
                            self.annotate(
                                &format!("{owner}.{name}({argument}:)"),
                                &mut value.description,
                                &mut value.directive_invocations,
                            );
                        }
                    }
                }
                MetaType::InputObject { input_fields, .. } => {
                    for (name, field) in input_fields {
                        self.annotate(
                            &format!("{owner}.{name}"),
                            &mut field.description,
                            &mut field.directive_invocations,
                        );
                    }
                }
                MetaType::Enum { enum_values, .. } => {
                    for (name, value) in enum_values {
                        self.annotate(
                            &format!("{owner}.{name}"),
                            &mut value.description,
                            &mut value.directive_invocations,
                        );
                    }
                }
                MetaType::Scalar { .. } | MetaType::Union { .. } => {}
            }
        }
    }

    /// The directive stands in the schema; documents can't use it.
    fn create(
        &self,
        _: &ContextDirective<'_>,
        directive: &Directive,
    ) -> ServerResult<Box<dyn CustomDirective>> {
        Err(ServerError::new(
            "@access can't be used in a document.",
            Some(directive.name.pos),
        ))
    }
}
