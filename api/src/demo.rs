//! The data that a first start shows: a small university, its people, a few employers, and events with queues.
//!
//! It exists only in the embedded default. All of its addresses end in `.test` (RFC 2606), so no mail can reach anybody.

mod access;
mod employers;
mod events;
mod held_events;
mod key_accounts;
mod people;
mod super_users;
mod vacancies;
mod venues;

use domain::{Error, Store, credential};
use entity::user;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait};

/// The password of every demo account.
pub const PASSWORD: &str = "mycareer-demo";

/// The domain of every demo account.
pub const DOMAIN: &str = "demo.mycareer.test";

/// Who can sign in, and what for.
pub const SIGN_INS: &[(&str, &str)] = &[
    ("admin", "an administrator"),
    ("superuser", "a member of the Super User Group"),
    (
        "operator",
        "an operator, trained for events and bulk e-mail",
    ),
    ("untrained", "a member of staff without training"),
    ("employer", "an employer"),
    ("student1", "a student; so are student2 to student20"),
];

/// Loads the demo data into an empty database; leaves one that has accounts as it is. Answers whether it did.
pub async fn load(store: &Store) -> Result<bool, Error> {
    if user::Entity::find().count(store.reader()).await? > 0 {
        return Ok(false);
    }
    let password_hash = credential::hash_password(PASSWORD.to_owned()).await?;
    let mut tx = store.begin().await?;
    let university = people::load_university(&tx).await?;
    let employers = employers::load(&tx).await?;
    let people = people::load_accounts(&tx, &university, &employers, &password_hash).await?;
    employers::load_engagement(&tx, &employers, &people).await?;
    key_accounts::load(&tx, &employers, &people).await?;
    let venues = venues::load(&tx).await?;
    let training = events::load(&mut tx, &university, &employers, &people, &venues).await?;
    held_events::load(&mut tx, &university, &employers, &people).await?;
    access::load(&tx, &people, &training).await?;
    super_users::load(&tx, &university).await?;
    vacancies::load(&tx, &university, &employers, &people).await?;
    tx.commit().await?;
    Ok(true)
}

/// Writes whole rows as they are.
async fn insert_all<E>(tx: &domain::Tx, rows: Vec<E::Model>) -> Result<(), Error>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    E::insert_many(
        rows.into_iter()
            .map(|row| row.into_active_model().reset_all()),
    )
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}
