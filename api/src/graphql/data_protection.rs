//! What people may ask for of what is kept of them: a copy of it, and that it goes (policy 3).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::data_protection::{self, Erased, Outcome, Run};
use entity::{
    ids::{ContactId, SubjectAccessId, TypedId, UserId},
    subject_access,
};

use super::{
    begin,
    errors::{Code, Payload, payload, refusal},
    id::Id,
    viewer,
};

/// Mutations of what is kept of people.
#[derive(Clone, Copy, Debug, Default)]
pub struct DataProtectionMutation;

/// Who is to be erased, and why.
#[derive(Debug, InputObject)]
pub struct ErasePersonInput {
    /// Their account, or the contact that they are. Accounts and contacts with the same address are one person.
    person_id: ID,
    /// Who asked for it, and when; the audit log keeps it.
    reason: String,
    /// Only tell what would go and what would stay.
    #[graphql(default)]
    dry_run: bool,
}

/// Whose copy is wanted.
#[derive(Debug, InputObject)]
pub struct RequestSubjectAccessExportInput {
    /// An account or a contact; left out, the viewer. Only administrators ask for others.
    person_id: Option<ID>,
}

/// What went of a person, and what stays without them.
#[derive(Debug, SimpleObject)]
pub struct Erasure {
    /// Whether nothing was changed, because it was only asked.
    is_dry_run: Option<bool>,
    /// What went or would go, table by table.
    changes: Option<Vec<ErasureChange>>,
}

/// Rows of one table that were about a person, or named them.
#[derive(Debug, SimpleObject)]
pub struct ErasureChange {
    /// The table.
    table: Option<&'static str>,
    /// The column, where words named them: a human should read what else these say of them.
    column: Option<&'static str>,
    /// How many rows.
    rows: Option<u64>,
    /// What becomes of them.
    outcome: Option<ErasureOutcome>,
    /// Why the rows stay, when they do.
    kept_because: Option<&'static str>,
}

impl From<Erased> for ErasureChange {
    fn from(erased: Erased) -> Self {
        Self {
            table: Some(erased.table),
            column: erased.column,
            rows: Some(erased.rows),
            outcome: Some(erased.outcome.into()),
            kept_because: erased.kept_because,
        }
    }
}

/// What becomes of rows that are about somebody who is erased, or name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Outcome")]
pub enum ErasureOutcome {
    /// They go.
    Deleted,
    /// They stay, without the person.
    Emptied,
    /// Names, addresses and telephone numbers are taken out of their words.
    TakenOutOfWords,
}

/// A copy of everything that is kept of a person, which is being made for them.
#[derive(Debug)]
pub struct SubjectAccessExport(subject_access::Model);

impl From<subject_access::Model> for SubjectAccessExport {
    fn from(model: subject_access::Model) -> Self {
        Self(model)
    }
}

/// A copy of everything that is kept of a person, which is being made for them. They are told by mail where it is.
#[Object]
impl SubjectAccessExport {
    /// Its id, as the audit log has it.
    async fn id(&self) -> Id<SubjectAccessId> {
        Id(self.0.id)
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime<Utc> {
        self.0.requested_at
    }

    /// When it is deleted, at the earliest.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }
}

payload! {
    /// What became of erasing a person.
    ErasePersonPayload {
        /// What went.
        erasure: Erasure,
    }
}

payload! {
    /// What became of asking for a copy.
    RequestSubjectAccessExportPayload {
        /// The copy, which is being made.
        export: SubjectAccessExport,
    }
}

/// The id of an account or of a contact.
fn person_id(given: &ID) -> Result<&str> {
    let parsed = if given.starts_with(ContactId::PREFIX) {
        given.parse::<ContactId>().map(|_| ())
    } else {
        given.parse::<UserId>().map(|_| ())
    };
    parsed.map_err(|error| refusal(Code::BadUserInput, error.to_string()))?;
    Ok(given)
}

#[Object]
impl DataProtectionMutation {
    /// Takes a person out of everything that is kept: rows that are about them go, or stay without them where others need
    /// them; their names, addresses and telephone numbers are taken out of words; their addresses get no mail. It can't be
    /// undone: ask with `dryRun` first.
    async fn erase_person(
        &self,
        ctx: &Context<'_>,
        input: ErasePersonInput,
    ) -> Result<ErasePersonPayload> {
        let person = person_id(&input.person_id)?;
        let run = if input.dry_run { Run::Dry } else { Run::Real };
        let mut tx = begin(ctx).await?;
        let erased =
            data_protection::erase(&mut tx, viewer(ctx)?, person, &input.reason, run).await;
        let erasure = erased.map(|changes| Erasure {
            is_dry_run: Some(input.dry_run),
            changes: Some(changes.into_iter().map(Into::into).collect()),
        });
        match run {
            Run::Real => ErasePersonPayload::commit(tx, erasure).await,
            Run::Dry => ErasePersonPayload::of(erasure),
        }
    }

    /// Has a copy made of everything that is kept of a person. When it is ready, they are sent a mail with a link to it, which
    /// works for a week.
    async fn request_subject_access_export(
        &self,
        ctx: &Context<'_>,
        input: RequestSubjectAccessExportInput,
    ) -> Result<RequestSubjectAccessExportPayload> {
        let person = input.person_id.as_ref().map(person_id).transpose()?;
        let mut tx = begin(ctx).await?;
        let requested = data_protection::request_copy(&mut tx, viewer(ctx)?, person).await;
        RequestSubjectAccessExportPayload::commit(tx, requested).await
    }
}
