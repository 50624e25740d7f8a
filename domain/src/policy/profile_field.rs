//! Fields of an organisation's profile: administrators define them, and say of each who sees it (policy 1). Which fields
//! somebody has is decided row by row in `crate::profile_field::visible_to`.

use super::table::table;

table! {
    type Query {
        profileFields: read(SIGNED_IN);
        profileFields(archived): filter(EMPLOYER | STAFF);
    }
    type Mutation {
        createProfileField, updateProfileField, archiveProfileField: read(ADMINISTRATOR);
        createProfileField(input), updateProfileField(input), archiveProfileField(input): give(ADMINISTRATOR);
    }
    type ProfileField {
        id, name, help, kind, choices, isRequired: read(EVERYONE);
        visibleTo, setByEmployers, position: read(EMPLOYER | STAFF);
        archivedAt, version: read(STAFF);
    }
    type SoughtProfileField { field, value, atLeast, atMost: read(STAFF); }
    type ProfileFieldValue { field, name, value: read(EVERYONE); }
    enum ProfileFieldKind { TEXT, NUMBER, CHOICE, DATE: both(EVERYONE); }
    enum ProfileFieldAudience { STAFF, EMPLOYER, EVERYONE: both(EVERYONE); }
    input ProfileFieldValueInput { profileFieldId, value: give(EVERYONE); }
    input ProfileFieldFilter { profileFieldId, value, atLeast, atMost: filter(SIGNED_IN); }
    input CreateProfileFieldInput {
        name, help, kind, choices, visibleTo, isRequired, setByEmployers, position: give(ADMINISTRATOR);
    }
    input UpdateProfileFieldInput {
        profileFieldId, version, name, help, kind, choices, visibleTo, isRequired, setByEmployers,
        position: give(ADMINISTRATOR);
    }
    input ArchiveProfileFieldInput { profileFieldId, archived: give(ADMINISTRATOR); }
    type CreateProfileFieldPayload { profileField, userErrors: read(EVERYONE); }
    type UpdateProfileFieldPayload { profileField, userErrors: read(EVERYONE); }
    type ArchiveProfileFieldPayload { profileField, userErrors: read(EVERYONE); }
}
