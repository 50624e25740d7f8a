//! Contacts: their fields, and how a row is read.

use csv::StringRecord;
use entity::contact::{ContactState, SubscriberType};
use sea_orm::{ActiveEnum, Iterable};

use super::{
    field::{Field, Known, PlaceField},
    mapping::Mapping,
};
use crate::{
    contact::Profile,
    import::{ContactRow, Reason},
};

/// A field of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactField {
    /// Which organisation it is about.
    Place(PlaceField),
    /// Their name.
    Name,
    /// Their job title.
    JobTitle,
    /// Their e-mail address.
    Email,
    /// Their telephone number.
    Telephone,
    /// Whether they are still there: ACTIVE or INACTIVE.
    State,
    /// What they have to do with the university.
    SubscriberType,
    /// Whether they agreed to be shown to students.
    VisibleToStudents,
    /// Whether they opted out of bulk e-mail.
    BulkOptedOut,
    /// Whether they must not be sent any mail.
    DoNotEmail,
    /// Whether mail is held back after bounces.
    OnHold,
}

impl Field for ContactField {
    const OWN: &'static [Known<Self>] = &[
        (
            Self::Name,
            "name",
            &["name", "contact", "fullname", "contactname"],
        ),
        (
            Self::JobTitle,
            "job_title",
            &["jobtitle", "title", "position", "role"],
        ),
        (Self::Email, "email", &["email", "emailaddress", "mail"]),
        (
            Self::Telephone,
            "telephone",
            &["telephone", "phone", "tel", "telephonenumber"],
        ),
        (Self::State, "state", &["state", "status"]),
        (Self::SubscriberType, "subscriber_type", &["subscribertype"]),
        (
            Self::VisibleToStudents,
            "visible_to_students",
            &["visibletostudents"],
        ),
        (
            Self::BulkOptedOut,
            "bulk_opted_out",
            &["bulkoptedout", "optedout", "unsubscribed"],
        ),
        (Self::DoNotEmail, "do_not_email", &["donotemail"]),
        (Self::OnHold, "on_hold", &["onhold"]),
    ];

    const NEEDED: &'static [Self] = &[Self::Name];

    fn place(field: PlaceField) -> Option<Self> {
        Some(Self::Place(field))
    }
}

/// What a row says of a contact, or what can't be understood in it.
pub(crate) fn read(
    mapping: &Mapping<ContactField>,
    row: &StringRecord,
) -> Result<ContactRow, Vec<Reason>> {
    let filled = |field| mapping.filled(row, field);
    let mut wrong = Vec::new();
    let mut yes = |field: ContactField| {
        let given = filled(field).unwrap_or_default();
        match given.to_lowercase().as_str() {
            "yes" | "y" | "true" | "1" => true,
            "" | "no" | "n" | "false" | "0" => false,
            _ => {
                let message = format!("{given:?} is neither yes nor no.");
                wrong.push(Reason::about(field.name(), message));
                false
            }
        }
    };
    let (visible_to_students, bulk_opted_out) = (
        yes(ContactField::VisibleToStudents),
        yes(ContactField::BulkOptedOut),
    );
    let (do_not_email, on_hold) = (yes(ContactField::DoNotEmail), yes(ContactField::OnHold));
    let given = filled(ContactField::State).unwrap_or_default();
    let state = match given.to_uppercase().as_str() {
        "" | "ACTIVE" => ContactState::Active,
        "INACTIVE" => ContactState::Inactive,
        _ => {
            let message = format!("{given:?} is neither ACTIVE nor INACTIVE.");
            wrong.push(Reason::about("state", message));
            ContactState::Active
        }
    };
    let given = filled(ContactField::SubscriberType).unwrap_or_default();
    let subscriber_type = if given.is_empty() {
        SubscriberType::default()
    } else {
        SubscriberType::try_from_value(&given.to_uppercase()).unwrap_or_else(|_| {
            let types: Vec<String> = SubscriberType::iter().map(|one| one.to_value()).collect();
            let message = format!("{given:?} is none of {}.", types.join(", "));
            wrong.push(Reason::about("subscriber_type", message));
            SubscriberType::default()
        })
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(ContactRow {
        place: mapping.place(row),
        profile: Profile {
            job_title: filled(ContactField::JobTitle),
            email: filled(ContactField::Email),
            telephone: filled(ContactField::Telephone),
            visible_to_students,
            bulk_opted_out,
            do_not_email,
            on_hold,
            state,
            subscriber_type,
            ..Profile::named(filled(ContactField::Name).unwrap_or_default())
        },
    })
}
