//! Organisations that are likely the same (policy 1: avoid duplication).
//!
//! What [`crate::duplicate`] finds among all of them is kept as pairs, until the next search. A pair that somebody said is
//! none stays so. A new organisation is compared with those that may be it when it is made.

mod withheld;

use chrono::{DateTime, Utc};
use entity::{
    ids::OrganisationId,
    list::TextList,
    organisation::{self, OrganisationState},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DerivePartialModel, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, Func, LockType, SelectStatement},
};
use serde::{Deserialize, Serialize};

use self::withheld::telephones;
pub(crate) use self::withheld::{forget, forget_withheld_numbers};
use super::{
    Profile, as_text,
    name_key::{name_key, without_legal_form, words},
    visible_to, web,
};
use crate::{
    duplicate::{
        Evidence, Field, Kind, Match, Record,
        kept::{self, Subject, keeps_pairs},
    },
    error::Result,
    job::{Job, Queue},
    search::{self, matching},
    store::Tx,
    text::part,
    viewer::Viewer,
};

/// How many candidates are looked at for one profile at most.
const CANDIDATES: u64 = 200;
/// Fewer letters than these stand in too many names to be looked for anywhere in them.
const SHORTEST_KEY: usize = 4;

/// Two organisations that are likely the same.
pub type Pair = kept::Pair<Candidate>;
/// What a search among all organisations has found.
pub type Search = kept::Search<Candidate>;

keeps_pairs!(duplicate_pair of OrganisationId, cluster first);

/// Something that two organisations have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Signal {
    /// The name, but for case, punctuation and legal suffix.
    SameName,
    /// Nearly the name.
    SimilarName,
    /// One trades under the name of the other, or both under one.
    TradingName,
    /// The company number.
    CompanyNumber,
    /// The domain of web site or mail.
    Domain,
    /// The telephone number of a contact.
    Telephone,
    /// The address.
    Address,
}

/// What of an organisation is compared.
#[derive(Clone, Debug, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "organisation::Entity")]
pub struct Candidate {
    /// Its id.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    name_key: String,
    trading_names: TextList,
    website: Option<String>,
    email_domains: TextList,
    parent_id: Option<OrganisationId>,
    company_number: Option<String>,
    address: Option<String>,
    /// The numbers under which its contacts are called, where all are compared.
    #[sea_orm(skip)]
    telephones: Vec<String>,
}

/// Looks for organisations that are likely the same: comes by the clock.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ScanDuplicates {}

impl Job for ScanDuplicates {
    const KIND: &'static str = "organisation.scan_duplicates";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

impl Candidate {
    pub(super) fn of_profile(profile: &Profile) -> Self {
        Self::new(OrganisationId(uuid::Uuid::nil()), profile)
    }

    pub(super) fn new(id: OrganisationId, profile: &Profile) -> Self {
        Self {
            id,
            name: profile.name.clone(),
            name_key: name_key(&profile.name),
            trading_names: TextList(profile.trading_names.clone()),
            website: profile.website.clone(),
            email_domains: TextList(profile.email_domains.clone()),
            parent_id: profile.parent_id,
            company_number: profile.company_number.clone(),
            address: profile.address.clone(),
            telephones: Vec::new(),
        }
    }

    /// The domains that are its own.
    pub(super) fn domains(&self) -> Vec<String> {
        self.website
            .as_deref()
            .and_then(web::domain_of)
            .into_iter()
            .chain(self.email_domains.0.iter().cloned())
            .filter(|domain| !web::is_free_mail(domain))
            .collect()
    }

    fn record(&self) -> Record {
        Record {
            name: self.name.clone(),
            other_names: self.trading_names.0.clone(),
            address: self.address.clone(),
            postcode: None,
            telephones: self.telephones.clone(),
            domains: self.domains(),
            number: self.company_number.clone(),
            family: self.parent_id.map(|id| id.uuid().as_u128()),
            id: self.id.uuid().as_u128(),
            ..Record::default()
        }
    }
}

impl Subject for Candidate {
    const KIND: Kind = Kind::Organisation;
    const PLURAL: &'static str = "organisations";
    type Id = OrganisationId;
    type Signal = Signal;
    type Table = entity::duplicate_pair::Entity;

    fn id(&self) -> OrganisationId {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn signals(evidence: &[Evidence], one: &Self, other: &Self) -> Vec<Signal> {
        let by_trading_name = one.name_key != other.name_key
            && !(one.trading_names.0.is_empty() && other.trading_names.0.is_empty());
        let mut signals: Vec<Signal> = evidence
            .iter()
            .filter(|evidence| evidence.weight > 0.0)
            .filter_map(|evidence| {
                Some(match evidence.field {
                    Field::Name if evidence.agreement < 1.0 => Signal::SimilarName,
                    Field::Name if by_trading_name => Signal::TradingName,
                    Field::Name => Signal::SameName,
                    Field::Place => Signal::Address,
                    Field::Telephone => Signal::Telephone,
                    Field::Domain => Signal::Domain,
                    Field::Number => Signal::CompanyNumber,
                    Field::Organisation | Field::Email | Field::JobTitle => return None,
                })
            })
            .collect();
        signals.sort_unstable();
        signals
    }

    async fn all(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<(Self, Record)>> {
        let candidates = comparable()
            .order_by_asc(organisation::Column::CreatedAt)
            .order_by_asc(organisation::Column::Name)
            .order_by_asc(organisation::Column::Id)
            .into_partial_model::<Self>()
            .all(db)
            .await?;
        let mut telephones = telephones(db, now, None).await?;
        Ok(candidates
            .into_iter()
            .map(|mut candidate| {
                candidate.telephones = telephones.remove(&candidate.id).unwrap_or_default();
                let record = candidate.record();
                (candidate, record)
            })
            .collect())
    }

    async fn left(tx: &Tx, ids: &[OrganisationId]) -> Result<Vec<OrganisationId>> {
        Ok(comparable()
            .select_only()
            .column(organisation::Column::Id)
            .filter(organisation::Column::Id.is_in(ids.iter().copied()))
            .order_by_asc(organisation::Column::Id)
            .lock(LockType::KeyShare)
            .into_tuple()
            .all(tx.conn())
            .await?)
    }

    /// policy 2.3: a number is no longer told since somebody claimed the contact who has it, and no pair that it speaks for. Whoever
    /// claims later forgets what is kept now: see [`forget`].
    async fn open_still(tx: &Tx, compared: &[&Self]) -> Result<Vec<OrganisationId>> {
        let with_numbers: Vec<OrganisationId> = compared
            .iter()
            .filter(|candidate| !candidate.telephones.is_empty())
            .map(|candidate| candidate.id)
            .collect();
        let told = telephones(tx.conn(), tx.now(), Some(&with_numbers)).await?;
        let is_open = |candidate: &&&Self| {
            let told = told.get(&candidate.id).map_or(&[][..], Vec::as_slice);
            candidate
                .telephones
                .iter()
                .all(|number| told.contains(number))
        };
        Ok(compared
            .iter()
            .filter(is_open)
            .map(|candidate| candidate.id)
            .collect())
    }

    fn open_to(viewer: &Viewer, _now: DateTime<Utc>) -> SelectStatement {
        comparable()
            .filter(visible_to(viewer))
            .select_only()
            .column(organisation::Column::Id)
            .into_query()
    }
}

/// Compares all organisations that are worth comparing with each other and with new ones, which aren't there yet.
pub(super) async fn search_with(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    new: Vec<Candidate>,
) -> Result<Search> {
    let mut all = Candidate::all(db, now).await?;
    all.extend(new.into_iter().map(|candidate| {
        let record = candidate.record();
        (candidate, record)
    }));
    Search::among(all, now).await
}

/// Those that can be the same as another: what was declined or put away is left alone.
fn comparable() -> Select<organisation::Entity> {
    organisation::Entity::find().filter(organisation::Column::State.is_in([
        OrganisationState::Pending,
        OrganisationState::Approved,
        OrganisationState::Suspended,
    ]))
}

/// The organisations that are likely the one that `profile` describes, the most alike first.
pub async fn of_profile(
    db: &impl ConnectionTrait,
    profile: &Profile,
) -> Result<Vec<(Candidate, Match)>> {
    let given = Candidate::of_profile(profile);
    let candidates = candidates(db, &given).await?;
    let candidates = candidates
        .into_iter()
        .map(|candidate| {
            let record = candidate.record();
            (candidate, record)
        })
        .collect();
    kept::alike(db, &given.record(), candidates).await
}

/// Those that may be the one that is given.
async fn candidates(db: &impl ConnectionTrait, given: &Candidate) -> Result<Vec<Candidate>> {
    let names = std::iter::once(&given.name).chain(&given.trading_names.0);
    let keys: Vec<String> = names.map(|name| name_key(name)).collect();
    let mut alike = Condition::any().add(organisation::Column::NameKey.is_in(keys));
    // The first letters of a name are seldom the mistyped ones.
    let start: String = given.name_key.chars().take(4).collect();
    alike = alike.add(organisation::Column::NameKey.starts_with(&start));
    if let Some(longest) = words(&given.name).into_iter().max_by_key(String::len) {
        alike = alike.add(organisation::Column::NameKey.like(part(&longest)));
    }
    if let Some(number) = &given.company_number {
        alike = alike.add(organisation::Column::CompanyNumber.eq(number.as_str()));
    }
    let by_trading_name = trading_under(db.get_database_backend(), given);
    alike = alike.add(by_trading_name.clone());
    for domain in given.domains() {
        alike = alike
            .add(organisation::Column::Website.like(part(&domain)))
            .add(as_text(organisation::Column::EmailDomains).like(part(&format!("\"{domain}\""))));
    }
    Ok(comparable()
        .filter(alike)
        .order_by_desc(organisation::Column::NameKey.eq(given.name_key.as_str()))
        .order_by_desc(Expr::from(by_trading_name))
        .order_by_asc(organisation::Column::Id)
        .limit(CANDIDATES)
        .into_partial_model::<Candidate>()
        .all(db)
        .await?)
}

/// Those that trade under a name of the one that is given, in whatever case and spacing and with whatever legal suffix: the
/// index of the search knows the words without accents, and where words are run together the letters are looked for.
fn trading_under(backend: DbBackend, given: &Candidate) -> Condition {
    let signs = [" ", "-", ".", "'", "&"];
    let plain = signs.iter().fold(
        Expr::from(Func::lower(as_text(organisation::Column::TradingNames))),
        |text, sign| {
            Func::cust("replace")
                .args([text, Expr::val(*sign), Expr::val("")])
                .into()
        },
    );
    let mut under = Condition::any();
    for name in std::iter::once(&given.name).chain(&given.trading_names.0) {
        let told = without_legal_form(&words(name)).join(" ");
        under = under.add(matching(backend, search::Kind::Organisation, &told));
        let key = name_key(name);
        if key.chars().count() >= SHORTEST_KEY {
            under = under.add(plain.clone().like(part(&key)));
        }
    }
    under
}

/// Locks those that a new organisation is likely the same as, and its head office, in the order of their ids.
pub(super) async fn lock(
    tx: &Tx,
    alike: &[(Candidate, Match)],
    head: Option<OrganisationId>,
) -> Result<()> {
    let ids = alike.iter().map(|(other, _)| other.id).chain(head);
    organisation::Entity::find()
        .select_only()
        .column(organisation::Column::Id)
        .filter(organisation::Column::Id.is_in(ids))
        .order_by_asc(organisation::Column::Id)
        .lock(LockType::KeyShare)
        .into_tuple::<OrganisationId>()
        .all(tx.conn())
        .await?;
    Ok(())
}

/// Keeps that a new organisation is likely one of those, although it was said to be another.
pub(super) async fn note(
    tx: &Tx,
    created: &organisation::Model,
    alike: Vec<(Candidate, Match)>,
) -> Result<()> {
    let new = Candidate::new(created.id, &Profile::of(created));
    kept::note(tx, &new, alike).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplicate;

    fn alike(one: &Profile, other: &Profile) -> Option<Vec<Signal>> {
        let (one, mut other) = (Candidate::of_profile(one), Candidate::of_profile(other));
        other.id = OrganisationId(uuid::Uuid::from_u128(2));
        let others = [other.record()];
        let found = duplicate::alike(Candidate::KIND, None, &one.record(), &others);
        let found = found.first()?;
        Some(Candidate::signals(&found.evidence, &one, &other))
    }

    fn numbered(name: &str, number: &str) -> Profile {
        Profile {
            company_number: Some(number.to_owned()),
            ..Profile::named(name)
        }
    }

    #[test]
    fn two_classes_of_share_are_one_company() {
        let signals = alike(
            &numbered("Alphabet Inc. (Class A)", "1652044"),
            &numbered("Alphabet Inc. (Class C)", "0001652044"),
        );
        assert_eq!(signals, Some(vec![Signal::SameName, Signal::CompanyNumber]));
    }

    #[test]
    fn one_strong_signal_is_enough() {
        for (one, other) in [
            (Profile::named("Acme Ltd"), Profile::named("ACME")),
            (Profile::named("Microsoft"), Profile::named("Microsft Corp")),
            (numbered("Acme", "7"), numbered("Roadrunner", "7")),
            (
                Profile::named("Acme"),
                Profile {
                    trading_names: vec!["acme inc".to_owned()],
                    ..Profile::named("Coyote Holdings")
                },
            ),
        ] {
            assert!(alike(&one, &other).is_some(), "{one:?} {other:?}");
        }
    }

    #[test]
    fn free_mail_is_no_signal_and_another_number_speaks_against_a_similar_name() {
        let at = |name: &str, domain: &str| Profile {
            email_domains: vec![domain.to_owned()],
            ..Profile::named(name)
        };
        assert_eq!(
            alike(&at("Acme", "gmail.com"), &at("Brook", "gmail.com")),
            None
        );
        let (one, other) = (
            numbered("Micron Tech", "1"),
            numbered("Micron Textiles", "2"),
        );
        assert_eq!(alike(&one, &other), None);
    }

    #[test]
    fn a_division_is_not_its_head_office() {
        let division = Profile {
            parent_id: Some(OrganisationId(uuid::Uuid::from_u128(2))),
            ..Profile::named("Acme")
        };
        assert_eq!(alike(&division, &Profile::named("Acme")), None);
    }
}
