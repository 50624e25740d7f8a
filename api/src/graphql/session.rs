//! Signing in and out.

use std::net::IpAddr;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::session::{self, Keyring, Tokens};

use super::{
    begin,
    errors::{self, UserError},
    store, viewer,
};

/// The network address that a request came from, for the limit on signing in.
#[derive(Clone, Copy, Debug)]
pub struct CameFrom(pub Option<IpAddr>);

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
        let from = ctx.data_opt::<CameFrom>().and_then(|came_from| came_from.0);
        let signed_in = session::sign_in(
            store(ctx)?,
            ctx.data::<Keyring>()?,
            &input.email,
            input.password,
            from,
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
