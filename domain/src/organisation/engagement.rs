//! Who has worked with an organisation, and when anybody did last (policy 2.2).

use chrono::NaiveDate;
use entity::{
    contact, delivery,
    event::{self, EventState},
    event_organisation,
    ids::FacultyId,
    note::{self, NoteKind},
    organisation, user,
};
use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{Expr, ExprTrait, Query},
};

use super::nothing;
use crate::event::days;

/// Somebody of the faculty wrote a note about it, or it takes or took part in an event of the faculty.
pub(super) fn engaged_by(faculty: FacultyId) -> Condition {
    let noted = Query::select()
        .expr(Expr::val(1))
        .from(note::Entity)
        .inner_join(
            user::Entity,
            Expr::col((user::Entity, user::Column::Id))
                .equals((note::Entity, note::Column::AuthorId)),
        )
        .and_where(of_the_organisation((
            note::Entity,
            note::Column::OrganisationId,
        )))
        .and_where(note::Column::Kind.ne(NoteKind::GuidanceOnContact))
        .and_where(user::Column::FacultyId.eq(faculty))
        .to_owned();
    let came = Query::select()
        .expr(Expr::val(1))
        .from(event_organisation::Entity)
        .inner_join(
            event::Entity,
            Expr::col((event::Entity, event::Column::Id)).equals((
                event_organisation::Entity,
                event_organisation::Column::EventId,
            )),
        )
        .and_where(of_the_organisation((
            event_organisation::Entity,
            event_organisation::Column::OrganisationId,
        )))
        .and_where(event::Column::FacultyId.eq(faculty))
        .and_where(event::Column::State.is_in([EventState::Published, EventState::Past]))
        .to_owned();
    Condition::any()
        .add(Expr::exists(noted))
        .add(Expr::exists(came))
}

/// Nobody noted a contact with it, and no bulk mail went to it, on this day or later. Whoever was never contacted is found
/// too.
pub(super) fn not_contacted_since(day: NaiveDate) -> Condition {
    // A day beyond the calendar is no day on which anybody was contacted.
    let Ok((since, _)) = days(day, day) else {
        return Condition::all().add(nothing());
    };
    let noted = Query::select()
        .expr(Expr::val(1))
        .from(note::Entity)
        .and_where(of_the_organisation((
            note::Entity,
            note::Column::OrganisationId,
        )))
        .and_where(note::Column::Kind.ne(NoteKind::GuidanceOnContact))
        .and_where(note::Column::HappenedAt.gte(since))
        .to_owned();
    let written = Query::select()
        .expr(Expr::val(1))
        .from(contact::Entity)
        .inner_join(
            delivery::Entity,
            Expr::col((delivery::Entity, delivery::Column::ContactId))
                .equals((contact::Entity, contact::Column::Id)),
        )
        .and_where(of_the_organisation((
            contact::Entity,
            contact::Column::OrganisationId,
        )))
        .and_where(delivery::Column::CampaignId.is_not_null())
        .and_where(delivery::Column::SentAt.gte(since))
        .to_owned();
    Condition::all()
        .add(Expr::not_exists(noted))
        .add(Expr::not_exists(written))
}

fn of_the_organisation<C: sea_orm::sea_query::IntoColumnRef>(column: C) -> Expr {
    Expr::col(column).equals((organisation::Entity, organisation::Column::Id))
}
