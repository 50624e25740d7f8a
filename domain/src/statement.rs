//! SQL in the making, where one set-based statement says more than a builder would.

use sea_orm::{ConnectionTrait, Statement, Value};

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

    /// The statement, for a database.
    pub fn into_statement(self, db: &impl ConnectionTrait) -> Statement {
        Statement::from_sql_and_values(db.get_database_backend(), self.sql, self.values)
    }
}
