//! Accounts as administrators look after them.

use async_graphql::{Context, InputObject, Object, Result};
use domain::account;
use entity::ids::UserId;

use super::{
    begin,
    errors::{Payload, payload},
    id::Id,
    person::Person,
    viewer,
};

/// Mutations of accounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountMutation;

/// Who is to administer the system.
#[derive(Debug, InputObject)]
pub struct MakeAdministratorInput {
    /// A member of staff.
    user_id: Id<UserId>,
}

/// Who no longer administers the system.
#[derive(Debug, InputObject)]
pub struct RemoveAdministratorInput {
    /// The administrator.
    user_id: Id<UserId>,
}

/// Whose account is closed, and why.
#[derive(Debug, InputObject)]
pub struct SuspendAccountInput {
    /// The account.
    user_id: Id<UserId>,
    /// Why; the audit log keeps it.
    reason: String,
}

/// Whose account is opened again.
#[derive(Debug, InputObject)]
pub struct RestoreAccountInput {
    /// The account.
    user_id: Id<UserId>,
}

payload! {
    /// What became of making an administrator.
    MakeAdministratorPayload {
        /// The administrator.
        person: Person,
    }
}

payload! {
    /// What became of removing an administrator.
    RemoveAdministratorPayload {
        /// The person, who is an administrator no longer.
        person: Person,
    }
}

payload! {
    /// What became of suspending an account.
    SuspendAccountPayload {
        /// The person, who can't sign in.
        person: Person,
    }
}

payload! {
    /// What became of restoring an account.
    RestoreAccountPayload {
        /// The person, who can sign in again.
        person: Person,
    }
}

#[Object]
impl AccountMutation {
    /// Makes an administrator of a member of staff.
    async fn make_administrator(
        &self,
        ctx: &Context<'_>,
        input: MakeAdministratorInput,
    ) -> Result<MakeAdministratorPayload> {
        let mut tx = begin(ctx).await?;
        let made = account::make_administrator(&mut tx, viewer(ctx)?, input.user_id.0).await;
        MakeAdministratorPayload::commit(tx, made).await
    }

    /// Takes the administration from somebody. The last administrator stays.
    async fn remove_administrator(
        &self,
        ctx: &Context<'_>,
        input: RemoveAdministratorInput,
    ) -> Result<RemoveAdministratorPayload> {
        let mut tx = begin(ctx).await?;
        let removed = account::remove_administrator(&mut tx, viewer(ctx)?, input.user_id.0).await;
        RemoveAdministratorPayload::commit(tx, removed).await
    }

    /// Closes an account: nobody signs in with it, and its sessions end. The last administrator's stays open.
    async fn suspend_account(
        &self,
        ctx: &Context<'_>,
        input: SuspendAccountInput,
    ) -> Result<SuspendAccountPayload> {
        let mut tx = begin(ctx).await?;
        let (id, reason) = (input.user_id.0, &input.reason);
        let suspended = account::suspend(&mut tx, viewer(ctx)?, id, reason).await;
        SuspendAccountPayload::commit(tx, suspended).await
    }

    /// Opens an account again.
    async fn restore_account(
        &self,
        ctx: &Context<'_>,
        input: RestoreAccountInput,
    ) -> Result<RestoreAccountPayload> {
        let mut tx = begin(ctx).await?;
        let restored = account::restore(&mut tx, viewer(ctx)?, input.user_id.0).await;
        RestoreAccountPayload::commit(tx, restored).await
    }
}
