//! What clients send about registrations.

use async_graphql::{InputObject, MaybeUndefined};
use domain::{
    Error, RefusalCode, Result,
    organisation::Profile,
    registration::{NewEmployer, Wanted},
};
use entity::ids::{HeldChangeId, OrganisationId, RegistrationId};

use super::OrganisationDecision;
use crate::graphql::{
    id::Id,
    organisation::{OrganisationKind, OrganisationSize},
    profile_field::ProfileFieldValueInput,
};

/// An organisation that isn't known yet.
#[derive(Debug, InputObject)]
pub struct RegisteredOrganisationInput {
    /// Its name.
    name: String,
    /// The address of its web site.
    website: Option<String>,
    /// Its sector.
    sector: Option<String>,
    /// How many people it employs.
    size: Option<OrganisationSize>,
    /// What type of organisation it is.
    #[graphql(default_with = "OrganisationKind::DirectEmployer")]
    kind: OrganisationKind,
    /// Its number in the register of companies.
    company_number: Option<String>,
    /// Where it is.
    address: Option<String>,
    /// What it is in the fields that `registrationFields` lists. Those that are required must be there.
    #[graphql(default)]
    profile_fields: Vec<ProfileFieldValueInput>,
}

/// Somebody who wants to sign in for an organisation: one that `findEmployers` found, or a new one.
#[derive(InputObject)]
pub(super) struct RegisterEmployerInput {
    /// Their name.
    name: String,
    /// Their address at work.
    email: String,
    /// The password they choose: 12 to 200 characters, and hard to guess.
    #[graphql(secret)]
    password: String,
    /// Their job title.
    job_title: Option<String>,
    /// Their telephone number.
    telephone: Option<String>,
    /// The organisation that they want to join.
    organisation_id: Option<Id<OrganisationId>>,
    /// Or the one that they register.
    organisation: Option<RegisteredOrganisationInput>,
}

impl RegisterEmployerInput {
    pub(super) fn into_employer(self) -> Result<NewEmployer> {
        let into = match (self.organisation_id, self.organisation) {
            (Some(id), None) => Wanted::Known(id.0),
            (None, Some(given)) => Wanted::Unknown(Box::new(Profile {
                website: given.website,
                sector: given.sector,
                size: given.size.map(Into::into),
                kind: given.kind.into(),
                company_number: given.company_number,
                address: given.address,
                fields: given.profile_fields.into_iter().map(Into::into).collect(),
                ..Profile::named(given.name)
            })),
            _ => {
                return Err(Error::refused(
                    RefusalCode::Required,
                    "organisationId",
                    "Give the organisation to join, or the one to register: one of them.",
                ));
            }
        };
        Ok(NewEmployer {
            name: self.name,
            email: self.email,
            password: self.password,
            job_title: self.job_title,
            telephone: self.telephone,
            into,
        })
    }
}

/// A decision about an organisation.
#[derive(Debug, InputObject)]
pub struct ReviewOrganisationInput {
    /// The organisation.
    pub(super) organisation_id: Id<OrganisationId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// What is decided.
    pub(super) decision: OrganisationDecision,
    /// Why; needed to decline and to suspend, and read by the employer.
    pub(super) reason: Option<String>,
}

/// A decision about somebody who wants to join an organisation.
#[derive(Debug, InputObject)]
pub struct AnswerRegistrationInput {
    /// The registration.
    pub(super) registration_id: Id<RegistrationId>,
    /// Whether they join.
    pub(super) approve: bool,
    /// Why not; read by the employer.
    pub(super) reason: Option<String>,
}

/// A decision about held changes.
#[derive(Debug, InputObject)]
pub struct AnswerHeldChangeInput {
    /// The changes.
    pub(super) held_change_id: Id<HeldChangeId>,
    /// Whether they are made.
    pub(super) approve: bool,
    /// Why not; read by the employer.
    pub(super) reason: Option<String>,
}

/// A change of one's own organisation. What is not given stays as it is; `null` empties a field.
#[derive(Debug, InputObject)]
pub struct UpdateOwnOrganisationInput {
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// Its name.
    name: Option<String>,
    /// Other names it trades under, at most 20.
    trading_names: Option<Vec<String>>,
    /// The address of its web site.
    website: MaybeUndefined<String>,
    /// The domains its people write from, at most 20.
    email_domains: Option<Vec<String>>,
    /// Its sector.
    sector: MaybeUndefined<String>,
    /// How many people it employs.
    size: MaybeUndefined<OrganisationSize>,
    /// Where it is.
    address: MaybeUndefined<String>,
    /// When it was founded.
    founded: MaybeUndefined<String>,
    /// Whether it agrees that its contacts are shown to students (policy 3).
    shows_contacts_to_students: Option<bool>,
    /// The name of its time zone, such as `Europe/London`: bulk mail waits while quiet hours last there (policy 2.5).
    time_zone: Option<String>,
    /// What it is in fields that administrators opened to employers. Fields that are not named stay as they are.
    #[graphql(default)]
    profile_fields: Vec<ProfileFieldValueInput>,
}

impl UpdateOwnOrganisationInput {
    pub(super) fn apply(self, profile: &mut Profile) {
        if let Some(name) = self.name {
            profile.name = name;
        }
        if let Some(names) = self.trading_names {
            profile.trading_names = names;
        }
        if let Some(domains) = self.email_domains {
            profile.email_domains = domains;
        }
        if let Some(shows) = self.shows_contacts_to_students {
            profile.shows_contacts_to_students = shows;
        }
        if let Some(zone) = self.time_zone {
            profile.time_zone = zone;
        }
        profile.fields = self.profile_fields.into_iter().map(Into::into).collect();
        self.website.update_to(&mut profile.website);
        self.sector.update_to(&mut profile.sector);
        self.address.update_to(&mut profile.address);
        self.founded.update_to(&mut profile.founded);
        self.size.map_value(Into::into).update_to(&mut profile.size);
    }
}
