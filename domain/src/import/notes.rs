//! Notes from a file: the history of engagements that was kept elsewhere. A note that is there already, of the same time with
//! the same words, is left as it is. Nobody is told of what happened long ago, but is reminded of what is still to be done.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use csv::StringRecord;
use entity::{
    access_grant::Permission,
    contact,
    ids::{ContactId, NoteId, OrganisationId, UserId},
    note::{self, NoteKind, NoteVisibility},
    user::{self, UserKind},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, Iterable, QueryFilter,
    QuerySelect,
};

use super::{
    Import, Mapping, Outcome, Reason, RefusedRow, Row, Told, Where,
    place::Places,
    reasons, record,
    table::notes::{NoteField, read},
};
use crate::{
    clock::UNIVERSITY_TIME,
    error::{RefusalCode, Refusals, Result},
    key_account::{self, guard::withheld_from},
    note::{Words, new_row, schedule},
    store::Tx,
    viewer::Viewer,
};

/// What a row says of an engagement, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoteRow {
    /// The organisation it was with.
    pub place: Where,
    /// The contact it was with: their address, or their name.
    pub contact: Option<String>,
    /// What kind of engagement it was; OTHER when it isn't given.
    pub kind: Option<String>,
    /// When it took place.
    pub happened_at: Option<String>,
    /// What was said and done.
    pub body: String,
    /// What came of it.
    pub outcome: Option<String>,
    /// What is to be done next.
    pub next_action: Option<String>,
    /// By when.
    pub next_action_due_at: Option<String>,
    /// The address of whoever wrote it.
    pub author: Option<String>,
}

/// An import of notes.
#[derive(Debug)]
pub struct Notes {
    /// Who imports them.
    viewer: Viewer,
    /// The address of whoever wrote those that don't say it.
    author: Option<String>,
    created: u64,
    unchanged: u64,
    refused: Told<RefusedRow>,
}

impl Notes {
    /// An import by `viewer` of notes that were written by whoever has this address, where they don't say another. What
    /// people import that doesn't say it they wrote themselves.
    #[must_use]
    pub fn by(viewer: Viewer, author: Option<String>) -> Self {
        let own = viewer.person().map(|person| person.email.clone());
        Self {
            viewer,
            author: author.or(own),
            created: 0,
            unchanged: 0,
            refused: Told::default(),
        }
    }
}

/// Notes have no likely duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

type Key = (OrganisationId, DateTime<Utc>, String);

fn key(note: &note::Model) -> Key {
    (note.organisation_id, note.happened_at, note.body.clone())
}

impl Import for Notes {
    type Field = NoteField;
    type Says = NoteRow;
    type Duplicate = Never;

    fn read(
        mapping: &Mapping<NoteField>,
        row: &StringRecord,
    ) -> std::result::Result<NoteRow, Vec<Reason>> {
        Ok(read(mapping, row))
    }

    async fn add(&mut self, tx: &mut Tx, rows: Vec<Row<NoteRow>>) -> Result<()> {
        let places = Places::named(tx, rows.iter().map(|row| &row.says.place)).await?;
        let people = People::of(tx, &places, self, &rows).await?;
        let mut good = Vec::with_capacity(rows.len());
        for row in rows {
            good.extend(self.check(tx, &places, &people, row));
        }
        let known: HashMap<Key, NoteId> = note::Entity::find()
            .filter(note::Column::OrganisationId.is_in(places.ids()))
            .filter(note::Column::HappenedAt.is_in(good.iter().map(|note| note.happened_at)))
            .all(tx.conn())
            .await?
            .iter()
            .map(|note| (key(note), note.id))
            .collect();
        let mut seen = HashSet::new();
        good.retain(|note| {
            let key = key(note);
            let is_new = !known.contains_key(&key) && seen.insert(key);
            self.unchanged += u64::from(!is_new);
            is_new
        });
        self.created += good.len() as u64;
        for note in &good {
            if note.next_action_due_at.is_some_and(|due| due > tx.now()) {
                schedule(tx, note).await?;
            }
        }
        if !good.is_empty() {
            let rows = good
                .iter()
                .map(|note| note.clone().into_active_model().reset_all());
            note::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await?;
        }
        if self.viewer.person().is_some() {
            // policy 2.3: what an operator did without agreement is told, however it is recorded.
            for note in good.iter().filter(|note| note.contact_id.is_some()) {
                key_account::note_added(tx, &self.viewer, note, &[]).await?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, row: RefusedRow) {
        self.refused.push(row);
    }

    async fn finish(self, tx: &mut Tx, viewer: &Viewer, file: &str) -> Result<Outcome<Never>> {
        viewer.require(Permission::RecordEngagement)?;
        let outcome = Outcome {
            created: self.created,
            unchanged: self.unchanged,
            refused: self.refused,
            likely_duplicates: Some(Told::default()),
        };
        record(tx, viewer, "note.import", file, &outcome).await?;
        Ok(outcome)
    }
}

impl Notes {
    /// The row as it will be kept, or none when it was refused.
    fn check(
        &mut self,
        tx: &Tx,
        places: &Places,
        people: &People,
        row: Row<NoteRow>,
    ) -> Option<note::Model> {
        let mut refusals = Refusals::default();
        let says = row.says;
        let place = places.of(&says.place, &mut refusals);
        let contact = place.and_then(|place| people.contact(place, &says, &mut refusals));
        let kind = kind(says.kind.as_deref(), &mut refusals);
        let author = says.author.as_deref().or(self.author.as_deref());
        let author = people.author(author, &mut refusals);
        refusals.add_if(
            author.is_some() && author != self.viewer.user_id() && !self.viewer.is_administrator(),
            RefusalCode::Invalid,
            "author",
            "What others wrote is imported by an administrator, or by themselves.",
        );
        refusals.add_if(
            says.happened_at.is_none(),
            RefusalCode::Required,
            "happenedAt",
            "Say when it took place.",
        );
        let words = Words {
            happened_at: says
                .happened_at
                .and_then(|given| moment(&given, "happenedAt", &mut refusals)),
            body: says.body,
            outcome: says.outcome,
            next_action: says.next_action,
            next_action_due_at: says
                .next_action_due_at
                .and_then(|given| moment(&given, "nextActionDueAt", &mut refusals)),
            visibility: NoteVisibility::Staff,
        }
        .checked(tx.now(), &mut refusals);
        match (refusals.into_result(), place, author) {
            (Ok(()), Some(place), Some(author)) => {
                Some(new_row(tx, place, contact, kind, author, words))
            }
            (result, ..) => {
                let reasons = result.err().map(reasons).unwrap_or_default();
                self.refused.push(RefusedRow {
                    line: row.line,
                    reasons,
                });
                None
            }
        }
    }
}

/// The people whom some rows name.
struct People {
    by_email: HashMap<(OrganisationId, String), ContactId>,
    by_name: HashMap<(OrganisationId, String), Vec<ContactId>>,
    authors: HashMap<String, UserId>,
}

impl People {
    /// Looks them up with two statements.
    async fn of(tx: &Tx, places: &Places, import: &Notes, rows: &[Row<NoteRow>]) -> Result<Self> {
        let named: Vec<&str> = rows
            .iter()
            .filter_map(|row| row.says.contact.as_deref())
            .collect();
        // policy 2.3: whoever has an address that is withheld is named by their name alone.
        let withheld: HashSet<ContactId> = match withheld_from(&import.viewer, tx.now()) {
            Some(withheld) => contact::Entity::find()
                .select_only()
                .column(contact::Column::Id)
                .filter(contact::Column::OrganisationId.is_in(places.ids()))
                .filter(contact::Column::Id.in_subquery(withheld))
                .into_tuple()
                .all(tx.conn())
                .await?
                .into_iter()
                .collect(),
            None => HashSet::new(),
        };
        let found = contact::Entity::find()
            .filter(contact::Column::OrganisationId.is_in(places.ids()))
            .filter(
                sea_orm::Condition::any()
                    .add(contact::Column::Name.is_in(named.iter().copied()))
                    .add(
                        contact::Column::Email.is_in(named.iter().map(|name| name.to_lowercase())),
                    ),
            )
            .all(tx.conn())
            .await?;
        let mut people = Self {
            by_email: HashMap::new(),
            by_name: HashMap::new(),
            authors: HashMap::new(),
        };
        for row in found {
            let at = row.organisation_id;
            if let Some(email) = row.email.filter(|_| !withheld.contains(&row.id)) {
                people.by_email.insert((at, email), row.id);
            }
            people
                .by_name
                .entry((at, row.name))
                .or_default()
                .push(row.id);
        }
        let authors: HashSet<String> = rows
            .iter()
            .filter_map(|row| row.says.author.as_deref())
            .chain(import.author.as_deref())
            .map(|email| email.trim().to_lowercase())
            .collect();
        people.authors = user::Entity::find()
            .filter(user::Column::Kind.eq(UserKind::Staff))
            .filter(user::Column::Email.is_in(authors))
            .all(tx.conn())
            .await?
            .into_iter()
            .map(|user| (user.email, user.id))
            .collect();
        Ok(people)
    }

    fn contact(
        &self,
        at: OrganisationId,
        row: &NoteRow,
        refusals: &mut Refusals,
    ) -> Option<ContactId> {
        let given = row.contact.as_deref()?;
        if let Some(id) = self.by_email.get(&(at, given.to_lowercase())) {
            return Some(*id);
        }
        let named = self.by_name.get(&(at, given.to_owned()));
        match named.map_or(&[][..], Vec::as_slice) {
            [id] => return Some(*id),
            [] => refusals.add(
                RefusalCode::NotFound,
                "contact",
                format!("The organisation has no contact {given:?}; import or add them first."),
            ),
            several => refusals.add(
                RefusalCode::Invalid,
                "contact",
                format!(
                    "The organisation has {} contacts {given:?}; say which by their address.",
                    several.len()
                ),
            ),
        }
        None
    }

    fn author(&self, email: Option<&str>, refusals: &mut Refusals) -> Option<UserId> {
        let Some(email) = email else {
            refusals.add(
                RefusalCode::Required,
                "author",
                "Say who wrote it: map a column with their addresses, or name one with --author.",
            );
            return None;
        };
        let found = self.authors.get(&email.trim().to_lowercase()).copied();
        refusals.add_if(
            found.is_none(),
            RefusalCode::NotFound,
            "author",
            "No member of staff has this address.",
        );
        found
    }
}

/// What kind of engagement it was. Guidance comes with a claim (policy 2.3), never with a file.
fn kind(given: Option<&str>, refusals: &mut Refusals) -> NoteKind {
    let Some(given) = given else {
        return NoteKind::Other;
    };
    let plain = given.trim().to_uppercase().replace([' ', '-'], "_");
    let taken = NoteKind::iter().filter(|kind| *kind != NoteKind::GuidanceOnContact);
    let found = taken.clone().find(|kind| kind.to_value() == plain);
    if found.is_none() {
        let names: Vec<String> = taken.map(|kind| kind.to_value()).collect();
        refusals.add(
            RefusalCode::Invalid,
            "kind",
            format!("{given:?} is none of {}.", names.join(", ")),
        );
    }
    found.unwrap_or(NoteKind::Other)
}

/// The formats in which a moment is taken, by the clocks of the university.
const MOMENTS: &[&str] = &[
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
];

/// The formats in which a day is taken. Of a day, its noon is meant.
const DAYS: &[&str] = &["%Y-%m-%d", "%d/%m/%Y"];

fn moment(given: &str, field: &'static str, refusals: &mut Refusals) -> Option<DateTime<Utc>> {
    let given = given.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(given) {
        return Some(moment.to_utc());
    }
    let local = MOMENTS
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(given, format).ok())
        .or_else(|| {
            let day = DAYS
                .iter()
                .find_map(|format| NaiveDate::parse_from_str(given, format).ok())?;
            day.and_hms_opt(12, 0, 0)
        });
    let found = local.and_then(|local| UNIVERSITY_TIME.from_local_datetime(&local).earliest());
    refusals.add_if(
        found.is_none(),
        RefusalCode::Invalid,
        field,
        "This is no time; one looks like 2026-03-05 14:30, 05/03/2026 or 2026-03-05T14:30:00Z.",
    );
    found.map(|moment| moment.to_utc())
}
