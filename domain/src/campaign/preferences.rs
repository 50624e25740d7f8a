//! What a recipient says of the mail they get, on the page that stands behind a link in every bulk mail (policy 2.5 and 3).
//!
//! The link is that of [`unsubscribe`]: it names a mail and its address, and is signed. Whoever has it has the mail, so it
//! opens what concerns that address and nothing else. A contact whose address is another by now is left alone.

use std::collections::BTreeSet;

use entity::{
    contact, delivery,
    ids::{ContactId, MailTopicId},
    mail_topic,
    suppression::{self, SuppressionReason},
    topic_opt_out,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use serde_json::json;

use super::unsubscribe::{self, Link};
use crate::{
    change::Change,
    error::Result,
    mail_topic as topics,
    store::{Store, Tx},
    suppression::{AddressKey, written},
    viewer::Viewer,
};

/// Where links lead, before the token.
pub const PATH: &str = "/preferences/";
/// The link of a test mail, which opens nobody's preferences.
pub const TEST_LINK: &str = "/preferences/test";
/// The action of the audit log.
const CHANGED: &str = "contact.preferences_changed";
/// The source that the audit log names.
const SOURCE: &str = "PREFERENCES_PAGE";

/// Whether an address gets bulk mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bulk {
    /// It does.
    Wanted,
    /// Its owner wants none, and can want it again.
    OptedOut,
    /// It is suppressed for another reason, which no click takes back: mail to it failed, was reported, or its owner was
    /// erased.
    Suppressed(SuppressionReason),
}

/// What holds for the address of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Whether anybody is known by this address; without it only bulk mail as a whole can be refused.
    pub is_known: bool,
    /// Bulk mail as a whole.
    pub bulk: Bulk,
    /// The topics in use, and whether mail about them is wanted.
    pub topics: Vec<(mail_topic::Model, bool)>,
    /// Whether they agreed to be shown to students.
    pub visible_to_students: bool,
}

/// What somebody wishes to hold from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Whether bulk mail is wanted at all; `None` leaves it as it is.
    pub bulk: Option<bool>,
    /// The topics that mail is wanted about.
    pub topics: BTreeSet<MailTopicId>,
    /// Whether they agree to be shown to students.
    pub visible_to_students: bool,
}

/// What a contact's record says, under the names that the audit log uses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    bulk_opted_out: bool,
    topics_opted_out: BTreeSet<MailTopicId>,
    visible_to_students: bool,
}

/// The preferences that the link opens. Changes nothing.
pub async fn read(store: &Store, link: Link) -> Result<Preferences> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    preferences(store.reader(), &key, link).await
}

async fn preferences(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    link: Link,
) -> Result<Preferences> {
    let contacts = contacts_of(db, key, link, false).await?;
    let suppressed = suppression::Entity::find()
        .filter(suppression::Column::AddressHash.eq(written(&link.address)))
        .one(db)
        .await?;
    let bulk = match suppressed.map(|row| row.reason) {
        Some(SuppressionReason::Unsubscribed) => Bulk::OptedOut,
        Some(reason) => Bulk::Suppressed(reason),
        None if contacts.iter().any(|row| row.bulk_opted_out_at.is_some()) => Bulk::OptedOut,
        None => Bulk::Wanted,
    };
    let refused = opted_out(db, contacts.iter().map(|row| row.id)).await?;
    let topics = topics::in_use(db)
        .await?
        .into_iter()
        .map(|topic| {
            let wanted = !refused.iter().any(|(_, refused)| *refused == topic.id);
            (topic, wanted)
        })
        .collect();
    Ok(Preferences {
        is_known: !contacts.is_empty(),
        bulk,
        topics,
        visible_to_students: !contacts.is_empty()
            && contacts.iter().all(|row| row.visible_to_students),
    })
}

/// Does as the owner of the address wishes, and answers what holds then. Every change is in the audit log, with its source.
pub async fn change(tx: &mut Tx, link: Link, wishes: &Wishes) -> Result<Preferences> {
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    let before = preferences(tx.conn(), &key, link).await?;
    let mut wishes = wishes.clone();
    if matches!(before.bulk, Bulk::Suppressed(_)) {
        wishes.bulk = None;
    }
    for contact in contacts_of(tx.conn(), &key, link, true).await? {
        change_one(tx, contact, &wishes, link).await?;
    }
    if wishes.bulk == Some(false) && before.bulk == Bulk::Wanted {
        unsubscribe::unsubscribe(tx, link).await?;
    }
    if wishes.bulk == Some(true) && before.bulk == Bulk::OptedOut {
        suppression::Entity::delete_many()
            .filter(suppression::Column::AddressHash.eq(written(&link.address)))
            .filter(suppression::Column::Reason.eq(SuppressionReason::Unsubscribed))
            .exec(tx.conn())
            .await?;
        let after = json!({ "source": SOURCE });
        let who = Viewer::anonymous();
        tx.audit(
            &who,
            "contact.subscribed_again",
            link.delivery_id,
            None,
            Some(after),
        )
        .await?;
    }
    preferences(tx.conn(), &key, link).await
}

async fn change_one(
    tx: &mut Tx,
    contact: contact::Model,
    wishes: &Wishes,
    link: Link,
) -> Result<()> {
    let now = tx.now();
    let unwanted: BTreeSet<MailTopicId> = opted_out(tx.conn(), [contact.id])
        .await?
        .into_iter()
        .map(|(_, topic)| topic)
        .collect();
    let offered: BTreeSet<MailTopicId> = topics::in_use(tx.conn())
        .await?
        .into_iter()
        .map(|topic| topic.id)
        .collect();
    // What they said of topics that the page doesn't offer any more is left as it is.
    let refuses: BTreeSet<MailTopicId> = offered
        .difference(&wishes.topics)
        .chain(unwanted.difference(&offered))
        .copied()
        .collect();
    let out = wishes
        .bulk
        .map_or(contact.bulk_opted_out_at.is_some(), |wanted| !wanted);
    let old = Told {
        bulk_opted_out: contact.bulk_opted_out_at.is_some(),
        topics_opted_out: unwanted.clone(),
        visible_to_students: contact.visible_to_students,
    };
    let new = Told {
        bulk_opted_out: out,
        topics_opted_out: refuses.clone(),
        visible_to_students: wishes.visible_to_students,
    };
    let change = Change::between(&old, &new)?;
    if change.is_empty() {
        return Ok(());
    }
    let (id, version) = (contact.id, contact.version + 1);
    let anew: Vec<_> = refuses
        .difference(&unwanted)
        .map(|topic| topic_opt_out::ActiveModel {
            contact_id: Set(id),
            mail_topic_id: Set(*topic),
            opted_out_at: Set(now),
        })
        .collect();
    if !anew.is_empty() {
        topic_opt_out::Entity::insert_many(anew)
            .exec_without_returning(tx.conn())
            .await?;
    }
    topic_opt_out::Entity::delete_many()
        .filter(topic_opt_out::Column::ContactId.eq(id))
        .filter(topic_opt_out::Column::MailTopicId.is_in(unwanted.difference(&refuses).copied()))
        .exec(tx.conn())
        .await?;
    let was_out = contact.bulk_opted_out_at;
    let mut row = contact.into_active_model();
    row.bulk_opted_out_at = Set(out.then(|| was_out.unwrap_or(now)));
    row.visible_to_students = Set(wishes.visible_to_students);
    row.version = Set(version);
    row.updated_at = Set(now);
    row.update(tx.conn()).await?;
    let (before, after) = change.into_audit(version);
    let after = after.map(|mut told| {
        told["source"] = json!(SOURCE);
        told["mail"] = json!(link.delivery_id);
        told
    });
    tx.audit(&Viewer::anonymous(), CHANGED, id, before, after)
        .await
}

/// The contacts whose address the link's mail went to, and is theirs still.
async fn contacts_of(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    link: Link,
    locked: bool,
) -> Result<Vec<contact::Model>> {
    let mail = delivery::Entity::find_by_id(link.delivery_id)
        .one(db)
        .await?;
    let Some(mail) = mail else {
        return Ok(Vec::new());
    };
    // Erasure leaves a pseudonym in the ledger.
    if key.hash(&mail.address)? != link.address {
        return Ok(Vec::new());
    }
    let mut query = contact::Entity::find()
        .filter(contact::Column::Email.eq(mail.address))
        .order_by_asc(contact::Column::Id);
    if locked {
        query = query.lock_exclusive();
    }
    Ok(query.all(db).await?)
}

async fn opted_out(
    db: &impl ConnectionTrait,
    contacts: impl IntoIterator<Item = ContactId>,
) -> Result<Vec<(ContactId, MailTopicId)>> {
    let rows = topic_opt_out::Entity::find()
        .filter(topic_opt_out::Column::ContactId.is_in(contacts))
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.contact_id, row.mail_topic_id))
        .collect())
}
