//! What ending a hold takes and answers.

use async_graphql::{InputObject, SimpleObject};
use domain::contact::Lifted;
use entity::ids::ContactId;

use super::Contact;
use crate::graphql::{
    errors::{UserError, outcome},
    id::Id,
};

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

/// What became of ending a hold.
#[derive(Debug, SimpleObject)]
pub struct LiftContactHoldPayload {
    /// The contact, who is no longer on hold.
    contact: Option<Contact>,
    /// The other records with the address, which are no longer on hold either, as far as the viewer may see their details.
    also_lifted: Vec<Contact>,
    /// Why nothing was changed; empty when it was.
    user_errors: Vec<UserError>,
}

impl LiftContactHoldPayload {
    /// Commits what was done and makes the payload of it.
    pub(super) async fn commit(
        tx: domain::Tx,
        lifted: domain::Result<Lifted>,
    ) -> async_graphql::Result<Self> {
        if lifted.is_ok() {
            tx.commit().await?;
        }
        let (lifted, user_errors) = outcome(lifted)?;
        let (contact, others) = match lifted {
            Some(lifted) => (Some(lifted.contact), lifted.others),
            None => (None, Vec::new()),
        };
        Ok(Self {
            contact: contact.map(Contact),
            also_lifted: others.into_iter().map(Contact).collect(),
            user_errors,
        })
    }
}
