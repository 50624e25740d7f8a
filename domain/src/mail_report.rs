//! What comes back of mail: reports of failed delivery (RFC 3464) and complaints (RFC 5965), by which addresses are
//! suppressed or put on hold (policy 2.5).
//!
//! Every mail has an envelope sender of its own (VERP), which names its delivery and is signed, so that a report needs to
//! name nobody and nobody can report on mail that they didn't get. Reading the MIME is the worker's business; here stands
//! what follows from it.

use entity::{
    delivery::{self, Bounce, DeliveryState},
    ids::DeliveryId,
    suppression::SuppressionReason,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    campaign::{self, unsubscribe},
    contact::hold,
    delivery::LONGEST_REPLY,
    error::{Error, RefusalCode, Result},
    live::LiveEvent,
    store::Tx,
    suppression::{self, AddressKey},
    viewer::Viewer,
};

/// What the local part of an envelope sender begins with.
const PREFIX: &str = "b-";
/// What the signature in it is for.
const PURPOSE: &str = "bounce";
/// How much of the signature it holds, in bytes. A local part has at most 64 letters (RFC 5321, 4.5.3.1.1).
const SIGNATURE: usize = 12;
/// How many letters stand behind the prefix: id and signature in hexadecimal, because some relays change the case.
const TOKEN: usize = 2 * (16 + SIGNATURE);
/// So many soft bounces in a row put an address on hold.
const SOFT_IN_A_ROW: usize = 3;

/// What a report says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The mail came back.
    Bounced(Bounce),
    /// The recipient reported it as unwanted.
    Complained,
}

/// A report that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The mail that it is about.
    pub delivery_id: DeliveryId,
    /// What happened.
    pub happened: Happened,
    /// The status code, such as `5.1.1` (RFC 3463).
    pub status: Option<String>,
    /// What the recipient's server said.
    pub said: Option<String>,
}

/// How a report reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    /// A mail server handed it to `mycareer bounce`.
    Command,
    /// Somebody with the secret posted it.
    Hook,
}

/// What followed from a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// The address gets no bulk mail any more.
    Suppressed,
    /// Mail to the contacts with this address is held back.
    OnHold,
    /// It was noted; the next ones may have consequences.
    Noted,
    /// It had been reported before: nothing was changed.
    Known,
}

/// The envelope sender of a mail, to which reports about it go.
pub fn envelope_sender(key: &AddressKey, delivery_id: DeliveryId, domain: &str) -> Result<String> {
    use std::fmt::Write;
    let id = delivery_id.uuid();
    let signature = key.sign(PURPOSE, id.as_bytes())?;
    let mut address = format!("{PREFIX}{}", id.simple());
    for byte in &signature[..SIGNATURE] {
        // Writing into a String can't fail.
        let _ = write!(address, "{byte:02x}");
    }
    Ok(format!("{address}@{domain}"))
}

/// The mail that a text names by its envelope sender or by its link to unsubscribe; `None` when it names none of ours.
pub fn named_in(key: &AddressKey, text: &str) -> Result<Option<DeliveryId>> {
    let lower = text.to_ascii_lowercase();
    for (at, _) in lower.match_indices(PREFIX) {
        let token = lower.get(at + PREFIX.len()..at + PREFIX.len() + TOKEN);
        if let Some(id) = token.and_then(bytes)
            && let Some(id) = opened(key, &id)?
        {
            return Ok(Some(id));
        }
    }
    for (at, _) in text.match_indices(unsubscribe::PATH) {
        let rest = &text[at + unsubscribe::PATH.len()..];
        let token = rest
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
            .next()
            .unwrap_or_default();
        if let Some(link) = unsubscribe::opened(key, token)? {
            return Ok(Some(link.delivery_id));
        }
    }
    Ok(None)
}

fn opened(key: &AddressKey, token: &[u8]) -> Result<Option<DeliveryId>> {
    let (id, signature) = token.split_at(16);
    let Ok(id) = Uuid::from_slice(id) else {
        return Ok(None);
    };
    let is_ours = key.is_signed(PURPOSE, id.as_bytes(), signature)?;
    Ok(is_ours.then_some(DeliveryId(id)))
}

/// The bytes that a text writes in hexadecimal, whatever its case.
fn bytes(text: &str) -> Option<Vec<u8>> {
    text.is_ascii().then_some(())?;
    (0..text.len() / 2)
        .map(|nth| u8::from_str_radix(&text[2 * nth..2 * nth + 2], 16).ok())
        .collect()
}

/// Does what follows from a report: a hard bounce and a complaint suppress the address at once, the third soft bounce in a
/// row puts its contacts on hold, and complaints may pause the campaign. The same report twice does nothing more.
pub async fn take(tx: &mut Tx, report: &Report, source: Source) -> Result<Outcome> {
    let mail = delivery::Entity::find_by_id(report.delivery_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| {
            Error::refused_whole(
                RefusalCode::NotFound,
                "The mail that this report is about is not in the ledger any more.",
            )
        })?;
    let is_known = match report.happened {
        Happened::Bounced(Bounce::Hard) => mail.bounce == Some(Bounce::Hard),
        Happened::Bounced(Bounce::Soft) => mail.bounce.is_some(),
        Happened::Complained => mail.complained_at.is_some(),
    };
    if is_known {
        return Ok(Outcome::Known);
    }
    let noted = note(tx, mail, report).await?;
    let (action, outcome) = match report.happened {
        Happened::Bounced(Bounce::Hard) => {
            suppress(tx, &noted, SuppressionReason::Bounced).await?;
            ("mail.bounced", Outcome::Suppressed)
        }
        Happened::Bounced(Bounce::Soft) => ("mail.bounced", hold_if_repeated(tx, &noted).await?),
        Happened::Complained => {
            suppress(tx, &noted, SuppressionReason::Complained).await?;
            if let Some(campaign_id) = noted.campaign_id {
                campaign::note_complaint(tx, campaign_id).await?;
            }
            ("mail.complained", Outcome::Suppressed)
        }
    };
    let after = json!({
        "source": source, "bounce": noted.bounce, "status": report.status, "outcome": outcome,
        "contact": noted.contact_id,
    });
    tx.audit(&Viewer::system(), action, noted.id, None, Some(after))
        .await?;
    if let Some(campaign_id) = noted.campaign_id {
        tx.announce(LiveEvent::CampaignProgress { campaign_id });
    }
    Ok(outcome)
}

/// Writes the report into the ledger.
async fn note(tx: &Tx, mail: delivery::Model, report: &Report) -> Result<delivery::Model> {
    let mut row = mail.into_active_model();
    match report.happened {
        Happened::Bounced(bounce) => {
            row.bounce = Set(Some(bounce));
            row.bounced_at = Set(Some(tx.now()));
        }
        Happened::Complained => row.complained_at = Set(Some(tx.now())),
    }
    let told: Vec<&str> = [report.status.as_deref(), report.said.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    if !told.is_empty() {
        let reply = told.join(": ").chars().take(LONGEST_REPLY).collect();
        row.last_reply = Set(Some(reply));
    }
    Ok(row.update(tx.conn()).await?)
}

async fn suppress(tx: &mut Tx, mail: &delivery::Model, reason: SuppressionReason) -> Result<()> {
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    suppression::suppress(tx, &key.hash(&mail.address)?, reason).await
}

/// Puts the contacts with the mail's address on hold when this is one of three soft bounces in a row. A mail that went out
/// and did not come back breaks the row.
async fn hold_if_repeated(tx: &mut Tx, mail: &delivery::Model) -> Result<Outcome> {
    // Two reports about one address at once would each see the other's mail as delivered.
    tx.hold(&format!("mail_report/{}", mail.address)).await?;
    let whose = match (mail.contact_id, mail.user_id) {
        (Some(contact), _) => Condition::all().add(delivery::Column::ContactId.eq(contact)),
        (None, Some(user)) => Condition::all().add(delivery::Column::UserId.eq(user)),
        (None, None) => Condition::all().add(delivery::Column::Id.eq(mail.id)),
    };
    let until_now: Vec<Option<Bounce>> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Bounce)
        .filter(whose)
        .filter(delivery::Column::Address.eq(&mail.address))
        .filter(delivery::Column::State.is_in([DeliveryState::Sent, DeliveryState::Unknown]))
        .filter(delivery::Column::SentAt.lte(mail.sent_at.unwrap_or(mail.created_at)))
        .order_by_desc(delivery::Column::SentAt)
        .order_by_desc(delivery::Column::Id)
        .limit(SOFT_IN_A_ROW as u64)
        .into_tuple()
        .all(tx.conn())
        .await?;
    let in_a_row = until_now.iter().take_while(|bounce| bounce.is_some());
    if in_a_row.count() < SOFT_IN_A_ROW {
        return Ok(Outcome::Noted);
    }
    let held = hold::begin_for(tx, std::slice::from_ref(&mail.address), None).await?;
    if held.is_empty() {
        return Ok(Outcome::Noted);
    }
    hold::remember(tx, &mail.address, tx.now()).await?;
    hold::tell(tx, held).await?;
    Ok(Outcome::OnHold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: u8) -> AddressKey {
        AddressKey::of(vec![secret; 32])
    }

    fn mail() -> DeliveryId {
        DeliveryId(Uuid::from_bytes([0xa9; 16]))
    }

    #[test]
    fn an_envelope_sender_names_its_mail_in_any_case_and_fits_a_local_part() {
        let sender = envelope_sender(&key(1), mail(), "bounces.test").unwrap();
        let (local, _) = sender.split_once('@').unwrap();
        assert!(local.len() <= 64, "{local}");
        for text in [
            sender.clone(),
            format!("Return-Path: <{}>", sender.to_uppercase()),
            format!("b-b-nothing {sender}"),
        ] {
            assert_eq!(named_in(&key(1), &text).unwrap(), Some(mail()), "{text}");
        }
    }

    #[test]
    fn a_link_to_unsubscribe_names_its_mail_too() {
        let token = unsubscribe::token(&key(1), mail(), "ann@example.org").unwrap();
        let text = format!("<https://careers.test/unsubscribe/{token}>");
        assert_eq!(named_in(&key(1), &text).unwrap(), Some(mail()));
    }

    #[test]
    fn what_was_not_signed_here_names_nothing() {
        let sender = envelope_sender(&key(1), mail(), "bounces.test").unwrap();
        assert_eq!(named_in(&key(2), &sender).unwrap(), None);
        let altered = sender.replacen("a9a9", "a9a8", 1);
        for text in [
            altered.as_str(),
            &sender[..40],
            "b-é",
            "b-",
            "",
            "/unsubscribe/test",
        ] {
            assert_eq!(named_in(&key(1), text).unwrap(), None, "{text}");
        }
    }
}
