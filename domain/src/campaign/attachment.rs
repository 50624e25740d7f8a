//! Files that the mails of a campaign bring along: few, small, and of kinds that relays let through.

use std::collections::HashMap;

use entity::{
    campaign::{self, CampaignState},
    campaign_attachment::{self, Column, Entity, Model},
    ids::{CampaignAttachmentId, CampaignId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult,
    IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde_json::json;

use super::{draft::UPDATED, locked, wrong_state};
use crate::{
    change::stale,
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How many bytes the files of a campaign may have together. Each recipient gets all of them, and relays refuse large mails.
pub const MOST_BYTES: usize = 500_000;
/// How many files a campaign may have.
pub const MOST_FILES: usize = 3;
/// How long the name of a file may be, in characters.
const LONGEST_NAME: usize = 100;
/// What no name may have: it would be a path, or end the quotes that names stand in.
const NO_PART_OF_A_NAME: &[char] = &['/', '\\', '"', ':', '*', '?', '<', '>', '|'];

/// A kind of file that may be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    media_type: &'static str,
    /// What the file begins with.
    begins: &'static [u8],
    /// What its name may end with.
    endings: &'static [&'static str],
}

const KINDS: [Kind; 3] = [
    Kind {
        media_type: "application/pdf",
        begins: b"%PDF-",
        endings: &[".pdf"],
    },
    Kind {
        media_type: "image/png",
        begins: b"\x89PNG\r\n\x1a\n",
        endings: &[".png"],
    },
    Kind {
        media_type: "image/jpeg",
        begins: b"\xff\xd8\xff",
        endings: &[".jpg", ".jpeg"],
    },
];

impl Kind {
    /// The kind that this file is of, whatever it says it is.
    fn of(bytes: &[u8]) -> Option<Self> {
        KINDS
            .into_iter()
            .find(|kind| bytes.starts_with(kind.begins))
    }

    fn is_named(self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.endings.iter().any(|ending| name.ends_with(ending))
    }
}

/// A file to be attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A file that is attached, without what is in it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Attached {
    /// Its id.
    pub id: CampaignAttachmentId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// In bytes.
    pub size: i32,
    /// Who added it.
    pub added_by: UserId,
}

/// Attaches a file to a draft that is at `version`.
pub async fn attach(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    version: i32,
    file: File,
) -> Result<campaign::Model> {
    let campaign = draft_at(tx, viewer, id, version).await?;
    let there = of_campaigns(tx.conn(), &[id])
        .await?
        .remove(&id)
        .unwrap_or_default();
    let mut refusals = Refusals::default();
    let name = Text::line("name", LONGEST_NAME).required(&file.name, &mut refusals);
    refusals.add_if(
        name.contains(NO_PART_OF_A_NAME),
        RefusalCode::Invalid,
        "name",
        "A file is named without any of / \\ \" : * ? < > |.",
    );
    let kind = Kind::of(&file.bytes);
    refusals.add_if(
        kind.is_none(),
        RefusalCode::Invalid,
        "file",
        "This is no PDF, PNG or JPEG file. Others are held up by relays: put them on a page, and give its address in the text.",
    );
    if let Some(kind) = kind.filter(|kind| !kind.is_named(&name)) {
        let ending = kind.endings[0];
        let message = format!("The name of such a file ends with {ending}.");
        refusals.add(RefusalCode::Invalid, "name", message);
    }
    refusals.add_if(
        there.iter().any(|other| other.name == name),
        RefusalCode::Taken,
        "name",
        "A file of this name is attached already. Remove it first, or give this one another name.",
    );
    check_room(&there, 1, file.bytes.len(), "file", &mut refusals);
    refusals.into_result()?;
    let Some(kind) = kind else {
        return Err(Error::Fault("a file of no kind was let through".to_owned()));
    };
    let size = i32::try_from(file.bytes.len())
        .map_err(|_| Error::Fault("a file is larger than it may be".to_owned()))?;
    let added = campaign_attachment::ActiveModel {
        id: Set(CampaignAttachmentId::new_at(tx.now())),
        campaign_id: Set(id),
        name: Set(name.clone()),
        media_type: Set(kind.media_type.to_owned()),
        size: Set(size),
        bytes: Set(file.bytes),
        added_by: Set(viewer.signed_in()?.id),
        added_at: Set(tx.now()),
    };
    Entity::insert(added)
        .exec_without_returning(tx.conn())
        .await?;
    let changed = raised(tx, campaign).await?;
    let after = json!({ "version": changed.version, "attached": name, "bytes": size });
    tx.audit(viewer, UPDATED, id, None, Some(after)).await?;
    Ok(changed)
}

/// Takes a file off a draft that is at `version`.
pub async fn detach(
    tx: &mut Tx,
    viewer: &Viewer,
    attachment_id: CampaignAttachmentId,
    version: i32,
) -> Result<campaign::Model> {
    let missing = || Error::not_found("attachmentId", "attachment");
    let columns = || {
        listed()
            .filter(Column::Id.eq(attachment_id))
            .into_model::<Attached>()
    };
    let found = columns().one(tx.conn()).await?.ok_or_else(missing)?;
    let campaign = draft_at(tx, viewer, found.campaign_id, version).await?;
    // Read again behind the lock: somebody else may have been first.
    columns().one(tx.conn()).await?.ok_or_else(missing)?;
    Entity::delete_by_id(attachment_id).exec(tx.conn()).await?;
    let changed = raised(tx, campaign).await?;
    let before = json!({ "attached": found.name, "bytes": found.size });
    let after = json!({ "version": changed.version });
    tx.audit(viewer, UPDATED, changed.id, Some(before), Some(after))
        .await?;
    Ok(changed)
}

/// What is attached to campaigns, by campaign, the first first.
pub async fn of_campaigns(
    db: &impl ConnectionTrait,
    ids: &[CampaignId],
) -> Result<HashMap<CampaignId, Vec<Attached>>> {
    let found = listed()
        .filter(Column::CampaignId.is_in(ids.iter().copied()))
        .order_by_asc(Column::AddedAt)
        .order_by_asc(Column::Name)
        .into_model::<Attached>()
        .all(db)
        .await?;
    let mut attached: HashMap<_, Vec<_>> = HashMap::new();
    for one in found {
        attached.entry(one.campaign_id).or_default().push(one);
    }
    Ok(attached)
}

/// The files themselves, the first first.
pub async fn files(db: &impl ConnectionTrait, id: CampaignId) -> Result<Vec<Model>> {
    let found = Entity::find()
        .filter(Column::CampaignId.eq(id))
        .order_by_asc(Column::AddedAt)
        .order_by_asc(Column::Name);
    Ok(found.all(db).await?)
}

/// What is in these files, for whoever may see their campaigns.
pub async fn contents(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[CampaignAttachmentId],
) -> Result<HashMap<CampaignAttachmentId, Vec<u8>>> {
    let campaigns = super::visible(viewer)
        .select_only()
        .column(campaign::Column::Id)
        .into_query();
    let found = Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .filter(Column::CampaignId.in_subquery(campaigns))
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|file| (file.id, file.bytes))
        .collect())
}

/// Gives one draft the files of another campaign as well.
pub(super) async fn add_those_of(
    tx: &Tx,
    viewer: &Viewer,
    from: CampaignId,
    to: CampaignId,
) -> Result<()> {
    let there = of_campaigns(tx.conn(), &[to])
        .await?
        .remove(&to)
        .unwrap_or_default();
    let new: Vec<Model> = files(tx.conn(), from)
        .await?
        .into_iter()
        .filter(|file| there.iter().all(|other| other.name != file.name))
        .collect();
    let mut refusals = Refusals::default();
    let bytes = new.iter().map(|file| file.bytes.len()).sum();
    check_room(&there, new.len(), bytes, "fromCampaignId", &mut refusals);
    refusals.into_result()?;
    let added_by = viewer.signed_in()?.id;
    for file in new {
        let copy = Model {
            id: CampaignAttachmentId::new_at(tx.now()),
            campaign_id: to,
            added_by,
            added_at: tx.now(),
            ..file
        };
        Entity::insert(copy.into_active_model().reset_all())
            .exec_without_returning(tx.conn())
            .await?;
    }
    Ok(())
}

/// Everything but the bytes.
fn listed() -> sea_orm::Select<Entity> {
    Entity::find().select_only().columns([
        Column::Id,
        Column::CampaignId,
        Column::Name,
        Column::MediaType,
        Column::Size,
        Column::AddedBy,
    ])
}

fn check_room(
    there: &[Attached],
    more: usize,
    bytes: usize,
    field: &'static str,
    refusals: &mut Refusals,
) {
    if there.len() + more > MOST_FILES {
        let message = format!("A campaign has at most {MOST_FILES} files. Remove one first.");
        refusals.add(RefusalCode::Invalid, field, message);
    }
    let taken = there
        .iter()
        .map(|file| usize::try_from(file.size).unwrap_or_default());
    let together = taken.sum::<usize>() + bytes;
    if together > MOST_BYTES {
        let message = format!(
            "The files of a campaign have at most {} kB together, and these would have {} kB. Put large ones on a page, and \
             give its address in the text.",
            MOST_BYTES / 1_000,
            together.div_ceil(1_000)
        );
        refusals.add(RefusalCode::Invalid, field, message);
    }
}

/// The draft, locked, if it is one and at this version.
pub(super) async fn draft_at(
    tx: &Tx,
    viewer: &Viewer,
    id: CampaignId,
    version: i32,
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if campaign.state != CampaignState::Draft {
        return Err(wrong_state(&campaign, "changed"));
    }
    if campaign.version != version {
        return Err(stale(tx.conn(), UPDATED, id, version, campaign.version).await?);
    }
    Ok(campaign)
}

async fn raised(tx: &mut Tx, campaign: campaign::Model) -> Result<campaign::Model> {
    let (id, version) = (campaign.id, campaign.version);
    let mut row = campaign.into_active_model();
    row.refusal = Set(None);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let changed = row.update(tx.conn()).await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(changed)
}
