//! Addresses of people's own calendars (policy 2.4). The calendars themselves are served in [`crate::http::calendar`].

use async_graphql::{Context, Object, Result, SimpleObject};
use domain::calendar::feed;

use super::{
    begin,
    errors::{Payload, payload},
    viewer,
};
use crate::http::calendar::address;

/// Mutations about the calendar of the person who asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct CalendarMutation;

/// The address of somebody's own calendar, to be told once.
#[derive(Clone, Debug, SimpleObject)]
pub struct CalendarFeed {
    /// Its address, for a calendar program to subscribe to: what they have booked, and what else concerns them. Whoever knows
    /// it can read the calendar, and it can't be read again.
    url: String,
    /// The same with what they have booked alone.
    booked_url: String,
}

impl From<String> for CalendarFeed {
    fn from(token: String) -> Self {
        let url = address(&token);
        Self {
            booked_url: format!("{url}?show=booked"),
            url,
        }
    }
}

payload! {
    /// What became of making an address for one's calendar.
    CreateCalendarFeedPayload {
        /// The address.
        calendar_feed: CalendarFeed,
    }
}

payload! {
    /// What became of ending the address of one's calendar.
    RevokeCalendarFeedPayload {
        /// Whether there was one.
        revoked: bool,
    }
}

#[Object]
impl CalendarMutation {
    /// Makes a secret address for one's own calendar, in place of the one before, which ends.
    async fn create_calendar_feed(&self, ctx: &Context<'_>) -> Result<CreateCalendarFeedPayload> {
        let mut tx = begin(ctx).await?;
        let made = feed::make(&mut tx, viewer(ctx)?).await;
        CreateCalendarFeedPayload::commit(tx, made).await
    }

    /// Ends the secret address of one's own calendar: nothing is at it any more.
    async fn revoke_calendar_feed(&self, ctx: &Context<'_>) -> Result<RevokeCalendarFeedPayload> {
        let mut tx = begin(ctx).await?;
        let revoked = feed::revoke(&mut tx, viewer(ctx)?).await;
        RevokeCalendarFeedPayload::commit(tx, revoked).await
    }
}
