//! Registration: anybody may register, operators decide, employers keep their own organisation (policy 2.2).

use super::table::table;

table! {
    type Query {
        findEmployers: read(EVERYONE);
        findEmployers(search): give(EVERYONE);
        registrationFields: read(EVERYONE);
        registrations, heldChanges: read(OPERATOR);
        heldChanges(first, after, last, before): give(OPERATOR);
        registrations(first, after, last, before): give(OPERATOR);
        myRegistration: read(EMPLOYER);
    }
    type Mutation {
        registerEmployer: read(EVERYONE);
        registerEmployer(input): give(EVERYONE);
        reviewOrganisation, answerRegistration, answerHeldChange: read(EDIT_ORGANISATION);
        reviewOrganisation(input), answerRegistration(input), answerHeldChange(input): give(EDIT_ORGANISATION);
        resubmitRegistration, updateOwnOrganisation: read(EMPLOYER);
        updateOwnOrganisation(input): give(EMPLOYER);
    }
    type EmployerFound { id, name, domain: read(EVERYONE); }
    type Registration {
        id: read(EVERYONE);
        kind, state, organisation, jobTitle, submittedAt, reason: read(EMPLOYER | OPERATOR);
        person, ageInDays, signals: read(OPERATOR);
    }
    type RegistrationConnection { edges, nodes, pageInfo, totalCount: read(OPERATOR); }
    type RegistrationEdge { node, cursor: read(OPERATOR); }
    type HeldChange {
        id, organisation, name, website, emailDomains, address, askedBy, askedAt: read(EMPLOYER | OPERATOR);
        ageInDays: read(OPERATOR);
    }
    type HeldChangeConnection { edges, nodes, pageInfo, totalCount: read(OPERATOR); }
    type HeldChangeEdge { node, cursor: read(OPERATOR); }
    enum RegistrationKind { NEW, JOIN: both(EVERYONE); }
    enum RegistrationState { SUBMITTED, APPROVED, DECLINED: both(EVERYONE); }
    enum RegistrationSignal { FREE_MAIL_DOMAIN, DOMAIN_UNLIKE_WEBSITE, LIKELY_DUPLICATE: read(OPERATOR); }
    enum OrganisationDecision { APPROVE, DECLINE, SUSPEND, REINSTATE: give(EDIT_ORGANISATION); }
    input RegisterEmployerInput {
        name, email, password, jobTitle, telephone, organisationId, organisation: give(EVERYONE);
    }
    input RegisteredOrganisationInput {
        name, website, sector, size, kind, companyNumber, address, profileFields: give(EVERYONE);
    }
    input ReviewOrganisationInput { organisationId, version, decision, reason: give(EDIT_ORGANISATION); }
    input AnswerRegistrationInput { registrationId, approve, reason: give(EDIT_ORGANISATION); }
    input AnswerHeldChangeInput { heldChangeId, approve, reason: give(EDIT_ORGANISATION); }
    input UpdateOwnOrganisationInput {
        version, name, tradingNames, website, emailDomains, sector, size, address, founded,
        showsContactsToStudents, timeZone, profileFields: give(EMPLOYER);
    }
    type RegisterEmployerPayload { registered, userErrors: read(EVERYONE); }
    type ReviewOrganisationPayload { organisation, userErrors: read(EVERYONE); }
    type AnswerRegistrationPayload { registration, userErrors: read(EVERYONE); }
    type ResubmitRegistrationPayload { registration, userErrors: read(EVERYONE); }
    type UpdateOwnOrganisationPayload { organisation, userErrors: read(EVERYONE); }
    type AnswerHeldChangePayload { heldChange, userErrors: read(EVERYONE); }
}
