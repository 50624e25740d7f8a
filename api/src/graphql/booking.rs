//! Bookings, waiting lists and registers.

mod inputs;
mod loaders;
mod types;

use async_graphql::{Context, Object, Result, Subscription};
use domain::{
    Error, Store,
    booking::{self as bookings, search},
    event as events,
    live::LiveEvent,
    register, session,
    viewer::Viewer,
    waiting_list,
};
use entity::{
    booking::Model,
    ids::{BookingId, EventId},
};
use futures_util::{Stream, StreamExt};

use self::inputs::{
    AcceptOfferInput, BookEventInput, CancelBookingInput, CheckInInput, CloseRegisterInput,
    DeclineOfferInput, ExcuseNoShowInput, LiftBookingBlockInput, PromoteBookingInput,
    UndoCheckInInput,
};
pub use self::types::{Booking, BookingState};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    event::Event,
    id::Id,
    person::Person,
    rows::rows,
    store, viewer,
};

/// Queries about bookings.
#[derive(Debug, Default)]
pub struct BookingQuery;

/// Mutations of bookings and registers.
#[derive(Debug, Default)]
pub struct BookingMutation;

/// Subscriptions to bookings.
#[derive(Debug, Default)]
pub struct BookingSubscription;

payload! {
    /// What became of booking an event.
    BookEventPayload {
        /// The booking, which has a place or waits for one.
        booking: Booking,
    }
}

payload! {
    /// What became of cancelling a booking.
    CancelBookingPayload {
        /// The booking, which has ended.
        booking: Booking,
    }
}

payload! {
    /// What became of accepting an offer.
    AcceptOfferPayload {
        /// The booking, which has a place.
        booking: Booking,
    }
}

payload! {
    /// What became of declining an offer.
    DeclineOfferPayload {
        /// The booking, which has ended.
        booking: Booking,
    }
}

payload! {
    /// What became of giving a place to the first in the queue.
    PromoteBookingPayload {
        /// The booking, which has the place.
        booking: Booking,
    }
}

payload! {
    /// What became of taking a mark back.
    UndoCheckInPayload {
        /// The booking that was marked.
        booking: Booking,
    }
}

payload! {
    /// What became of marking that somebody came.
    CheckInPayload {
        /// The booking of whoever came.
        booking: Booking,
    }
}

payload! {
    /// What became of closing a register.
    CloseRegisterPayload {
        /// The event, which is over.
        event: Event,
    }
}

payload! {
    /// What became of excusing somebody.
    ExcuseNoShowPayload {
        /// The booking, which is no strike any more.
        booking: Booking,
    }
}

payload! {
    /// What became of lifting a block.
    LiftBookingBlockPayload {
        /// The person, who may book again.
        person: Person,
    }
}

#[Object]
impl BookingQuery {
    /// The viewer's own bookings, the newest first. Those for an event one manages are under `Event.bookings`.
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only bookings that stand there.")] state: Option<BookingState>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Booking>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(own_bookings(ctx, state, page).await)
    }
}

async fn own_bookings(
    ctx: &Context<'_>,
    state: Option<BookingState>,
    page: PageArgs,
) -> Result<Connection<Booking>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let state = state.map(Into::into);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "bookings",
        &page,
        async |page| search::own(store.reader(), viewer, state, &page).await,
        |row: &Model| row.id,
        Booking::from,
        move || {
            let (store, viewer) = counted.clone();
            async move { search::count_own(store.reader(), &viewer, state).await }
        },
    )
    .await
}

#[Object]
impl BookingMutation {
    /// Books a place at an event, or joins its waiting list when none is free.
    async fn book_event(
        &self,
        ctx: &Context<'_>,
        input: BookEventInput,
    ) -> Result<BookEventPayload> {
        let mut tx = begin(ctx).await?;
        let booked = bookings::book(&mut tx, viewer(ctx)?, input.event_id.0).await;
        BookEventPayload::commit(tx, booked).await
    }

    /// Cancels a booking: one's own, or, with a reason, one for an event that one manages. The place goes to whoever waits.
    async fn cancel_booking(
        &self,
        ctx: &Context<'_>,
        input: CancelBookingInput,
    ) -> Result<CancelBookingPayload> {
        let mut tx = begin(ctx).await?;
        let (id, reason) = (input.booking_id.0, input.reason.as_deref());
        let cancelled = bookings::cancel(&mut tx, viewer(ctx)?, id, reason).await;
        CancelBookingPayload::commit(tx, cancelled).await
    }

    /// Takes the place that is held for the viewer.
    async fn accept_offer(
        &self,
        ctx: &Context<'_>,
        input: AcceptOfferInput,
    ) -> Result<AcceptOfferPayload> {
        let mut tx = begin(ctx).await?;
        let accepted = bookings::accept_offer(&mut tx, viewer(ctx)?, input.booking_id.0).await;
        AcceptOfferPayload::commit(tx, accepted).await
    }

    /// Lets the place that is held for the viewer go to the next person.
    async fn decline_offer(
        &self,
        ctx: &Context<'_>,
        input: DeclineOfferInput,
    ) -> Result<DeclineOfferPayload> {
        let mut tx = begin(ctx).await?;
        let declined = bookings::decline_offer(&mut tx, viewer(ctx)?, input.booking_id.0).await;
        DeclineOfferPayload::commit(tx, declined).await
    }

    /// Gives a free place to the first in the queue of an event, whatever the hour: after the cut-off nothing else does.
    async fn promote_booking(
        &self,
        ctx: &Context<'_>,
        input: PromoteBookingInput,
    ) -> Result<PromoteBookingPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.event_id.0;
        let promoted = waiting_list::promote_booking(&mut tx, viewer(ctx)?, id).await;
        PromoteBookingPayload::commit(tx, promoted).await
    }

    /// Marks that somebody came. It works twice without harm.
    async fn check_in(&self, ctx: &Context<'_>, input: CheckInInput) -> Result<CheckInPayload> {
        let mut tx = begin(ctx).await?;
        let marked = match input.ticket() {
            Ok(ticket) => bookings::check_in(&mut tx, viewer(ctx)?, ticket).await,
            Err(error) => Err(error),
        };
        CheckInPayload::commit(tx, marked).await
    }

    /// Takes back that somebody was marked as having come: it was a mistake. What it counted for as training goes with it.
    async fn undo_check_in(
        &self,
        ctx: &Context<'_>,
        input: UndoCheckInInput,
    ) -> Result<UndoCheckInPayload> {
        let mut tx = begin(ctx).await?;
        let undone = bookings::undo_check_in(&mut tx, viewer(ctx)?, input.booking_id.0).await;
        UndoCheckInPayload::commit(tx, undone).await
    }

    /// Closes the register of an event that has started. Whoever had a place and isn't marked is contacted.
    async fn close_register(
        &self,
        ctx: &Context<'_>,
        input: CloseRegisterInput,
    ) -> Result<CloseRegisterPayload> {
        let mut tx = begin(ctx).await?;
        let (id, nobody_came) = (input.event_id.0, input.nobody_came);
        let closed = register::close_register(&mut tx, viewer(ctx)?, id, nobody_came).await;
        CloseRegisterPayload::commit(tx, closed).await
    }

    /// Accepts the reason why somebody did not come. It takes a strike away; a block stays until it is lifted.
    async fn excuse_no_show(
        &self,
        ctx: &Context<'_>,
        input: ExcuseNoShowInput,
    ) -> Result<ExcuseNoShowPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.booking_id.0;
        let excused = register::excuse_no_show(&mut tx, viewer(ctx)?, id, &input.reason).await;
        ExcuseNoShowPayload::commit(tx, excused).await
    }

    /// Lets somebody book again who was blocked after missed events. For operators of the Careers Centre.
    async fn lift_booking_block(
        &self,
        ctx: &Context<'_>,
        input: LiftBookingBlockInput,
    ) -> Result<LiftBookingBlockPayload> {
        let mut tx = begin(ctx).await?;
        let lifted = register::lift_booking_block(&mut tx, viewer(ctx)?, input.user_id.0).await;
        LiftBookingBlockPayload::commit(tx, lifted).await
    }
}

/// What is announced from now on, for whoever watches an event that exists for them.
async fn watched(
    ctx: &Context<'_>,
    event: EventId,
) -> Result<(Store, Viewer, impl Stream<Item = LiveEvent> + use<>)> {
    let (store, watcher) = (store(ctx)?.clone(), viewer(ctx)?.clone());
    // Before the first look at the database, so that nothing is missed in between.
    let heard = store.signals().subscribe();
    let found = events::find_all(store.reader(), &watcher, &[event]).await?;
    if found.is_empty() {
        return Err(Error::not_found("eventId", "event").into());
    }
    Ok((store, watcher, heard))
}

#[Subscription]
impl BookingSubscription {
    /// The bookings for an event that change from now on: those that the viewer may see. Who waits gets their own booking
    /// whenever the queue moves.
    async fn booking_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event to watch.")] event_id: Id<EventId>,
    ) -> Result<impl Stream<Item = Result<Booking>> + use<>> {
        let subject = event_id.0;
        let (store, watcher, heard) = watched(ctx, subject).await?;
        Ok(heard.filter_map(move |event| {
            let (store, watcher) = (store.clone(), watcher.clone());
            async move {
                let LiveEvent::BookingChanged {
                    event_id,
                    booking_id,
                } = event
                else {
                    return None;
                };
                if event_id != subject {
                    return None;
                }
                // Rights may have changed since the subscription began.
                let now = match session::still_signed_in(&store, &watcher).await {
                    Ok(now) => now,
                    Err(error) => return Some(Err(error.into())),
                };
                search::seen_change(store.reader(), &now, event_id, booking_id)
                    .await
                    .map(|seen| seen.map(Booking::from))
                    .map_err(Into::into)
                    .transpose()
            }
        }))
    }

    /// An event whenever its places change from now on: somebody books, waits, leaves or comes, a class is given places, gives
    /// them back or is marked in the register, or the event has more or fewer places, or is cancelled or over. It tells the counts; `bookingChanged` tells whose booking changed.
    async fn places_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event to watch.")] event_id: Id<EventId>,
    ) -> Result<impl Stream<Item = Result<Event>> + use<>> {
        let subject = event_id.0;
        let (store, watcher, heard) = watched(ctx, subject).await?;
        Ok(heard.filter_map(move |event| {
            let (store, watcher) = (store.clone(), watcher.clone());
            async move {
                let (LiveEvent::BookingChanged { event_id, .. }
                | LiveEvent::GroupPlacesChanged { event_id }
                | LiveEvent::EventChanged { event_id }) = event
                else {
                    return None;
                };
                if event_id != subject {
                    return None;
                }
                // Rights may have changed since the subscription began.
                let now = match session::still_signed_in(&store, &watcher).await {
                    Ok(now) => now,
                    Err(error) => return Some(Err(error.into())),
                };
                events::find_all(store.reader(), &now, &[subject])
                    .await
                    .map(|mut seen| seen.pop().map(Event::from))
                    .map_err(Into::into)
                    .transpose()
            }
        }))
    }
}

/// The booking with this id, if it exists for the viewer.
pub async fn booking(ctx: &Context<'_>, id: BookingId) -> Result<Option<Booking>> {
    Ok(rows(ctx)?.load_one(id).await?)
}
