//! Rows by the thousand, written straight into the database: how they come to be is not what is measured.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Store;
use entity::{
    contact::{self, ContactState},
    ids::{ContactId, NoteId, OrganisationId, TagId, UserId},
    list::TextList,
    note::{self, NoteKind},
    organisation::{self, OrganisationKind, OrganisationState, RecordSource},
    organisation_tag, tag,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, TransactionTrait};

/// Rows in one statement: SQLite takes 32,766 values.
const AT_ONCE: usize = 1_000;
/// What words are made of.
const SYLLABLES: &[&str] = &[
    "ba", "cor", "den", "el", "fi", "gra", "hol", "in", "jor", "ka", "lum", "mer", "no", "or",
    "pen", "qui", "ra", "sol", "ten", "ul", "ver", "wes", "yar", "zen",
];
const TRADES: &[&str] = &[
    "Engineering",
    "Software",
    "Energy",
    "Consulting",
    "Foods",
    "Logistics",
    "Architects",
    "Analytics",
];
const LEGAL: &[&str] = &["Ltd", "Limited", "plc", "LLP", ""];

/// Words, of which the first ones are used much more than the last.
pub struct Words {
    all: Vec<String>,
    rng: StdRng,
}

impl Words {
    /// Always the same ones for the same seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let all = (0..20_000)
            .map(|_| {
                let length = rng.random_range(2..5);
                (0..length)
                    .map(|_| SYLLABLES[rng.random_range(0..SYLLABLES.len())])
                    .collect()
            })
            .collect();
        Self { all, rng }
    }

    /// The word of this place.
    pub fn nth(&self, nth: usize) -> &str {
        &self.all[nth]
    }

    /// Any word: the thousandth comes a thousand times less often than the first.
    pub fn word(&mut self) -> &str {
        let last = (self.all.len() as f64).ln();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between 0 and the number of words"
        )]
        let place = (self.rng.random::<f64>() * last).exp() as usize;
        &self.all[place.min(self.all.len() - 1)]
    }

    pub fn sentence(&mut self, words: usize) -> String {
        let mut sentence = String::new();
        for _ in 0..words {
            if !sentence.is_empty() {
                sentence.push(' ');
            }
            let word = self.word();
            sentence.push_str(word);
        }
        sentence
    }

    pub fn name(&mut self) -> String {
        let one = capital(&self.all[self.rng.random_range(0..self.all.len())]);
        let other = capital(&self.all[self.rng.random_range(0..self.all.len())]);
        let trade = TRADES[self.rng.random_range(0..TRADES.len())];
        let legal = LEGAL[self.rng.random_range(0..LEGAL.len())];
        format!("{one} {other} {trade} {legal}")
            .trim_end()
            .to_owned()
    }
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

pub async fn tag(store: &Store, name: &str) -> TagId {
    let id = TagId::new_at(store.now());
    let row = tag::Model {
        id,
        name: name.to_owned(),
        name_key: name.to_lowercase(),
        category: None,
        archived_at: None,
        created_at: store.now(),
    };
    insert::<tag::Entity>(store, [row]).await;
    id
}

/// So many organisations with a tag, each with so many contacts who can be written to.
pub async fn organisations(
    store: &Store,
    words: &mut Words,
    count: usize,
    contacts: usize,
    tag_id: TagId,
) -> (Vec<OrganisationId>, Vec<ContactId>) {
    let now = store.now();
    let rows: Vec<_> = (0..count)
        .map(|nth| organisation(words.name(), nth, now))
        .collect();
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    insert::<organisation::Entity>(store, rows).await;
    let tagged = ids.iter().map(|id| organisation_tag::Model {
        organisation_id: *id,
        tag_id,
        tagged_by: None,
        tagged_at: now,
    });
    insert::<organisation_tag::Entity>(store, tagged).await;
    let people: Vec<_> = (0..count * contacts)
        .map(|nth| contact(ids[nth / contacts], words.name(), nth, now))
        .collect();
    let contact_ids = people.iter().map(|row| row.id).collect();
    insert::<contact::Entity>(store, people).await;
    (ids, contact_ids)
}

fn organisation(name: String, nth: usize, now: DateTime<Utc>) -> organisation::Model {
    organisation::Model {
        id: OrganisationId::new_at(now),
        name_key: name.to_lowercase(),
        name,
        trading_names: TextList::default(),
        website: Some(format!("https://www.organisation{nth}.example")),
        email_domains: TextList(vec![format!("organisation{nth}.example")]),
        sector: Some(TRADES[nth % TRADES.len()].to_owned()),
        sub_sector: None,
        size: None,
        kind: OrganisationKind::DirectEmployer,
        parent_id: None,
        company_number: None,
        address: Some(format!("{} Wellington Street, Leeds", nth % 300)),
        founded: None,
        state: OrganisationState::Approved,
        archived_from: None,
        state_reason: None,
        source: RecordSource::Import,
        source_key: None,
        shows_contacts_to_students: false,
        multiple_touch_points: false,
        time_zone: "Europe/London".to_owned(),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn contact(
    organisation_id: OrganisationId,
    name: String,
    nth: usize,
    now: DateTime<Utc>,
) -> contact::Model {
    contact::Model {
        id: ContactId::new_at(now),
        organisation_id,
        name,
        job_title: Some("Graduate recruitment".to_owned()),
        email: Some(format!("contact{nth}@domain{}.example", nth % 997)),
        telephone: None,
        visible_to_students: false,
        state: ContactState::Active,
        subscriber_type: entity::contact::SubscriberType::General,
        bulk_opted_out_at: None,
        do_not_email: false,
        on_hold_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// So many notes of some twenty words, spread over the organisations and the last year.
pub async fn notes(
    store: &Store,
    words: &mut Words,
    count: usize,
    of: &[OrganisationId],
    author_id: UserId,
) {
    let now = store.now();
    let mut left = count;
    while left > 0 {
        let some = left.min(50_000);
        let rows = (0..some).map(|nth| {
            let happened_at = now - TimeDelta::minutes((nth % 500_000).try_into().unwrap_or(0));
            note::Model {
                id: NoteId::new_at(happened_at),
                organisation_id: of[(left + nth * 7) % of.len()],
                contact_id: None,
                kind: NoteKind::Call,
                visibility: note::NoteVisibility::Staff,
                happened_at,
                body: words.sentence(20),
                outcome: None,
                next_action: None,
                next_action_due_at: None,
                next_action_done_at: None,
                next_action_done_by: None,
                author_id,
                created_at: happened_at,
            }
        });
        insert::<note::Entity>(store, rows.collect::<Vec<_>>()).await;
        left -= some;
    }
}

/// Writes whole rows as they are, in one transaction.
pub async fn insert<E>(store: &Store, rows: impl IntoIterator<Item = E::Model>)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| row.into_active_model().reset_all())
        .collect();
    let tx = store.reader().begin().await.unwrap();
    for some in rows.chunks(AT_ONCE) {
        E::insert_many(some.to_vec())
            .exec_without_returning(&tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}
