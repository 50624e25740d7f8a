//! Operations whose answers come one after another: subscriptions, over whichever transport.

use std::{pin::pin, sync::Arc};

use async_graphql::parser::types::OperationType;
use domain::Viewer;
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::{self, BoxStream},
};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

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
        calls: Calls::for_viewer(&service, &viewer),
        service,
        viewer,
    };
    stream::unfold(Some(watched), |watched| async { watched?.next().await }).boxed()
}

/// When the session of a connection has ended: answers with the reason.
pub(super) async fn session_end(service: &Service, viewer: &Viewer) -> String {
    let mut calls = Calls::for_viewer(service, viewer);
    loop {
        calls.next().await;
        if let Err(error) = service.door.still(viewer).await {
            return reason(&error);
        }
    }
}

/// When a viewer is looked up again: as soon as somebody tells of a change, and now and then, because what is told may be
/// lost.
struct Calls {
    ticks: Interval,
    changes: BoxStream<'static, ()>,
}

impl Calls {
    fn for_viewer(service: &Service, viewer: &Viewer) -> Self {
        let every = service.look_again_every;
        let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            changes: service.door.changes(viewer),
        }
    }

    async fn next(&mut self) {
        let tick = pin!(self.ticks.tick());
        select(tick, self.changes.next()).await;
    }
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
    calls: Calls,
    service: Service,
    viewer: Arc<Viewer>,
}

impl Watched {
    /// The next answer, and what comes after it.
    async fn next(mut self) -> Option<(Answer, Option<Self>)> {
        loop {
            let answer = {
                let next = pin!(self.answers.next());
                let call = pin!(self.calls.next());
                match select(next, call).await {
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
