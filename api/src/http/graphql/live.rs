//! Operations whose answers come one after another: subscriptions, over whichever transport.

use std::{pin::pin, sync::Arc};

use async_graphql::parser::types::OperationType;
use domain::{Viewer, live::LiveEvent};
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, ready, select},
    stream::{self, BoxStream, select_all},
};
use tokio::time::{MissedTickBehavior, interval_at};

use super::Service;
use crate::graphql::{
    endpoint::{Answer, Prepared},
    errors::{Code, server_error},
};

/// Carries out an operation for a viewer.
///
/// Before every answer of a subscription, and now and then without one, the viewer is looked up again. When the session has ended or the
/// rights are others than they were, a last answer says so, and what was about to be told isn't.
pub(super) fn carry_out(
    service: Service,
    viewer: Arc<Viewer>,
    prepared: Prepared,
) -> BoxStream<'static, Answer> {
    if prepared.operation != OperationType::Subscription {
        return stream::once(async move { service.execute(prepared, &viewer).await }).boxed();
    }
    let answers = service.api.subscribe(prepared, Arc::clone(&viewer));
    let watched = Watched {
        answers,
        looks: looks(&service, &viewer),
        service,
        viewer,
    };
    let told = stream::unfold(Some(watched), |watched| async { watched?.next().await });
    begun(told.boxed())
}

/// The same stream, begun: resolvers subscribe before they wait for anything, so that from now on nothing is missed,
/// although a transport may ask for the first answer only later.
fn begun(mut answers: BoxStream<'static, Answer>) -> BoxStream<'static, Answer> {
    match answers.next().now_or_never() {
        Some(Some(first)) => stream::once(ready(first)).chain(answers).boxed(),
        Some(None) => stream::empty().boxed(),
        None => answers,
    }
}

/// When the session of a connection has ended: answers with the reason.
pub(super) async fn session_end(service: &Service, viewer: &Viewer) -> String {
    let mut looks = looks(service, viewer);
    loop {
        looks.next().await;
        if let Err(error) = service.door.still(viewer).await {
            return reason(&error);
        }
    }
}

/// When to look a viewer up again: as soon as it is told that their access has changed, and now and then in case that
/// was lost.
fn looks(service: &Service, viewer: &Viewer) -> BoxStream<'static, ()> {
    let every = service.look_again_every;
    let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ticks = stream::unfold(ticks, async |mut ticks| {
        ticks.tick().await;
        Some(((), ticks))
    });
    let watched = viewer.user_id();
    let told = service.door.changes().filter_map(move |event| {
        ready(match event {
            LiveEvent::AccessChanged { user_id } if Some(user_id) == watched => Some(()),
            _ => None,
        })
    });
    select_all([ticks.boxed(), told.boxed()]).boxed()
}

/// What may be told of an error that ends a connection.
pub(super) fn reason(error: &domain::Error) -> String {
    match error {
        domain::Error::Unauthenticated(reason) | domain::Error::Forbidden(reason) => reason.clone(),
        other => {
            tracing::error!(error = %other, "a viewer can't be looked up");
            "Something went wrong on our side. It has been logged.".to_owned()
        }
    }
}

struct Watched {
    answers: BoxStream<'static, Answer>,
    looks: BoxStream<'static, ()>,
    service: Service,
    viewer: Arc<Viewer>,
}

impl Watched {
    /// The next answer, and what comes after it.
    async fn next(mut self) -> Option<(Answer, Option<Self>)> {
        loop {
            let answer = {
                let next = pin!(self.answers.next());
                let look = pin!(self.looks.next());
                match select(next, look).await {
                    Either::Left((answer, _)) => Some(answer?),
                    Either::Right(_) => None,
                }
            };
            match self.service.door.still(&self.viewer).await {
                Ok(now) if now == *self.viewer => {
                    if let Some(answer) = answer {
                        return Some((answer, Some(self)));
                    }
                }
                Ok(_) => {
                    let error = server_error(
                        Code::Forbidden,
                        "What you may do has changed: subscribe again.",
                    );
                    return Some((Answer::refused(vec![error]), None));
                }
                Err(error) => {
                    let error = server_error(Code::Unauthenticated, reason(&error));
                    return Some((Answer::refused(vec![error]), None));
                }
            }
        }
    }
}
