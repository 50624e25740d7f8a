//! Signing in and out, and what the viewer may know of themselves: everything.

use super::table::table;

table! {
    type Query {
        viewer, permissions: read(EVERYONE);
        sessions: read(SIGNED_IN);
    }
    type Session { id, createdAt, lastUsedAt, expiresAt, device, network, isCurrent: read(EVERYONE); }
    type Mutation {
        signIn, refreshSession, exchangeSignInCode: read(EVERYONE);
        signIn(input), refreshSession(input), exchangeSignInCode(input): give(EVERYONE);
        signOut, endSession, endOtherSessions: read(SIGNED_IN);
        endSession(input): give(SIGNED_IN);
    }
    input EndSessionInput { id: give(SIGNED_IN); }
    type EndSessionPayload { ended, userErrors: read(EVERYONE); }
    type EndOtherSessionsPayload { ended, userErrors: read(EVERYONE); }
    input SignInInput { email, password: give(EVERYONE); }
    input RefreshSessionInput { refreshToken: give(EVERYONE); }
    type SignInPayload { accessToken, accessTokenExpiresAt, refreshToken, userErrors: read(EVERYONE); }
    input ExchangeSignInCodeInput { code, verifier: give(EVERYONE); }
    type ExchangeSignInCodePayload {
        accessToken, accessTokenExpiresAt, refreshToken, userErrors: read(EVERYONE);
    }
    type RefreshSessionPayload { accessToken, accessTokenExpiresAt, refreshToken, userErrors: read(EVERYONE); }
    type SignOutPayload { signedOut, userErrors: read(EVERYONE); }
    type Viewer {
        id, name, email, kind, isOperator, isSuperUser, isAdministrator, facultyId, programmeId, contactId,
        organisationId, bookingIsBlocked, profile, calendarFeedCreatedAt: read(EVERYONE);
    }
    type PermissionStatus {
        permission, held, isCampusWide, faculties, reason: read(EVERYONE);
        trainingCourses, agreementsToAccept: read(STAFF);
    }
    enum UserKind { STUDENT, GRADUATE, EMPLOYER, STAFF: both(EVERYONE); }
    enum Permission {
        RECORD_ENGAGEMENT, EDIT_ORGANISATION, DELETE_ORGANISATION, CLAIM_KEY_ACCOUNT, MANAGE_EVENT, MODERATE_VACANCY,
        SEND_BULK_EMAIL, READ_REPORT, EXPORT_CONTACTS, MANAGE_PLACEMENT, GRANT_ACCESS: both(EVERYONE);
    }
}
