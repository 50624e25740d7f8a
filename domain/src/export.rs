//! Organisations, contacts and notes as CSV: on the command line, and by a link that works for one person and for minutes.
//!
//! What leaves in a file leaves all rules behind, so it needs `EXPORT_CONTACTS` when the link is made and when it is followed,
//! and contacts before whom the viewer must liaise are left out and counted (policy 2.3 and 3).

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use entity::{
    access_grant::Permission,
    contact,
    ids::{ContactId, NoteId, OrganisationId, UserId},
    note, organisation, profile_field, user,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{
    contact as contacts,
    error::Result,
    import::Defined,
    key_account::guard::{standings, withheld_from},
    note as notes, organisation as organisations,
    personal_link::PersonalLink,
    profile_field as fields, spreadsheet,
    store::{Store, Tx},
    viewer::Viewer,
};

/// Where links lead, before the token.
pub const PATH: &str = "/exports/";
/// What their signature is for.
const PURPOSE: &str = "export";
/// How long a link works.
const WORKS_FOR: TimeDelta = TimeDelta::minutes(5);
/// How many rows are read at once.
pub const CHUNK: u64 = 500;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Organisations.
    Organisations,
    /// Contacts.
    Contacts,
    /// Notes.
    Notes,
}

impl Kind {
    /// What it is called, in file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organisations => "organisations",
            Self::Contacts => "contacts",
            Self::Notes => "notes",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Organisations => "organisation.export",
            Self::Contacts => "contact.export",
            Self::Notes => "note.export",
        }
    }
}

/// How much an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How many rows it has.
    pub rows: u64,
    /// How many contacts are left out, because the viewer must liaise first.
    pub left_out: u64,
}

/// An export that has begun: which columns its file has doesn't change from here on.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What is exported.
    pub kind: Kind,
    /// How much it is.
    pub extent: Extent,
    /// The fields of organisations that administrators defined and that whoever exports may see, each a column after the others.
    fields: Vec<profile_field::Model>,
}

/// Makes a link for `viewer`: its path, and what it leads to.
pub async fn link(
    store: &Store,
    viewer: &Viewer,
    kind: Kind,
) -> Result<(String, PersonalLink<Kind>, Extent)> {
    viewer.require(Permission::ExportContacts)?;
    let (token, link) = PersonalLink::make(store, viewer, PURPOSE, WORKS_FOR, kind).await?;
    let extent = extent(store.reader(), viewer, store.now(), kind).await?;
    Ok((format!("{PATH}{token}"), link, extent))
}

/// Reads a token, as links do; none too when they may no longer export.
pub async fn open(store: &Store, token: &str) -> Result<Option<(PersonalLink<Kind>, Viewer)>> {
    let opened = PersonalLink::open(store, PURPOSE, token).await?;
    Ok(opened.filter(|(_, viewer)| viewer.has(Permission::ExportContacts)))
}

/// Begins an export: the log says who takes what away, how much of it, and how much is left out.
pub async fn begin(tx: &mut Tx, viewer: &Viewer, kind: Kind) -> Result<Begun> {
    viewer.require(Permission::ExportContacts)?;
    let extent = extent(tx.conn(), viewer, tx.now(), kind).await?;
    let what = json!({ "rows": extent.rows, "leftOut": extent.left_out });
    tx.audit(viewer, kind.action(), kind.name(), None, Some(what))
        .await?;
    let fields = match kind {
        Kind::Organisations => fields::list(tx.conn(), viewer, false).await?,
        Kind::Contacts | Kind::Notes => Vec::new(),
    };
    Ok(Begun {
        kind,
        extent,
        fields,
    })
}

async fn extent(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    kind: Kind,
) -> Result<Extent> {
    let (rows, all) = match kind {
        Kind::Organisations => {
            let rows = organisations::visible(viewer).count(db).await?;
            (rows, rows)
        }
        Kind::Contacts => (
            contacts_for(viewer, now).count(db).await?,
            contacts::visible(viewer).count(db).await?,
        ),
        Kind::Notes => {
            let rows = notes::visible(viewer).count(db).await?;
            (rows, rows)
        }
    };
    Ok(Extent {
        rows,
        left_out: all.saturating_sub(rows),
    })
}

/// The contacts whose details `viewer` may take away.
fn contacts_for(viewer: &Viewer, now: DateTime<Utc>) -> Select<contact::Entity> {
    let visible = contacts::visible(viewer);
    match withheld_from(viewer, now) {
        Some(withheld) => visible.filter(contact::Column::Id.not_in_subquery(withheld)),
        None => visible,
    }
}

/// The first line of a file. The columns have the names that an import knows them by.
pub fn head(begun: &Begun) -> Result<String> {
    match begun.kind {
        Kind::Organisations => {
            let fixed = ORGANISATION.map(str::to_owned).into_iter();
            let own = begun.fields.iter();
            spreadsheet::lines([fixed.chain(own.map(|field| Defined::column_of(&field.name)))])
        }
        Kind::Contacts => spreadsheet::csv(CONTACT, []),
        Kind::Notes => spreadsheet::csv(NOTE, []),
    }
}

/// The next lines of a file, after the row with this id, and the id of the last of them. None: that was all.
pub async fn next(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    begun: &Begun,
    after: Option<Uuid>,
) -> Result<Option<(String, Uuid)>> {
    let after = after.unwrap_or_else(Uuid::nil);
    match begun.kind {
        Kind::Organisations => organisation_lines(db, viewer, &begun.fields, after).await,
        Kind::Contacts => contact_lines(db, viewer, now, after).await,
        Kind::Notes => note_lines(db, viewer, now, after).await,
    }
}

const ORGANISATION: [&str; 15] = [
    "organisation_id",
    "name",
    "trading_names",
    "website",
    "email_domains",
    "sector",
    "sub_sector",
    "company_number",
    "address",
    "founded",
    "time_zone",
    "source_key",
    "type",
    "size",
    "state",
];

async fn organisation_lines(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    own: &[profile_field::Model],
    after: Uuid,
) -> Result<Option<(String, Uuid)>> {
    let rows = organisations::visible(viewer)
        .filter(organisation::Column::Id.gt(after))
        .order_by_asc(organisation::Column::Id)
        .limit(CHUNK)
        .all(db)
        .await?;
    let Some(last) = rows.last().map(|row| row.id.uuid()) else {
        return Ok(None);
    };
    let ids: Vec<OrganisationId> = rows.iter().map(|row| row.id).collect();
    let mut said = HashMap::new();
    if !own.is_empty() {
        for (id, field, value) in fields::of_organisations(db, viewer, &ids).await? {
            said.insert((id, field.id), value);
        }
    }
    let lines = rows.into_iter().map(|row| {
        let of_fields: Vec<String> = own
            .iter()
            .map(|field| said.remove(&(row.id, field.id)).unwrap_or_default())
            .collect();
        let fixed = [
            row.id.to_string(),
            row.name,
            row.trading_names.0.join("; "),
            row.website.unwrap_or_default(),
            row.email_domains.0.join("; "),
            row.sector.unwrap_or_default(),
            row.sub_sector.unwrap_or_default(),
            row.company_number.unwrap_or_default(),
            row.address.unwrap_or_default(),
            row.founded.unwrap_or_default(),
            row.time_zone,
            row.source_key.unwrap_or_default(),
            row.kind.to_value(),
            row.size.map(|size| size.to_value()).unwrap_or_default(),
            row.state.to_value(),
        ];
        fixed.into_iter().chain(of_fields)
    });
    Ok(Some((spreadsheet::lines(lines)?, last)))
}

const CONTACT: [&str; 14] = [
    "contact_id",
    "organisation_id",
    "organisation",
    "name",
    "job_title",
    "email",
    "telephone",
    "state",
    "subscriber_type",
    "visible_to_students",
    "bulk_opted_out",
    "do_not_email",
    "on_hold",
    "key_account",
];

async fn contact_lines(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    after: Uuid,
) -> Result<Option<(String, Uuid)>> {
    let rows: Vec<(contact::Model, Option<organisation::Model>)> = contacts_for(viewer, now)
        .find_also_related(organisation::Entity)
        .filter(contact::Column::Id.gt(after))
        .order_by_asc(contact::Column::Id)
        .limit(CHUNK)
        .all(db)
        .await?;
    let Some(last) = rows.last().map(|(row, _)| row.id.uuid()) else {
        return Ok(None);
    };
    let ids: Vec<ContactId> = rows.iter().map(|(row, _)| row.id).collect();
    let held = standings(db, viewer, now, &ids).await?;
    let lines = rows.into_iter().map(|(row, at)| {
        let is_held = held.iter().any(|held| held.contact_id == row.id);
        [
            row.id.to_string(),
            row.organisation_id.to_string(),
            at.map(|at| at.name).unwrap_or_default(),
            row.name,
            row.job_title.unwrap_or_default(),
            row.email.unwrap_or_default(),
            row.telephone.unwrap_or_default(),
            row.state.to_value(),
            row.subscriber_type.to_value(),
            yes(row.visible_to_students),
            yes(row.bulk_opted_out_at.is_some()),
            yes(row.do_not_email),
            yes(row.on_hold_at.is_some()),
            yes(is_held),
        ]
    });
    Ok(Some((spreadsheet::lines(lines)?, last)))
}

fn yes(so: bool) -> String {
    (if so { "yes" } else { "no" }).to_owned()
}

const NOTE: [&str; 11] = [
    "note_id",
    "organisation_id",
    "organisation",
    "contact",
    "kind",
    "happened_at",
    "body",
    "outcome",
    "next_action",
    "next_action_due_at",
    "author",
];

async fn note_lines(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    after: Uuid,
) -> Result<Option<(String, Uuid)>> {
    let rows = notes::visible(viewer)
        .filter(note::Column::Id.gt(after))
        .order_by_asc(note::Column::Id)
        .limit(CHUNK)
        .all(db)
        .await?;
    let Some(last) = rows.last().map(|row| row.id.uuid()) else {
        return Ok(None);
    };
    let names = Names::of(db, viewer, now, &rows).await?;
    let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let lines = rows.into_iter().map(|row: note::Model| {
        [
            NoteId::to_string(&row.id),
            row.organisation_id.to_string(),
            names.organisation(row.organisation_id),
            row.contact_id
                .map(|id| names.contact(id))
                .unwrap_or_default(),
            row.kind.to_value(),
            moment(row.happened_at),
            row.body,
            row.outcome.unwrap_or_default(),
            row.next_action.unwrap_or_default(),
            row.next_action_due_at.map(moment).unwrap_or_default(),
            names.author(row.author_id),
        ]
    });
    Ok(Some((spreadsheet::lines(lines)?, last)))
}

/// What those are called whom some notes name.
struct Names {
    organisations: Vec<(OrganisationId, String)>,
    contacts: Vec<(ContactId, String)>,
    authors: Vec<(UserId, String)>,
}

impl Names {
    async fn of(
        db: &impl ConnectionTrait,
        viewer: &Viewer,
        now: DateTime<Utc>,
        rows: &[note::Model],
    ) -> Result<Self> {
        Ok(Self {
            organisations: organisation::Entity::find()
                .select_only()
                .columns([organisation::Column::Id, organisation::Column::Name])
                .filter(organisation::Column::Id.is_in(rows.iter().map(|row| row.organisation_id)))
                .order_by_asc(organisation::Column::Id)
                .into_tuple()
                .all(db)
                .await?,
            // policy 2.3: whom the file of contacts leaves out, that of notes doesn't name.
            contacts: contacts_for(viewer, now)
                .select_only()
                .columns([contact::Column::Id, contact::Column::Name])
                .filter(contact::Column::Id.is_in(rows.iter().filter_map(|row| row.contact_id)))
                .order_by_asc(contact::Column::Id)
                .into_tuple()
                .all(db)
                .await?,
            authors: user::Entity::find()
                .select_only()
                .columns([user::Column::Id, user::Column::Email])
                .filter(user::Column::Id.is_in(rows.iter().map(|row| row.author_id)))
                .order_by_asc(user::Column::Id)
                .into_tuple()
                .all(db)
                .await?,
        })
    }

    fn organisation(&self, id: OrganisationId) -> String {
        named(&self.organisations, id)
    }

    fn contact(&self, id: ContactId) -> String {
        named(&self.contacts, id)
    }

    fn author(&self, id: UserId) -> String {
        named(&self.authors, id)
    }
}

fn named<I: PartialEq + Copy>(all: &[(I, String)], id: I) -> String {
    all.iter()
        .find(|(known, _)| *known == id)
        .map(|(_, name)| name.clone())
        .unwrap_or_default()
}
