//! Where a member of staff stands, and what moves them (policy 3).
//!
//! ```text
//! INVITED -> TRAINING_BOOKED -> TRAINED -> TERMS_ACCEPTED -> ACTIVE -> LAPSED | SUSPENDED
//! ```
//!
//! The stage follows from what is true of a person; [`review`] looks again whenever something of it may have changed, and a
//! job of the clock looks for what changes by time alone. It is there to be seen and searched: what counts is asked afresh
//! at every request ([`super::counting`]).

use entity::{
    access_grant,
    booking::{self, BookingState},
    ids::UserId,
    operator_access::{self, AccessState},
    training_record, training_session,
    user::{self, UserKind},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
    QueryTrait, RelationDef,
    sea_query::{Expr, OnConflict},
};
use serde_json::json;

use super::counting;
use crate::{booking::in_state, error::Result, live::LiveEvent, store::Tx, viewer::Viewer};

/// What is true of a member of staff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent facts, and the stage is what follows from them"
)]
pub(super) struct Facts {
    /// A grant has everything that it rests on.
    has_grounds: bool,
    /// The agreements of a course that was attended were accepted.
    has_accepted: bool,
    /// Training was attended that is still valid.
    is_trained: bool,
    /// Training was attended at some time.
    was_trained: bool,
    /// A training session is booked, or waited for.
    has_booked: bool,
}

/// The stage that follows from the facts. A suspension ends by [`super::restore`] and by nothing else.
pub(super) fn stage(current: AccessState, facts: Facts) -> AccessState {
    let had_access = matches!(current, AccessState::Active | AccessState::Lapsed);
    if current == AccessState::Suspended {
        AccessState::Suspended
    } else if facts.has_grounds {
        AccessState::Active
    } else if facts.has_accepted {
        AccessState::TermsAccepted
    } else if facts.is_trained && had_access {
        // A new version of an agreement was not accepted in time.
        AccessState::Lapsed
    } else if facts.is_trained {
        AccessState::Trained
    } else if facts.has_booked {
        AccessState::TrainingBooked
    } else if facts.was_trained {
        AccessState::Lapsed
    } else {
        AccessState::Invited
    }
}

#[derive(FromQueryResult)]
struct Reviewed {
    id: UserId,
    state: Option<AccessState>,
    #[sea_orm(nested)]
    facts: Facts,
}

/// Looks again where these people stand, and writes down who moved. Those of them who are not staff stand nowhere.
pub(crate) async fn review(tx: &mut Tx, viewer: &Viewer, people: &[UserId]) -> Result<usize> {
    if people.is_empty() {
        return Ok(0);
    }
    let reviewed = facts(tx)
        .filter(user::Column::Id.is_in(people.iter().copied()))
        .filter(user::Column::Kind.eq(UserKind::Staff))
        .into_model::<Reviewed>()
        .all(tx.conn())
        .await?;
    let mut moved = 0;
    for Reviewed { id, state, facts } in reviewed {
        let current = state.unwrap_or(AccessState::Invited);
        let next = stage(current, facts);
        if next != current && write(tx, id, state, next).await? {
            moved += 1;
            tx.audit(
                viewer,
                "operator_access.move",
                id,
                Some(json!({ "state": current })),
                Some(json!({ "state": next })),
            )
            .await?;
        }
        // What counts may have changed although the stage has not.
        tx.announce(LiveEvent::AccessChanged { user_id: id });
    }
    Ok(moved)
}

fn facts(tx: &Tx) -> sea_orm::Select<user::Entity> {
    let now = tx.now();
    let person = || user::Column::Id.into_expr();
    let grounds = access_grant::Entity::find()
        .select_only()
        .column(access_grant::Column::Id)
        .filter(access_grant::Column::UserId.into_expr().eq(person()))
        .filter(counting::has_grounds(now))
        .into_query();
    let records = || {
        training_record::Entity::find()
            .select_only()
            .column(training_record::Column::Id)
            .filter(training_record::Column::UserId.into_expr().eq(person()))
    };
    let valid = || records().filter(training_record::Column::ValidUntil.gt(now));
    let accepted = valid()
        .filter(counting::has_accepted(
            person(),
            training_record::Column::TrainingCourseId.into_expr(),
            now,
        ))
        .into_query();
    let bookings = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .join(JoinType::InnerJoin, session_of_booking())
        .filter(booking::Column::UserId.into_expr().eq(person()))
        .filter(in_state::any(&[
            BookingState::Booked,
            BookingState::Waiting,
            BookingState::Offered,
        ]))
        .into_query();
    user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .column(operator_access::Column::State)
        .expr_as(Expr::exists(grounds), "has_grounds")
        .expr_as(Expr::exists(accepted), "has_accepted")
        .expr_as(Expr::exists(valid().into_query()), "is_trained")
        .expr_as(Expr::exists(records().into_query()), "was_trained")
        .expr_as(Expr::exists(bookings), "has_booked")
        .join(JoinType::LeftJoin, access_of_user())
}

/// Where somebody stands, beside their account.
pub(super) fn access_of_user() -> RelationDef {
    user::Entity::belongs_to(operator_access::Entity)
        .from(user::Column::Id)
        .to(operator_access::Column::UserId)
        .into()
}

fn session_of_booking() -> RelationDef {
    booking::Entity::belongs_to(training_session::Entity)
        .from(booking::Column::EventId)
        .to(training_session::Column::EventId)
        .into()
}

/// Writes the next stage, unless somebody was quicker: a suspension in between stands.
async fn write(
    tx: &Tx,
    id: UserId,
    current: Option<AccessState>,
    next: AccessState,
) -> Result<bool> {
    let written = match current {
        Some(current) => {
            operator_access::Entity::update_many()
                .col_expr(operator_access::Column::State, Expr::value(next))
                .col_expr(operator_access::Column::ChangedAt, Expr::value(tx.now()))
                .filter(operator_access::Column::UserId.eq(id))
                .filter(operator_access::Column::State.eq(current))
                .exec(tx.conn())
                .await?
                .rows_affected
        }
        None => {
            operator_access::Entity::insert(operator_access::ActiveModel {
                user_id: Set(id),
                state: Set(next),
                changed_at: Set(tx.now()),
                suspended_because: Set(None),
            })
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx.conn())
            .await?
        }
    };
    Ok(written > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Facts = Facts {
        has_grounds: false,
        has_accepted: false,
        is_trained: false,
        was_trained: false,
        has_booked: false,
    };
    const BOOKED: Facts = Facts {
        has_booked: true,
        ..NONE
    };
    const TRAINED: Facts = Facts {
        is_trained: true,
        was_trained: true,
        ..NONE
    };
    const ACCEPTED: Facts = Facts {
        has_accepted: true,
        ..TRAINED
    };
    const GRANTED: Facts = Facts {
        has_grounds: true,
        ..ACCEPTED
    };
    const TOO_OLD: Facts = Facts {
        was_trained: true,
        ..NONE
    };

    #[test]
    fn the_way_goes_from_invited_to_active() {
        use AccessState::{Active, Invited, TermsAccepted, Trained, TrainingBooked};
        let way = [
            (NONE, Invited),
            (BOOKED, TrainingBooked),
            (TRAINED, Trained),
            (ACCEPTED, TermsAccepted),
            (GRANTED, Active),
        ];
        let mut current = Invited;
        for (facts, expected) in way {
            current = stage(current, facts);
            assert_eq!(current, expected);
        }
    }

    #[test]
    fn access_lapses_with_the_training_and_with_the_terms() {
        use AccessState::{Active, Lapsed, Trained, TrainingBooked};
        assert_eq!(stage(Active, TOO_OLD), Lapsed);
        assert_eq!(stage(Active, TRAINED), Lapsed);
        assert_eq!(stage(Lapsed, TRAINED), Lapsed);
        assert_eq!(stage(Lapsed, GRANTED), Active);
        let refresher = Facts {
            has_booked: true,
            ..TOO_OLD
        };
        assert_eq!(stage(Lapsed, refresher), TrainingBooked);
        assert_eq!(stage(TrainingBooked, TOO_OLD), Lapsed);
        assert_eq!(stage(TrainingBooked, TRAINED), Trained);
    }

    #[test]
    fn nothing_but_a_restoration_ends_a_suspension() {
        for facts in [NONE, BOOKED, TRAINED, ACCEPTED, GRANTED, TOO_OLD] {
            assert_eq!(stage(AccessState::Suspended, facts), AccessState::Suspended);
        }
    }
}
