//! Full-text search over organisations, contacts and notes (policy 2.2).
//!
//! Every word that is looked for begins a word of what is found: `acc` finds Accenture. Each database has an index of its
//! own for it, which its triggers or expressions keep in the change itself. What may be hidden from somebody who has the
//! row, an address or a telephone number, is in no index; and which rows somebody has is asked as in every list. So nothing
//! is found by what its reader may not see.

mod spelling;
mod words;

use entity::{contact, ids::TypedId, note, organisation};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Order,
    QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{
        CaseStatement, Expr, ExprTrait, Func, LikeExpr, Query, SelectStatement, UnionType,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::words::Sought;
use crate::{
    contact as contacts,
    error::Result,
    note as notes, organisation as organisations,
    page::{Page, Slice},
    viewer::Viewer,
};

/// How many organisations and contacts are ranked at most, the latest of them. A word that so many have tells little.
const MOST_RANKED: u64 = 5_000;

/// How many notes are ranked at most, the latest of them.
const MOST_NOTES: u64 = 500;

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Organisations, by their names and the names they trade under.
    Organisation,
    /// Contacts, by their names and job titles.
    Contact,
    /// Notes, by what was said, what came of it and what is to be done.
    Note,
}

/// Every kind, in the order in which equals are ranked.
pub const KINDS: [Kind; 3] = [Kind::Organisation, Kind::Contact, Kind::Note];

impl Kind {
    /// How it is written in a row of the answer.
    const fn number(self) -> i32 {
        match self {
            Self::Organisation => 3,
            Self::Contact => 2,
            Self::Note => 1,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.number() == number)
    }

    /// Its rows that exist for `viewer` and meet the condition: their kind, id and score.
    fn rows(self, viewer: &Viewer, met: Condition, score: Expr) -> SelectStatement {
        match self {
            Self::Organisation => {
                let rows = organisations::visible(viewer).filter(met);
                self.scored(rows, organisation::Column::Id, score, MOST_RANKED)
            }
            Self::Contact => {
                let rows = contacts::visible(viewer).filter(met);
                self.scored(rows, contact::Column::Id, score, MOST_RANKED)
            }
            Self::Note => {
                let rows = notes::visible(viewer).filter(met);
                self.scored(rows, note::Column::Id, score, MOST_NOTES)
            }
        }
    }

    fn scored<E: EntityTrait>(
        self,
        rows: Select<E>,
        id: E::Column,
        score: Expr,
        most: u64,
    ) -> SelectStatement {
        let mut rows = rows.select_only().into_query();
        rows.expr_as(Expr::val(self.number()), "kind")
            .expr_as(id.into_expr(), "id")
            .expr_as(score, "score")
            .order_by_expr(id.into_expr(), Order::Desc)
            .limit(most);
        rows
    }

    /// How near a row that has all the words is to them: that its name is them, begins with them or has them counts more than
    /// a job title or a note; among equals the shorter name is nearer.
    fn score(self, sought: &Sought) -> Expr {
        let near = |name: Expr, key: Expr, whole: &str| -> Expr {
            let has_all = sought.words().iter().fold(Condition::all(), |all, word| {
                all.add(key.clone().like(LikeExpr::new(format!("%{word}%"))))
            });
            let tier: Expr = CaseStatement::new()
                .case(key.clone().eq(whole), 4)
                .case(key.like(LikeExpr::new(format!("{whole}%"))), 3)
                .case(has_all, 2)
                .finally(1)
                .into();
            tier.mul(10_000)
                .add(self.number() * 2_000)
                .sub(Func::char_length(name))
        };
        match self {
            Self::Organisation => near(
                organisation::Column::Name.into_expr(),
                organisation::Column::NameKey.into_expr(),
                sought.key(),
            ),
            Self::Contact => near(
                contact::Column::Name.into_expr(),
                Func::lower(contact::Column::Name.into_expr()).into(),
                &sought.words().join(" "),
            ),
            Self::Note => Expr::val(10_000 + self.number() * 2_000),
        }
    }
}

/// The rows of a kind that have all the words of `text`, as a condition on its table. A text without letters and digits
/// finds nothing.
#[must_use]
pub fn matching(backend: DbBackend, kind: Kind, text: &str) -> Condition {
    match Sought::new(text) {
        Some(sought) => Condition::all().add(sought.is_in(backend, kind, None)),
        None => Condition::all().add(organisations::nothing()),
    }
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The words.
    pub text: String,
    /// In what; nothing means everything.
    pub kinds: Vec<Kind>,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Its id, to be read as one of its kind.
    pub id: Uuid,
    key: Key,
}

impl Hit {
    /// Its id, as one of its kind.
    #[must_use]
    pub fn id<T: TypedId>(&self) -> T {
        T::from_uuid(self.id)
    }
}

/// What hits are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Whether the words are in it as they were typed. When nothing has them, what looks like them is found.
    as_typed: bool,
    score: i32,
    id: Uuid,
}

/// The key of a hit.
#[must_use]
pub fn key(hit: &Hit) -> Key {
    hit.key
}

#[derive(FromQueryResult)]
struct Row {
    kind: i32,
    id: Uuid,
    score: i32,
}

impl Question {
    fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        KINDS
            .into_iter()
            .filter(|kind| self.kinds.is_empty() || self.kinds.contains(kind))
    }

    /// Everything that exists for `viewer` and has the words, or looks like them.
    fn hits(
        &self,
        backend: DbBackend,
        viewer: &Viewer,
        sought: &Sought,
        as_typed: bool,
    ) -> Option<SelectStatement> {
        let rows = |kind: Kind| {
            if as_typed {
                // To staff, the latest that have the words are the latest that exist, but for notes of other faculties.
                let latest = match kind {
                    Kind::Note => Some(MOST_NOTES),
                    Kind::Organisation | Kind::Contact if viewer.is_staff() => Some(MOST_RANKED),
                    Kind::Organisation | Kind::Contact => None,
                };
                let met = Condition::all().add(sought.is_in(backend, kind, latest));
                Some(kind.rows(viewer, met, kind.score(sought)))
            } else {
                let (met, score) = spelling::like(backend, kind, sought)?;
                Some(kind.rows(viewer, met, score))
            }
        };
        let mut lists = self.kinds().filter_map(rows).map(|rows| {
            Query::select()
                .expr(Expr::cust("*"))
                .from_subquery(rows, "ranked")
                .to_owned()
        });
        let mut all = lists.next()?;
        for list in lists {
            all.union(UnionType::All, list);
        }
        Some(all)
    }
}

/// One page of what exists for `viewer` and has all the words, the nearest first. When nothing has them, names that look
/// like them are found, where the database can tell.
pub async fn find(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    question: &Question,
    page: &Page<Key>,
) -> Result<Slice<Hit>> {
    let Some(sought) = Sought::new(&question.text) else {
        return Ok(page.slice(Vec::new()));
    };
    let goes_on = page.after.as_ref().or(page.before.as_ref());
    let as_typed = goes_on.is_none_or(|key| key.as_typed);
    let found = read(db, viewer, question, &sought, page, as_typed).await?;
    let found = if found.is_empty() && goes_on.is_none() {
        read(db, viewer, question, &sought, page, false).await?
    } else {
        found
    };
    Ok(page.slice(found))
}

async fn read(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    question: &Question,
    sought: &Sought,
    page: &Page<Key>,
    as_typed: bool,
) -> Result<Vec<Hit>> {
    let Some(hits) = question.hits(db.get_database_backend(), viewer, sought, as_typed) else {
        return Ok(Vec::new());
    };
    let mut wanted = Query::select()
        .columns(["kind", "id", "score"])
        .from_subquery(hits, "hits")
        .to_owned();
    page.map(|key| (key.score, key.id)).narrow_statement(
        &mut wanted,
        [Expr::col("score"), Expr::col("id")],
        &Order::Desc,
    );
    let rows = db.query_all(&wanted).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let Row { kind, id, score } = Row::from_query_result(row, "")?;
        if let Some(kind) = Kind::from_number(kind) {
            let key = Key {
                as_typed,
                score,
                id,
            };
            found.push(Hit { kind, id, key });
        }
    }
    Ok(found)
}

/// How many there are in the whole list of which [`find`] gives a page.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, question: &Question) -> Result<u64> {
    let Some(sought) = Sought::new(&question.text) else {
        return Ok(0);
    };
    for as_typed in [true, false] {
        let hits = question.hits(db.get_database_backend(), viewer, &sought, as_typed);
        let Some(hits) = hits else { continue };
        let count = Query::select()
            .expr(Expr::cust("COUNT(*)"))
            .from_subquery(hits, "hits")
            .to_owned();
        let counted: i64 = match db.query_one(&count).await? {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        if counted > 0 {
            return Ok(u64::try_from(counted).unwrap_or(0));
        }
    }
    Ok(0)
}
