//! Contacts from a file. One whose address, or for want of one whose name, its organisation has already is left as it is.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;
use entity::{access_grant::Permission, contact, ids::OrganisationId, organisation};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Func},
};

use super::{
    Import, Mapping, Outcome, Reason, RefusedRow, Row, Told, Where,
    place::Places,
    reasons, record,
    table::contacts::{ContactField, read},
};
use crate::{
    contact::{Profile, duplicates::ScanContacts, hold, new_row},
    error::{Refusals, Result},
    key_account::guard::withheld_from,
    store::Tx,
    viewer::Viewer,
};

/// What a row says of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// Where they work.
    pub place: Where,
    /// What they are like.
    pub profile: Profile,
}

/// Why a contact is likely somebody who is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A contact of another organisation has the address.
    Email,
    /// Another contact of the organisation has the name.
    Name,
}

/// A contact who was added and is likely somebody who is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    /// The line of the file.
    pub line: u64,
    /// Who was added.
    pub name: String,
    /// Who is known.
    pub known: String,
    /// Where they work.
    pub at: String,
    /// What they share.
    pub why: Why,
}

/// An import of contacts.
#[derive(Debug)]
pub struct Contacts {
    /// Who imports them.
    viewer: Viewer,
    created: u64,
    unchanged: u64,
    refused: Told<RefusedRow>,
    alike: Told<Alike>,
}

/// A row that is good so far.
struct Good {
    line: u64,
    organisation_id: OrganisationId,
    profile: Profile,
}

impl Contacts {
    /// An import by `viewer`.
    #[must_use]
    pub fn by(viewer: Viewer) -> Self {
        Self {
            viewer,
            created: 0,
            unchanged: 0,
            refused: Told::default(),
            alike: Told::default(),
        }
    }
}

impl Good {
    /// By which it is known at its organisation.
    fn key(&self) -> Key {
        let own = self.profile.email.clone();
        own.map_or_else(
            || self.named(),
            |email| (self.organisation_id, By::Email(email)),
        )
    }

    fn named(&self) -> Key {
        let name = plain(&self.profile.name);
        (self.organisation_id, By::Name(name))
    }
}

type Key = (OrganisationId, By);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum By {
    Email(String),
    Name(String),
}

fn plain(name: &str) -> String {
    name.to_lowercase()
}

impl Import for Contacts {
    type Field = ContactField;
    type Says = ContactRow;
    type Duplicate = Alike;

    fn read(
        mapping: &Mapping<ContactField>,
        row: &StringRecord,
    ) -> std::result::Result<ContactRow, Vec<Reason>> {
        read(mapping, row)
    }

    async fn add(&mut self, tx: &mut Tx, rows: Vec<Row<ContactRow>>) -> Result<()> {
        let places = Places::named(tx, rows.iter().map(|row| &row.says.place)).await?;
        let good: Vec<Good> = rows
            .into_iter()
            .filter_map(|row| self.check(&places, row))
            .collect();
        let known = known(tx, &places, &good).await?;
        let mut seen: HashMap<Key, u64> = HashMap::new();
        let mut new = Vec::with_capacity(good.len());
        for row in good {
            let key = row.key();
            if let Some(earlier) = seen.get(&key) {
                self.refuse_for(row.line, format!("This is the contact of line {earlier}."));
                continue;
            }
            match known.get(&key) {
                // Nobody else wrote at the very moment of this change.
                Some(written) if *written == tx.now() => {
                    self.refuse_for(
                        row.line,
                        "This contact stands earlier in the file.".to_owned(),
                    );
                }
                Some(_) => self.unchanged += 1,
                None => {
                    // Whoever has an address is known by their name as well, to a row that has none.
                    seen.entry(row.named()).or_insert(row.line);
                    seen.insert(key, row.line);
                    new.push(row);
                }
            }
        }
        self.warn(tx, &places, &new).await?;
        self.created += new.len() as u64;
        let held: Vec<String> = new
            .iter()
            .filter(|row| row.profile.on_hold)
            .filter_map(|row| row.profile.email.clone())
            .collect();
        let mut rows: Vec<_> = new
            .into_iter()
            .map(|row| new_row(tx, row.organisation_id, row.profile))
            .collect();
        if !rows.is_empty() {
            hold::begin_all(tx, &held).await?;
            hold::apply(tx, &mut rows).await?;
            contact::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await?;
        }
        Ok(())
    }

    fn refuse(&mut self, row: RefusedRow) {
        self.refused.push(row);
    }

    async fn finish(self, tx: &mut Tx, viewer: &Viewer, file: &str) -> Result<Outcome<Alike>> {
        viewer.require(Permission::EditOrganisation)?;
        let outcome = Outcome {
            created: self.created,
            unchanged: self.unchanged,
            refused: self.refused,
            likely_duplicates: Some(self.alike),
        };
        if outcome.created > 0 {
            // All of them are compared afterwards, and nobody waits for it.
            tx.enqueue(&ScanContacts::default(), None).await?;
        }
        record(tx, viewer, "contact.import", file, &outcome).await?;
        Ok(outcome)
    }
}

impl Contacts {
    fn refuse_for(&mut self, line: u64, reason: String) {
        self.refused.push(RefusedRow {
            line,
            reasons: vec![Reason::of_row(reason)],
        });
    }

    /// The row as it will be kept, or none when it was refused.
    fn check(&mut self, places: &Places, row: Row<ContactRow>) -> Option<Good> {
        let mut refusals = Refusals::default();
        let organisation_id = places.of(&row.says.place, &mut refusals);
        let profile = row.says.profile.checked(&mut refusals);
        match (refusals.into_result(), organisation_id) {
            (Ok(()), Some(organisation_id)) => Some(Good {
                line: row.line,
                organisation_id,
                profile,
            }),
            (Ok(()), None) => None,
            (Err(error), _) => {
                self.refused.push(RefusedRow {
                    line: row.line,
                    reasons: reasons(error),
                });
                None
            }
        }
    }

    /// Notes who of the new ones is likely somebody who is known: by their address at another organisation, or by their name
    /// at their own.
    async fn warn(&mut self, tx: &Tx, places: &Places, new: &[Good]) -> Result<()> {
        let emails = new.iter().filter_map(|row| row.profile.email.as_deref());
        // policy 2.3: whose address is withheld isn't told by it.
        let withheld = withheld_from(&self.viewer, tx.now());
        let elsewhere: Vec<(String, String, String)> = contact::Entity::find()
            .apply_if(withheld, |query, withheld| {
                query.filter(contact::Column::Id.not_in_subquery(withheld))
            })
            .inner_join(organisation::Entity)
            .select_only()
            .column(contact::Column::Email)
            .column(contact::Column::Name)
            .column_as(organisation::Column::Name, "at")
            .filter(contact::Column::Email.is_in(emails))
            .into_tuple()
            .all(tx.conn())
            .await?;
        let elsewhere: HashMap<&str, (&str, &str)> = elsewhere
            .iter()
            .map(|(email, name, at)| (email.as_str(), (name.as_str(), at.as_str())))
            .collect();
        let names: Vec<&str> = new.iter().map(|row| row.profile.name.as_str()).collect();
        let mut here: HashSet<(OrganisationId, String)> = contact::Entity::find()
            .select_only()
            .column(contact::Column::OrganisationId)
            .column(contact::Column::Name)
            .filter(
                contact::Column::OrganisationId.is_in(new.iter().map(|row| row.organisation_id)),
            )
            .filter(is_named(&names))
            .into_tuple::<(OrganisationId, String)>()
            .all(tx.conn())
            .await?
            .into_iter()
            .map(|(at, name)| (at, plain(&name)))
            .collect();
        let mut in_this_chunk: HashMap<&str, &Good> = HashMap::new();
        for row in new {
            let name = &row.profile.name;
            let at = |id| places.name(id).unwrap_or_default().to_owned();
            let alike = |known: &str, at: String, why| Alike {
                line: row.line,
                name: name.clone(),
                known: known.to_owned(),
                at,
                why,
            };
            if let Some(email) = row.profile.email.as_deref() {
                if let Some((known, at)) = elsewhere.get(email) {
                    self.alike.push(alike(known, (*at).to_owned(), Why::Email));
                    continue;
                }
                if let Some(other) = in_this_chunk.insert(email, row) {
                    let there = at(other.organisation_id);
                    self.alike
                        .push(alike(&other.profile.name, there, Why::Email));
                    continue;
                }
            }
            // What stands earlier in this chunk is known by then, as it is when it stands in another.
            if !here.insert((row.organisation_id, plain(name))) {
                let here = at(row.organisation_id);
                self.alike.push(alike(name, here, Why::Name));
            }
        }
        Ok(())
    }
}

/// Whose name is one of these, in whatever case. SQLite knows the cases of plain letters alone, so the names are looked for as
/// they are too.
fn is_named(names: &[&str]) -> Condition {
    let lower: Expr = Func::lower(Expr::col((contact::Entity, contact::Column::Name))).into();
    Condition::any()
        .add(contact::Column::Name.is_in(names.iter().copied()))
        .add(lower.is_in(names.iter().map(|name| plain(name))))
}

/// Which of the rows' keys are known, and since when.
async fn known(
    tx: &Tx,
    places: &Places,
    rows: &[Good],
) -> Result<HashMap<Key, chrono::DateTime<chrono::Utc>>> {
    let emails = rows.iter().filter_map(|row| row.profile.email.as_deref());
    let names: Vec<&str> = rows
        .iter()
        .filter(|row| row.profile.email.is_none())
        .map(|row| row.profile.name.as_str())
        .collect();
    let found = contact::Entity::find()
        .filter(contact::Column::OrganisationId.is_in(places.ids()))
        .filter(
            Condition::any()
                .add(contact::Column::Email.is_in(emails))
                .add(is_named(&names)),
        )
        .all(tx.conn())
        .await?;
    let mut known = HashMap::with_capacity(found.len() * 2);
    for row in found {
        let by = std::iter::once(By::Name(plain(&row.name))).chain(row.email.map(By::Email));
        for by in by {
            let since = known
                .entry((row.organisation_id, by))
                .or_insert(row.created_at);
            *since = std::cmp::min(row.created_at, *since);
        }
    }
    Ok(known)
}
