//! Names that look like what was typed: `Acenture` means Accenture. `PostgreSQL` tells by the trigrams they share.

use std::iter;

use entity::{contact, organisation};
use sea_orm::{
    ColumnTrait, Condition, DbBackend,
    sea_query::{Expr, ExprTrait, Value},
};

use super::{Kind, words::Sought};

/// That every word looks like one of the name, and how much: none where the database can't tell, and for notes, in which
/// every word is like some other.
pub(super) fn like(backend: DbBackend, kind: Kind, sought: &Sought) -> Option<(Condition, Expr)> {
    if backend != DbBackend::Postgres {
        return None;
    }
    let (table, id, name) = match kind {
        Kind::Organisation => (
            "organisation",
            organisation::Column::Id.into_expr(),
            organisation::Column::Name.into_expr(),
        ),
        Kind::Contact => (
            "contact",
            contact::Column::Id.into_expr(),
            contact::Column::Name.into_expr(),
        ),
        Kind::Note => return None,
    };
    let words: Vec<Expr> = sought.words().iter().map(Expr::val).collect();
    let places: Vec<String> = (2..words.len() + 2)
        .map(|place| format!("${place}"))
        .collect();
    let spelt = Expr::cust_with_exprs(
        format!(
            "$1 IN (SELECT search_spelt_{table}(ARRAY[{}]::text[]))",
            places.join(", ")
        ),
        iter::once(id).chain(words),
    );
    let whole = Value::from(sought.words().join(" "));
    let score = Expr::cust_with_exprs(
        "(word_similarity($1::text, $2) * 10000)::integer",
        [Expr::val(whole), name],
    );
    Some((Condition::all().add(spelt), score.add(kind.number())))
}
