//! What clients send about contacts.

use async_graphql::{Enum, InputObject, MaybeUndefined};
use domain::contact::{Filter, Profile};
use entity::{
    contact::{ContactState as State, SubscriberType as Subscriber},
    ids::{ContactId, OrganisationId},
};

use crate::graphql::id::Id;

/// Whether a contact is still at the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum ContactState {
    /// They are.
    Active,
    /// They have left, or can no longer be reached.
    Inactive,
}

/// What a contact has to do with the university, by which mail suits them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Subscriber")]
pub enum SubscriberType {
    /// Nothing in particular, or nobody has said.
    General,
    /// They recruit graduates and students.
    Recruitment,
    /// They take students on placements.
    Placements,
    /// They come to events.
    Events,
    /// They look after the partnership as a whole.
    Partnership,
}

/// What a list of contacts is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ContactFilter {
    /// Words with which words of their name or job title begin, in whatever case, with or without accents.
    search: Option<String>,
    /// Where they work, by their record or by a further post.
    organisation_id: Option<Id<OrganisationId>>,
    /// Their e-mail address, in whatever case.
    email: Option<String>,
    /// Whether they are still there.
    state: Option<ContactState>,
    /// What they have to do with the university.
    subscriber_type: Option<SubscriberType>,
}

impl From<ContactFilter> for Filter {
    fn from(given: ContactFilter) -> Self {
        Self {
            search: given.search,
            organisation_id: given.organisation_id.map(|id| id.0),
            email: given.email,
            state: given.state.map(Into::into),
            subscriber_type: given.subscriber_type.map(Into::into),
        }
    }
}

/// A contact to be added.
#[derive(Debug, InputObject)]
pub struct CreateContactInput {
    /// Where they work.
    organisation_id: Id<OrganisationId>,
    /// Their name.
    name: String,
    /// Their job title.
    job_title: Option<String>,
    /// Their e-mail address.
    email: Option<String>,
    /// Their telephone number.
    telephone: Option<String>,
    /// Whether they agreed to be shown to students (policy 3).
    #[graphql(default)]
    visible_to_students: bool,
    /// Whether they are still there.
    #[graphql(default_with = "ContactState::Active")]
    state: ContactState,
    /// What they have to do with the university.
    #[graphql(default_with = "SubscriberType::General")]
    subscriber_type: SubscriberType,
    /// Whether they opted out of bulk e-mail.
    #[graphql(default)]
    bulk_opted_out: bool,
    /// Whether they must not be sent any mail.
    #[graphql(default)]
    do_not_email: bool,
}

impl CreateContactInput {
    /// Where the contact works, and what they are like.
    pub(super) fn into_parts(self) -> (OrganisationId, Profile) {
        let profile = Profile {
            name: self.name,
            job_title: self.job_title,
            email: self.email,
            telephone: self.telephone,
            visible_to_students: self.visible_to_students,
            state: self.state.into(),
            subscriber_type: self.subscriber_type.into(),
            bulk_opted_out: self.bulk_opted_out,
            do_not_email: self.do_not_email,
            on_hold: false,
        };
        (self.organisation_id.0, profile)
    }
}

/// A change of a contact. What is not given stays as it is.
#[derive(Debug, InputObject)]
pub struct UpdateContactInput {
    /// The contact.
    pub(super) id: Id<ContactId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// Their name.
    name: Option<String>,
    /// Their job title.
    job_title: MaybeUndefined<String>,
    /// Their e-mail address.
    email: MaybeUndefined<String>,
    /// Their telephone number.
    telephone: MaybeUndefined<String>,
    /// Whether they agreed to be shown to students (policy 3).
    visible_to_students: Option<bool>,
    /// Whether they are still there.
    state: Option<ContactState>,
    /// What they have to do with the university.
    subscriber_type: Option<SubscriberType>,
    /// Whether they opted out of bulk e-mail.
    bulk_opted_out: Option<bool>,
    /// Whether they must not be sent any mail.
    do_not_email: Option<bool>,
    /// Whether mail is held back, as it is after bounces. `liftContactHold` lets it go again, for a reason.
    on_hold: Option<bool>,
}

impl UpdateContactInput {
    /// Changes the profile by what was given.
    pub(super) fn apply(self, profile: &mut Profile) {
        if let Some(name) = self.name {
            profile.name = name;
        }
        if let Some(visible) = self.visible_to_students {
            profile.visible_to_students = visible;
        }
        if let Some(state) = self.state {
            profile.state = state.into();
        }
        if let Some(subscriber_type) = self.subscriber_type {
            profile.subscriber_type = subscriber_type.into();
        }
        if let Some(opted_out) = self.bulk_opted_out {
            profile.bulk_opted_out = opted_out;
        }
        if let Some(do_not_email) = self.do_not_email {
            profile.do_not_email = do_not_email;
        }
        if let Some(on_hold) = self.on_hold {
            profile.on_hold = on_hold;
        }
        self.job_title.update_to(&mut profile.job_title);
        self.email.update_to(&mut profile.email);
        self.telephone.update_to(&mut profile.telephone);
    }
}
