//! Which events concern somebody: what their calendar has (policy 2.4).

use entity::{
    booking,
    event::{self, EventKind},
    event_audience, event_organisation,
    user::UserKind,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr,
};

use crate::viewer::{SignedIn, Viewer};

/// What concerns `viewer` or was booked by them. To whoever isn't signed in, the calendar is for everybody.
pub(super) fn for_viewer(viewer: &Viewer) -> Condition {
    viewer.person().map_or_else(Condition::all, |person| {
        Condition::any()
            .add(concerning(person))
            .add(booked_by(person))
    })
}

/// The events for which somebody has or had a booking.
pub(crate) fn booked_by(person: &SignedIn) -> Expr {
    event::Column::Id.in_subquery(
        booking::Entity::find()
            .select_only()
            .column(booking::Column::EventId)
            .filter(booking::Column::UserId.eq(person.id))
            .into_query(),
    )
}

/// What concerns somebody: a student what they can book, an employer where their organisation takes part, staff everything.
pub(crate) fn concerning(person: &SignedIn) -> Condition {
    match person.kind {
        UserKind::Staff => Condition::all().add(event::Column::Id.is_not_null()),
        UserKind::Employer => {
            let taking_part = event_organisation::Entity::find()
                .select_only()
                .column(event_organisation::Column::EventId)
                .filter(event_organisation::Column::OrganisationId.eq(person.organisation_id));
            Condition::all().add(event::Column::Id.in_subquery(taking_part.into_query()))
        }
        UserKind::Student | UserKind::Graduate => {
            let limited = event_audience::Entity::find()
                .select_only()
                .column(event_audience::Column::EventId);
            let or_any = |any, one| Condition::any().add(any).add_option(one);
            let theirs = limited
                .clone()
                .filter(or_any(
                    event_audience::Column::FacultyId.is_null(),
                    person
                        .faculty_id
                        .map(|id| event_audience::Column::FacultyId.eq(id)),
                ))
                .filter(or_any(
                    event_audience::Column::ProgrammeId.is_null(),
                    person
                        .programme_id
                        .map(|id| event_audience::Column::ProgrammeId.eq(id)),
                ))
                .filter(or_any(
                    event_audience::Column::Level.is_null(),
                    person
                        .level
                        .map(|level| event_audience::Column::Level.eq(level)),
                ));
            Condition::all()
                .add(event::Column::Kind.ne(EventKind::Training))
                .add(
                    Condition::any()
                        .add(event::Column::Id.not_in_subquery(limited.into_query()))
                        .add(event::Column::Id.in_subquery(theirs.into_query())),
                )
        }
    }
}
