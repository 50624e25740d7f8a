//! What clients send about organisations.

use async_graphql::{InputObject, MaybeUndefined};
use domain::{
    clock::UNIVERSITY_TIME,
    organisation::{Filter, Profile},
};
use entity::ids::{FacultyId, OrganisationId, SegmentId, TagId};

use super::{OrganisationKind, OrganisationSize, OrganisationState};
use crate::graphql::{
    id::Id,
    profile_field::{ProfileFieldFilter, ProfileFieldValueInput},
    scalars::Date,
};

/// What a list of organisations is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct OrganisationFilter {
    /// Words with which words of its name or of a name it trades under begin, in whatever case, with or without accents.
    search: Option<String>,
    /// Tags that are all on it.
    #[graphql(default)]
    all_of_tags: Vec<Id<TagId>>,
    /// Tags of which at least one is on it.
    #[graphql(default)]
    any_of_tags: Vec<Id<TagId>>,
    /// Tags of which none is on it.
    #[graphql(default)]
    none_of_tags: Vec<Id<TagId>>,
    /// Its sector.
    sector: Option<String>,
    /// Where it stands in approval.
    state: Option<OrganisationState>,
    /// The faculty that has worked with it: its staff wrote a note, or it came to an event of theirs.
    engaged_by: Option<Id<FacultyId>>,
    /// Nobody has contacted it on this day or later: no note but for guidance, no bulk mail.
    last_contacted_before: Option<Date>,
    /// What fields are that administrators defined and that the viewer sees; at most 20, all of which must hold.
    profile_field: Option<Vec<ProfileFieldFilter>>,
    /// It is in this segment.
    segment_id: Option<Id<SegmentId>>,
}

impl From<OrganisationFilter> for Filter {
    fn from(given: OrganisationFilter) -> Self {
        let ids = |tags: Vec<Id<TagId>>| tags.into_iter().map(|id| id.0).collect();
        Self {
            search: given.search,
            all_of_tags: ids(given.all_of_tags),
            any_of_tags: ids(given.any_of_tags),
            none_of_tags: ids(given.none_of_tags),
            sector: given.sector,
            state: given.state.map(Into::into),
            engaged_by: given.engaged_by.map(|id| id.0),
            last_contacted_before: given.last_contacted_before.map(|day| day.0),
            profile_fields: given
                .profile_field
                .unwrap_or_default()
                .into_iter()
                .map(Into::into)
                .collect(),
            segment_id: given.segment_id.map(|id| id.0),
            within: None,
        }
    }
}

/// An organisation to be added.
#[derive(Debug, InputObject)]
pub struct CreateOrganisationInput {
    /// Its name.
    name: String,
    /// Other names it trades under, at most 20.
    #[graphql(default)]
    trading_names: Vec<String>,
    /// The address of its web site.
    website: Option<String>,
    /// The domains its people write from, at most 20.
    #[graphql(default)]
    email_domains: Vec<String>,
    /// Its sector.
    sector: Option<String>,
    /// Its sub-sector.
    sub_sector: Option<String>,
    /// How many people it employs.
    size: Option<OrganisationSize>,
    /// What type of organisation it is.
    #[graphql(default_with = "OrganisationKind::DirectEmployer")]
    kind: OrganisationKind,
    /// The head office that it is a division of.
    parent_id: Option<Id<OrganisationId>>,
    /// Its number in the register of companies.
    company_number: Option<String>,
    /// Where it is.
    address: Option<String>,
    /// When it was founded.
    founded: Option<String>,
    /// Whether it agreed that its contacts are shown to students (policy 3).
    #[graphql(default)]
    shows_contacts_to_students: bool,
    /// Whether it has many touch points and no single owner (policy 2.3).
    #[graphql(default)]
    multiple_touch_points: bool,
    /// The name of its time zone; left out, it is the university's.
    #[graphql(default_with = "UNIVERSITY_TIME.name().to_owned()")]
    time_zone: String,
    /// What it is in the fields that administrators defined. Those that are required must be there.
    #[graphql(default)]
    profile_fields: Vec<ProfileFieldValueInput>,
    /// Whether it is known to be another than the organisations that it looks like.
    #[graphql(default)]
    confirm_not_duplicate: bool,
}

impl CreateOrganisationInput {
    /// The profile, and whether it is confirmed to be of another organisation.
    pub(super) fn into_profile(self) -> (Profile, bool) {
        let profile = Profile {
            name: self.name,
            trading_names: self.trading_names,
            website: self.website,
            email_domains: self.email_domains,
            sector: self.sector,
            sub_sector: self.sub_sector,
            size: self.size.map(Into::into),
            kind: self.kind.into(),
            parent_id: self.parent_id.map(|id| id.0),
            company_number: self.company_number,
            address: self.address,
            founded: self.founded,
            shows_contacts_to_students: self.shows_contacts_to_students,
            multiple_touch_points: self.multiple_touch_points,
            time_zone: self.time_zone,
            fields: self.profile_fields.into_iter().map(Into::into).collect(),
        };
        (profile, self.confirm_not_duplicate)
    }
}

/// A change of an organisation. What is not given stays as it is.
#[derive(Debug, InputObject)]
pub struct UpdateOrganisationInput {
    /// The organisation.
    pub(super) id: Id<OrganisationId>,
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
    /// Its sub-sector.
    sub_sector: MaybeUndefined<String>,
    /// How many people it employs.
    size: MaybeUndefined<OrganisationSize>,
    /// What type of organisation it is.
    kind: Option<OrganisationKind>,
    /// The head office that it is a division of.
    parent_id: MaybeUndefined<Id<OrganisationId>>,
    /// Its number in the register of companies.
    company_number: MaybeUndefined<String>,
    /// Where it is.
    address: MaybeUndefined<String>,
    /// When it was founded.
    founded: MaybeUndefined<String>,
    /// Whether it agreed that its contacts are shown to students (policy 3).
    shows_contacts_to_students: Option<bool>,
    /// Whether it has many touch points and no single owner (policy 2.3).
    multiple_touch_points: Option<bool>,
    /// The name of its time zone, such as `Europe/London`.
    time_zone: Option<String>,
    /// What it is in fields that administrators defined. Fields that are not named stay as they are.
    #[graphql(default)]
    profile_fields: Vec<ProfileFieldValueInput>,
}

impl UpdateOrganisationInput {
    /// Changes the profile by what was given.
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
        if let Some(kind) = self.kind {
            profile.kind = kind.into();
        }
        if let Some(shows) = self.shows_contacts_to_students {
            profile.shows_contacts_to_students = shows;
        }
        if let Some(multiple) = self.multiple_touch_points {
            profile.multiple_touch_points = multiple;
        }
        if let Some(zone) = self.time_zone {
            profile.time_zone = zone;
        }
        profile.fields = self.profile_fields.into_iter().map(Into::into).collect();
        self.website.update_to(&mut profile.website);
        self.sector.update_to(&mut profile.sector);
        self.sub_sector.update_to(&mut profile.sub_sector);
        self.size.map_value(Into::into).update_to(&mut profile.size);
        self.parent_id
            .map_value(|id| id.0)
            .update_to(&mut profile.parent_id);
        self.company_number.update_to(&mut profile.company_number);
        self.address.update_to(&mut profile.address);
        self.founded.update_to(&mut profile.founded);
    }
}

/// An organisation to be put away.
#[derive(Debug, InputObject)]
pub struct ArchiveOrganisationInput {
    /// The organisation.
    pub(super) id: Id<OrganisationId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// Why.
    pub(super) reason: Option<String>,
}

/// An organisation to be fetched from the archive.
#[derive(Debug, InputObject)]
pub struct RestoreOrganisationInput {
    /// The organisation.
    pub(super) id: Id<OrganisationId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
}
