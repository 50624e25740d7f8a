//! Organisations: everybody who has one sees what it says of itself; what staff know of it is theirs (policy 2.2). Which
//! organisations somebody has is decided row by row in `crate::organisation::visible_to`.

use super::table::table;

table! {
    type Query {
        organisations: read(SIGNED_IN);
        organisations(filter): filter(SIGNED_IN);
        organisations(first, after, last, before): give(SIGNED_IN);
        duplicateOrganisations: read(OPERATOR);
        duplicateOrganisations(first, after, last, before): give(OPERATOR);
    }
    type Mutation {
        archiveOrganisation, restoreOrganisation: read(DELETE_ORGANISATION);
        archiveOrganisation(input), restoreOrganisation(input): give(DELETE_ORGANISATION);
        setOrganisationLogo: read(EMPLOYER | EDIT_ORGANISATION);
        setOrganisationLogo(input): give(EMPLOYER | EDIT_ORGANISATION);
        createOrganisation, updateOrganisation, dismissDuplicate: read(EDIT_ORGANISATION);
        createOrganisation(input), updateOrganisation(input), dismissDuplicate(input): give(EDIT_ORGANISATION);
    }
    type Organisation {
        id, name, tradingNames, website, emailDomains, sector, subSector, size, kind, parent, companyNumber, address,
        founded, state, profileFields, logo: read(EVERYONE);
        contacts, contactCount, furtherContacts, events, divisions, vacancies: read(SIGNED_IN);
        contacts(first), furtherContacts(first), events(first), divisions(first), vacancies(first): give(SIGNED_IN);
        showsContactsToStudents, stateReason, timeZone, version: read(EMPLOYER | STAFF);
        heldChange: read(EMPLOYER | OPERATOR);
        tags, notes, source, sourceKey, multipleTouchPoints, keyAccounts, createdAt, updatedAt: read(STAFF);
        history, merges, mails, vacancyRules: read(STAFF);
        notes(first), history(first), mails(first): give(STAFF);
    }
    type OrganisationConnection { edges, nodes, pageInfo, totalCount: read(EVERYONE); }
    type OrganisationEdge { node, cursor: read(EVERYONE); }
    input OrganisationFilter {
        search, sector, profileField: filter(SIGNED_IN);
        allOfTags, anyOfTags, noneOfTags, state, engagedBy, lastContactedBefore, segmentId: filter(STAFF);
    }
    input CreateOrganisationInput {
        name, tradingNames, website, emailDomains, sector, subSector, size, kind, parentId, companyNumber, address,
        founded, showsContactsToStudents, multipleTouchPoints, timeZone, profileFields,
        confirmNotDuplicate: give(EDIT_ORGANISATION);
    }
    input UpdateOrganisationInput {
        id, version, name, tradingNames, website, emailDomains, sector, subSector, size, kind, parentId, companyNumber,
        address, founded, showsContactsToStudents, multipleTouchPoints, timeZone, profileFields: give(EDIT_ORGANISATION);
    }
    type OrganisationLogo { url, width, height: read(EVERYONE); }
    input SetOrganisationLogoInput { organisationId, version, logo: give(EMPLOYER | EDIT_ORGANISATION); }
    type SetOrganisationLogoPayload { organisation, userErrors: read(EVERYONE); }
    type CreateOrganisationPayload { organisation, userErrors: read(EVERYONE); }
    type UpdateOrganisationPayload { organisation, userErrors: read(EVERYONE); }
    input ArchiveOrganisationInput { id, version, reason: give(DELETE_ORGANISATION); }
    input RestoreOrganisationInput { id, version: give(DELETE_ORGANISATION); }
    type ArchiveOrganisationPayload { organisation, userErrors: read(EVERYONE); }
    type RestoreOrganisationPayload { organisation, userErrors: read(EVERYONE); }
    type RecordChange { at, by, action, fields: read(STAFF); }
    type ChangedField { field, before, after: read(STAFF); }
    input DismissDuplicateInput { pairId, reason: give(EDIT_ORGANISATION); }
    type DismissDuplicatePayload { pair, userErrors: read(EVERYONE); }
    type DuplicatePair { pairId, one, other, clusterId, score, signals, evidence: read(OPERATOR); }
    type DuplicateEvidence { field, agreement, weight: read(OPERATOR); }
    enum DuplicateField {
        NAME, PLACE, TELEPHONE, DOMAIN, NUMBER, ORGANISATION, EMAIL, JOB_TITLE: read(OPERATOR);
    }
    type DuplicatePairConnection { edges, nodes, pageInfo, totalCount: read(OPERATOR); }
    type DuplicatePairEdge { node, cursor: read(OPERATOR); }
    enum DuplicateSignal {
        SAME_NAME, SIMILAR_NAME, TRADING_NAME, COMPANY_NUMBER, DOMAIN, TELEPHONE, ADDRESS: read(OPERATOR);
    }
    enum OrganisationKind { DIRECT_EMPLOYER, AGENCY, SELF_EMPLOYED, NON_PROFIT, PUBLIC: both(EVERYONE); }
    enum OrganisationSize { MICRO, SMALL, MEDIUM, LARGE: both(EVERYONE); }
    enum OrganisationState { PENDING, APPROVED, DECLINED, SUSPENDED, ARCHIVED: both(EVERYONE); }
    enum RecordSource { STAFF, SELF_REGISTERED, IMPORT: read(STAFF); }
}
