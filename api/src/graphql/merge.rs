//! Merging records of the same organisation or person, and undoing it (policy 1: avoid duplication).

mod inputs;
mod loaders;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Refusal, RefusalCode,
    merge::{self as merges, Merged},
};
use entity::{
    ids::{ContactId, MergeId, OrganisationId},
    merge::{MergeKind as Kind, Model},
};
use uuid::Uuid;

pub use self::inputs::{
    ContactField, MergeContactsInput, MergeDecisionInput, MergeOrganisationsInput,
    OrganisationField, UndoMergeInput,
};
use self::loaders::MergesInto;
use super::{
    begin,
    contact::{self, Contact},
    errors::{Code, Payload, payload, refusal},
    id::Id,
    organisation::{self, Organisation},
    person::{self, Person},
    rows::rows,
    store, viewer,
};

/// Queries about merges.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergeQuery;

/// Mutations about merges.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergeMutation;

/// What was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum MergeKind {
    /// Two organisations.
    Organisation,
    /// Two contacts of one organisation.
    Contact,
}

/// A merge, and the id of the record that is left by now.
#[derive(Clone, Debug)]
pub struct Merge {
    row: Model,
    left: Uuid,
}

impl Merge {
    fn new(row: Model) -> Self {
        let left = row.survivor_id;
        Self { row, left }
    }
}

/// A merge: one record went into another.
#[Object]
impl Merge {
    /// Its id.
    async fn id(&self) -> Id<MergeId> {
        Id(self.row.id)
    }

    /// What was merged.
    async fn kind(&self) -> Option<MergeKind> {
        Some(self.row.kind.into())
    }

    /// The id of the record that went into the other. Nothing has it any more, unless the merge was undone.
    async fn merged_id(&self) -> Option<ID> {
        Some(written(self.row.kind, self.row.merged_id))
    }

    /// The name of the organisation that went into the other; null for a contact.
    async fn merged_name(&self) -> Option<&str> {
        self.row.merged_name.as_deref()
    }

    /// The organisation that is left by now; null when contacts were merged.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        match self.row.kind {
            Kind::Organisation => organisation::find(ctx, OrganisationId(self.left))
                .await
                .transpose(),
            Kind::Contact => None,
        }
    }

    /// The contact that is left by now; null when organisations were merged.
    async fn contact(&self, ctx: &Context<'_>) -> Option<Result<Contact>> {
        match self.row.kind {
            Kind::Contact => contact::find(ctx, ContactId(self.left)).await.transpose(),
            Kind::Organisation => None,
        }
    }

    /// When they were merged.
    async fn merged_at(&self) -> Option<DateTime<Utc>> {
        Some(self.row.merged_at)
    }

    /// Who merged them.
    async fn merged_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.row.merged_by?).await.transpose()
    }

    /// Until when it can be undone; null when it was.
    async fn can_be_undone_until(&self) -> Option<DateTime<Utc>> {
        let until = self.row.merged_at + merges::UNDONE_WITHIN;
        self.row.undone_at.is_none().then_some(until)
    }

    /// When it was undone; null when it wasn't.
    async fn undone_at(&self) -> Option<DateTime<Utc>> {
        self.row.undone_at
    }

    /// Who undid it.
    async fn undone_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.row.undone_by?).await.transpose()
    }
}

fn written(kind: Kind, id: Uuid) -> ID {
    match kind {
        Kind::Organisation => OrganisationId(id).to_string(),
        Kind::Contact => ContactId(id).to_string(),
    }
    .into()
}

/// The merges into an organisation, the latest first.
pub(super) async fn into_organisation(ctx: &Context<'_>, id: OrganisationId) -> Result<Vec<Merge>> {
    let key = MergesInto(Kind::Organisation, id.uuid());
    let found = rows(ctx)?.load_one(key).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(Merge::new)
        .collect())
}

/// The merges into a contact, the latest first.
pub(super) async fn into_contact(ctx: &Context<'_>, id: ContactId) -> Result<Vec<Merge>> {
    let key = MergesInto(Kind::Contact, id.uuid());
    let found = rows(ctx)?.load_one(key).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(Merge::new)
        .collect())
}

/// What became of the rows of one table.
#[derive(Clone, Debug, SimpleObject)]
pub struct MergedRows {
    /// What they are: `contact`, `note`, `organisation_tag`.
    table: Option<String>,
    /// How many belong to the record that is left; after undoing, how many belong to the other again.
    moved: Option<i64>,
    /// How many went, because the record that is left has the same; after undoing, how many came back.
    taken_out: Option<i64>,
}

impl From<merges::MergedRows> for MergedRows {
    fn from(rows: merges::MergedRows) -> Self {
        let number = |count: u64| Some(i64::try_from(count).unwrap_or(i64::MAX));
        Self {
            table: Some(rows.table.to_owned()),
            moved: number(rows.moved),
            taken_out: number(rows.taken_out),
        }
    }
}

/// A value in which the two records differ.
#[derive(Clone, Debug, SimpleObject)]
pub struct MergedValue {
    /// The field.
    field: Option<String>,
    /// What the record that is left had.
    survivor: Option<String>,
    /// What the other one had.
    merged: Option<String>,
    /// What is kept.
    kept: Option<String>,
}

impl From<merges::MergedValue> for MergedValue {
    fn from(value: merges::MergedValue) -> Self {
        Self {
            field: Some(value.field),
            survivor: value.survivor,
            merged: value.merged,
            kept: value.kept,
        }
    }
}

/// What a merge did, or would do.
#[derive(Clone, Debug, SimpleObject)]
pub struct MergeOutcome {
    /// The merge; null for a dry run.
    merge: Option<Merge>,
    /// What became of the rows that pointed at the record that went into the other.
    rows: Option<Vec<MergedRows>>,
    /// The values in which the two differ, and which one is kept.
    values: Option<Vec<MergedValue>>,
    /// What somebody should know, in sentences.
    notes: Option<Vec<String>>,
}

/// Something that was changed since the merge, and that undoing it would change as well.
#[derive(Clone, Debug, SimpleObject)]
pub struct MergeConflict {
    /// What it is called in a decision.
    key: Option<String>,
    /// What it is, in a sentence.
    message: Option<String>,
    /// What it was before the merge.
    before: Option<String>,
    /// What the merge made of it.
    merged: Option<String>,
    /// What it is now.
    now: Option<String>,
    /// Whether it can be as it was before.
    can_be_restored: Option<bool>,
    /// What was decided: true to restore it, false to leave it as it is now; null when it has to be decided.
    decision: Option<bool>,
}

impl From<merges::Conflict> for MergeConflict {
    fn from(conflict: merges::Conflict) -> Self {
        Self {
            key: Some(conflict.key),
            message: Some(conflict.message),
            before: conflict.before,
            merged: conflict.merged,
            now: conflict.now,
            can_be_restored: Some(conflict.can_be_restored),
            decision: conflict.decision,
        }
    }
}

/// What undoing a merge did, or would do.
#[derive(Clone, Debug, SimpleObject)]
pub struct UndoOutcome {
    /// The merge.
    merge: Option<Merge>,
    /// What became of the rows: moved back, or put back.
    rows: Option<Vec<MergedRows>>,
    /// What was changed since the merge and has to be decided.
    conflicts: Option<Vec<MergeConflict>>,
    /// Whether it is undone now: never after a dry run, nor while something has to be decided.
    is_undone: Option<bool>,
}

payload! {
    /// What became of merging two organisations.
    MergeOrganisationsPayload {
        /// What was done, or would be done.
        outcome: MergeOutcome,
    }
}

payload! {
    /// What became of merging two contacts.
    MergeContactsPayload {
        /// What was done, or would be done.
        outcome: MergeOutcome,
    }
}

payload! {
    /// What became of undoing a merge. With conflicts to be decided there are both: what they are, and the refusal.
    UndoMergePayload {
        /// What was done, or would be done.
        outcome: UndoOutcome,
    }
}

#[Object]
impl MergeQuery {
    /// The merge that took the record with this id away, and through it the record that is left by now: for old links. Null
    /// when nothing was merged.
    async fn merge_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of an organisation or of a contact.")] id: ID,
    ) -> Option<Result<Merge>> {
        merge_of(ctx, &id).await.transpose()
    }
}

async fn merge_of(ctx: &Context<'_>, id: &str) -> Result<Option<Merge>> {
    let bad = |error: entity::ids::IdError| refusal(Code::BadUserInput, error.to_string());
    let (kind, id) = if id.starts_with("con_") {
        let id: ContactId = id.parse().map_err(bad)?;
        (Kind::Contact, id.uuid())
    } else {
        let id: OrganisationId = id.parse().map_err(bad)?;
        (Kind::Organisation, id.uuid())
    };
    let found = merges::trace(store(ctx)?.reader(), viewer(ctx)?, kind, id).await?;
    Ok(found.map(|(row, left)| Merge { row, left }))
}

/// Commits what was done, unless it is a dry run.
async fn settle(
    tx: domain::Tx,
    merged: domain::Result<Merged>,
    is_dry_run: bool,
) -> Result<domain::Result<MergeOutcome>> {
    let merged = match merged {
        Ok(merged) => merged,
        Err(error) => return Ok(Err(error)),
    };
    if !is_dry_run {
        tx.commit().await?;
    }
    Ok(Ok(MergeOutcome {
        merge: (!is_dry_run).then(|| Merge::new(merged.merge)),
        rows: Some(merged.rows.into_iter().map(Into::into).collect()),
        values: Some(merged.values.into_iter().map(Into::into).collect()),
        notes: Some(merged.notes),
    }))
}

#[Object]
impl MergeMutation {
    /// Merges two organisations: everything that belongs to one belongs to the other afterwards. It can be undone for 30
    /// days. A dry run shows what would move and which values would be kept.
    async fn merge_organisations(
        &self,
        ctx: &Context<'_>,
        input: MergeOrganisationsInput,
    ) -> Result<MergeOrganisationsPayload> {
        let mut tx = begin(ctx).await?;
        let is_dry_run = input.dry_run;
        let merged = merges::organisations(&mut tx, viewer(ctx)?, &input.into()).await;
        MergeOrganisationsPayload::of(settle(tx, merged, is_dry_run).await?)
    }

    /// Merges two contacts of one organisation, likewise.
    async fn merge_contacts(
        &self,
        ctx: &Context<'_>,
        input: MergeContactsInput,
    ) -> Result<MergeContactsPayload> {
        let mut tx = begin(ctx).await?;
        let is_dry_run = input.dry_run;
        let merged = merges::contacts(&mut tx, viewer(ctx)?, &input.into()).await;
        MergeContactsPayload::of(settle(tx, merged, is_dry_run).await?)
    }

    /// Undoes a merge whole. What was changed since then stays; where that stands in the way, it is shown as a conflict, and
    /// nothing is done until each is decided.
    async fn undo_merge(
        &self,
        ctx: &Context<'_>,
        input: UndoMergeInput,
    ) -> Result<UndoMergePayload> {
        let mut tx = begin(ctx).await?;
        let (id, is_dry_run) = (input.merge_id.0, input.dry_run);
        let undone = merges::undo(&mut tx, viewer(ctx)?, id, &input.into_decisions()).await;
        let undone = match undone {
            Ok(undone) => undone,
            Err(error) => return UndoMergePayload::of::<UndoOutcome>(Err(error)),
        };
        let is_undone = undone.is_done && !is_dry_run;
        if is_undone {
            tx.commit().await?;
        }
        let mut user_errors = Vec::new();
        if !undone.is_done && !is_dry_run {
            user_errors.push(
                Refusal {
                    code: RefusalCode::Undecided,
                    field: Some("decisions"),
                    message: "Some of it has been changed since the merge: decide for each conflict whether it is restored."
                        .to_owned(),
                }
                .into(),
            );
        }
        let outcome = UndoOutcome {
            merge: Some(Merge::new(undone.merge)),
            rows: Some(undone.rows.into_iter().map(Into::into).collect()),
            conflicts: Some(undone.conflicts.into_iter().map(Into::into).collect()),
            is_undone: Some(is_undone),
        };
        Ok(UndoMergePayload::with(Some(outcome), user_errors))
    }
}
