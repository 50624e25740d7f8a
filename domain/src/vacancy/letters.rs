//! The letters about vacancies: notices to everybody who signs in for the organisation, as each chose to get them.

use entity::{organisation, vacancy};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    error::Result,
    mail::Letter,
    notice::{self, Topic},
    registration::employers_of,
    store::Tx,
    viewer::Viewer,
};

/// That it was approved or declined, or that somebody else closed it.
pub(super) async fn decided(
    tx: &mut Tx,
    by: &Viewer,
    row: &vacancy::Model,
    outcome: &'static str,
) -> Result<()> {
    let purpose = format!("vacancy/{}/{}", row.id, row.version);
    let fields = json!({ "outcome": outcome, "reason": row.reason });
    tell(tx, by, row, "vacancy_decided", &purpose, fields).await
}

/// That it closes soon.
pub(super) async fn closes_soon(tx: &mut Tx, row: &vacancy::Model) -> Result<()> {
    let purpose = format!("vacancy_closing/{}/{}", row.id, row.closes_on);
    tell(
        tx,
        &Viewer::system(),
        row,
        "vacancy_closing",
        &purpose,
        json!({}),
    )
    .await
}

/// That its day is past, or that it was never looked at.
pub(super) async fn closed(tx: &mut Tx, row: &vacancy::Model) -> Result<()> {
    let purpose = format!("vacancy_closed/{}/{}", row.id, row.closes_on);
    let fields = json!({ "reason": row.reason });
    tell(
        tx,
        &Viewer::system(),
        row,
        "vacancy_closed",
        &purpose,
        fields,
    )
    .await
}

async fn tell(
    tx: &mut Tx,
    by: &Viewer,
    row: &vacancy::Model,
    template: &'static str,
    purpose: &str,
    more: Value,
) -> Result<()> {
    let organisation = organisation::Entity::find_by_id(row.organisation_id)
        .one(tx.conn())
        .await?;
    let mut fields = json!({
        "title": row.title,
        "organisation": organisation.map(|organisation| organisation.name),
        "published_from": row.published_from.map(spoken),
        "closes_on": spoken(row.closes_on),
        "vacancy_link": format!("/vacancies/{}", row.id),
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    for account in employers_of(tx, row.organisation_id).await? {
        if by.user_id() == Some(account.id) {
            continue;
        }
        let purpose = format!("{purpose}/{}", account.id);
        let letter = Letter::to_account(&account, template, purpose, fields.clone())?;
        notice::tell(tx, account.id, Topic::Vacancy, letter).await?;
    }
    Ok(())
}

/// A day as it is spoken: `Monday 5 October 2026`.
fn spoken(day: chrono::NaiveDate) -> String {
    day.format("%A %-d %B %Y").to_string()
}
