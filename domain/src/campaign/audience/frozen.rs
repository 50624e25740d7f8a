//! Writing the ledger of a campaign.

use entity::ids::{CampaignId, DeliveryId};
use sea_orm::ConnectionTrait;

use super::{
    Meant, Sender,
    matched::{Dialect, dialect, matched},
};
use crate::{
    error::Result,
    mail::MESSAGE_ID_DOMAIN,
    request,
    store::Tx,
    suppression::{self, AddressKey},
};

/// Writes a ledger row for everybody whom the audience reaches, in one statement whatever their number, and answers how
/// many they are.
pub(in crate::campaign) async fn freeze(
    tx: &Tx,
    key: &AddressKey,
    campaign_id: CampaignId,
    who: &Meant,
    sender: Sender,
) -> Result<u64> {
    let db = tx.conn();
    let suppressed = suppressed(db, key, who, sender).await?;
    let mut query = matched(tx.backend(), who, sender, &suppressed)?;
    // The ids are made by the statement too. They are UUIDv7 (RFC 9562, 6.2, method 1): time and randomness are those of
    // one fresh id, and the last four bytes count the rows. The ledger is then in the order in which it is worked off.
    let first = DeliveryId::new_at(tx.now()).uuid().simple().to_string();
    let prefix = query.bind(first[..24].to_owned());
    let message_id_domain = query.bind(format!("@{MESSAGE_ID_DOMAIN}"));
    let campaign_id = query.bind(campaign_id);
    let now = query.bind(tx.now());
    let request_id = query.bind(request::current_id());
    let Dialect {
        count_in_hex,
        hex_to_id,
        domain,
        fields,
        ..
    } = dialect(tx.backend());
    let insert = format!(
        "INSERT INTO delivery (id, campaign_id, address, address_domain, recipient_name, contact_id, template, fields, \
         state, message_id, attempts, next_attempt_at, request_id, created_at) \
         {ctes}, recipients AS (\
           SELECT {prefix} || {count_in_hex} AS hex, judged.* FROM judged WHERE reason IS NULL\
         ) SELECT {hex_to_id}, {campaign_id}, address, {domain}, name, id, 'campaign', {fields}, \
         'QUEUED', hex || {message_id_domain}, 0, {now}, {request_id}, {now} FROM recipients",
        ctes = query.sql.trim_end(),
    );
    query.sql = insert;
    Ok(db
        .execute_raw(query.into_statement(db))
        .await?
        .rows_affected())
}

/// The suppressed addresses among those that would get the mail, were there no cap: who is left out makes room under it.
/// They are found by their hashes, which only this
/// program can make, so the database is told of them.
pub(super) async fn suppressed(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    who: &Meant,
    sender: Sender,
) -> Result<Vec<String>> {
    let mut query = matched(db.get_database_backend(), who, sender, &[])?;
    query
        .sql
        .push_str("SELECT address FROM once WHERE reason IS NULL");
    let addresses = db
        .query_all_raw(query.into_statement(db))
        .await?
        .iter()
        .map(|row| row.try_get::<String>("", "address"))
        .collect::<Result<Vec<_>, _>>()?;
    let found = suppression::among(db, key, addresses.iter().map(String::as_str)).await?;
    Ok(found.into_iter().map(str::to_owned).collect())
}
