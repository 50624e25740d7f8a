//! Venues: rooms are no secret, and whoever organises events adds them.

use super::table::table;

table! {
    type Query {
        venues: read(STAFF);
        venues(filter): filter(STAFF);
        venues(first, after, last, before): give(STAFF);
    }
    type Mutation {
        createVenue, updateVenue, archiveVenue, mergeVenues: read(MANAGE_EVENT);
        createVenue(input), updateVenue(input), archiveVenue(input), mergeVenues(input): give(MANAGE_EVENT);
    }
    type Venue {
        id, name, building, campus, label, capacity, accessibility, mapLink: read(EVERYONE);
        archivedAt, version: read(STAFF);
    }
    type VenueConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type VenueEdge { node, cursor: read(STAFF); }
    input VenueFilter { search, holds, archived: filter(STAFF); }
    input CreateVenueInput { name, building, campus, capacity, accessibility, mapLink: give(MANAGE_EVENT); }
    input UpdateVenueInput {
        venueId, version, name, building, campus, capacity, accessibility, mapLink, quietly: give(MANAGE_EVENT);
    }
    input ArchiveVenueInput { venueId, archived: give(MANAGE_EVENT); }
    input MergeVenuesInput { venueId, otherIds, spellings: give(MANAGE_EVENT); }
    type CreateVenuePayload { venue, userErrors: read(EVERYONE); }
    type UpdateVenuePayload { venue, userErrors: read(EVERYONE); }
    type ArchiveVenuePayload { venue, userErrors: read(EVERYONE); }
    type MergeVenuesPayload { events, userErrors: read(EVERYONE); }
}
