//! Contacts that are likely the same person (policy 1: avoid duplication).
//!
//! What [`crate::duplicate`] finds among all of them is kept as pairs, until the next search. A pair that somebody said is
//! none stays so. A new contact is compared with those that may be it when it is made.
//!
//! policy 2.3: that two records share an address or a number tells an operator who sees the one what the other has. Pairs
//! with a contact whose details are withheld don't exist for whoever must liaise first: neither in the list nor in its count,
//! nor as a warning.

use std::{collections::HashMap, fmt};

use chrono::{DateTime, Utc};
use entity::{
    contact::{self, ContactState},
    contact_post,
    duplicate_pair::{self, DuplicatePairState},
    ids::{ContactId, OrganisationId},
    organisation,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DerivePartialModel, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{CaseStatement, LockType, SelectStatement, SimpleExpr},
};
use serde::{Deserialize, Serialize};

use super::{Profile, visible_to};
use crate::{
    duplicate::{
        Employer, Evidence, Field, Kind, Match, Record,
        kept::{self, Subject, keeps_pairs},
        surname,
    },
    error::Result,
    job::{Job, Queue},
    key_account::guard::withheld_from,
    search::{self, matching},
    store::Tx,
    text::start,
    viewer::Viewer,
};

/// How many candidates are looked at for one contact at most.
const CANDIDATES: u64 = 200;

/// Two contacts that are likely the same.
pub type Pair = kept::Pair<Candidate>;
/// What a search among all contacts has found.
pub type Search = kept::Search<Candidate>;

keeps_pairs!(contact_duplicate_pair of ContactId, cluster leading);

/// Something that two contacts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Signal {
    /// The name, but for case, titles, order and short forms.
    SameName,
    /// Nearly the name, or an initial of it.
    SimilarName,
    /// The e-mail address.
    Email,
    /// What stands before the @ of an address.
    Mailbox,
    /// The telephone number.
    Telephone,
    /// Where they work.
    SameOrganisation,
    /// They work at organisations that are likely the same.
    LikelySameOrganisation,
    /// The job title, or words of it.
    JobTitle,
}

/// What of a contact is compared.
#[derive(Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "contact::Entity")]
pub struct Candidate {
    /// Its id.
    pub id: ContactId,
    /// Where they work.
    pub organisation_id: OrganisationId,
    /// Their name.
    pub name: String,
    job_title: Option<String>,
    email: Option<String>,
    telephone: Option<String>,
}

/// Nothing of the person.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Looks for contacts that are likely the same: comes by the clock, and after an import.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ScanContacts {}

impl Job for ScanContacts {
    const KIND: &'static str = "contact.scan_duplicates";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

impl Candidate {
    fn of_profile(organisation_id: OrganisationId, profile: &Profile) -> Self {
        Self {
            id: ContactId(uuid::Uuid::nil()),
            organisation_id,
            name: profile.name.clone(),
            job_title: profile.job_title.clone(),
            email: profile.email.clone(),
            telephone: profile.telephone.clone(),
        }
    }

    fn record(&self, places: &Places) -> Record {
        Record {
            name: self.name.clone(),
            telephones: self.telephone.iter().cloned().collect(),
            emails: self.email.iter().cloned().collect(),
            employer: Some(places.of(self)),
            job_title: self.job_title.clone(),
            id: self.id.uuid().as_u128(),
            ..Record::default()
        }
    }
}

/// Where contacts work, and which of these places are likely the same.
#[derive(Default)]
struct Places {
    names: HashMap<OrganisationId, String>,
    groups: HashMap<OrganisationId, OrganisationId>,
    posts: HashMap<ContactId, Vec<OrganisationId>>,
}

impl Places {
    /// Of all contacts, or of these.
    async fn read(db: &impl ConnectionTrait, of: Option<&[Candidate]>) -> Result<Self> {
        let at = |of: &[Candidate]| -> Vec<OrganisationId> {
            of.iter().map(|one| one.organisation_id).collect()
        };
        let names = organisation::Entity::find()
            .apply_if(of.map(at), |query, ids| {
                query.filter(organisation::Column::Id.is_in(ids))
            })
            .select_only()
            .columns([organisation::Column::Id, organisation::Column::Name])
            .into_tuple::<(OrganisationId, String)>()
            .all(db)
            .await?;
        let pairs = duplicate_pair::Entity::find()
            .filter(duplicate_pair::Column::State.eq(DuplicatePairState::Open))
            .apply_if(of.map(at), |query, ids| {
                let either = Condition::any()
                    .add(duplicate_pair::Column::OneId.is_in(ids.clone()))
                    .add(duplicate_pair::Column::OtherId.is_in(ids));
                query.filter(either)
            })
            .select_only()
            .columns([
                duplicate_pair::Column::OneId,
                duplicate_pair::Column::OtherId,
                duplicate_pair::Column::GroupId,
            ])
            .into_tuple::<(OrganisationId, OrganisationId, OrganisationId)>()
            .all(db)
            .await?;
        let posts = contact_post::Entity::find()
            .apply_if(of, |query, of| {
                query.filter(contact_post::Column::ContactId.is_in(of.iter().map(|one| one.id)))
            })
            .select_only()
            .columns([
                contact_post::Column::ContactId,
                contact_post::Column::OrganisationId,
            ])
            .into_tuple::<(ContactId, OrganisationId)>()
            .all(db)
            .await?;
        let mut places = Self {
            names: names.into_iter().collect(),
            ..Self::default()
        };
        for (one, other, group) in pairs {
            places.groups.extend([(one, group), (other, group)]);
        }
        for (contact, at) in posts {
            places.posts.entry(contact).or_default().push(at);
        }
        Ok(places)
    }

    fn of(&self, contact: &Candidate) -> Employer {
        let at = contact.organisation_id;
        let posts = self.posts.get(&contact.id).into_iter().flatten();
        let number = |id: &OrganisationId| id.uuid().as_u128();
        Employer {
            name: self.names.get(&at).cloned().unwrap_or_default(),
            ids: std::iter::once(&at).chain(posts).map(number).collect(),
            group: self.groups.get(&at).map(number),
        }
    }
}

impl Subject for Candidate {
    const KIND: Kind = Kind::Person;
    const PLURAL: &'static str = "contacts";
    type Id = ContactId;
    type Signal = Signal;
    type Table = entity::contact_duplicate_pair::Entity;

    fn id(&self) -> ContactId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn signals(evidence: &[Evidence], _one: &Self, _other: &Self) -> Vec<Signal> {
        let mut signals: Vec<Signal> = evidence
            .iter()
            .filter(|evidence| evidence.weight > 0.0 && evidence.agreement > 0.0)
            .filter_map(|evidence| {
                let whole = evidence.agreement >= 1.0;
                Some(match evidence.field {
                    Field::Name if whole => Signal::SameName,
                    Field::Name => Signal::SimilarName,
                    Field::Email if whole => Signal::Email,
                    Field::Email => Signal::Mailbox,
                    Field::Telephone => Signal::Telephone,
                    Field::Organisation if whole => Signal::SameOrganisation,
                    Field::Organisation => Signal::LikelySameOrganisation,
                    Field::JobTitle => Signal::JobTitle,
                    Field::Place | Field::Domain | Field::Number => return None,
                })
            })
            .collect();
        signals.sort_unstable();
        signals
    }

    async fn all(db: &impl ConnectionTrait, _now: DateTime<Utc>) -> Result<Vec<(Self, Record)>> {
        let candidates = comparable()
            .order_by_asc(contact::Column::CreatedAt)
            .order_by_asc(contact::Column::Id)
            .into_partial_model::<Self>()
            .all(db)
            .await?;
        let places = Places::read(db, None).await?;
        Ok(with_records(candidates, &places))
    }

    async fn left(tx: &Tx, ids: &[ContactId]) -> Result<Vec<ContactId>> {
        Ok(comparable()
            .select_only()
            .column(contact::Column::Id)
            .filter(contact::Column::Id.is_in(ids.iter().copied()))
            .order_by_asc(contact::Column::Id)
            .lock(LockType::KeyShare)
            .into_tuple()
            .all(tx.conn())
            .await?)
    }

    fn open_to(viewer: &Viewer, now: DateTime<Utc>) -> SelectStatement {
        open_to(viewer, now)
            .select_only()
            .column(contact::Column::Id)
            .into_query()
    }
}

fn with_records(candidates: Vec<Candidate>, places: &Places) -> Vec<(Candidate, Record)> {
    candidates
        .into_iter()
        .map(|candidate| {
            let record = candidate.record(places);
            (candidate, record)
        })
        .collect()
}

/// Those that can be the same as another: who has left is left alone.
fn comparable() -> Select<contact::Entity> {
    contact::Entity::find().filter(contact::Column::State.eq(ContactState::Active))
}

/// Those of them that exist for `viewer` with all their details.
fn open_to(viewer: &Viewer, now: DateTime<Utc>) -> Select<contact::Entity> {
    comparable()
        .filter(visible_to(viewer))
        .apply_if(withheld_from(viewer, now), |query, withheld| {
            query.filter(contact::Column::Id.not_in_subquery(withheld))
        })
}

/// The contacts that are likely the one that `profile` describes, as far as `viewer` may know of them, the most alike first.
pub(super) async fn of_profile(
    tx: &Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    profile: &Profile,
) -> Result<Vec<(Candidate, Match)>> {
    let db = tx.conn();
    let given = Candidate::of_profile(organisation_id, profile);
    // A surname may be the beginning of a common job title: what tells most comes first.
    let mut telling = Vec::new();
    let mut alike = Condition::any();
    let named = |word: &str| matching(db.get_database_backend(), search::Kind::Contact, word);
    if let Some((first, last)) = surname(&given.name) {
        alike = alike.add(named(&last)).add(
            Condition::all()
                .add(contact::Column::OrganisationId.eq(organisation_id))
                .add(named(&first)),
        );
    }
    if let Some(email) = &given.email {
        telling.push(contact::Column::Email.eq(email.as_str()));
        if let Some((mailbox, _)) = email.split_once('@') {
            alike = alike.add(contact::Column::Email.like(start(&format!("{mailbox}@"))));
        }
    }
    if let Some(telephone) = &given.telephone {
        telling.push(contact::Column::Telephone.eq(telephone.as_str()));
    }
    for condition in &telling {
        alike = alike.add(condition.clone());
    }
    telling.push(contact::Column::OrganisationId.eq(organisation_id));
    let candidates = open_to(viewer, tx.now())
        .filter(alike)
        .order_by_asc(first_of(telling))
        .order_by_asc(contact::Column::Id)
        .limit(CANDIDATES)
        .into_partial_model::<Candidate>()
        .all(db)
        .await?;
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = candidates;
    all.push(given);
    let places = Places::read(db, Some(&all)).await?;
    let mut all = with_records(all, &places);
    let Some((_, given)) = all.pop() else {
        return Ok(Vec::new());
    };
    kept::alike(db, &given, all).await
}

/// Which of the conditions is the first that holds of a row, by its place.
fn first_of(conditions: Vec<SimpleExpr>) -> SimpleExpr {
    let mut which = CaseStatement::new();
    for (place, condition) in (0_i32..).zip(conditions) {
        which = which.case(condition, place);
    }
    which.finally(i32::MAX).into()
}

/// Keeps that a new contact is likely one of those.
pub(super) async fn note(
    tx: &Tx,
    created: &contact::Model,
    alike: Vec<(Candidate, Match)>,
) -> Result<()> {
    let new = Candidate {
        id: created.id,
        ..Candidate::of_profile(created.organisation_id, &Profile::of(created))
    };
    kept::note(tx, &new, alike).await
}

/// The pairs with this contact in them, as far as `viewer` may know of them, the most alike first.
pub async fn of_contact(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    id: ContactId,
) -> Result<Vec<entity::contact_duplicate_pair::Model>> {
    use entity::contact_duplicate_pair::Column;

    let either = Condition::any()
        .add(Column::OneId.eq(id))
        .add(Column::OtherId.eq(id));
    Ok(kept::open::<Candidate>(viewer, now)
        .filter(either)
        .order_by_asc(Column::Doubt)
        .order_by_asc(Column::Id)
        .limit(CANDIDATES)
        .all(db)
        .await?)
}
