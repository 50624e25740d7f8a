//! The first rows of each of many lists, in one statement: the contacts of twenty organisations cost no more statements
//! than those of one.

use sea_orm::{
    ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, Order, QueryTrait, Select,
    sea_query::{Alias, Expr, ExprTrait, Func, Query, WindowStatement},
};

use crate::error::Result;

/// The first `limit` rows of `query` for each value of `parent`, in the given order; rows of one parent are together.
pub async fn first_of_each<E: EntityTrait>(
    db: &impl ConnectionTrait,
    query: Select<E>,
    parent: E::Column,
    order: impl IntoIterator<Item = (Expr, Order)>,
    limit: u64,
) -> Result<Vec<E::Model>> {
    const PLACE: &str = "place_in_list";
    let mut window = WindowStatement::partition_by((E::default(), parent));
    for (key, direction) in order {
        window.order_by_expr(key, direction);
    }
    let mut ranked = query.into_query();
    ranked.expr_window_as(Func::cust("ROW_NUMBER"), window, PLACE);
    let lists = Alias::new("lists");
    let mut first = Query::select();
    first
        .expr(Expr::cust("*"))
        .from_subquery(ranked, lists)
        .and_where(Expr::col(PLACE).lte(limit))
        .order_by(Alias::new(parent.as_str()), Order::Asc)
        .order_by(PLACE, Order::Asc);
    let rows = db.query_all(&first).await?;
    Ok(rows
        .iter()
        .map(|row| E::Model::from_query_result(row, ""))
        .collect::<Result<Vec<_>, _>>()?)
}
