//! Organisations that are likely the same (policy 1: avoid duplication).
//!
//! What [`crate::duplicate`] finds among all of them is kept as pairs, until the next search. A pair that somebody said is
//! none stays so. A new organisation is compared with those that may be it when it is made.

mod search;

use entity::{
    access_grant::Permission,
    duplicate_model,
    duplicate_pair::{self, DuplicatePairState},
    ids::{DuplicatePairId, OrganisationId},
    list::TextList,
    organisation::{self, OrganisationState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait,
    DerivePartialModel, EntityTrait, IntoActiveModel, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, sea_query::ExprTrait,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::search::write;
pub use self::search::{Search, keep, search};
use super::{
    Profile, as_text,
    name_key::{name_key, words},
    visible_to, web,
};
use crate::{
    duplicate::{self, Evidence, Field, Match, Model, Record},
    error::{Error, Refusals, Result},
    job::{Job, Queue},
    page::{Page, Slice},
    store::Tx,
    text::{Text, part},
    viewer::Viewer,
};

/// How many candidates are looked at for one profile at most.
const CANDIDATES: u64 = 200;
/// How many pairs are written at once.
const CHUNK: usize = 500;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;
/// How what was learnt about organisations is called.
const KIND: &str = "ORGANISATION";

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
}

/// Two organisations that are likely the same; `one` was not made later than `other`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The older one.
    pub one: Candidate,
    /// The newer one.
    pub other: Candidate,
    /// How likely, from 0 to 1.
    pub score: f64,
    /// What they have in common.
    pub signals: Vec<Signal>,
    evidence: Vec<Evidence>,
    group_id: OrganisationId,
}

/// What a list of pairs is ordered by: the doubt, and the id.
pub type Key = (i32, DuplicatePairId);

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
        Self {
            id: OrganisationId(uuid::Uuid::nil()),
            name: profile.name.clone(),
            name_key: name_key(&profile.name),
            trading_names: TextList(profile.trading_names.clone()),
            website: profile.website.clone(),
            email_domains: TextList(profile.email_domains.clone()),
            parent_id: profile.parent_id,
            company_number: profile.company_number.clone(),
            address: profile.address.clone(),
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

    fn record(&self, telephones: Vec<String>) -> Record {
        Record {
            name: self.name.clone(),
            other_names: self.trading_names.0.clone(),
            address: self.address.clone(),
            postcode: None,
            telephones,
            domains: self.domains(),
            number: self.company_number.clone(),
            family: self.parent_id.map(|id| id.uuid().as_u128()),
            id: self.id.uuid().as_u128(),
        }
    }
}

/// What speaks for two organisations being the same.
fn signals(evidence: &[Evidence], one: &Candidate, other: &Candidate) -> Vec<Signal> {
    let by_trading_name = one.name_key != other.name_key
        && !(one.trading_names.0.is_empty() && other.trading_names.0.is_empty());
    let mut signals: Vec<Signal> = evidence
        .iter()
        .filter(|evidence| evidence.weight > 0.0)
        .map(|evidence| match evidence.field {
            Field::Name if evidence.agreement < 1.0 => Signal::SimilarName,
            Field::Name if by_trading_name => Signal::TradingName,
            Field::Name => Signal::SameName,
            Field::Place => Signal::Address,
            Field::Telephone => Signal::Telephone,
            Field::Domain => Signal::Domain,
            Field::Number => Signal::CompanyNumber,
        })
        .collect();
    signals.sort_unstable();
    signals
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
    let records: Vec<Record> = candidates
        .iter()
        .map(|candidate| candidate.record(Vec::new()))
        .collect();
    let model = learnt(db).await?;
    let found = duplicate::alike(model.as_ref(), &given.record(Vec::new()), &records);
    let mut candidates: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    Ok(found
        .into_iter()
        .filter_map(|found| {
            let candidate = candidates.get_mut(found.other - 1)?.take()?;
            Some((candidate, found))
        })
        .collect())
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
    let trading_names = as_text(organisation::Column::TradingNames);
    alike = alike.add(trading_names.like(part(&given.name)));
    for domain in given.domains() {
        alike = alike
            .add(organisation::Column::Website.like(part(&domain)))
            .add(as_text(organisation::Column::EmailDomains).like(part(&format!("\"{domain}\""))));
    }
    Ok(comparable()
        .filter(alike)
        .order_by_desc(organisation::Column::NameKey.eq(given.name_key.as_str()))
        .order_by_asc(organisation::Column::Id)
        .limit(CANDIDATES)
        .into_partial_model::<Candidate>()
        .all(db)
        .await?)
}

/// What the last search has learnt.
async fn learnt(db: &impl ConnectionTrait) -> Result<Option<Model>> {
    let row = duplicate_model::Entity::find_by_id(KIND.to_owned())
        .one(db)
        .await?;
    Ok(row
        .map(|row| serde_json::from_value(row.learnt))
        .transpose()?)
}

/// Keeps that a new organisation is likely one of those, although it was said to be another.
pub(super) async fn note(
    tx: &Tx,
    created: &organisation::Model,
    alike: Vec<(Candidate, Match)>,
) -> Result<()> {
    let other = Candidate {
        id: created.id,
        ..Candidate::of_profile(&Profile::of(created))
    };
    let pairs: Vec<Pair> = alike
        .into_iter()
        .map(|(one, found)| Pair {
            score: found.score,
            signals: signals(&found.evidence, &one, &other),
            evidence: found.evidence,
            group_id: one.id,
            one,
            other: other.clone(),
        })
        .collect();
    write(tx, &pairs).await
}

/// The pairs that somebody should look at, of organisations that exist for `viewer` and can still be the same.
fn open(viewer: &Viewer) -> Select<duplicate_pair::Entity> {
    let both = || {
        comparable()
            .filter(visible_to(viewer))
            .select_only()
            .column(organisation::Column::Id)
            .into_query()
    };
    duplicate_pair::Entity::find()
        .filter(duplicate_pair::Column::State.eq(DuplicatePairState::Open))
        .filter(duplicate_pair::Column::OneId.in_subquery(both()))
        .filter(duplicate_pair::Column::OtherId.in_subquery(both()))
}

/// One page of the pairs that are likely the same and exist for `viewer`, the most alike first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    page: &Page<Key>,
) -> Result<Slice<duplicate_pair::Model>> {
    let key = [
        duplicate_pair::Column::Doubt.into_expr(),
        duplicate_pair::Column::Id.into_expr(),
    ];
    page.read(db, open(viewer), key, Order::Asc).await
}

/// The key of a pair in the list.
#[must_use]
pub fn key(pair: &duplicate_pair::Model) -> Key {
    (pair.doubt, pair.id)
}

/// How many pairs are likely the same and exist for `viewer`.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<u64> {
    Ok(open(viewer).count(db).await?)
}

/// Says that two organisations are not the same: they are not told of again.
pub async fn dismiss(
    tx: &mut Tx,
    viewer: &Viewer,
    id: DuplicatePairId,
    reason: Option<&str>,
) -> Result<duplicate_pair::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let mut refusals = Refusals::default();
    let reason = Text::line("reason", LONGEST_REASON).optional(reason, &mut refusals);
    refusals.into_result()?;
    let pair = open(viewer)
        .filter(duplicate_pair::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("pairId", "pair"))?;
    let told = json!({ "one": pair.one_id, "other": pair.other_id, "reason": reason });
    let mut row = pair.into_active_model();
    row.state = Set(DuplicatePairState::Dismissed);
    row.dismissed_by = Set(viewer.user_id());
    row.dismissed_at = Set(Some(tx.now()));
    row.reason = Set(reason);
    let dismissed = row.update(tx.conn()).await?;
    tx.audit(viewer, "duplicate.dismissed", id, None, Some(told))
        .await?;
    Ok(dismissed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &Profile, other: &Profile) -> Option<Vec<Signal>> {
        let (one, mut other) = (Candidate::of_profile(one), Candidate::of_profile(other));
        other.id = OrganisationId(uuid::Uuid::from_u128(2));
        let found = duplicate::alike(None, &one.record(Vec::new()), &[other.record(Vec::new())]);
        let found = found.first()?;
        Some(signals(&found.evidence, &one, &other))
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
