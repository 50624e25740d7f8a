//! One page of a list, found by the key of its first or last row rather than by a number of rows to skip: the cost of a
//! page doesn't grow with its distance from the start, and rows that come and go don't shift it.

use sea_orm::{
    ConnectionTrait, EntityTrait, ExprTrait, Order, QueryTrait, Select,
    sea_query::{Expr, IntoValueTuple, SelectStatement},
};

use crate::error::Result;

/// Which part of a list is wanted. `K` is the key the list is ordered by; it names one row, so its last part is an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// At most so many rows.
    pub limit: u64,
    /// Only rows after the one with this key.
    pub after: Option<K>,
    /// Only rows before the one with this key.
    pub before: Option<K>,
    /// Whether the rows are the last ones of what is left, rather than the first ones.
    pub backward: bool,
}

/// A page's rows, in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are rows before them.
    pub has_previous: bool,
    /// Whether there are rows after them.
    pub has_next: bool,
}

impl<K> Page<K> {
    /// The same page by another key.
    #[must_use]
    pub fn map<L>(&self, key: impl Fn(&K) -> L) -> Page<L> {
        Page {
            limit: self.limit,
            after: self.after.as_ref().map(&key),
            before: self.before.as_ref().map(&key),
            backward: self.backward,
        }
    }

    /// The first rows of the list.
    #[must_use]
    pub const fn first(limit: u64) -> Self {
        Self {
            limit,
            after: None,
            before: None,
            backward: false,
        }
    }

    /// Makes a slice of what a query narrowed by [`Page::narrow`] has found.
    #[must_use]
    pub fn slice<T>(&self, mut found: Vec<T>) -> Slice<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        if self.backward {
            found.reverse();
            Slice {
                rows: found,
                has_previous: more,
                has_next: self.before.is_some(),
            }
        } else {
            Slice {
                rows: found,
                has_previous: self.after.is_some(),
                has_next: more,
            }
        }
    }
}

impl<K: IntoValueTuple + Clone> Page<K> {
    /// Reads the page of what `query` finds, ordered as [`Page::narrow`] orders it.
    pub async fn read<E: EntityTrait>(
        &self,
        db: &impl ConnectionTrait,
        query: Select<E>,
        key: impl IntoIterator<Item = Expr>,
        order: Order,
    ) -> Result<Slice<E::Model>> {
        Ok(self.slice(self.narrow(query, key, order).all(db).await?))
    }

    /// Orders the query by the key's columns, all in one direction, and narrows it to the page and one row more, by which
    /// [`Page::slice`] knows whether there is a next page. None of the columns may be null.
    ///
    /// Keys are compared as row values, `(name, id) > (?, ?)`, which both databases answer from one index.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an order is a word, and callers write it in place"
    )]
    pub fn narrow<E: EntityTrait>(
        &self,
        query: Select<E>,
        key: impl IntoIterator<Item = Expr>,
        order: Order,
    ) -> Select<E> {
        let mut query = query;
        self.narrow_statement(QueryTrait::query(&mut query), key, &order);
        query
    }

    /// Orders and narrows, as [`Page::narrow`] does, a statement that reads no table alone.
    pub(crate) fn narrow_statement(
        &self,
        query: &mut SelectStatement,
        key: impl IntoIterator<Item = Expr>,
        order: &Order,
    ) {
        let columns: Vec<Expr> = key.into_iter().collect();
        let descending = matches!(order, Order::Desc);
        let row = || Expr::tuple(columns.clone());
        let values =
            |key: &K| Expr::tuple(key.clone().into_value_tuple().into_iter().map(Expr::val));
        if let Some(after) = &self.after {
            query.and_where(if descending {
                row().lt(values(after))
            } else {
                row().gt(values(after))
            });
        }
        if let Some(before) = &self.before {
            query.and_where(if descending {
                row().gt(values(before))
            } else {
                row().lt(values(before))
            });
        }
        let direction = if descending == self.backward {
            Order::Asc
        } else {
            Order::Desc
        };
        for column in columns {
            query.order_by_expr(column, direction.clone());
        }
        query.limit(self.limit.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use entity::{ids::TagId, tag};
    use sea_orm::{ColumnTrait, DbBackend};
    use uuid::Uuid;

    use super::*;

    type Key = (String, TagId);

    fn sql(page: &Page<Key>, order: Order) -> String {
        let key = [tag::Column::Name.into_expr(), tag::Column::Id.into_expr()];
        let sql = page
            .narrow(tag::Entity::find(), key, order)
            .build(DbBackend::Postgres)
            .to_string();
        sql[sql.find(" FROM ").unwrap()..].to_owned()
    }

    fn key() -> Key {
        ("engineering".to_owned(), TagId(Uuid::nil()))
    }

    #[test]
    fn the_first_page_has_no_condition_and_one_row_more() {
        assert_eq!(
            sql(&Page::first(2), Order::Asc),
            r#" FROM "tag" ORDER BY "tag"."name" ASC, "tag"."id" ASC LIMIT 3"#
        );
    }

    #[test]
    fn a_page_goes_on_from_a_key_in_either_direction() {
        let nil = Uuid::nil();
        let after = Page {
            after: Some(key()),
            ..Page::first(2)
        };
        assert_eq!(
            sql(&after, Order::Asc),
            format!(
                r#" FROM "tag" WHERE ("tag"."name", "tag"."id") > ('engineering', '{nil}') ORDER BY "tag"."name" ASC, "tag"."id" ASC LIMIT 3"#
            )
        );
        let before = Page {
            before: Some(key()),
            backward: true,
            ..Page::first(2)
        };
        assert_eq!(
            sql(&before, Order::Desc),
            format!(
                r#" FROM "tag" WHERE ("tag"."name", "tag"."id") > ('engineering', '{nil}') ORDER BY "tag"."name" ASC, "tag"."id" ASC LIMIT 3"#
            )
        );
    }

    #[test]
    fn a_slice_drops_the_row_too_many_and_tells_of_it() {
        let page: Page<Key> = Page::first(2);
        assert_eq!(
            page.slice(vec![1, 2, 3]),
            Slice {
                rows: vec![1, 2],
                has_previous: false,
                has_next: true
            }
        );
        assert!(!page.slice(vec![1, 2]).has_next);
    }

    #[test]
    fn the_last_rows_come_in_the_order_of_the_list() {
        let page = Page {
            backward: true,
            before: Some(key()),
            ..Page::first(2)
        };
        assert_eq!(
            page.slice(vec![9, 8, 7]),
            Slice {
                rows: vec![8, 9],
                has_previous: true,
                has_next: true
            }
        );
    }
}
