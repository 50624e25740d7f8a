//! What the tables have in common: keys, moments, references, lists of allowed states.

use sea_orm_migration::{
    prelude::*,
    schema::{timestamp_with_time_zone, timestamp_with_time_zone_null, uuid},
};

/// The primary key `id`.
pub fn id() -> ColumnDef {
    uuid("id").primary_key().take()
}

/// A moment, UTC.
pub fn moment(name: &'static str) -> ColumnDef {
    timestamp_with_time_zone(name)
}

/// A moment that may be missing, UTC.
pub fn moment_null(name: &'static str) -> ColumnDef {
    timestamp_with_time_zone_null(name)
}

/// A reference from `column` to the `id` of `table`. A row that is referred to can't be deleted.
pub fn reference(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_col(column)
        .to_tbl(table)
        .to_col("id")
        .on_delete(ForeignKeyAction::Restrict)
        .take()
}

/// A reference to the row that this one is a part of, and goes with.
pub fn part_of(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    reference(column, table)
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

/// The check that `column` has one of `allowed`.
pub fn one_of(column: &'static str, allowed: &[&'static str]) -> SimpleExpr {
    Expr::col(column).is_in(allowed.iter().copied())
}

/// An index of `table` over `columns`.
pub fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

/// A unique index of `table` over `columns`.
pub fn unique(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    index(name, table, columns).unique().take()
}

/// Drops `tables`, which are given in the order of their making.
pub async fn drop_tables(
    manager: &SchemaManager<'_>,
    tables: &[&'static str],
) -> Result<(), DbErr> {
    for table in tables.iter().rev() {
        manager
            .drop_table(Table::drop().table(*table).take())
            .await?;
    }
    Ok(())
}
