//! Vacancies: employers and operators write them, operators look at them, students and graduates have those that suit them
//! (policy 2.2). Which ones somebody has is decided row by row in `crate::vacancy::visible_to`.

use super::table::table;

table! {
    type Query {
        vacancies: read(SIGNED_IN);
        vacancies(filter): filter(SIGNED_IN);
        vacancies(orderBy): sort(SIGNED_IN);
        vacancies(first, after, last, before): give(SIGNED_IN);
    }
    type Mutation {
        createVacancy, updateVacancy, submitVacancy, closeVacancy: read(EMPLOYER | MODERATE_VACANCY);
        createVacancy(input), updateVacancy(input), submitVacancy(input), closeVacancy(input):
            give(EMPLOYER | MODERATE_VACANCY);
        reviewVacancy, setVacancyRule, endVacancyRule: read(MODERATE_VACANCY);
        reviewVacancy(input), setVacancyRule(input), endVacancyRule(input): give(MODERATE_VACANCY);
    }
    type Vacancy {
        id: read(EVERYONE);
        organisation, title, description, kind, hours, salary, location, programmes, howToApply, applyLink, contact, state,
        publishedFrom, closesOn, isOpen: read(SIGNED_IN);
        reason, submittedAt, decidedAt, closedAt, createdAt, updatedAt, version: read(EMPLOYER | STAFF);
        createdBy, decidedBy: read(STAFF);
    }
    type Salary { text, lowestPence, highestPence, per: read(SIGNED_IN); }
    type VacancyConnection { edges, nodes, pageInfo, totalCount: read(SIGNED_IN); }
    type VacancyEdge { node, cursor: read(SIGNED_IN); }
    type VacancyRule { id, kind, reason, setBy, setAt, endedAt: read(STAFF); }
    input VacancyFilter {
        search, organisationId, kinds, hours, programmeId, isOpen: filter(SIGNED_IN);
        state: filter(EMPLOYER | STAFF);
        awaitsReview: filter(STAFF);
    }
    enum VacancyOrder { NEWEST, CLOSING_SOONEST, OLDEST: sort(SIGNED_IN); }
    enum VacancyState { DRAFT, SUBMITTED, APPROVED, DECLINED, CLOSED, FILLED, WITHDRAWN: both(SIGNED_IN); }
    enum VacancyHours { FULL_TIME, PART_TIME, FLEXIBLE: both(SIGNED_IN); }
    enum SalaryPeriod { YEAR, MONTH, WEEK, DAY, HOUR: read(SIGNED_IN); }
    enum VacancyDecision { APPROVE, DECLINE: give(MODERATE_VACANCY); }
    enum VacancyOutcome { CLOSED, FILLED, WITHDRAWN: give(EMPLOYER | MODERATE_VACANCY); }
    input CreateVacancyInput {
        organisationId, title, description, kind, hours, salary, location, howToApply, applyLink, contactId, programmeIds,
        publishedFrom, closesOn: give(EMPLOYER | MODERATE_VACANCY);
    }
    input UpdateVacancyInput {
        id, version, title, description, kind, hours, salary, location, howToApply, applyLink, contactId, programmeIds,
        publishedFrom, closesOn: give(EMPLOYER | MODERATE_VACANCY);
    }
    input SubmitVacancyInput { id, version: give(EMPLOYER | MODERATE_VACANCY); }
    input ReviewVacancyInput { id, version, decision, reason, publishedFrom, closesOn: give(MODERATE_VACANCY); }
    input CloseVacancyInput { id, version, outcome, reason: give(EMPLOYER | MODERATE_VACANCY); }
    input SetVacancyRuleInput { organisationId, kind, reason: give(MODERATE_VACANCY); }
    input EndVacancyRuleInput { ruleId: give(MODERATE_VACANCY); }
    type CreateVacancyPayload { vacancy, userErrors: read(EVERYONE); }
    type UpdateVacancyPayload { vacancy, userErrors: read(EVERYONE); }
    type SubmitVacancyPayload { vacancy, userErrors: read(EVERYONE); }
    type ReviewVacancyPayload { vacancy, userErrors: read(EVERYONE); }
    type CloseVacancyPayload { vacancy, userErrors: read(EVERYONE); }
    type SetVacancyRulePayload { rule, userErrors: read(EVERYONE); }
    type EndVacancyRulePayload { rule, userErrors: read(EVERYONE); }
}
