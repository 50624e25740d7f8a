//! What clients send about merges.

use std::collections::BTreeMap;

use async_graphql::{Enum, InputObject};
use domain::merge::{
    ContactField as OfContact, Contacts, OrganisationField as OfOrganisation, Organisations,
};
use entity::ids::{ContactId, MergeId, OrganisationId};

use crate::graphql::id::Id;

/// A field of which the value of the organisation that goes into the other can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "OfOrganisation")]
pub enum OrganisationField {
    /// The name; the other name becomes one it trades under.
    Name,
    /// The web site.
    Website,
    /// The sector.
    Sector,
    /// The sub-sector.
    SubSector,
    /// The size.
    Size,
    /// The type.
    Kind,
    /// The company number.
    CompanyNumber,
    /// The address.
    Address,
    /// When it was founded.
    Founded,
}

/// A field of which the value of the contact that goes into the other can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "OfContact")]
pub enum ContactField {
    /// The name.
    Name,
    /// The job title.
    JobTitle,
    /// The e-mail address.
    Email,
    /// The telephone number.
    Telephone,
}

/// Two organisations that are to become one.
#[derive(Debug, InputObject)]
pub struct MergeOrganisationsInput {
    /// The one that is left.
    survivor_id: Id<OrganisationId>,
    /// The one that goes into it.
    merged_id: Id<OrganisationId>,
    /// The version of the one that is left that was read: when another change came first, the merge is refused.
    survivor_version: Option<i32>,
    /// The version of the other that was read.
    merged_version: Option<i32>,
    /// Fields of which the other's value is kept. Else it fills only what is empty.
    #[graphql(default)]
    take: Vec<OrganisationField>,
    /// Whether to show what would be done, and do nothing.
    #[graphql(default)]
    pub(super) dry_run: bool,
}

impl From<MergeOrganisationsInput> for Organisations {
    fn from(given: MergeOrganisationsInput) -> Self {
        Self {
            survivor_id: given.survivor_id.0,
            merged_id: given.merged_id.0,
            survivor_version: given.survivor_version,
            merged_version: given.merged_version,
            take: given.take.into_iter().map(Into::into).collect(),
        }
    }
}

/// Two contacts that are to become one.
#[derive(Debug, InputObject)]
pub struct MergeContactsInput {
    /// The one that is left.
    survivor_id: Id<ContactId>,
    /// The one that goes into it.
    merged_id: Id<ContactId>,
    /// The version of the one that is left that was read: when another change came first, the merge is refused.
    survivor_version: Option<i32>,
    /// The version of the other that was read.
    merged_version: Option<i32>,
    /// Fields of which the other's value is kept. Else it fills only what is empty.
    #[graphql(default)]
    take: Vec<ContactField>,
    /// Whether to show what would be done, and do nothing.
    #[graphql(default)]
    pub(super) dry_run: bool,
}

impl From<MergeContactsInput> for Contacts {
    fn from(given: MergeContactsInput) -> Self {
        Self {
            survivor_id: given.survivor_id.0,
            merged_id: given.merged_id.0,
            survivor_version: given.survivor_version,
            merged_version: given.merged_version,
            take: given.take.into_iter().map(Into::into).collect(),
        }
    }
}

/// What is decided about a conflict.
#[derive(Debug, InputObject)]
pub struct MergeDecisionInput {
    /// What the conflict is called.
    key: String,
    /// Whether it is to be as it was before the merge; else it stays as it is now.
    restore: bool,
}

/// A merge to be undone.
#[derive(Debug, InputObject)]
pub struct UndoMergeInput {
    /// The merge.
    pub(super) merge_id: Id<MergeId>,
    /// A decision for each conflict.
    #[graphql(default)]
    decisions: Vec<MergeDecisionInput>,
    /// Whether to show what would be done, and do nothing.
    #[graphql(default)]
    pub(super) dry_run: bool,
}

impl UndoMergeInput {
    pub(super) fn into_decisions(self) -> BTreeMap<String, bool> {
        let decisions = self.decisions.into_iter();
        decisions
            .map(|decision| (decision.key, decision.restore))
            .collect()
    }
}
