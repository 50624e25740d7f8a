//! Signing in and out.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    identity,
    session::{self, Keyring, Origin, Tokens},
};
use entity::{ids::SessionId, session::Model};

use super::{
    begin,
    errors::{self, Payload, UserError, payload},
    id::Id,
    store, viewer,
};

/// Where a request came from, for the limit on signing in and for the list of one's sessions.
#[derive(Clone, Debug, Default)]
pub struct CameFrom(Arc<Origin>);

impl CameFrom {
    /// From there.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self(Arc::new(origin))
    }

    /// Where the request of this resolver came from.
    #[must_use]
    pub fn of(ctx: &Context<'_>) -> Self {
        ctx.data_opt::<Self>().cloned().unwrap_or_default()
    }

    /// In the words of `domain`.
    #[must_use]
    pub fn origin(&self) -> Origin {
        (*self.0).clone()
    }
}

/// Queries about one's own sessions.
#[derive(Debug, Default)]
pub struct SessionQuery;

/// Mutations about one's own session.
#[derive(Debug, Default)]
pub struct SessionMutation;

/// E-mail and password.
#[derive(InputObject)]
struct SignInInput {
    /// The e-mail address of the account, in any case.
    email: String,
    /// Its password.
    #[graphql(secret)]
    password: String,
}

/// A sign-in with the university that has ended.
#[derive(InputObject)]
struct ExchangeSignInCodeInput {
    /// The `code` that the browser came back with.
    #[graphql(secret)]
    code: String,
    /// The secret to the `challenge` that the sign-in was begun with (RFC 7636, S256); left out when there was none.
    #[graphql(secret)]
    verifier: Option<String>,
}

/// The tokens of a session that the university stands for.
#[derive(Debug, Default, SimpleObject)]
pub struct ExchangeSignInCodePayload {
    /// Send it as `Authorization: Bearer …`. It is good for 15 minutes.
    access_token: Option<String>,
    /// When the access token expires.
    access_token_expires_at: Option<DateTime<Utc>>,
    /// Exchange it by `refreshSession` for new tokens. It is good for one exchange, within 30 days of signing in.
    refresh_token: Option<String>,
    /// Why nobody was signed in; empty when somebody was.
    user_errors: Vec<UserError>,
}

/// The refresh token to be exchanged.
#[derive(InputObject)]
struct RefreshSessionInput {
    /// The newest refresh token of the session. Each can be exchanged once; using one twice ends the session.
    #[graphql(secret)]
    refresh_token: String,
}

/// The tokens of a session.
#[derive(Debug, Default, SimpleObject)]
#[graphql(name = "SignInPayload")]
pub struct SignInPayload {
    /// Send it as `Authorization: Bearer …`. It is good for 15 minutes.
    access_token: Option<String>,
    /// When the access token expires.
    access_token_expires_at: Option<DateTime<Utc>>,
    /// Exchange it by `refreshSession` for new tokens. It is good for one exchange, within 30 days of signing in.
    refresh_token: Option<String>,
    /// Why nobody was signed in; empty when somebody was.
    user_errors: Vec<UserError>,
}

/// The tokens that follow.
#[derive(Debug, Default, SimpleObject)]
pub struct RefreshSessionPayload {
    /// Send it as `Authorization: Bearer …`. It is good for 15 minutes.
    access_token: Option<String>,
    /// When the access token expires.
    access_token_expires_at: Option<DateTime<Utc>>,
    /// The next refresh token.
    refresh_token: Option<String>,
    /// Why there are no tokens; empty when there are. An unknown or used token is an error of its own.
    user_errors: Vec<UserError>,
}

/// The session to be ended.
#[derive(Debug, InputObject)]
struct EndSessionInput {
    /// One of the viewer's own.
    id: Id<SessionId>,
}

payload! {
    /// What became of ending a session.
    EndSessionPayload {
        /// Whether it has ended.
        ended: bool,
    }
}

payload! {
    /// What became of ending the viewer's other sessions.
    EndOtherSessionsPayload {
        /// How many have ended.
        ended: u64,
    }
}

/// What became of signing out.
#[derive(Debug, SimpleObject)]
pub struct SignOutPayload {
    /// Whether the session has ended.
    signed_out: Option<bool>,
    /// Why not; empty when it has.
    user_errors: Vec<UserError>,
}

#[Object]
impl SessionMutation {
    /// Signs in with e-mail and password. After ten failed tries within 15 minutes an account is closed to further ones
    /// for a while; so is a network address after a hundred.
    async fn sign_in(&self, ctx: &Context<'_>, input: SignInInput) -> Result<SignInPayload> {
        let signed_in = session::sign_in(
            store(ctx)?,
            ctx.data::<Keyring>()?,
            &input.email,
            input.password,
            CameFrom::of(ctx).origin(),
        )
        .await;
        let (tokens, user_errors) = errors::outcome(signed_in)?;
        let tokens = tokens.map(Parts::from).unwrap_or_default();
        Ok(SignInPayload {
            access_token: tokens.access_token,
            access_token_expires_at: tokens.expires_at,
            refresh_token: tokens.refresh_token,
            user_errors,
        })
    }

    /// Exchanges the code that a sign-in with the university ends with, which works once and for a minute.
    async fn exchange_sign_in_code(
        &self,
        ctx: &Context<'_>,
        input: ExchangeSignInCodeInput,
    ) -> Result<ExchangeSignInCodePayload> {
        let exchanged = identity::exchange(
            store(ctx)?,
            ctx.data::<Keyring>()?,
            &input.code,
            input.verifier.as_deref(),
            CameFrom::of(ctx).origin(),
        )
        .await;
        let (tokens, user_errors) = errors::outcome(exchanged)?;
        let tokens = tokens.map(Parts::from).unwrap_or_default();
        Ok(ExchangeSignInCodePayload {
            access_token: tokens.access_token,
            access_token_expires_at: tokens.expires_at,
            refresh_token: tokens.refresh_token,
            user_errors,
        })
    }

    /// Exchanges a refresh token for new tokens.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        input: RefreshSessionInput,
    ) -> Result<RefreshSessionPayload> {
        let refreshed =
            session::refresh(store(ctx)?, ctx.data::<Keyring>()?, &input.refresh_token).await;
        let (tokens, user_errors) = errors::outcome(refreshed)?;
        let tokens = tokens.map(Parts::from).unwrap_or_default();
        Ok(RefreshSessionPayload {
            access_token: tokens.access_token,
            access_token_expires_at: tokens.expires_at,
            refresh_token: tokens.refresh_token,
            user_errors,
        })
    }

    /// Ends one of the viewer's own sessions, on another device: its tokens are worthless from the next request on.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        input: EndSessionInput,
    ) -> Result<EndSessionPayload> {
        let mut tx = begin(ctx).await?;
        let ended = session::end_one(&mut tx, viewer(ctx)?, input.id.0).await;
        EndSessionPayload::commit(tx, ended.map(|()| true)).await
    }

    /// Ends all sessions of the viewer but this one.
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Result<EndOtherSessionsPayload> {
        let mut tx = begin(ctx).await?;
        let ended = session::end_others(&mut tx, viewer(ctx)?).await;
        EndOtherSessionsPayload::commit(tx, ended).await
    }

    /// Ends the session: all of its tokens are worthless from the next request on.
    async fn sign_out(&self, ctx: &Context<'_>) -> Result<SignOutPayload> {
        let mut tx = begin(ctx).await?;
        session::sign_out(&mut tx, viewer(ctx)?).await?;
        tx.commit().await?;
        Ok(SignOutPayload {
            signed_out: Some(true),
            user_errors: Vec::new(),
        })
    }
}

#[Object]
impl SessionQuery {
    /// The viewer's sessions that go on, the newest first: one for each time they signed in somewhere.
    async fn sessions(&self, ctx: &Context<'_>) -> Option<Result<Vec<Session>>> {
        Some(own_sessions(ctx).await)
    }
}

async fn own_sessions(ctx: &Context<'_>) -> Result<Vec<Session>> {
    let viewer = viewer(ctx)?;
    let current = viewer.signed_in()?.session_id;
    let sessions = session::open_of(store(ctx)?, viewer).await?;
    Ok(sessions
        .into_iter()
        .map(|row| Session {
            is_current: current == Some(row.id),
            row,
        })
        .collect())
}

/// A session of the viewer's own.
#[derive(Debug)]
pub struct Session {
    row: Model,
    is_current: bool,
}

/// A session of the viewer's own: they signed in somewhere, and are still.
#[Object]
impl Session {
    /// Its id.
    async fn id(&self) -> Id<SessionId> {
        Id(self.row.id)
    }

    /// When it was begun.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was last used, to a quarter of an hour.
    async fn last_used_at(&self) -> DateTime<Utc> {
        self.row.last_used_at.unwrap_or(self.row.created_at)
    }

    /// When it ends by itself.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.row.expires_at
    }

    /// The kind of program and machine it was begun with, such as `Firefox on Windows`.
    async fn device(&self) -> Option<&str> {
        self.row.device.as_deref()
    }

    /// The network it was begun from: the address without its last part.
    async fn network(&self) -> Option<&str> {
        self.row.network.as_deref()
    }

    /// Whether it is the one that asks.
    async fn is_current(&self) -> bool {
        self.is_current
    }
}

/// Tokens as both payloads show them.
#[derive(Default)]
struct Parts {
    access_token: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    refresh_token: Option<String>,
}

impl From<Tokens> for Parts {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: Some(tokens.access_token),
            expires_at: Some(tokens.access_token_expires_at),
            refresh_token: Some(tokens.refresh_token),
        }
    }
}
