//! Whom a campaign reaches: the contacts of approved organisations by a segment or by their tags, without those who must
//! not be written to (policy 2.5).
//!
//! Who is left out, and why, is decided by one statement, [`matched()`]. The preview counts what it finds, and the start
//! writes it into the ledger, so the two can't disagree.
//!
//! - [`mod@matched`]: the statement;
//! - [`frozen`]: what the start writes;
//! - [`meant`]: what a segment asks, today and when the campaign started.

mod frozen;
mod matched;
mod meant;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{
    contact::SubscriberType,
    ids::{MailTopicId, OrganisationId, SegmentId, TagId, UserId},
    list::IdList,
    tag,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};

pub use self::meant::Asked;
pub(super) use self::{
    frozen::freeze,
    meant::{Meant, asked, meant_by},
};
use self::{frozen::suppressed, matched::matched};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    mail_rules::MailRules,
    statement::Query,
    suppression::AddressKey,
};

/// How many tags a list may name.
pub const MOST_TAGS: usize = 50;

/// Which organisations' contacts are meant, and which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Tags of which an organisation has every one.
    pub all_of: Vec<TagId>,
    /// Tags of which it has at least one; empty asks nothing.
    pub any_of: Vec<TagId>,
    /// Tags of which it has none.
    pub none_of: Vec<TagId>,
    /// Of which subscriber types a contact is one; empty is all. The others are not meant, and so are not counted as left out.
    pub subscriber_types: Vec<SubscriberType>,
    /// The segment in which it is as well.
    pub segment_id: Option<SegmentId>,
}

/// Why a contact is left out. When several reasons hold, the first of this list is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SkipReason {
    /// They have left the organisation, or can't be reached.
    Inactive,
    /// They must not be sent any mail.
    DoNotEmail,
    /// They opted out of bulk mail.
    OptedOut,
    /// They opted out of mail about the campaign's topic.
    OptedOutOfTopic,
    /// Mail is held back after bounces.
    OnHold,
    /// They are a key account contact, and the Key Account Operator has not agreed. Whether there is an address, and what
    /// is wrong with it, isn't told then.
    KeyAccountWithoutAgreement,
    /// No address is known.
    NoAddress,
    /// The address is none.
    InvalidAddress,
    /// The address is suppressed: unsubscribed, bounced, complained or erased.
    Suppressed,
    /// Another contact with the same address is reached already.
    DuplicateAddress,
    /// They, or the contacts of their organisation together, have had as much bulk mail as anybody gets in a period.
    OverCap,
}

/// In whose name a campaign goes out, about what, and when that is looked at: whose key account contacts and agreements
/// count, and which wishes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    pub user_id: Option<UserId>,
    pub topic: Option<MailTopicId>,
    pub rules: MailRules,
    pub now: DateTime<Utc>,
}

/// How many are left out, by reason.
pub type Skipped = BTreeMap<SkipReason, u64>;

/// What a campaign would reach now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many would get the mail.
    pub recipients: u64,
    /// How many would not, by reason.
    pub skipped: Skipped,
}

impl Audience {
    /// The audience as a campaign keeps it.
    #[must_use]
    pub fn of(campaign: &entity::campaign::Model) -> Self {
        Self {
            all_of: campaign.all_of.0.clone(),
            any_of: campaign.any_of.0.clone(),
            none_of: campaign.none_of.0.clone(),
            subscriber_types: campaign.subscriber_types.0.clone(),
            segment_id: campaign.segment_id,
        }
    }

    pub(super) fn into_lists(self) -> [IdList; 3] {
        [
            IdList(self.all_of),
            IdList(self.any_of),
            IdList(self.none_of),
        ]
    }

    /// Notes what is wrong with it: nothing that is asked, too many tags, or tags that there are not. The segment is looked at
    /// by [`Self::look_up`].
    pub(super) async fn check(
        &self,
        db: &impl ConnectionTrait,
        refusals: &mut Refusals,
    ) -> Result<()> {
        // Of the general type is whoever nobody has said anything of: nearly everybody.
        let is_of_some_types = !self.subscriber_types.is_empty()
            && !self.subscriber_types.contains(&SubscriberType::General);
        refusals.add_if(
            self.all_of.is_empty()
                && self.any_of.is_empty()
                && self.segment_id.is_none()
                && !is_of_some_types,
            RefusalCode::Required,
            "allOfTags",
            "Name a segment, at least one tag that the organisations must have, or subscriber types but GENERAL: nobody writes to \
             everybody by mistake.",
        );
        for (field, tags) in [
            ("allOfTags", &self.all_of),
            ("anyOfTags", &self.any_of),
            ("noneOfTags", &self.none_of),
        ] {
            if tags.len() > MOST_TAGS {
                refusals.add(
                    RefusalCode::TooLong,
                    field,
                    format!("At most {MOST_TAGS} tags; {} were given.", tags.len()),
                );
                continue;
            }
            let known: Vec<TagId> = tag::Entity::find()
                .select_only()
                .column(tag::Column::Id)
                .filter(tag::Column::Id.is_in(tags.iter().copied()))
                .into_tuple()
                .all(db)
                .await?;
            if let Some(unknown) = tags.iter().find(|tag| !known.contains(tag)) {
                refusals.add(
                    RefusalCode::NotFound,
                    field,
                    format!("There is no tag {unknown}."),
                );
            }
        }
        Ok(())
    }
}

/// How many contacts the audience has now, and how many are left out.
pub(super) async fn preview(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    who: &Meant,
    sender: Sender,
) -> Result<Preview> {
    let suppressed = suppressed(db, key, who, sender).await?;
    let mut query = matched(db.get_database_backend(), who, sender, &suppressed)?;
    query
        .sql
        .push_str("SELECT reason, COUNT(*) AS contacts FROM judged GROUP BY reason");
    let mut preview = Preview::default();
    for row in db.query_all_raw(query.into_statement(db)).await? {
        let contacts: i64 = row.try_get("", "contacts")?;
        let contacts = u64::try_from(contacts).unwrap_or(0);
        match row.try_get::<Option<String>>("", "reason")? {
            None => preview.recipients = contacts,
            Some(reason) => {
                let reason = serde_json::from_value(reason.into())?;
                preview.skipped.insert(reason, contacts);
            }
        }
    }
    Ok(preview)
}

/// How many contacts of each organisation the audience has now.
pub(super) async fn by_organisation(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    who: &Meant,
    sender: Sender,
) -> Result<HashMap<OrganisationId, u64>> {
    let suppressed = suppressed(db, key, who, sender).await?;
    let mut query = matched(db.get_database_backend(), who, sender, &suppressed)?;
    query.sql.push_str(
        "SELECT k.organisation_id, COUNT(*) AS contacts FROM judged JOIN contact AS k ON k.id = judged.id \
         WHERE judged.reason IS NULL GROUP BY k.organisation_id",
    );
    let mut reached = HashMap::new();
    for row in db.query_all_raw(query.into_statement(db)).await? {
        let contacts: i64 = row.try_get("", "contacts")?;
        let organisation = row.try_get("", "organisation_id")?;
        reached.insert(organisation, u64::try_from(contacts).unwrap_or(0));
    }
    Ok(reached)
}

/// How many contacts two audiences are both meant for.
pub(super) async fn in_common(
    db: &impl ConnectionTrait,
    one: &Meant,
    other: &Meant,
) -> Result<u64> {
    let backend = db.get_database_backend();
    let mut query = Query::default();
    let (one, other) = (
        matched::meant(&mut query, backend, one)?,
        matched::meant(&mut query, backend, other)?,
    );
    query.sql = format!(
        "SELECT COUNT(*) AS contacts FROM contact AS c JOIN organisation AS o ON o.id = c.organisation_id \
         WHERE o.state = 'APPROVED' AND c.state = 'ACTIVE'{one}{other}"
    );
    let row = db.query_one_raw(query.into_statement(db)).await?;
    let contacts: i64 = row.map_or(Ok(0), |row| row.try_get("", "contacts"))?;
    Ok(u64::try_from(contacts).unwrap_or(0))
}

/// The audience is empty: nobody would get the mail.
pub(super) fn empty(preview: &Preview) -> Error {
    let left_out: u64 = preview.skipped.values().sum();
    Error::refused_whole(
        RefusalCode::EmptyAudience,
        if left_out == 0 {
            "No contact of an approved organisation is in this audience.".to_owned()
        } else {
            format!(
                "Nobody would get this mail: all {left_out} contacts of this audience are left out."
            )
        },
    )
}
