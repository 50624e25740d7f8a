//! The tables that keep pairs, one for each kind of record.

use chrono::{DateTime, Utc};
use entity::ids::DuplicatePairId;
use sea_orm::{EntityTrait, IntoActiveModel};

/// A table of pairs.
pub trait Table:
    EntityTrait<
        Model: Send + Sync + IntoActiveModel<<Self as EntityTrait>::ActiveModel>,
        ActiveModel: Send,
    >
{
    /// How the records are known.
    type Id;

    /// Its columns that are asked for.
    const COLUMNS: Columns<Self::Column>;

    /// The row of a pair that was found.
    fn row(found: Found<Self::Id>) -> Self::ActiveModel;

    /// How a row is known.
    fn told(row: &Self::Model) -> Told<Self::Id>;
}

/// The columns of a table of pairs.
#[derive(Clone, Copy, Debug)]
pub struct Columns<C> {
    /// The id.
    pub id: C,
    /// The one record.
    pub one: C,
    /// The other record.
    pub other: C,
    /// How unlikely it is that they are the same.
    pub doubt: C,
    /// Where it stands.
    pub state: C,
    /// When it was found.
    pub found_at: C,
    /// Who dismissed it.
    pub dismissed_by: C,
    /// When.
    pub dismissed_at: C,
    /// Why.
    pub reason: C,
}

/// What is kept of a pair.
#[derive(Clone, Debug)]
pub struct Found<I> {
    /// How it is known.
    pub told: Told<I>,
    /// The first record of its cluster.
    pub first: I,
    /// The first pair of its cluster.
    pub leading: DuplicatePairId,
    /// What they have in common.
    pub signals: serde_json::Value,
    /// What speaks for and against.
    pub evidence: serde_json::Value,
    /// When it was found.
    pub at: DateTime<Utc>,
}

/// How a pair is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told<I> {
    /// Its id.
    pub id: DuplicatePairId,
    /// The one that was made first.
    pub one: I,
    /// The other.
    pub other: I,
    /// How unlikely it is that they are the same, in millionths.
    pub doubt: i32,
}

impl<I> Told<I> {
    /// How likely it is that they are the same, from 0 to 1.
    #[must_use]
    pub fn score(&self) -> f64 {
        1.0 - f64::from(self.doubt) / 1e6
    }
}

/// Says that an entity keeps pairs.
macro_rules! keeps_pairs {
    ($module:ident of $id:ty, cluster $cluster:ident) => {
        impl $crate::duplicate::kept::Table for ::entity::$module::Entity {
            type Id = $id;

            const COLUMNS: $crate::duplicate::kept::Columns<::entity::$module::Column> =
                $crate::duplicate::kept::Columns {
                    id: ::entity::$module::Column::Id,
                    one: ::entity::$module::Column::OneId,
                    other: ::entity::$module::Column::OtherId,
                    doubt: ::entity::$module::Column::Doubt,
                    state: ::entity::$module::Column::State,
                    found_at: ::entity::$module::Column::FoundAt,
                    dismissed_by: ::entity::$module::Column::DismissedBy,
                    dismissed_at: ::entity::$module::Column::DismissedAt,
                    reason: ::entity::$module::Column::Reason,
                };

            fn row(found: $crate::duplicate::kept::Found<$id>) -> ::entity::$module::ActiveModel {
                ::entity::$module::ActiveModel {
                    id: ::sea_orm::ActiveValue::Set(found.told.id),
                    one_id: ::sea_orm::ActiveValue::Set(found.told.one),
                    other_id: ::sea_orm::ActiveValue::Set(found.told.other),
                    group_id: ::sea_orm::ActiveValue::Set(found.$cluster),
                    doubt: ::sea_orm::ActiveValue::Set(found.told.doubt),
                    signals: ::sea_orm::ActiveValue::Set(found.signals),
                    evidence: ::sea_orm::ActiveValue::Set(found.evidence),
                    state: ::sea_orm::ActiveValue::Set(
                        ::entity::duplicate_pair::DuplicatePairState::Open,
                    ),
                    found_at: ::sea_orm::ActiveValue::Set(found.at),
                    dismissed_by: ::sea_orm::ActiveValue::Set(None),
                    dismissed_at: ::sea_orm::ActiveValue::Set(None),
                    reason: ::sea_orm::ActiveValue::Set(None),
                }
            }

            fn told(row: &::entity::$module::Model) -> $crate::duplicate::kept::Told<$id> {
                $crate::duplicate::kept::Told {
                    id: row.id,
                    one: row.one_id,
                    other: row.other_id,
                    doubt: row.doubt,
                }
            }
        }
    };
}

pub(crate) use keeps_pairs;
