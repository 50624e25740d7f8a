//! Passwords and addresses: what people sign in with.

use async_graphql::{Context, InputObject, Object, Result};
use domain::credential;
use entity::ids::ContactId;

use super::{
    begin,
    errors::{Payload, payload},
    id::Id,
    session::CameFrom,
    store, viewer,
};

/// Mutations about one's own password and address, and the invitation to have them.
#[derive(Debug, Default)]
pub struct CredentialMutation;

/// A new password instead of the one that is known.
#[derive(InputObject)]
struct ChangePasswordInput {
    /// The password so far.
    #[graphql(secret)]
    current_password: String,
    /// The one from now on: 12 to 200 characters, and hard to guess.
    #[graphql(secret)]
    new_password: String,
}

/// Whose password is forgotten.
#[derive(InputObject)]
struct RequestPasswordResetInput {
    /// The e-mail address of the account.
    email: String,
}

/// A password chosen through a link.
#[derive(InputObject)]
struct ResetPasswordInput {
    /// What the link in the letter holds.
    #[graphql(secret)]
    token: String,
    /// The password: 12 to 200 characters, and hard to guess.
    #[graphql(secret)]
    new_password: String,
}

/// An address proved through a link.
#[derive(InputObject)]
struct VerifyEmailInput {
    /// What the link in the letter holds.
    #[graphql(secret)]
    token: String,
}

/// Another address to sign in with.
#[derive(InputObject)]
struct ChangeEmailInput {
    /// The address from now on.
    new_email: String,
    /// The password of the account.
    #[graphql(secret)]
    password: String,
}

/// Who is invited.
#[derive(Debug, InputObject)]
struct InviteEmployerInput {
    /// The contact, at an approved organisation and with an e-mail address.
    contact_id: Id<ContactId>,
}

payload! {
    /// What became of changing a password.
    ChangePasswordPayload {
        /// Whether it was changed.
        changed: bool,
    }
}

payload! {
    /// What became of asking for a link. It doesn't tell whether there is an account.
    RequestPasswordResetPayload {
        /// Whether the request was taken.
        requested: bool,
    }
}

payload! {
    /// What became of choosing a password through a link.
    ResetPasswordPayload {
        /// Whether it was chosen. Nobody is signed in by it.
        reset: bool,
    }
}

payload! {
    /// What became of proving an address.
    VerifyEmailPayload {
        /// Whether it is proved.
        verified: bool,
    }
}

payload! {
    /// What became of asking for another address.
    ChangeEmailPayload {
        /// Whether a link went to the new address. Nothing changes until it is followed.
        requested: bool,
    }
}

payload! {
    /// What became of an invitation.
    InviteEmployerPayload {
        /// Whether it is on its way.
        invited: bool,
    }
}

#[Object]
impl CredentialMutation {
    /// Chooses a new password. The viewer's other sessions end, and a letter tells of it.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let changed = credential::change_password(
            store(ctx)?,
            viewer(ctx)?,
            input.current_password,
            input.new_password,
        )
        .await;
        ChangePasswordPayload::of(changed.map(|()| true))
    }

    /// Sends a link to choose a new password, which works once and for an hour. The answer is the same whether there is an
    /// account or not. Three times an hour for each address.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Result<RequestPasswordResetPayload> {
        let requested = credential::request_password_reset(
            store(ctx)?,
            &input.email,
            CameFrom::of(ctx).origin(),
        )
        .await;
        RequestPasswordResetPayload::of(requested.map(|()| true))
    }

    /// Chooses a password through the link of a letter or of an invitation. All sessions of the account end.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload> {
        let reset = credential::reset_password(store(ctx)?, &input.token, input.new_password).await;
        ResetPasswordPayload::of(reset.map(|()| true))
    }

    /// Proves an address through the link that was sent there.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        input: VerifyEmailInput,
    ) -> Result<VerifyEmailPayload> {
        let mut tx = begin(ctx).await?;
        let verified = credential::verify_email(&mut tx, &input.token).await;
        VerifyEmailPayload::commit(tx, verified.map(|()| true)).await
    }

    /// Asks to sign in with another address. A link goes to the new one, and a letter to the old one once it is followed.
    async fn change_email(
        &self,
        ctx: &Context<'_>,
        input: ChangeEmailInput,
    ) -> Result<ChangeEmailPayload> {
        let requested =
            credential::change_email(store(ctx)?, viewer(ctx)?, &input.new_email, input.password)
                .await;
        ChangeEmailPayload::of(requested.map(|()| true))
    }

    /// Invites a contact to sign in for their organisation. The link in the letter chooses their password, and works for a
    /// week (policy 2.2: employers keep their own information).
    async fn invite_employer(
        &self,
        ctx: &Context<'_>,
        input: InviteEmployerInput,
    ) -> Result<InviteEmployerPayload> {
        let mut tx = begin(ctx).await?;
        let invited = credential::invite_employer(&mut tx, viewer(ctx)?, input.contact_id.0).await;
        InviteEmployerPayload::commit(tx, invited.map(|()| true)).await
    }
}
