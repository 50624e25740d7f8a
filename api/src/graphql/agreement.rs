//! Agreements: what operators agree to before they have access (policy 2.5 and 3).

use std::collections::HashMap;

use async_graphql::{Context, Enum, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::{
    Error, RefusalCode,
    agreement::{self as agreements, GRACE_DAYS, NewVersion, Of},
};
use entity::{
    agreement::{AgreementKind as Kind, Column, Model},
    agreement_acceptance, agreement_version,
    ids::{AgreementId, AgreementVersionId, UserId},
};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    rows::{LoadError, Rows, by_id, rows},
    store, viewer,
};

/// Queries about agreements.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgreementQuery;

/// Mutations about agreements.
#[derive(Clone, Copy, Debug, Default)]
pub struct AgreementMutation;

/// An agreement.
#[derive(Clone, Debug)]
pub struct Agreement(Model);

impl From<Model> for Agreement {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// A text that whoever is to have access agrees to: terms, data protection, guidance (policy 2.5 and 3).
#[Object]
impl Agreement {
    /// Its id.
    pub async fn id(&self) -> Id<AgreementId> {
        Id(self.0.id)
    }

    /// What it is about.
    async fn kind(&self) -> Option<AgreementKind> {
        Some(self.0.kind.into())
    }

    /// Its title.
    async fn title(&self) -> Option<&str> {
        Some(&self.0.title)
    }

    /// The version that is asked for now.
    async fn current_version(&self, ctx: &Context<'_>) -> Option<Result<AgreementVersion>> {
        let versions = versions_of(ctx, self.0.id).await;
        versions
            .map(|versions| versions.into_iter().next().map(AgreementVersion))
            .transpose()
    }

    /// Every version, the newest first.
    async fn versions(&self, ctx: &Context<'_>) -> Option<Result<Vec<AgreementVersion>>> {
        let versions = versions_of(ctx, self.0.id).await;
        Some(versions.map(|versions| versions.into_iter().map(AgreementVersion).collect()))
    }

    /// What the viewer accepted of it last; null when nothing.
    async fn viewer_acceptance(&self, ctx: &Context<'_>) -> Option<Result<AgreementAcceptance>> {
        let accepted = async {
            let Some(user_id) = viewer(ctx)?.user_id() else {
                return Ok(None);
            };
            let all = acceptances_of(ctx, user_id).await?;
            Ok(all
                .into_iter()
                .find(|(_, version)| version.agreement_id == self.0.id)
                .map(|(acceptance, version)| AgreementAcceptance {
                    acceptance,
                    version,
                }))
        };
        accepted.await.transpose()
    }
}

/// The agreement with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: AgreementId) -> Result<Option<Agreement>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Agreement))
}

/// Whether the viewer has accepted the version of an agreement that is asked for now.
pub(super) async fn is_accepted(ctx: &Context<'_>, id: AgreementId) -> Result<bool> {
    let current = versions_of(ctx, id).await?.into_iter().next();
    let (Some(user_id), Some(current)) = (viewer(ctx)?.user_id(), current) else {
        return Ok(false);
    };
    let accepted = acceptances_of(ctx, user_id).await?;
    Ok(accepted.iter().any(|(_, version)| version.id == current.id))
}

async fn versions_of(ctx: &Context<'_>, id: AgreementId) -> Result<Vec<agreement_version::Model>> {
    Ok(rows(ctx)?
        .load_one(VersionsOf(id))
        .await?
        .unwrap_or_default())
}

/// What somebody has accepted, the newest first.
pub(super) async fn acceptances_of(ctx: &Context<'_>, id: UserId) -> Result<Vec<Accepted>> {
    Ok(rows(ctx)?
        .load_one(AcceptancesOf(id))
        .await?
        .unwrap_or_default())
}

/// A version of an agreement.
#[derive(Clone, Debug)]
pub struct AgreementVersion(agreement_version::Model);

/// A version of an agreement. Its text never changes.
#[Object]
impl AgreementVersion {
    /// Its id, by which it is accepted.
    async fn id(&self) -> Option<Id<AgreementVersionId>> {
        Some(Id(self.0.id))
    }

    /// Its number, from 1.
    async fn number(&self) -> Option<i32> {
        Some(self.0.number)
    }

    /// The text.
    async fn text(&self) -> Option<&str> {
        Some(&self.0.text)
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.published_at)
    }

    /// For how many days after that the version before it is enough.
    async fn grace_days(&self) -> Option<i32> {
        Some(self.0.grace_days)
    }

    /// From when on nothing older is enough.
    async fn binding_from(&self) -> Option<DateTime<Utc>> {
        Some(self.0.binding_from)
    }
}

/// That somebody accepted a version.
#[derive(Clone, Debug)]
pub struct AgreementAcceptance {
    pub(super) acceptance: agreement_acceptance::Model,
    pub(super) version: agreement_version::Model,
}

/// That somebody accepted a version of an agreement.
#[Object]
impl AgreementAcceptance {
    /// The agreement.
    async fn agreement(&self, ctx: &Context<'_>) -> Option<Result<Agreement>> {
        find(ctx, self.version.agreement_id).await.transpose()
    }

    /// The version.
    async fn version(&self) -> Option<AgreementVersion> {
        Some(AgreementVersion(self.version.clone()))
    }

    /// When it was accepted.
    async fn accepted_at(&self) -> Option<DateTime<Utc>> {
        Some(self.acceptance.accepted_at)
    }
}

/// What an agreement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum AgreementKind {
    /// The terms on which operators work with the system.
    OperatorTerms,
    /// The handling of personal data.
    DataProtection,
    /// The guidance on writing to many employers at once.
    BulkEmailGuidance,
    /// Anything else.
    Other,
}

/// The versions of an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct VersionsOf(AgreementId);

/// What somebody has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AcceptancesOf(UserId);

/// An acceptance with its version.
pub(super) type Accepted = (agreement_acceptance::Model, agreement_version::Model);

by_id!(AgreementId => Model, visible |rows| agreements::visible(&rows.viewer), Column::Id);

impl Loader<VersionsOf> for Rows {
    type Value = Vec<agreement_version::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[VersionsOf],
    ) -> Result<HashMap<VersionsOf, Vec<agreement_version::Model>>, LoadError> {
        let ids: Vec<AgreementId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<VersionsOf, Vec<agreement_version::Model>> = HashMap::new();
        for row in agreements::versions_of(self.store.reader(), &ids).await? {
            found
                .entry(VersionsOf(row.agreement_id))
                .or_default()
                .push(row);
        }
        Ok(found)
    }
}

impl Loader<AcceptancesOf> for Rows {
    type Value = Vec<Accepted>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[AcceptancesOf],
    ) -> Result<HashMap<AcceptancesOf, Vec<Accepted>>, LoadError> {
        let people: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<AcceptancesOf, Vec<Accepted>> = HashMap::new();
        for row in agreements::acceptances_of(self.store.reader(), &people).await? {
            let key = AcceptancesOf(row.0.user_id);
            found.entry(key).or_default().push(row);
        }
        Ok(found)
    }
}

/// A version to be published: of an agreement that there is, or the first of a new one.
#[derive(Debug, InputObject)]
pub struct PublishAgreementInput {
    /// The agreement that there is. Without it a new one is made, of a kind and with a title.
    agreement_id: Option<Id<AgreementId>>,
    /// What a new agreement is about.
    kind: Option<AgreementKind>,
    /// The title of a new agreement.
    title: Option<String>,
    /// The text of the version.
    text: String,
    /// For how many days those who accepted the version before have time; 14 when left out.
    grace_days: Option<i32>,
}

impl PublishAgreementInput {
    fn read(self) -> domain::Result<NewVersion> {
        let of = match (self.agreement_id, self.kind, self.title) {
            (Some(id), None, None) => Of::Known(id.0),
            (None, Some(kind), Some(title)) => Of::New {
                kind: kind.into(),
                title,
            },
            _ => {
                return Err(Error::refused(
                    RefusalCode::Required,
                    "agreementId",
                    "Give an agreement, or a kind and a title for a new one.",
                ));
            }
        };
        Ok(NewVersion {
            of,
            text: self.text,
            grace_days: self.grace_days.unwrap_or(GRACE_DAYS),
        })
    }
}

/// The version that the viewer accepts.
#[derive(Debug, InputObject)]
pub struct AcceptAgreementInput {
    /// The version: `Agreement.currentVersion.id`, as it was read.
    agreement_version_id: Id<AgreementVersionId>,
}

payload! {
    /// What became of publishing a version.
    PublishAgreementPayload {
        /// The agreement.
        agreement: Agreement,
    }
}

payload! {
    /// What became of accepting an agreement.
    AcceptAgreementPayload {
        /// The agreement.
        agreement: Agreement,
    }
}

#[Object]
impl AgreementQuery {
    /// The agreements that operators accept, by title.
    async fn agreements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Agreement>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, &page).await)
    }
}

async fn list(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<Agreement>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "agreements",
        page,
        async |page| agreements::list(store.reader(), viewer, &page).await,
        |row: &Model| (row.title.clone(), row.id),
        Agreement,
        move || {
            let (store, viewer) = counted.clone();
            async move { agreements::count(store.reader(), &viewer).await }
        },
    )
    .await
}

#[Object]
impl AgreementMutation {
    /// Publishes a version of an agreement. Those whose access rests on it are asked again, with some days of grace.
    async fn publish_agreement(
        &self,
        ctx: &Context<'_>,
        input: PublishAgreementInput,
    ) -> Result<PublishAgreementPayload> {
        let mut tx = begin(ctx).await?;
        let published = match input.read() {
            Ok(new) => agreements::publish(&mut tx, viewer(ctx)?, new).await,
            Err(error) => Err(error),
        };
        PublishAgreementPayload::commit(tx, published).await
    }

    /// Accepts the current version of an agreement for oneself. It works twice without harm.
    async fn accept_agreement(
        &self,
        ctx: &Context<'_>,
        input: AcceptAgreementInput,
    ) -> Result<AcceptAgreementPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.agreement_version_id.0;
        let accepted = agreements::accept(&mut tx, viewer(ctx)?, id).await;
        AcceptAgreementPayload::commit(tx, accepted).await
    }
}
