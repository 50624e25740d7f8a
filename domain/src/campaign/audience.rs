//! Whom a campaign reaches: the contacts of approved organisations by their tags, without those who must not be written
//! to (policy 2.5).
//!
//! Who is left out, and why, is decided by one statement, [`matched`]. The preview counts what it finds, and the start
//! writes it into the ledger, so the two can't disagree.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{
    ids::{CampaignId, DeliveryId, MailTopicId, OrganisationId, TagId, UserId},
    list::IdList,
    tag,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    key_account::guard::{guarded, operator},
    mail::MESSAGE_ID_DOMAIN,
    mail_rules::MailRules,
    request,
    statement::Query,
    store::Tx,
    suppression::{self, AddressKey},
};

/// How many tags a list may name.
pub const MOST_TAGS: usize = 50;

/// Which organisations' contacts are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Tags of which an organisation has every one.
    pub all_of: Vec<TagId>,
    /// Tags of which it has at least one; empty asks nothing.
    pub any_of: Vec<TagId>,
    /// Tags of which it has none.
    pub none_of: Vec<TagId>,
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
        }
    }

    pub(super) fn into_lists(self) -> [IdList; 3] {
        [
            IdList(self.all_of),
            IdList(self.any_of),
            IdList(self.none_of),
        ]
    }

    /// Notes what is wrong with it: no tag to be had, too many, or tags that there are not.
    pub(super) async fn check(
        &self,
        db: &impl ConnectionTrait,
        refusals: &mut Refusals,
    ) -> Result<()> {
        refusals.add_if(
            self.all_of.is_empty() && self.any_of.is_empty(),
            RefusalCode::Required,
            "allOfTags",
            "Name at least one tag that the organisations must have: nobody writes to everybody by mistake.",
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
    audience: &Audience,
    sender: Sender,
) -> Result<Preview> {
    let suppressed = suppressed(db, key, audience, sender).await?;
    let mut query = matched(db.get_database_backend(), audience, sender, &suppressed)?;
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
    audience: &Audience,
    sender: Sender,
) -> Result<HashMap<OrganisationId, u64>> {
    let suppressed = suppressed(db, key, audience, sender).await?;
    let mut query = matched(db.get_database_backend(), audience, sender, &suppressed)?;
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

/// Writes a ledger row for everybody whom the audience reaches, in one statement whatever their number, and answers how
/// many they are.
pub(super) async fn freeze(
    tx: &Tx,
    key: &AddressKey,
    campaign_id: CampaignId,
    audience: &Audience,
    sender: Sender,
) -> Result<u64> {
    let db = tx.conn();
    let suppressed = suppressed(db, key, audience, sender).await?;
    let mut query = matched(tx.backend(), audience, sender, &suppressed)?;
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
async fn suppressed(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    audience: &Audience,
    sender: Sender,
) -> Result<Vec<String>> {
    let mut query = matched(db.get_database_backend(), audience, sender, &[])?;
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

/// What the two databases say differently.
struct Dialect {
    /// Opens a list of ids, given in hexadecimal as a JSON array; the parameter stands at `{}`.
    ids: fn(&str) -> String,
    /// Opens a list of texts, given as a JSON array.
    texts: fn(&str) -> String,
    count_in_hex: &'static str,
    hex_to_id: &'static str,
    domain: &'static str,
    fields: &'static str,
}

fn dialect(backend: DbBackend) -> Dialect {
    if backend == DbBackend::Sqlite {
        Dialect {
            ids: |list| format!("(SELECT UNHEX(value) FROM json_each({list}))"),
            texts: |list| format!("(SELECT value FROM json_each({list}))"),
            count_in_hex: "PRINTF('%08x', ROW_NUMBER() OVER (ORDER BY id))",
            hex_to_id: "UNHEX(hex)",
            domain: "SUBSTR(address, INSTR(address, '@') + 1)",
            fields: "JSON_OBJECT('name', name, 'organisation', organisation, 'job_title', job_title)",
        }
    } else {
        Dialect {
            ids: |list| {
                format!("(SELECT value::uuid FROM jsonb_array_elements_text({list}::jsonb))")
            },
            texts: |list| format!("(SELECT value FROM jsonb_array_elements_text({list}::jsonb))"),
            count_in_hex: "LPAD(TO_HEX(ROW_NUMBER() OVER (ORDER BY id)), 8, '0')",
            hex_to_id: "hex::uuid",
            domain: "SPLIT_PART(address, '@', 2)",
            fields: "JSONB_BUILD_OBJECT('name', name, 'organisation', organisation, 'job_title', job_title)",
        }
    }
}

/// How many tags of a list an organisation must have.
#[derive(Clone, Copy)]
enum Wanted {
    All,
    One,
    None,
}

/// The states of mails that count towards a cap: those that the recipient has, or will have.
const COUNTED: &str = "('QUEUED', 'SENDING', 'SENT', 'UNKNOWN')";

/// What the caps add: a reason for contacts who have had enough, and the expressions that make `judged` of `once`, in which
/// the contacts of one organisation are counted together, those of this campaign among them.
fn caps(query: &mut Query, sender: Sender) -> (String, String) {
    let columns = "once.id, once.address, once.name, once.job_title, once.organisation";
    if !sender.rules.has_caps() {
        // A parameter that no expression uses is refused.
        let judged = format!(", judged AS (SELECT {columns}, once.reason FROM once)");
        return (String::new(), judged);
    }
    let since = query.bind(sender.rules.since(sender.now));
    let counted =
        format!("d.campaign_id IS NOT NULL AND d.state IN {COUNTED} AND d.created_at > {since}");
    let contact = sender.rules.contact_cap.map_or_else(String::new, |cap| {
        format!(
            "WHEN (SELECT COUNT(*) FROM delivery AS d WHERE d.contact_id = c.id AND {counted}) >= {cap} \
             THEN 'OVER_CAP' "
        )
    });
    let organisation = match sender.rules.organisation_cap {
        None => format!(", judged AS (SELECT {columns}, once.reason FROM once)"),
        Some(cap) => format!(
            ", had AS (\
               SELECT k.organisation_id, COUNT(*) AS mails FROM delivery AS d JOIN contact AS k ON k.id = d.contact_id \
               WHERE k.organisation_id IN (SELECT organisation_id FROM once) AND {counted} GROUP BY k.organisation_id\
             ), judged AS (\
               SELECT {columns}, COALESCE(once.reason, CASE \
                 WHEN ROW_NUMBER() OVER (PARTITION BY once.organisation_id, once.reason ORDER BY once.id) \
                   + COALESCE(had.mails, 0) > {cap} THEN 'OVER_CAP' END) AS reason \
               FROM once LEFT JOIN had ON had.organisation_id = once.organisation_id\
             )"
        ),
    };
    (contact, organisation)
}

/// Common table expressions: `matched`, every contact that the audience means, and `judged`, the same with the
/// reason for which they are left out, or null.
fn matched(
    backend: DbBackend,
    audience: &Audience,
    sender: Sender,
    suppressed: &[String],
) -> Result<Query> {
    let Dialect { texts, .. } = dialect(backend);
    // The rule of key accounts comes with its own parameters, which are the first ones.
    let guarded = backend.build(&guarded(&operator(sender.user_id), sender.now));
    let mut query = Query {
        sql: String::new(),
        values: guarded.values.map_or_else(Vec::new, |values| values.0),
    };
    let guarded = guarded.sql;
    let tagged = tagged(&mut query, backend, audience)?;
    let suppressed = if suppressed.is_empty() {
        String::new()
    } else {
        let list = query.bind(serde_json::to_string(suppressed)?);
        format!("WHEN LOWER(c.email) IN {} THEN 'SUPPRESSED' ", texts(&list))
    };
    let of_topic = sender.topic.map_or_else(String::new, |topic| {
        let topic = query.bind(topic);
        format!(
            "WHEN EXISTS (SELECT 1 FROM topic_opt_out AS x WHERE x.contact_id = c.id AND x.mail_topic_id = {topic}) \
             THEN 'OPTED_OUT_OF_TOPIC' "
        )
    });
    let (capped, of_organisation) = caps(&mut query, sender);
    query.sql = format!(
        "WITH guarded (contact_id) AS ({guarded}), matched AS (\
           SELECT c.id, o.id AS organisation_id, LOWER(c.email) AS address, c.name, c.job_title, o.name AS organisation, CASE \
             WHEN c.state <> 'ACTIVE' THEN 'INACTIVE' \
             WHEN c.do_not_email THEN 'DO_NOT_EMAIL' \
             WHEN c.bulk_opted_out_at IS NOT NULL THEN 'OPTED_OUT' \
             {of_topic}WHEN c.on_hold_at IS NOT NULL THEN 'ON_HOLD' \
             WHEN c.id IN (SELECT contact_id FROM guarded) OR LOWER(c.email) IN (\
               SELECT LOWER(k.email) FROM guarded JOIN contact AS k ON k.id = guarded.contact_id WHERE k.email IS NOT NULL\
             ) THEN 'KEY_ACCOUNT_WITHOUT_AGREEMENT' \
             WHEN COALESCE(c.email, '') = '' THEN 'NO_ADDRESS' \
             WHEN c.email NOT LIKE '%_@_%._%' OR c.email LIKE '%@%@%' OR c.email LIKE '% %' THEN 'INVALID_ADDRESS' \
             {suppressed}{capped}END AS skip \
           FROM contact AS c JOIN organisation AS o ON o.id = c.organisation_id \
           WHERE o.state = 'APPROVED'{tagged}\
         ), once AS (\
           SELECT id, organisation_id, address, name, job_title, organisation, COALESCE(skip, CASE \
             WHEN ROW_NUMBER() OVER (PARTITION BY skip, address ORDER BY id) > 1 THEN 'DUPLICATE_ADDRESS' \
             END) AS reason \
           FROM matched\
         ){of_organisation} "
    );
    Ok(query)
}

/// The condition on an organisation `o` that it has the tags of an audience.
fn tagged(query: &mut Query, backend: DbBackend, audience: &Audience) -> Result<String> {
    let Dialect { ids, .. } = dialect(backend);
    let mut tagged = String::new();
    for (tags, wanted) in [
        (&audience.all_of, Wanted::All),
        (&audience.any_of, Wanted::One),
        (&audience.none_of, Wanted::None),
    ] {
        if tags.is_empty() {
            continue;
        }
        let mut tags = tags.clone();
        tags.sort_unstable();
        tags.dedup();
        let hex: Vec<String> = tags
            .iter()
            .map(|tag| tag.uuid().simple().to_string())
            .collect();
        let list = ids(&query.bind(serde_json::to_string(&hex)?));
        let count = match wanted {
            Wanted::All => format!("= {}", tags.len()),
            Wanted::One => ">= 1".to_owned(),
            Wanted::None => "= 0".to_owned(),
        };
        tagged += &format!(
            " AND (SELECT COUNT(*) FROM organisation_tag AS t WHERE t.organisation_id = o.id AND t.tag_id IN {list}) {count}"
        );
    }
    Ok(tagged)
}

/// How many contacts two audiences are both meant for.
pub(super) async fn in_common(
    db: &impl ConnectionTrait,
    one: &Audience,
    other: &Audience,
) -> Result<u64> {
    let backend = db.get_database_backend();
    let mut query = Query::default();
    let (one, other) = (
        tagged(&mut query, backend, one)?,
        tagged(&mut query, backend, other)?,
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
            "No contact of an approved organisation has these tags.".to_owned()
        } else {
            format!(
                "Nobody would get this mail: all {left_out} contacts with these tags are left out."
            )
        },
    )
}
