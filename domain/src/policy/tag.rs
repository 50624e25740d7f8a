//! Tags: the words of staff about employers (policy 2.2).

use super::table::table;

table! {
    type Query {
        tags: read(STAFF);
        tags(filter): filter(STAFF);
        tags(first, after, last, before): give(STAFF);
    }
    type Mutation {
        mergeTags: read(EDIT_ORGANISATION);
        mergeTags(input): give(EDIT_ORGANISATION);
        createTag, archiveTag, tagOrganisations, untagOrganisations: read(EDIT_ORGANISATION);
        createTag(input), archiveTag(input), tagOrganisations(input), untagOrganisations(input): give(EDIT_ORGANISATION);
    }
    type Tag {
        id: read(EVERYONE);
        name, category, archivedAt, createdAt: read(STAFF);
    }
    type TagConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type TagEdge { node, cursor: read(STAFF); }
    input TagFilter { search, category, archived: filter(STAFF); }
    input CreateTagInput { name, category: give(EDIT_ORGANISATION); }
    input ArchiveTagInput { id: give(EDIT_ORGANISATION); }
    input MergeTagsInput { tagId, otherIds: give(EDIT_ORGANISATION); }
    type MergeTagsPayload { tag, userErrors: read(EVERYONE); }
    input TagOrganisationsInput { organisationIds, filter, tagIds: give(EDIT_ORGANISATION); }
    input UntagOrganisationsInput { organisationIds, filter, tagIds: give(EDIT_ORGANISATION); }
    type CreateTagPayload { tag, userErrors: read(EVERYONE); }
    type ArchiveTagPayload { tag, userErrors: read(EVERYONE); }
    type TagOrganisationsPayload { tagged, userErrors: read(EVERYONE); }
    type UntagOrganisationsPayload { untagged, userErrors: read(EVERYONE); }
}
