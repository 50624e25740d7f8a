//! A segment: a filter of organisations that somebody keeps under a name (policy 2.2).

use sea_orm::entity::prelude::*;

use crate::ids::{FacultyId, SegmentId, UserId};
use crate::list::{IdList, SoughtFieldList};
use crate::organisation::OrganisationState;
use crate::personal_data::personal_data;

/// A row of `segment`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "segment")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SegmentId,
    /// Its name.
    pub name: String,
    /// The name in lower case; unique for its owner.
    pub name_key: String,
    /// Whose it is.
    pub owner_id: UserId,
    /// Whether all staff have it.
    pub is_shared: bool,
    /// Words that are all in the name of an organisation.
    pub search: Option<String>,
    /// Tags that are all on it.
    pub all_of: IdList,
    /// Tags of which at least one is on it; empty asks nothing.
    pub any_of: IdList,
    /// Tags of which none is on it.
    pub none_of: IdList,
    /// Its sector.
    pub sector: Option<String>,
    /// Where it stands in approval.
    pub state: Option<OrganisationState>,
    /// The faculty that has worked with it.
    pub engaged_by: Option<FacultyId>,
    /// Nobody has contacted it on this day, in the university's time, or later.
    pub last_contacted_before: Option<Date>,
    /// What fields of its profile are that administrators defined; empty asks nothing.
    pub profile_fields: SoughtFieldList,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "segment": "A search for organisations that a member of staff keeps.";
    erasure: Keep("what is shared is used by others; its owner is a pseudonym then");
    retention: Until::Always.because("campaigns and lists are made from it");
    Hand => owner_id;
    Words => name, search, profile_fields;
    Nothing => id, name_key, is_shared, all_of, any_of, none_of, sector, state, engaged_by, last_contacted_before, version,
        created_at, updated_at;
}
