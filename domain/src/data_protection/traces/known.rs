//! What is known of a person: names, addresses and numbers, of now and of earlier.

use std::collections::BTreeSet;

use entity::{
    contact, organisation,
    personal_data::{ALL, Erased, Holding, Holds, Key},
    user,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Func, FunctionCall},
};
use serde_json::Value;

use super::number;
use crate::{
    data_protection::{
        Person,
        rows::{ERASED_WORD, Sql, read},
    },
    error::Result,
};

/// What is known of a person, now and from earlier.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub names: BTreeSet<String>,
    pub addresses: BTreeSet<String>,
    pub telephones: BTreeSet<String>,
}

impl Known {
    /// What the person's own rows, and the journals of them, tell of earlier. Another's record may have taken over an address or a
    /// number since; what is another's now is left alone.
    pub async fn earlier(db: &impl ConnectionTrait, person: &Person) -> Result<Self> {
        let mut known = Self::default();
        for holding in ALL.iter().filter(|holding| tells(holding)) {
            let mut sql = Sql::default();
            let Some(about) = sql.about(holding, person) else {
                continue;
            };
            for row in read(db, holding, &about, sql).await? {
                // The journal of a merge has rows of other tables, too.
                let of_a_person = row.get("in_table").and_then(Value::as_str);
                if of_a_person.is_some_and(|table| !["contact", "user_account"].contains(&table)) {
                    continue;
                }
                for (column, holds) in holding.columns() {
                    match (holds, row.get(column)) {
                        (Holds::Value(_) | Holds::Subject(Key::Address), Some(value)) => {
                            known.note(column, value);
                        }
                        (Holds::Words | Holds::Sealed, Some(value)) => known.look_into(value),
                        _ => {}
                    }
                }
            }
        }
        known.leave_out_what_others_have(db, person).await?;
        Ok(known)
    }

    fn look_into(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.note(key, value);
                    self.look_into(value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.look_into(value)),
            _ => {}
        }
    }

    fn note(&mut self, key: &str, value: &Value) {
        let Value::String(text) = value else {
            return;
        };
        let text = text.trim();
        if text.contains(ERASED_WORD) || text.ends_with("@erased.invalid") {
            return;
        }
        match key {
            "name" | "recipient_name" | "recipientName" => {
                self.names.insert(text.to_owned());
            }
            "telephone" => {
                self.telephones.insert(text.to_owned());
            }
            "email" | "address" | "newEmail" | "new_email" if text.contains('@') => {
                self.addresses.insert(text.to_lowercase());
            }
            _ => {}
        }
    }

    pub async fn leave_out_what_others_have(
        &mut self,
        db: &impl ConnectionTrait,
        person: &Person,
    ) -> Result<()> {
        if !self.addresses.is_empty() {
            let contacts: Vec<Option<String>> = contact::Entity::find()
                .select_only()
                .column(contact::Column::Email)
                .filter(contact::Column::Id.is_not_in(person.contact_ids()))
                .filter(contact::Column::Email.is_in(self.addresses.clone()))
                .into_tuple()
                .all(db)
                .await?;
            let accounts: Vec<String> = user::Entity::find()
                .select_only()
                .column(user::Column::Email)
                .filter(user::Column::Id.is_not_in(person.account_ids()))
                .filter(user::Column::Email.is_in(self.addresses.clone()))
                .into_tuple()
                .all(db)
                .await?;
            for address in contacts.into_iter().flatten().chain(accounts) {
                self.addresses.remove(&address);
            }
        }
        if !self.telephones.is_empty() {
            let others: Vec<Option<String>> = contact::Entity::find()
                .select_only()
                .column(contact::Column::Telephone)
                .filter(contact::Column::Id.is_not_in(person.contact_ids()))
                .filter(contact::Column::Telephone.is_not_null())
                .into_tuple()
                .all(db)
                .await?;
            let others: BTreeSet<String> = others
                .into_iter()
                .flatten()
                .filter_map(|telephone| Some(number(&telephone)?.1))
                .collect();
            self.telephones.retain(|telephone| {
                number(telephone).is_none_or(|(_, digits)| !others.contains(&digits))
            });
        }
        if !self.names.is_empty() {
            let lower: Vec<String> = self.names.iter().map(|name| name.to_lowercase()).collect();
            let organisations: Vec<String> = organisation::Entity::find()
                .select_only()
                .column(organisation::Column::Name)
                .filter(Expr::expr(lowered(organisation::Column::Name)).is_in(lower.clone()))
                .into_tuple()
                .all(db)
                .await?;
            let contacts: Vec<String> = contact::Entity::find()
                .select_only()
                .column(contact::Column::Name)
                .filter(contact::Column::Id.is_not_in(person.contact_ids()))
                .filter(Expr::expr(lowered(contact::Column::Name)).is_in(lower.clone()))
                .into_tuple()
                .all(db)
                .await?;
            let accounts: Vec<String> = user::Entity::find()
                .select_only()
                .column(user::Column::Name)
                .filter(user::Column::Id.is_not_in(person.account_ids()))
                .filter(Expr::expr(lowered(user::Column::Name)).is_in(lower))
                .into_tuple()
                .all(db)
                .await?;
            let others: BTreeSet<String> = organisations
                .into_iter()
                .chain(contacts)
                .chain(accounts)
                .map(|name| name.to_lowercase())
                .collect();
            self.names
                .retain(|name| !others.contains(&name.to_lowercase()));
        }
        Ok(())
    }
}

fn lowered(column: impl ColumnTrait) -> FunctionCall {
    Func::lower(Expr::col(column))
}

/// Whether a table may tell of earlier names, addresses or numbers in rows about a person.
fn tells(holding: &Holding) -> bool {
    holding.columns().any(|(column, holds)| match holds {
        Holds::Sealed => true,
        Holds::Words => holding.table == "merge_change",
        Holds::Value(Erased::Stays | Erased::EmptyObject) => false,
        Holds::Value(_) => {
            ["name", "recipient_name", "telephone", "email", "address"].contains(&column)
        }
        Holds::Subject(key) => key == Key::Address,
        _ => false,
    })
}
