//! Conditions on the state of a booking, with the state written into the statement: a partial index is of no use to a bound
//! parameter.

use entity::booking::{self, BookingState};
use sea_orm::{
    ActiveEnum, ColumnTrait, ExprTrait,
    sea_query::{Expr, SimpleExpr},
};

/// A state, as it stands in a statement.
pub(crate) fn written(state: BookingState) -> SimpleExpr {
    Expr::Constant(state.to_value().into())
}

/// Bookings in one of `states`.
pub(crate) fn any(states: &[BookingState]) -> SimpleExpr {
    booking::Column::State
        .into_expr()
        .is_in(states.iter().copied().map(written))
}

/// Bookings that wait.
pub(crate) fn waiting() -> SimpleExpr {
    booking::Column::State
        .into_expr()
        .is_in([written(BookingState::Waiting)])
}
