//! Every field of the schema by which somebody could get to a contact or to an address: each is a path that is walked, or
//! stands here with the reason why not.

use api::graphql::{cursor::Cursors, document::Kind, schema};
use domain::session::Keyring;
use support::{Column, TestBed};

use super::PATHS;

/// How a field is looked after.
#[derive(Clone, Copy)]
enum Way {
    /// By a path that every viewer goes.
    Walked(&'static str),
    /// Not there, because.
    Besides(&'static str),
}

use Way::{Besides, Walked};

const GIVEN: &str = "whoever calls the mutation may change the contact: it is refused before, or withheld as by its id";
const WITH_GUIDANCE: &str =
    "an operator is shown it with the guidance, and that is recorded: `liaison`";
const OF_AN_ORGANISATION: &str = "an organisation's, which is no person's";

const NO_PAIR: &str = "there is no pair for whoever must liaise about one of the two: `duplicate`";

const WAYS: &[(&str, Way)] = &[
    ("AddContactPostPayload.contact", Besides(GIVEN)),
    ("Contact.email", Walked("field and node")),
    ("Contact.telephone", Walked("field and node")),
    ("ContactConnection.nodes", Walked("list")),
    ("ContactDuplicatePair.one", Besides(NO_PAIR)),
    ("ContactDuplicatePair.other", Besides(NO_PAIR)),
    ("ContactEdge.node", Walked("list, from its end")),
    ("ContactWithGuidance.contact", Besides(WITH_GUIDANCE)),
    ("ContactWithGuidance.email", Besides(WITH_GUIDANCE)),
    ("ContactWithGuidance.telephone", Besides(WITH_GUIDANCE)),
    ("CreateContactPayload.contact", Besides(GIVEN)),
    ("CreateOwnContactPayload.contact", Besides(GIVEN)),
    ("Delivery.address", Walked("deliveries")),
    ("Delivery.contact", Walked("deliveries")),
    ("EndContactPostPayload.contact", Besides(GIVEN)),
    ("HeldChange.address", Besides(OF_AN_ORGANISATION)),
    ("KeyAccount.contacts", Walked("key accounts")),
    ("LiaisonRequest.contact", Walked("liaison requests")),
    (
        "LiftContactHoldPayload.alsoLifted",
        Besides(
            "those alone whose details are shown to whoever lifts it: `organisation::standing`",
        ),
    ),
    ("LiftContactHoldPayload.contact", Besides(GIVEN)),
    (
        "Merge.contact",
        Besides("the contact that is left, as by its id"),
    ),
    ("Note.contact", Walked("notes")),
    ("Note.participants", Walked("participants of a note")),
    ("Organisation.address", Besides(OF_AN_ORGANISATION)),
    ("Organisation.contacts", Walked("list of an organisation")),
    ("Organisation.furtherContacts", Walked("further contacts")),
    ("Person.email", Walked("account of a contact")),
    (
        "Profile.telephone",
        Besides("of staff, who say it of themselves"),
    ),
    ("Query.contactWithGuidance", Besides(WITH_GUIDANCE)),
    ("UpdateContactPayload.contact", Besides(GIVEN)),
    ("UpdateOwnContactPayload.contact", Besides(GIVEN)),
    ("Vacancy.contact", Walked("vacancy")),
    ("Viewer.email", Besides("one's own")),
];

/// Fields by whose names an address or a number can be expected.
const DETAILS: [&str; 3] = ["address", "email", "telephone"];

#[tokio::test]
async fn every_way_to_a_contact_in_the_schema_is_walked_or_says_why_not() {
    let bed = TestBed::new(Column::SqliteMemory).await;
    let store = bed.store().await;
    let keyring = Keyring::open(&store).await.unwrap();
    let endpoint = schema::serve(&store, &keyring, &Cursors::new(b"for tests")).unwrap();
    let mut unknown = Vec::new();
    let mut found = 0;
    for of in endpoint.index().types() {
        let Kind::Fields { fields, .. } = &of.kind else {
            continue;
        };
        for (name, field) in fields {
            let leads = ["Contact", "ContactWithGuidance"].contains(&field.of.as_str());
            if !leads && !DETAILS.contains(&name.as_str()) {
                continue;
            }
            found += 1;
            let coordinate = field.entry.coordinate.as_str();
            match WAYS.iter().find(|(known, _)| *known == coordinate) {
                Some((_, Walked(path))) => {
                    assert!(PATHS.iter().any(|known| known.name == *path), "{path}");
                }
                Some((_, Besides(why))) => assert!(!why.is_empty()),
                None => unknown.push(coordinate.to_owned()),
            }
        }
    }
    assert!(found > 20, "{found}");
    assert!(
        unknown.is_empty(),
        "walk them in PATHS, or name them in WAYS with the reason: {unknown:?}"
    );
}
