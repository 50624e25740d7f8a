//! The statement that decides whom a campaign reaches.

use entity::organisation;
use sea_orm::{DbBackend, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::{Meant, Sender};
use crate::{
    error::Result,
    key_account::guard::{guarded, operator},
    statement::Query,
};

/// What the two databases say differently.
pub(super) struct Dialect {
    /// Opens a list of ids, given in hexadecimal as a JSON array; the parameter stands at `{}`.
    ids: fn(&str) -> String,
    /// Opens a list of texts, given as a JSON array.
    texts: fn(&str) -> String,
    pub count_in_hex: &'static str,
    pub hex_to_id: &'static str,
    pub domain: &'static str,
    pub fields: &'static str,
}

pub(super) fn dialect(backend: DbBackend) -> Dialect {
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
pub(super) fn matched(
    backend: DbBackend,
    who: &Meant,
    sender: Sender,
    suppressed: &[String],
) -> Result<Query> {
    let Dialect { texts, .. } = dialect(backend);
    let mut query = Query::default();
    let guarded = query.embed(backend, &guarded(&operator(sender.user_id), sender.now));
    let meant = meant(&mut query, backend, who)?;
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
           WHERE o.state = 'APPROVED'{meant}\
         ), once AS (\
           SELECT id, organisation_id, address, name, job_title, organisation, COALESCE(skip, CASE \
             WHEN ROW_NUMBER() OVER (PARTITION BY skip, address ORDER BY id) > 1 THEN 'DUPLICATE_ADDRESS' \
             END) AS reason \
           FROM matched\
         ){of_organisation} "
    );
    Ok(query)
}

/// The condition on a contact `c` of an organisation `o` that the organisation is in the segment of an audience and has its tags,
/// and that the contact is of one of its subscriber types.
pub(super) fn meant(query: &mut Query, backend: DbBackend, who: &Meant) -> Result<String> {
    let Dialect { ids, texts, .. } = dialect(backend);
    let mut meant = String::new();
    if let Some(filter) = who.filter() {
        let inside = organisation::Entity::find()
            .select_only()
            .column(organisation::Column::Id)
            .filter(filter.condition(backend))
            .into_query();
        meant += &format!(" AND o.id IN ({})", query.embed(backend, &inside));
    }
    let audience = who.audience();
    if !audience.subscriber_types.is_empty() {
        let list = query.bind(serde_json::to_string(&audience.subscriber_types)?);
        meant += &format!(" AND c.subscriber_type IN {}", texts(&list));
    }
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
        meant += &format!(
            " AND (SELECT COUNT(*) FROM organisation_tag AS t WHERE t.organisation_id = o.id AND t.tag_id IN {list}) {count}"
        );
    }
    Ok(meant)
}
