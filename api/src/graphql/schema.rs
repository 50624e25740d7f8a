//! The schema: what all aggregates give it, and what every request is given.

use async_graphql::{MergedObject, MergedSubscription, Schema, SchemaBuilder};
use domain::{Store, session::Keyring};
use entity::ids::{BookingId, CampaignId, ContactId, EventId, NoteId, OrganisationId, TagId};

use super::{
    booking::{self, Booking, BookingMutation, BookingQuery, BookingSubscription},
    campaign::{self, Campaign, CampaignMutation, CampaignQuery, CampaignSubscription},
    contact::{self, Contact, ContactMutation, ContactQuery},
    credential::CredentialMutation,
    cursor::Cursors,
    endpoint::{Endpoint, StartError},
    event::{self, Event, EventMutation, EventQuery},
    job::{JobMutation, JobQuery, JobSubscription},
    node::nodes,
    note::{self, Note, NoteMutation, NoteQuery},
    organisation::{
        self, Organisation, OrganisationMutation, OrganisationQuery, duplicates::DuplicateQuery,
    },
    session::{SessionMutation, SessionQuery},
    tag::{self, Tag, TagMutation, TagQuery},
    university::UniversityQuery,
    viewer::ViewerQuery,
};

nodes! {
    Organisation(OrganisationId) by organisation::find;
    Contact(ContactId) by contact::find;
    Tag(TagId) by tag::find;
    Note(NoteId) by note::find;
    Event(EventId) by event::event;
    Booking(BookingId) by booking::booking;
    Campaign(CampaignId) by campaign::find;
}

/// What can be asked.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    NodeQuery,
    ViewerQuery,
    SessionQuery,
    OrganisationQuery,
    DuplicateQuery,
    ContactQuery,
    TagQuery,
    NoteQuery,
    UniversityQuery,
    EventQuery,
    BookingQuery,
    CampaignQuery,
    JobQuery,
);

/// What can be changed.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    SessionMutation,
    CredentialMutation,
    OrganisationMutation,
    ContactMutation,
    TagMutation,
    NoteMutation,
    EventMutation,
    BookingMutation,
    CampaignMutation,
    JobMutation,
);

/// What can be watched.
#[derive(Debug, Default, MergedSubscription)]
pub struct Subscription(BookingSubscription, CampaignSubscription, JobSubscription);

/// The schema behind its policy and its limits.
pub type ApiEndpoint = Endpoint<Query, Mutation, Subscription>;

/// The schema as it is served: on this database, with these keys.
pub fn serve(
    store: &Store,
    keyring: &Keyring,
    cursors: &Cursors,
) -> Result<ApiEndpoint, StartError> {
    Endpoint::build(|| {
        builder()
            .data(store.clone())
            .data(keyring.clone())
            .data(cursors.clone())
    })
}

/// The schema alone, to be looked at.
pub fn endpoint() -> Result<ApiEndpoint, StartError> {
    Endpoint::build(builder)
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
}
