//! Accounts as administrators look after them.

use super::table::table;

table! {
    type Mutation {
        makeAdministrator, removeAdministrator, suspendAccount, restoreAccount: read(ADMINISTRATOR);
        makeAdministrator(input), removeAdministrator(input), suspendAccount(input), restoreAccount(input):
            give(ADMINISTRATOR);
    }
    input MakeAdministratorInput { userId: give(ADMINISTRATOR); }
    input RemoveAdministratorInput { userId: give(ADMINISTRATOR); }
    input SuspendAccountInput { userId, reason: give(ADMINISTRATOR); }
    input RestoreAccountInput { userId: give(ADMINISTRATOR); }
    type MakeAdministratorPayload { person, userErrors: read(EVERYONE); }
    type RemoveAdministratorPayload { person, userErrors: read(EVERYONE); }
    type SuspendAccountPayload { person, userErrors: read(EVERYONE); }
    type RestoreAccountPayload { person, userErrors: read(EVERYONE); }
}
