//! Rows put into a database as they are, past every rule.

use domain::Store;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, sea_query::OnConflict};

/// Puts a row into its table; one with the same key that is there already stays.
///
/// # Panics
/// When the database refuses it.
pub async fn put<E>(store: &Store, row: E::Model)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    E::insert(row.into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(store.reader())
        .await
        .unwrap();
}
