//! What ending a hold takes and answers.

use async_graphql::InputObject;
use entity::ids::ContactId;

use super::Contact;
use crate::graphql::{errors::payload, id::Id};

/// A contact to whom mail may go again.
#[derive(Debug, InputObject)]
pub struct LiftContactHoldInput {
    /// The contact, who is on hold.
    pub(super) id: Id<ContactId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// How it is known that mail arrives. It is kept in the audit log.
    pub(super) reason: String,
}

payload! {
    /// What became of ending a hold.
    LiftContactHoldPayload {
        /// The contact, who is no longer on hold.
        contact: Contact,
    }
}
