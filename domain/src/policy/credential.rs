//! What people sign in with.

use super::table::table;

table! {
    type Mutation {
        requestPasswordReset, resetPassword, verifyEmail: read(EVERYONE);
        requestPasswordReset(input), resetPassword(input), verifyEmail(input): give(EVERYONE);
        changePassword, changeEmail: read(SIGNED_IN);
        changePassword(input), changeEmail(input): give(SIGNED_IN);
        inviteEmployer: read(EDIT_ORGANISATION);
        inviteEmployer(input): give(EDIT_ORGANISATION);
    }
    input RequestPasswordResetInput { email: give(EVERYONE); }
    input ResetPasswordInput { token, newPassword: give(EVERYONE); }
    input VerifyEmailInput { token: give(EVERYONE); }
    input ChangePasswordInput { currentPassword, newPassword: give(SIGNED_IN); }
    input ChangeEmailInput { newEmail, password: give(SIGNED_IN); }
    input InviteEmployerInput { contactId: give(EDIT_ORGANISATION); }
    type RequestPasswordResetPayload { requested, userErrors: read(EVERYONE); }
    type ResetPasswordPayload { reset, userErrors: read(EVERYONE); }
    type VerifyEmailPayload { verified, userErrors: read(EVERYONE); }
    type ChangePasswordPayload { changed, userErrors: read(EVERYONE); }
    type ChangeEmailPayload { requested, userErrors: read(EVERYONE); }
    type InviteEmployerPayload { invited, userErrors: read(EVERYONE); }
}
