//! Organisations that are likely the same (policy 1: avoid duplication).
//!
//! Each pair has a score from 0 to 1, made of signals that are taken as independent: what is left of the doubt after one
//! is lessened by the next. Not every organisation is compared with every other. Those are that have a company number, a
//! domain or a name in common, and those whose names stand beside each other when all are sorted (the "sorted
//! neighbourhood" of record linkage), so that the work grows with the number of organisations and not with its square.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use chrono::{DateTime, Utc};
use entity::{
    ids::OrganisationId,
    list::TextList,
    organisation::{self, OrganisationState},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DerivePartialModel, EntityTrait, Order, QueryFilter,
    QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};

use super::{
    Profile,
    name_key::{name_key, words},
    web,
};
use crate::{
    error::Result,
    page::{Page, Slice},
    text::part,
    viewer::Viewer,
};

/// From which score on two organisations are likely the same.
pub const LIKELY: f64 = 0.6;

/// What is left of the score when both have a company number and the numbers differ.
const OTHER_NUMBER: f64 = 0.7;

/// How alike two names are (Jaro-Winkler) before it is a signal at all.
const ALIKE: f64 = 0.88;

/// With how many of those before it in the order of names an organisation is compared.
const NEIGHBOURS: usize = 8;

/// How many organisations are read at once.
const CHUNK: u64 = 1_000;

/// How many candidates are looked at for one profile at most.
const CANDIDATES: u64 = 200;

/// Something that two organisations have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The address.
    Address,
}

/// How alike two organisations are.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// From 0 to 1.
    pub score: f64,
    /// What they have in common.
    pub signals: Vec<Signal>,
}

impl Likeness {
    /// Whether they are likely the same.
    #[must_use]
    pub fn is_likely(&self) -> bool {
        self.score >= LIKELY
    }
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
    created_at: DateTime<Utc>,
}

/// Two organisations that are likely the same; `one` was not made later than `other`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The older one.
    pub one: Candidate,
    /// The newer one.
    pub other: Candidate,
    /// How alike they are.
    pub likeness: Likeness,
}

/// What a list of pairs is ordered by: the doubt in millionths, the name of the older one, the two ids.
pub type Key = (u32, String, OrganisationId, OrganisationId);

impl Pair {
    /// The place of the pair in a list.
    #[must_use]
    pub fn key(&self) -> Key {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a score is from 0 to 1"
        )]
        let doubt = ((1.0 - self.likeness.score) * 1e6) as u32;
        (doubt, self.one.name.clone(), self.one.id, self.other.id)
    }
}

impl Candidate {
    fn of_profile(profile: &Profile) -> Self {
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
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    /// The domains that are its own.
    fn domains(&self) -> HashSet<String> {
        self.website
            .as_deref()
            .and_then(web::domain_of)
            .into_iter()
            .chain(self.email_domains.0.iter().cloned())
            .filter(|domain| !web::is_free_mail(domain))
            .collect()
    }

    fn number(&self) -> Option<String> {
        let number = self
            .company_number
            .as_deref()
            .map(|given| words(given).concat())?;
        let significant = number.trim_start_matches('0');
        (!significant.is_empty()).then(|| significant.to_owned())
    }

    /// The keys of all names it goes by.
    fn names(&self) -> HashSet<String> {
        self.trading_names
            .0
            .iter()
            .map(|name| name_key(name))
            .chain([self.name_key.clone()])
            .collect()
    }

    /// What another organisation is compared for that has it too, as numbers: millions of them fit in memory.
    fn marks(&self) -> Vec<u64> {
        let mark = |kind: &str, value: &str| {
            let mut hasher = DefaultHasher::new();
            (kind, value).hash(&mut hasher);
            hasher.finish()
        };
        self.number()
            .iter()
            .map(|number| mark("number", number))
            .chain(self.domains().iter().map(|domain| mark("domain", domain)))
            .chain(self.names().iter().map(|name| mark("name", name)))
            .collect()
    }

    /// How alike the two are. A division and its head office are not the same, however alike.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Likeness {
        let mut signals = Vec::new();
        if self.parent_id == Some(other.id) || other.parent_id == Some(self.id) {
            return Likeness {
                score: 0.0,
                signals,
            };
        }
        let mut doubt = 1.0;
        let mut note = |signal, weight: f64| {
            signals.push(signal);
            doubt *= 1.0 - weight;
        };
        if self.name_key == other.name_key {
            note(Signal::SameName, 0.9);
        } else {
            let alike = strsim::jaro_winkler(&self.name_key, &other.name_key);
            if alike > ALIKE {
                note(Signal::SimilarName, 0.75 * (alike - ALIKE) / (1.0 - ALIKE));
            }
            if !self.names().is_disjoint(&other.names()) {
                note(Signal::TradingName, 0.75);
            }
        }
        let (number, other_number) = (self.number(), other.number());
        let same_number = number.is_some() && number == other_number;
        if same_number {
            note(Signal::CompanyNumber, 0.9);
        }
        if !self.domains().is_disjoint(&other.domains()) {
            note(Signal::Domain, 0.55);
        }
        if let (Some(address), Some(other)) = (&self.address, &other.address)
            && words(address) == words(other)
        {
            note(Signal::Address, 0.2);
        }
        let mut score = 1.0 - doubt;
        if number.is_some() && other_number.is_some() && !same_number {
            score *= OTHER_NUMBER;
        }
        Likeness { score, signals }
    }
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
) -> Result<Vec<(Candidate, Likeness)>> {
    let given = Candidate::of_profile(profile);
    let names: Vec<String> = given.names().into_iter().collect();
    let mut alike = Condition::any().add(organisation::Column::NameKey.is_in(names));
    // The first letters of a name are seldom the mistyped ones.
    let start: String = given.name_key.chars().take(4).collect();
    alike = alike.add(organisation::Column::NameKey.starts_with(&start));
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
    let candidates = comparable()
        .filter(alike)
        .order_by_desc(organisation::Column::NameKey.eq(given.name_key.as_str()))
        .limit(CANDIDATES)
        .into_partial_model::<Candidate>()
        .all(db)
        .await?;
    let mut likely: Vec<_> = candidates
        .into_iter()
        .map(|candidate| {
            let likeness = given.likeness(&candidate);
            (candidate, likeness)
        })
        .filter(|(_, likeness)| likeness.is_likely())
        .collect();
    likely.sort_by(|(a, x), (b, y)| y.score.total_cmp(&x.score).then(a.id.cmp(&b.id)));
    Ok(likely)
}

fn as_text(column: organisation::Column) -> Expr {
    column.into_expr().cast_as("text")
}

/// All pairs that are likely the same and exist for `viewer`, the most alike first.
pub async fn scan(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<Vec<Pair>> {
    scan_touching(db, viewer, None).await
}

/// One page of the pairs that are likely the same and exist for `viewer`, the most alike first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    page: &Page<Key>,
) -> Result<Slice<Pair>> {
    let mut pairs = scan(db, viewer).await?;
    pairs.retain(|pair| {
        let key = pair.key();
        page.after.as_ref().is_none_or(|after| key > *after)
            && page.before.as_ref().is_none_or(|before| key < *before)
    });
    if page.backward {
        pairs.reverse();
    }
    Ok(page.slice(pairs))
}

/// As [`scan`]; with `touching`, only pairs with one of these organisations in them.
pub(super) async fn scan_touching(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    touching: Option<&HashSet<OrganisationId>>,
) -> Result<Vec<Pair>> {
    let mut found = Found {
        touching,
        seen: HashSet::new(),
        pairs: Vec::new(),
    };
    let mut marked: HashMap<u64, OrganisationId> = HashMap::new();
    let mut with_a_mark_in_common: Vec<(OrganisationId, OrganisationId)> = Vec::new();
    let mut neighbours: VecDeque<Candidate> = VecDeque::with_capacity(NEIGHBOURS);
    let mut page: Page<(String, OrganisationId)> = Page::first(CHUNK);
    loop {
        let key = [
            organisation::Column::NameKey.into_expr(),
            organisation::Column::Id.into_expr(),
        ];
        let query = comparable().filter(super::visible_to(viewer));
        let rows = page
            .narrow(query, key, Order::Asc)
            .into_partial_model::<Candidate>()
            .all(db)
            .await?;
        let slice = page.slice(rows);
        page.after = slice
            .rows
            .last()
            .map(|last| (last.name_key.clone(), last.id));
        for candidate in slice.rows {
            for neighbour in &neighbours {
                found.compare(neighbour, &candidate);
            }
            for mark in candidate.marks() {
                if let Some(earlier) = marked.insert(mark, candidate.id)
                    && earlier != candidate.id
                    && found.wants(earlier, candidate.id)
                {
                    with_a_mark_in_common.push((earlier, candidate.id));
                }
            }
            if neighbours.len() == NEIGHBOURS {
                neighbours.pop_front();
            }
            neighbours.push_back(candidate);
        }
        if !slice.has_next {
            break;
        }
    }
    for pairs in with_a_mark_in_common.chunks(usize::try_from(CHUNK).unwrap_or(1)) {
        let rows = by_id(db, pairs).await?;
        for (one, other) in pairs {
            if let (Some(one), Some(other)) = (rows.get(one), rows.get(other)) {
                found.compare(one, other);
            }
        }
    }
    Ok(found.into_sorted())
}

async fn by_id(
    db: &impl ConnectionTrait,
    pairs: &[(OrganisationId, OrganisationId)],
) -> Result<HashMap<OrganisationId, Candidate>> {
    let ids: HashSet<OrganisationId> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let rows = organisation::Entity::find()
        .filter(organisation::Column::Id.is_in(ids))
        .into_partial_model::<Candidate>()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The pairs that a scan has found.
struct Found<'a> {
    touching: Option<&'a HashSet<OrganisationId>>,
    seen: HashSet<(OrganisationId, OrganisationId)>,
    pairs: Vec<Pair>,
}

impl Found<'_> {
    fn wants(&self, one: OrganisationId, other: OrganisationId) -> bool {
        self.touching
            .is_none_or(|ids| ids.contains(&one) || ids.contains(&other))
    }

    fn compare(&mut self, one: &Candidate, other: &Candidate) {
        let age =
            |candidate: &Candidate| (candidate.created_at, candidate.name.clone(), candidate.id);
        let (one, other) = if age(one) <= age(other) {
            (one, other)
        } else {
            (other, one)
        };
        if !self.wants(one.id, other.id) || self.seen.contains(&(one.id, other.id)) {
            return;
        }
        let likeness = one.likeness(other);
        if likeness.is_likely() {
            self.seen.insert((one.id, other.id));
            self.pairs.push(Pair {
                one: one.clone(),
                other: other.clone(),
                likeness,
            });
        }
    }

    fn into_sorted(mut self) -> Vec<Pair> {
        self.pairs.sort_by_cached_key(Pair::key);
        self.pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(one: &Profile, other: &Profile) -> Likeness {
        let (mut one, mut other) = (Candidate::of_profile(one), Candidate::of_profile(other));
        one.id = OrganisationId(uuid::Uuid::from_u128(1));
        other.id = OrganisationId(uuid::Uuid::from_u128(2));
        let there = one.likeness(&other);
        assert_eq!(there, other.likeness(&one), "a likeness has no direction");
        there
    }

    fn numbered(name: &str, number: &str) -> Profile {
        Profile {
            company_number: Some(number.to_owned()),
            ..Profile::named(name)
        }
    }

    #[test]
    fn two_classes_of_share_are_one_company() {
        let alike = likeness(
            &numbered("Alphabet Inc. (Class A)", "1652044"),
            &numbered("Alphabet Inc. (Class C)", "0001652044"),
        );
        assert!(alike.is_likely());
        assert_eq!(alike.signals, [Signal::SameName, Signal::CompanyNumber]);
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
            let alike = likeness(&one, &other);
            assert!(alike.is_likely(), "{one:?} {other:?} {alike:?}");
        }
    }

    #[test]
    fn weak_signals_need_company_and_free_mail_is_none() {
        let at = |name: &str, domain: &str| Profile {
            email_domains: vec![domain.to_owned()],
            address: Some("1 High Street, Leeds".to_owned()),
            ..Profile::named(name)
        };
        let of_one_domain = likeness(&at("Acme", "acme.example"), &at("Acorn", "acme.example"));
        assert!(of_one_domain.is_likely(), "{of_one_domain:?}");
        let of_free_mail = likeness(&at("Acme", "gmail.com"), &at("Acorn", "gmail.com"));
        assert!(!of_free_mail.is_likely(), "{of_free_mail:?}");
    }

    #[test]
    fn another_number_speaks_against_a_similar_name() {
        let similar = likeness(
            &numbered("Micron Tech", "1"),
            &numbered("Micron Techs", "2"),
        );
        assert!(!similar.is_likely(), "{similar:?}");
        let same = likeness(&numbered("Acme", "1"), &numbered("Acme plc", "2"));
        assert!(same.is_likely(), "{same:?}");
    }

    #[test]
    fn a_division_is_not_its_head_office() {
        let division = Profile {
            parent_id: Some(OrganisationId(uuid::Uuid::from_u128(1))),
            ..Profile::named("Acme")
        };
        assert!(!likeness(&Profile::named("Acme"), &division).is_likely());
    }
}
