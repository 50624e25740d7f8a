//! The rules of bulk mail: read by those who send, set by super users and administrators (policy 2.5).

use super::table::table;

table! {
    type Query { mailRules: read(SEND_BULK_EMAIL | SUPER_USER | ADMINISTRATOR); }
    type Mutation {
        updateMailRules: read(SUPER_USER | ADMINISTRATOR);
        updateMailRules(input): give(SUPER_USER | ADMINISTRATOR);
    }
    type MailRules {
        reviewAbove, contactCap, organisationCap, capDays, quietFrom, quietUntil, mailRate, domainRate, version: read(SEND_BULK_EMAIL | SUPER_USER | ADMINISTRATOR);
    }
    input UpdateMailRulesInput {
        version, reviewAbove, contactCap, organisationCap, capDays, quietFrom, quietUntil, mailRate, domainRate: give(SUPER_USER | ADMINISTRATOR);
    }
    type UpdateMailRulesPayload { rules, userErrors: read(EVERYONE); }
}
