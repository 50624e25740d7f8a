//! Contacts: their fields, and how a row is read.

use csv::StringRecord;
use domain::{
    contact::Profile,
    import::{ContactRow, Where},
};
use entity::contact::ContactState;

use super::mapping::{Field, Mapping};

/// A field of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactField {
    /// The name of their organisation.
    Organisation,
    /// Its id.
    OrganisationId,
    /// What it was known by in the file that it was imported from.
    OrganisationKey,
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
    const ALL: &'static [(Self, &'static str, &'static [&'static str])] = &[
        (
            Self::Organisation,
            "organisation",
            &["organisation", "organization", "company", "employer"],
        ),
        (Self::OrganisationId, "organisation_id", &["organisationid"]),
        (
            Self::OrganisationKey,
            "organisation_key",
            &["organisationkey"],
        ),
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

    const NEEDED: &'static [&'static [Self]] = &[
        &[Self::Name],
        &[
            Self::Organisation,
            Self::OrganisationId,
            Self::OrganisationKey,
        ],
    ];
}

/// What a row says of a contact, or what can't be understood in it.
pub(super) fn read(
    mapping: &Mapping<ContactField>,
    row: &StringRecord,
) -> Result<ContactRow, Vec<String>> {
    let filled = |field| mapping.filled(row, field);
    let mut wrong = Vec::new();
    let mut yes = |field: ContactField| {
        let given = filled(field).unwrap_or_default();
        match given.to_lowercase().as_str() {
            "yes" | "y" | "true" | "1" => true,
            "" | "no" | "n" | "false" | "0" => false,
            _ => {
                wrong.push(format!(
                    "{}: {given:?} is neither yes nor no.",
                    field.name()
                ));
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
            wrong.push(format!("state: {given:?} is neither ACTIVE nor INACTIVE."));
            ContactState::Active
        }
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(ContactRow {
        place: Where {
            id: filled(ContactField::OrganisationId),
            key: filled(ContactField::OrganisationKey),
            name: filled(ContactField::Organisation),
        },
        profile: Profile {
            job_title: filled(ContactField::JobTitle),
            email: filled(ContactField::Email),
            telephone: filled(ContactField::Telephone),
            visible_to_students,
            bulk_opted_out,
            do_not_email,
            on_hold,
            state,
            ..Profile::named(filled(ContactField::Name).unwrap_or_default())
        },
    })
}
