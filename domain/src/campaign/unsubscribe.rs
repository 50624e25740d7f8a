//! The way out of bulk mail that stands in every one (policy 2.5; RFC 8058).
//!
//! A link holds the mail, the hash of its address and a signature. It works as long as the system has its key, even when
//! the mail's row and the contact are long gone: the suppression needs the hash alone.

use entity::{contact, delivery, ids::DeliveryId, suppression::SuppressionReason};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use crate::{
    error::Result,
    signed_link,
    store::{Store, Tx},
    suppression::{self, AddressHash, AddressKey},
    viewer::Viewer,
};

/// Where links lead, before the token.
pub const PATH: &str = "/unsubscribe/";
/// The link of a test mail, which unsubscribes nobody.
pub const TEST_LINK: &str = "/unsubscribe/test";

/// What a signature is for.
const PURPOSE: &str = "unsubscribe";
/// How many bytes are signed: the mail, and the hash of its address.
const SIGNED: usize = 16 + 32;

/// A link that was made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    delivery_id: DeliveryId,
    address: AddressHash,
}

/// The token of the link in a mail.
pub fn token(key: &AddressKey, delivery_id: DeliveryId, address: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(SIGNED);
    bytes.extend_from_slice(delivery_id.uuid().as_bytes());
    bytes.extend_from_slice(&key.hash(address)?);
    signed_link::token(key, PURPOSE, bytes)
}

/// Reads a token; `None` when it was not made here. Changes nothing.
pub async fn read(store: &Store, token: &str) -> Result<Option<Link>> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    opened(&key, token)
}

fn opened(key: &AddressKey, token: &str) -> Result<Option<Link>> {
    let Some(signed) = signed_link::opened::<SIGNED>(key, PURPOSE, token)? else {
        return Ok(None);
    };
    let (id, address) = signed.split_at(16);
    let (Ok(id), Ok(address)) = (Uuid::from_slice(id), address.try_into()) else {
        return Ok(None);
    };
    Ok(Some(Link {
        delivery_id: DeliveryId(id),
        address,
    }))
}

/// Unsubscribes the address of the link from all bulk mail, at once and for good. Doing it twice does no harm.
pub async fn unsubscribe(tx: &mut Tx, link: Link) -> Result<()> {
    suppression::suppress(tx, &link.address, SuppressionReason::Unsubscribed).await?;
    let mail = delivery::Entity::find_by_id(link.delivery_id)
        .one(tx.conn())
        .await?;
    if let Some(mail) = mail {
        // Every contact with this address, and the one that the mail went to, whatever its address is by now.
        contact::Entity::update_many()
            .col_expr(contact::Column::BulkOptedOutAt, Expr::val(tx.now()))
            .col_expr(
                contact::Column::Version,
                Expr::col(contact::Column::Version).add(1),
            )
            .col_expr(contact::Column::UpdatedAt, Expr::val(tx.now()))
            .filter(
                contact::Column::Email
                    .eq(mail.address.as_str())
                    .or(contact::Column::Id.eq(mail.contact_id)),
            )
            .filter(contact::Column::BulkOptedOutAt.is_null())
            .exec(tx.conn())
            .await?;
    }
    tx.audit(
        &Viewer::anonymous(),
        "contact.unsubscribed",
        link.delivery_id,
        None,
        None,
    )
    .await
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn key(secret: u8) -> AddressKey {
        AddressKey::of(vec![secret; 32])
    }

    fn mail() -> DeliveryId {
        DeliveryId(Uuid::from_bytes([9; 16]))
    }

    #[test]
    fn a_link_names_the_mail_and_the_address_without_telling_it() {
        let token = token(&key(1), mail(), "Ann@Example.org").unwrap();
        let link = opened(&key(1), &token).unwrap().unwrap();
        assert_eq!(link.delivery_id, mail());
        assert_eq!(link.address, key(1).hash("ann@example.org").unwrap());
        assert!(
            token.len() < 100
                && token
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }

    #[test]
    fn a_link_that_was_not_made_here_or_was_altered_is_none() {
        let token = token(&key(1), mail(), "ann@example.org").unwrap();
        assert_eq!(opened(&key(2), &token).unwrap(), None);
        for at in [0, 30, 60] {
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            bytes[at] ^= 1;
            let altered = URL_SAFE_NO_PAD.encode(bytes);
            assert_eq!(opened(&key(1), &altered).unwrap(), None);
        }
        let short = &token[..token.len() - 4];
        for given in ["", "test", "é", short] {
            assert_eq!(opened(&key(1), given).unwrap(), None, "{given}");
        }
    }
}
