//! Employers, their contacts, tags and notes.

use chrono::TimeDelta;
use domain::{Error, Tx};
use entity::{
    contact::{self, ContactState},
    ids::{ContactId, NoteId, OrganisationId, ProfileFieldId, TagId},
    list::TextList,
    note::{self, NoteKind},
    note_colleague, note_participant,
    organisation::{self, OrganisationKind, OrganisationSize, OrganisationState, RecordSource},
    organisation_field, organisation_tag,
    profile_field::{self, ProfileFieldAudience, ProfileFieldKind},
    tag,
};

use super::{insert_all, people::People};

struct Sample {
    name: &'static str,
    domain: &'static str,
    sector: &'static str,
    kind: OrganisationKind,
    size: OrganisationSize,
    shows_contacts: bool,
    contacts: &'static [(&'static str, &'static str, bool)],
    tags: &'static [&'static str],
}

/// The first contact of the first one is the demo employer.
const SAMPLES: &[Sample] = &[
    Sample {
        name: "Aire Valley Robotics Ltd",
        domain: "airevalley.test",
        sector: "Engineering",
        kind: OrganisationKind::DirectEmployer,
        size: OrganisationSize::Medium,
        shows_contacts: true,
        contacts: &[
            ("Erin Doyle", "Early Careers Manager", true),
            ("Paul Sykes", "Head of Engineering", false),
        ],
        tags: &["Engineering", "Internships", "Leeds City Region"],
    },
    Sample {
        name: "Brightwater Energy plc",
        domain: "brightwater.test",
        sector: "Energy",
        kind: OrganisationKind::DirectEmployer,
        size: OrganisationSize::Large,
        shows_contacts: false,
        contacts: &[
            ("Nadia Hussain", "Graduate Recruiter", true),
            ("Tom Ellery", "HR Director", false),
        ],
        tags: &["Engineering", "Graduate scheme", "Sustainability"],
    },
    Sample {
        name: "Calder & Moss LLP",
        domain: "caldermoss.test",
        sector: "Law",
        kind: OrganisationKind::DirectEmployer,
        size: OrganisationSize::Medium,
        shows_contacts: true,
        contacts: &[("Imogen Moss", "Partner", true)],
        tags: &["Graduate scheme", "Leeds City Region"],
    },
    Sample {
        name: "Dales Heritage Trust",
        domain: "dalesheritage.test",
        sector: "Charity and heritage",
        kind: OrganisationKind::NonProfit,
        size: OrganisationSize::Small,
        shows_contacts: true,
        contacts: &[("Rhys Morgan", "Volunteer Coordinator", true)],
        tags: &["Internships", "Sustainability"],
    },
    Sample {
        name: "Northern Data Works Ltd",
        domain: "northerndata.test",
        sector: "Information technology",
        kind: OrganisationKind::DirectEmployer,
        size: OrganisationSize::Small,
        shows_contacts: true,
        contacts: &[
            ("Jo Lennox", "Chief Technology Officer", true),
            ("Sana Iqbal", "Talent Partner", true),
        ],
        tags: &["Internships", "Leeds City Region", "Graduate scheme"],
    },
];

/// The demo employers.
pub struct Employers {
    organisations: Vec<OrganisationId>,
    contacts: Vec<(OrganisationId, ContactId)>,
    /// The contact that the demo employer signs in as.
    pub signs_in: Option<ContactId>,
}

impl Employers {
    /// The id of the organisation that stands at `position` in the samples.
    pub fn organisation(&self, position: usize) -> Option<OrganisationId> {
        self.organisations.get(position).copied()
    }
}

pub async fn load(tx: &Tx) -> Result<Employers, Error> {
    let now = tx.now();
    let mut organisations = Vec::new();
    let mut contacts = Vec::new();
    let mut tags: Vec<tag::Model> = Vec::new();
    let mut tagged = Vec::new();
    for sample in SAMPLES {
        let organisation_id = OrganisationId::new_at(now);
        organisations.push(organisation::Model {
            id: organisation_id,
            name: sample.name.to_owned(),
            name_key: domain::organisation::name_key(sample.name),
            trading_names: TextList::default(),
            website: Some(format!("https://{}", sample.domain)),
            email_domains: TextList(vec![sample.domain.to_owned()]),
            sector: Some(sample.sector.to_owned()),
            sub_sector: None,
            size: Some(sample.size),
            kind: sample.kind,
            parent_id: None,
            company_number: None,
            address: Some("Leeds".to_owned()),
            founded: None,
            state: OrganisationState::Approved,
            archived_from: None,
            state_reason: None,
            source: RecordSource::Staff,
            source_key: None,
            shows_contacts_to_students: sample.shows_contacts,
            multiple_touch_points: false,
            time_zone: "Europe/London".to_owned(),
            version: 1,
            created_at: now,
            updated_at: now,
        });
        for (name, job_title, visible_to_students) in sample.contacts {
            contacts.push(contact::Model {
                id: ContactId::new_at(now),
                organisation_id,
                name: (*name).to_owned(),
                job_title: Some((*job_title).to_owned()),
                email: Some(format!(
                    "{}@{}",
                    name.to_lowercase().replace(' ', "."),
                    sample.domain
                )),
                telephone: Some(format!("0113 496 0{:03}", contacts.len())),
                visible_to_students: *visible_to_students,
                state: ContactState::Active,
                subscriber_type: entity::contact::SubscriberType::General,
                bulk_opted_out_at: None,
                do_not_email: false,
                on_hold_at: None,
                version: 1,
                created_at: now,
                updated_at: now,
            });
        }
        for name in sample.tags {
            let known = tags.iter().find(|tag| tag.name == *name).map(|tag| tag.id);
            let tag_id = known.unwrap_or_else(|| {
                let id = TagId::new_at(now);
                tags.push(tag::Model {
                    id,
                    name: (*name).to_owned(),
                    name_key: name.to_lowercase(),
                    category: None,
                    archived_at: None,
                    created_at: now,
                });
                id
            });
            tagged.push(organisation_tag::Model {
                organisation_id,
                tag_id,
                tagged_by: None,
                tagged_at: now,
            });
        }
    }
    let employers = Employers {
        organisations: organisations
            .iter()
            .map(|organisation| organisation.id)
            .collect(),
        contacts: contacts
            .iter()
            .map(|contact| (contact.organisation_id, contact.id))
            .collect(),
        signs_in: contacts.first().map(|contact| contact.id),
    };
    insert_all::<organisation::Entity>(tx, organisations).await?;
    insert_all::<contact::Entity>(tx, contacts).await?;
    insert_all::<tag::Entity>(tx, tags).await?;
    insert_all::<organisation_tag::Entity>(tx, tagged).await?;
    load_fields(tx, &employers).await?;
    Ok(employers)
}

/// A field that administrators defined, which the first organisation has filled in (policy 1).
async fn load_fields(tx: &Tx, employers: &Employers) -> Result<(), Error> {
    let now = tx.now();
    let field = profile_field::Model {
        id: ProfileFieldId::new_at(now),
        name: "Sponsors visas".to_owned(),
        name_key: "sponsors visas".to_owned(),
        help: Some("Whether it sponsors visas of graduates.".to_owned()),
        kind: ProfileFieldKind::Choice,
        choices: TextList(vec!["Yes".to_owned(), "No".to_owned()]),
        visible_to: ProfileFieldAudience::Everyone,
        is_required: false,
        set_by_employers: true,
        position: 10,
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let said = employers
        .organisation(0)
        .map(|organisation_id| organisation_field::Model {
            organisation_id,
            profile_field_id: field.id,
            value: "Yes".to_owned(),
            updated_at: now,
        });
    insert_all::<profile_field::Entity>(tx, vec![field]).await?;
    insert_all::<organisation_field::Entity>(tx, said.into_iter().collect()).await
}

/// Notes of what operators and employers have done together (policy 2.2).
pub async fn load_engagement(tx: &Tx, employers: &Employers, people: &People) -> Result<(), Error> {
    let now = tx.now();
    let notes: Vec<_> = employers
        .contacts
        .iter()
        .zip(1..)
        .map(|((organisation_id, contact_id), weeks_ago)| note::Model {
            id: NoteId::new_at(now),
            organisation_id: *organisation_id,
            contact_id: Some(*contact_id),
            kind: if weeks_ago % 2 == 0 {
                NoteKind::Call
            } else {
                NoteKind::Meeting
            },
            visibility: note::NoteVisibility::Staff,
            happened_at: now - TimeDelta::weeks(weeks_ago),
            body: "Talked about what they look for in our students, and when they recruit."
                .to_owned(),
            outcome: Some("They would like to come to the autumn fair.".to_owned()),
            next_action: Some("Send the dates of the autumn fair.".to_owned()),
            next_action_due_at: Some(now + TimeDelta::weeks(weeks_ago)),
            next_action_done_at: None,
            next_action_done_by: None,
            author_id: people.operator,
            created_at: now,
        })
        .collect();
    // At the first one, a colleague of each side sat at the table.
    let first = notes
        .first()
        .map(|note: &note::Model| (note.id, note.organisation_id, note.contact_id));
    insert_all::<note::Entity>(tx, notes).await?;
    let Some((note_id, organisation_id, about)) = first else {
        return Ok(());
    };
    let besides = employers
        .contacts
        .iter()
        .filter(|(of, contact_id)| *of == organisation_id && Some(*contact_id) != about)
        .map(|(_, contact_id)| note_participant::Model {
            note_id,
            contact_id: *contact_id,
        })
        .collect();
    insert_all::<note_participant::Entity>(tx, besides).await?;
    let colleague = note_colleague::Model {
        note_id,
        user_id: people.super_user,
    };
    insert_all::<note_colleague::Entity>(tx, vec![colleague]).await
}
