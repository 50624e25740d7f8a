//! What employers say of the contacts of their own organisation.

use async_graphql::{InputObject, MaybeUndefined};
use domain::contact::Profile;
use entity::ids::ContactId;

use super::{Contact, ContactState};
use crate::graphql::{errors::payload, id::Id};

/// A contact to be added to one's own organisation. Whether they are shown to students is asked of them.
#[derive(Debug, InputObject)]
pub struct CreateOwnContactInput {
    /// Their name.
    name: String,
    /// Their job title.
    job_title: Option<String>,
    /// Their e-mail address.
    email: Option<String>,
    /// Their telephone number.
    telephone: Option<String>,
}

impl From<CreateOwnContactInput> for Profile {
    fn from(input: CreateOwnContactInput) -> Self {
        Self {
            job_title: input.job_title,
            email: input.email,
            telephone: input.telephone,
            ..Self::named(input.name)
        }
    }
}

/// A change of a contact of one's own organisation. What is not given stays as it is; `null` empties a field.
#[derive(Debug, InputObject)]
pub struct UpdateOwnContactInput {
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
    /// Whether they are still there.
    state: Option<ContactState>,
    /// Whether they agreed to be shown to students (policy 3). A colleague can take it back, and they themselves give it.
    visible_to_students: Option<bool>,
    /// Whether they opted out of bulk e-mail. A colleague can opt them out, and they themselves take it back.
    bulk_opted_out: Option<bool>,
}

impl UpdateOwnContactInput {
    /// Changes the profile by what was given.
    pub(super) fn apply(self, profile: &mut Profile) {
        if let Some(name) = self.name {
            profile.name = name;
        }
        if let Some(state) = self.state {
            profile.state = state.into();
        }
        if let Some(visible) = self.visible_to_students {
            profile.visible_to_students = visible;
        }
        if let Some(opted_out) = self.bulk_opted_out {
            profile.bulk_opted_out = opted_out;
        }
        self.job_title.update_to(&mut profile.job_title);
        self.email.update_to(&mut profile.email);
        self.telephone.update_to(&mut profile.telephone);
    }
}

payload! {
    /// What became of a new contact of one's own organisation.
    CreateOwnContactPayload {
        /// The contact.
        contact: Contact,
    }
}

payload! {
    /// What became of a change of a contact of one's own organisation.
    UpdateOwnContactPayload {
        /// The contact as it is now.
        contact: Contact,
    }
}
