//! SQL in the making, where one set-based statement says more than a builder would.

use std::fmt::{self, Write};

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, Statement, Value,
    sea_query::{
        PostgresQueryBuilder, QueryBuilder, SelectStatement, SimpleExpr, SqlWriter,
        SqliteQueryBuilder, postgres_array::NotU8,
    },
};

/// Whether a column has one of the values.
///
/// `PostgreSQL` gets them as one array: however many they are the statement is the same, and it is planned once.
pub(crate) fn one_of<C, V>(
    backend: DbBackend,
    column: C,
    values: impl IntoIterator<Item = V>,
) -> SimpleExpr
where
    C: ColumnTrait,
    V: Into<Value> + NotU8,
{
    if backend == DbBackend::Postgres {
        column.eq_any(values)
    } else {
        column.is_in(values)
    }
}

/// SQL with its values. Both databases know numbered parameters.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// What was written so far.
    pub sql: String,
    /// The values of its parameters, the first one that of `$1`.
    pub values: Vec<Value>,
}

impl Query {
    /// Adds a value, and answers the parameter that stands for it.
    pub fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A statement that a builder made, as SQL with the values among those of this one.
    pub fn embed(&mut self, backend: DbBackend, statement: &SelectStatement) -> String {
        let mut part = Part {
            sql: String::new(),
            values: &mut self.values,
        };
        if backend == DbBackend::Sqlite {
            statement.build_collect_any_into(&SqliteQueryBuilder, &mut part);
        } else {
            statement.build_collect_any_into(&PostgresQueryBuilder, &mut part);
        }
        part.sql
    }

    /// The statement, for a database.
    pub fn into_statement(self, db: &impl ConnectionTrait) -> Statement {
        Statement::from_sql_and_values(db.get_database_backend(), self.sql, self.values)
    }
}

/// SQL that a builder writes, with its values going into those of a whole.
struct Part<'a> {
    sql: String,
    values: &'a mut Vec<Value>,
}

impl Write for Part<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.sql.write_str(text)
    }
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

impl SqlWriter for Part<'_> {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, _: &T) {
        self.values.push(value);
        self.sql += &format!("${}", self.values.len());
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}
