//! Retention periods act by themselves.

use chrono::TimeDelta;
use entity::personal_data::{ALL, Erased, Holding, Holds, Until};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::rows::{ERASED_WORD, Sql, erasing};
use crate::{
    error::Result,
    job::{Job, Queue},
    store::Tx,
    viewer::Viewer,
};

/// Does once a day what the declarations say.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct ApplyRetention {}

impl Job for ApplyRetention {
    const KIND: &'static str = "retention.apply";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// Deletes what was kept long enough, and takes people out of what stays. Says how many rows of which table.
pub async fn apply(tx: &mut Tx) -> Result<Vec<(&'static str, u64)>> {
    let mut done = Vec::new();
    for holding in ALL {
        let rows = match holding.retention.until {
            Until::Always | Until::Erasure | Until::OwnRule(_) | Until::RowByState(..) => 0,
            Until::RowFor(days, after) => delete(tx, holding, days, after).await?,
            Until::ValuesFor(days, after) => forget(tx, holding, days, after, None).await?,
            Until::ValuesForWhere(days, after, only) => {
                forget(tx, holding, days, after, Some(only)).await?
            }
        };
        if rows > 0 {
            done.push((holding.table, rows));
            let what = Some(serde_json::json!({ "rows": rows }));
            tx.audit(
                &Viewer::system(),
                "retention.apply",
                holding.table,
                None,
                what,
            )
            .await?;
        }
    }
    Ok(done)
}

async fn delete(tx: &Tx, holding: &Holding, days: u16, after: &str) -> Result<u64> {
    let mut sql = Sql::default();
    let limit = sql.bind(tx.now() - TimeDelta::days(days.into()));
    let text = format!(
        "DELETE FROM \"{}\" WHERE \"{after}\" < {limit}",
        holding.table
    );
    run(tx, sql, text).await
}

async fn forget(
    tx: &Tx,
    holding: &Holding,
    days: u16,
    after: &str,
    only: Option<(&str, &str)>,
) -> Result<u64> {
    let mut sql = Sql::default();
    let limit = sql.bind(tx.now() - TimeDelta::days(days.into()));
    let only = only.map_or_else(String::new, |(column, value)| {
        format!(" AND \"{column}\" = {}", sql.bind(value.to_owned()))
    });
    // What has been forgotten already is left alone.
    let left: Vec<String> = holding
        .columns()
        .filter_map(|(column, holds)| match holds {
            Holds::Value(Erased::Word) => Some(format!("\"{column}\" <> '{ERASED_WORD}'")),
            Holds::Value(Erased::Null) => Some(format!("\"{column}\" IS NOT NULL")),
            _ => None,
        })
        .collect();
    let text = format!(
        "UPDATE \"{}\" SET {} WHERE \"{after}\" < {limit}{only} AND ({})",
        holding.table,
        erasing(holding, tx.backend()),
        left.join(" OR "),
    );
    run(tx, sql, text).await
}

async fn run(tx: &Tx, sql: Sql, text: String) -> Result<u64> {
    let statement = sql.statement(tx.backend(), text);
    Ok(tx.conn().execute_raw(statement).await?.rows_affected())
}
