//! Files that the mails of a campaign bring along.

use async_graphql::{Context, InputObject, Object, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::campaign::{Attached, File};
use entity::ids::{CampaignAttachmentId, CampaignId};

use super::loaders::{AttachedTo, ContentsOf};
use crate::graphql::{
    file::decoded,
    id::Id,
    person::{self, Person},
    rows::rows,
};

/// A file that every mail of a campaign brings along.
#[derive(Clone, Debug)]
pub struct CampaignAttachment(Attached);

/// A file that every mail of a campaign brings along.
#[Object]
impl CampaignAttachment {
    /// Its id.
    async fn id(&self) -> Id<CampaignAttachmentId> {
        Id(self.0.id)
    }

    /// The name of the file, as recipients see it.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// Its media type: `application/pdf`, `image/png` or `image/jpeg`.
    async fn media_type(&self) -> Option<&str> {
        Some(&self.0.media_type)
    }

    /// In bytes.
    async fn size(&self) -> Option<i32> {
        Some(self.0.size)
    }

    /// Who added it.
    async fn added_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.added_by).await.transpose()
    }

    /// The file in base 64.
    async fn file(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        contents(ctx, self.0.id).await.transpose()
    }
}

/// A file to be attached to a draft.
#[derive(Debug, InputObject)]
pub struct AddCampaignAttachmentInput {
    /// The draft.
    pub(super) campaign_id: Id<CampaignId>,
    /// The version that was read.
    pub(super) version: i32,
    /// The name of the file, as recipients will see it: `programme.pdf`.
    pub(super) name: String,
    /// A PDF, PNG or JPEG file in base 64. A campaign has at most three, of 500 kB together.
    pub(super) file: String,
}

impl AddCampaignAttachmentInput {
    pub(super) fn into_file(self) -> domain::Result<File> {
        let bytes = decoded("file", &self.file)?;
        Ok(File {
            name: self.name,
            bytes,
        })
    }
}

/// A file to be taken off a draft.
#[derive(Debug, InputObject)]
pub struct RemoveCampaignAttachmentInput {
    /// The file.
    pub(super) attachment_id: Id<CampaignAttachmentId>,
    /// The version of its campaign that was read.
    pub(super) version: i32,
}

async fn contents(ctx: &Context<'_>, id: CampaignAttachmentId) -> Result<Option<String>> {
    let found = rows(ctx)?.load_one(ContentsOf(id)).await?;
    Ok(found.map(|bytes| STANDARD.encode(bytes)))
}

/// What a campaign's mails bring along.
pub(super) async fn attached(ctx: &Context<'_>, id: CampaignId) -> Result<Vec<CampaignAttachment>> {
    let found = rows(ctx)?.load_one(AttachedTo(id)).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(CampaignAttachment)
        .collect())
}
