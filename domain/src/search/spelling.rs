//! Names that look like what was typed: `Acenture` means Accenture. `PostgreSQL` tells by the trigrams they share.

use entity::{contact, organisation};
use sea_orm::{
    ColumnTrait, Condition, DbBackend,
    sea_query::{Expr, ExprTrait},
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
    let words = sought.words().join(" ");
    let spelt = Expr::cust_with_exprs(
        format!("$1 IN (SELECT search_spelt_{table}($2))"),
        [id, Expr::val(words.as_str())],
    );
    let score = Expr::cust_with_exprs(
        "(word_similarity($1::text, $2) * 10000)::integer",
        [Expr::val(words), name],
    );
    Some((Condition::all().add(spelt), score.add(kind.number())))
}
