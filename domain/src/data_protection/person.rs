//! Who a person is to the tables: accounts, contacts, addresses, and what they are called.

use std::collections::BTreeSet;

use entity::{
    contact,
    ids::{ContactId, UserId},
    session, user,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    suppression::{self, AddressKey},
};

/// A person, by everything that names them.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Their accounts.
    pub accounts: Vec<user::Model>,
    /// The contacts that they are.
    pub contacts: Vec<contact::Model>,
    /// Their sessions.
    pub(super) sessions: Vec<Uuid>,
    /// Keyed hashes of their addresses.
    pub(super) hashes: Vec<String>,
}

impl Person {
    /// The person with this account id, contact id or e-mail address. An employer's account and the contact that they are
    /// belong together, and so do contacts with the same address.
    pub async fn find(db: &impl ConnectionTrait, named: &str) -> Result<Self> {
        let named = named.trim();
        let mut person = Self::default();
        let mut addresses = BTreeSet::new();
        if let Ok(id) = named.parse::<UserId>() {
            person.accounts = user::Entity::find_by_id(id).all(db).await?;
        } else if let Ok(id) = named.parse::<ContactId>() {
            person.contacts = contact::Entity::find_by_id(id).all(db).await?;
        } else {
            addresses.insert(named.to_lowercase());
        }
        // An account leads to a contact, its address to others, and a contact to an account: twice round finds all.
        for _ in 0..2 {
            addresses.extend(person.addresses());
            let contacts = person.contact_ids();
            let accounts = person.account_ids();
            person.accounts = user::Entity::find()
                .filter(
                    Condition::any()
                        .add(user::Column::Id.is_in(accounts))
                        .add(user::Column::Email.is_in(addresses.clone()))
                        .add(user::Column::ContactId.is_in(contacts.clone())),
                )
                .all(db)
                .await?;
            addresses.extend(person.addresses());
            let of_accounts = person
                .accounts
                .iter()
                .filter_map(|row| row.contact_id)
                .map(Uuid::from);
            person.contacts = contact::Entity::find()
                .filter(
                    Condition::any()
                        .add(contact::Column::Id.is_in(contacts.into_iter().chain(of_accounts)))
                        .add(contact::Column::Email.is_in(addresses.clone())),
                )
                .all(db)
                .await?;
        }
        if person.accounts.is_empty() && person.contacts.is_empty() {
            return Err(Error::not_found("person", "person"));
        }
        person.find_sessions(db).await?;
        Ok(person)
    }

    pub(super) async fn find_sessions(&mut self, db: &impl ConnectionTrait) -> Result<()> {
        self.sessions = session::Entity::find()
            .filter(session::Column::UserId.is_in(self.account_ids()))
            .select_only()
            .column(session::Column::Id)
            .into_tuple()
            .all(db)
            .await?;
        Ok(())
    }

    /// With the hashes of their addresses, which are made with a key.
    pub(super) fn hash_addresses(&mut self, key: &AddressKey) -> Result<()> {
        self.hashes = self
            .addresses()
            .iter()
            .map(|address| Ok(suppression::written(&key.hash(address)?)))
            .collect::<Result<_>>()?;
        Ok(())
    }

    pub(super) fn account_ids(&self) -> Vec<Uuid> {
        self.accounts.iter().map(|row| row.id.into()).collect()
    }

    pub(super) fn contact_ids(&self) -> Vec<Uuid> {
        self.contacts.iter().map(|row| row.id.into()).collect()
    }

    /// Their ids as they are written outside.
    #[must_use]
    pub fn written_ids(&self) -> Vec<String> {
        let accounts = self.accounts.iter().map(|row| row.id.to_string());
        accounts
            .chain(self.contacts.iter().map(|row| row.id.to_string()))
            .collect()
    }

    /// Their e-mail addresses.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let accounts = self.accounts.iter().map(|row| row.email.clone());
        let contacts = self.contacts.iter().filter_map(|row| row.email.clone());
        accounts
            .chain(contacts)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// What may stand of them in words, as their records have it: addresses, telephone numbers and whole names. A name of one
    /// word is part of too many other words.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        let names = self
            .accounts
            .iter()
            .map(|row| &row.name)
            .chain(self.contacts.iter().map(|row| &row.name))
            .filter(|name| name.trim().contains(' '))
            .cloned();
        let telephones = self.contacts.iter().filter_map(|row| row.telephone.clone());
        let mut values: BTreeSet<String> = self.addresses().into_iter().collect();
        values.extend(names);
        values.extend(telephones);
        // The longest first, so that no part of one stays behind.
        let mut values: Vec<_> = values
            .into_iter()
            .filter(|value| value.len() >= 5)
            .collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values
    }
}
