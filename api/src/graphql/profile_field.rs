//! Fields of an organisation's profile that administrators define, and what they are for an organisation.

use std::collections::HashMap;

use async_graphql::{
    Context, Enum, InputObject, MaybeUndefined, Object, Result, SimpleObject, dataloader::Loader,
};
use chrono::{DateTime, Utc};
use domain::profile_field::{self as fields, Definition, Given};
use entity::{
    ids::{OrganisationId, ProfileFieldId},
    list::SoughtField,
    profile_field::{Column, Model, ProfileFieldAudience as Audience, ProfileFieldKind as Kind},
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    begin,
    errors::{Payload, payload},
    id::Id,
    rows::{LoadError, Rows, rows},
    store, viewer,
};

/// Queries about the fields of profiles.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProfileFieldQuery;

/// Mutations about the fields of profiles.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProfileFieldMutation;

/// A field.
#[derive(Clone, Debug)]
pub struct ProfileField(pub Model);

impl From<Model> for ProfileField {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// The field with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: ProfileFieldId) -> Result<Option<ProfileField>> {
    Ok(rows(ctx)?.load_one(id).await?.map(ProfileField))
}

impl Loader<ProfileFieldId> for Rows {
    type Value = Model;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[ProfileFieldId],
    ) -> Result<HashMap<ProfileFieldId, Model>, LoadError> {
        let found = fields::visible(&self.viewer)
            .filter(Column::Id.is_in(ids.iter().copied()))
            .all(self.store.reader())
            .await
            .map_err(domain::Error::from)?;
        Ok(found.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The fields of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FieldsOf(OrganisationId);

impl Loader<FieldsOf> for Rows {
    type Value = Vec<(Model, String)>;
    type Error = LoadError;

    async fn load(&self, keys: &[FieldsOf]) -> Result<HashMap<FieldsOf, Self::Value>, LoadError> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = fields::of_organisations(self.store.reader(), &self.viewer, &ids).await?;
        let mut all: HashMap<FieldsOf, Self::Value> = HashMap::new();
        for (id, field, value) in found {
            all.entry(FieldsOf(id)).or_default().push((field, value));
        }
        Ok(all)
    }
}

/// What is said of an organisation in these fields.
pub(super) async fn values_of(
    ctx: &Context<'_>,
    id: OrganisationId,
) -> Result<Vec<ProfileFieldValue>> {
    let found = rows(ctx)?.load_one(FieldsOf(id)).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(|(field, value)| ProfileFieldValue {
            name: field.name.clone(),
            value,
            field: ProfileField(field),
        })
        .collect())
}

/// What one field is for an organisation.
#[derive(Clone, Debug, SimpleObject)]
pub struct ProfileFieldValue {
    /// The field.
    field: ProfileField,
    /// What it is called.
    name: String,
    /// The value: a number without separators, a day as `2026-11-28`.
    value: String,
}

/// A field of an organisation's profile that administrators defined.
#[Object]
impl ProfileField {
    /// Its id.
    pub async fn id(&self) -> Id<ProfileFieldId> {
        Id(self.0.id)
    }

    /// What it is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What belongs there, for whoever fills it in.
    async fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// What is kept in it.
    async fn kind(&self) -> ProfileFieldKind {
        self.0.kind.into()
    }

    /// What can be chosen, in a field of the kind CHOICE.
    async fn choices(&self) -> &[String] {
        &self.0.choices.0
    }

    /// Who sees it, of an organisation that they may see.
    async fn visible_to(&self) -> Option<ProfileFieldAudience> {
        Some(self.0.visible_to.into())
    }

    /// Whether an organisation that is added must have it, and can't be without it later.
    async fn is_required(&self) -> Option<bool> {
        Some(self.0.is_required)
    }

    /// Whether employers say it of their own organisation.
    async fn set_by_employers(&self) -> Option<bool> {
        Some(self.0.set_by_employers)
    }

    /// Fields are shown by this, the lowest first.
    async fn position(&self) -> Option<i32> {
        Some(self.0.position)
    }

    /// When it was taken out of use; null while it is in use.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// Raised at every change; `updateProfileField` asks for it.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }
}

/// What is kept in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum ProfileFieldKind {
    /// One line of text, at most 1,000 characters.
    Text,
    /// A number.
    Number,
    /// One of a list.
    Choice,
    /// A day.
    Date,
}

/// Who sees a field, of an organisation that they may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Audience")]
pub enum ProfileFieldAudience {
    /// Staff.
    Staff,
    /// Staff, and whoever signs in for the organisation.
    Employer,
    /// Everybody who sees the organisation.
    Everyone,
}

/// What is said of a field.
#[derive(Clone, Debug, InputObject)]
pub struct ProfileFieldValueInput {
    /// The field.
    profile_field_id: Id<ProfileFieldId>,
    /// The value; null empties it.
    value: Option<String>,
}

impl From<ProfileFieldValueInput> for Given {
    fn from(input: ProfileFieldValueInput) -> Self {
        Self {
            profile_field_id: input.profile_field_id.0,
            value: input.value,
        }
    }
}

/// What one of the fields is to be for organisations in a list.
#[derive(Clone, Debug, InputObject)]
pub struct ProfileFieldFilter {
    /// The field.
    profile_field_id: Id<ProfileFieldId>,
    /// The value, in any spelling that the field takes; left out, it is any.
    value: Option<String>,
    /// The least number, or the first day, that it may be. Fields of texts and choices have none.
    at_least: Option<String>,
    /// The greatest number, or the last day, that it may be.
    at_most: Option<String>,
}

impl From<ProfileFieldFilter> for SoughtField {
    fn from(input: ProfileFieldFilter) -> Self {
        Self {
            profile_field_id: input.profile_field_id.0,
            value: input.value,
            at_least: input.at_least,
            at_most: input.at_most,
        }
    }
}

/// What a field is to be for the organisations of a segment.
#[derive(Clone, Debug, SimpleObject)]
pub struct SoughtProfileField {
    /// The field; null when it is out of use, in which case nobody is in the segment.
    field: Option<ProfileField>,
    /// The value; null is any.
    value: Option<String>,
    /// The least number, or the first day, that it may be.
    at_least: Option<String>,
    /// The greatest number, or the last day, that it may be.
    at_most: Option<String>,
}

/// What a segment asks of fields.
pub(super) async fn sought(
    ctx: &Context<'_>,
    all: &[SoughtField],
) -> Result<Vec<SoughtProfileField>> {
    let ids = all.iter().map(|one| one.profile_field_id);
    let found = rows(ctx)?.load_many(ids).await?;
    Ok(all
        .iter()
        .map(|one| SoughtProfileField {
            field: found.get(&one.profile_field_id).cloned().map(ProfileField),
            value: one.value.clone(),
            at_least: one.at_least.clone(),
            at_most: one.at_most.clone(),
        })
        .collect())
}

/// A field to be added.
#[derive(Debug, InputObject)]
pub struct CreateProfileFieldInput {
    /// What it is called, at most 80 characters; no other field has this name.
    name: String,
    /// What belongs there.
    help: Option<String>,
    /// What is kept in it.
    kind: ProfileFieldKind,
    /// What can be chosen, at most 50, in a field of the kind CHOICE.
    #[graphql(default)]
    choices: Vec<String>,
    /// Who sees it.
    #[graphql(default_with = "ProfileFieldAudience::Staff")]
    visible_to: ProfileFieldAudience,
    /// Whether an organisation that is added must have it, and can't be without it later.
    #[graphql(default)]
    is_required: bool,
    /// Whether employers say it of their own organisation.
    #[graphql(default)]
    set_by_employers: bool,
    /// Fields are shown by this, the lowest first.
    #[graphql(default)]
    position: i32,
}

impl From<CreateProfileFieldInput> for Definition {
    fn from(input: CreateProfileFieldInput) -> Self {
        Self {
            name: input.name,
            help: input.help,
            kind: input.kind.into(),
            choices: input.choices,
            visible_to: input.visible_to.into(),
            is_required: input.is_required,
            set_by_employers: input.set_by_employers,
            position: input.position,
        }
    }
}

/// A change of a field. What is not given stays as it is.
#[derive(Debug, InputObject)]
pub struct UpdateProfileFieldInput {
    /// The field.
    profile_field_id: Id<ProfileFieldId>,
    /// The version that was read: when another change came first, this one is refused.
    version: i32,
    /// What it is called.
    name: Option<String>,
    /// What belongs there.
    help: MaybeUndefined<String>,
    /// What is kept in it; it changes only while no organisation has a value.
    kind: Option<ProfileFieldKind>,
    /// What can be chosen; a choice goes only when no organisation has it.
    choices: Option<Vec<String>>,
    /// Who sees it.
    visible_to: Option<ProfileFieldAudience>,
    /// Whether an organisation that is added must have it, and can't be without it later.
    is_required: Option<bool>,
    /// Whether employers say it of their own organisation.
    set_by_employers: Option<bool>,
    /// Fields are shown by this, the lowest first.
    position: Option<i32>,
}

impl UpdateProfileFieldInput {
    fn apply(self, definition: &mut Definition) {
        if let Some(name) = self.name {
            definition.name = name;
        }
        self.help.update_to(&mut definition.help);
        if let Some(kind) = self.kind {
            definition.kind = kind.into();
        }
        if let Some(choices) = self.choices {
            definition.choices = choices;
        }
        if let Some(audience) = self.visible_to {
            definition.visible_to = audience.into();
        }
        if let Some(required) = self.is_required {
            definition.is_required = required;
        }
        if let Some(set) = self.set_by_employers {
            definition.set_by_employers = set;
        }
        if let Some(position) = self.position {
            definition.position = position;
        }
    }
}

/// A field to be taken out of use, or back into it.
#[derive(Debug, InputObject)]
pub struct ArchiveProfileFieldInput {
    /// The field.
    profile_field_id: Id<ProfileFieldId>,
    /// False takes it back into use.
    #[graphql(default = true)]
    archived: bool,
}

payload! {
    /// What became of a new field.
    CreateProfileFieldPayload {
        /// The field.
        profile_field: ProfileField,
    }
}

payload! {
    /// What became of changing a field.
    UpdateProfileFieldPayload {
        /// The field as it is now.
        profile_field: ProfileField,
    }
}

payload! {
    /// What became of taking a field out of use.
    ArchiveProfileFieldPayload {
        /// The field as it is now.
        profile_field: ProfileField,
    }
}

#[Object]
impl ProfileFieldQuery {
    /// The fields that administrators defined and the viewer may see, in the order in which they are shown: at most 50 are in
    /// use.
    async fn profile_fields(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Whether those that are out of use are listed too; administrators alone have them.",
            default = false
        )]
        archived: bool,
    ) -> Option<Result<Vec<ProfileField>>> {
        Some(list(ctx, archived).await)
    }
}

async fn list(ctx: &Context<'_>, archived: bool) -> Result<Vec<ProfileField>> {
    let found = fields::list(store(ctx)?.reader(), viewer(ctx)?, archived).await?;
    Ok(found.into_iter().map(ProfileField).collect())
}

#[Object]
impl ProfileFieldMutation {
    /// Adds a field that organisations have from now on. For administrators.
    async fn create_profile_field(
        &self,
        ctx: &Context<'_>,
        input: CreateProfileFieldInput,
    ) -> Result<CreateProfileFieldPayload> {
        let mut tx = begin(ctx).await?;
        let created = fields::create(&mut tx, viewer(ctx)?, input.into()).await;
        CreateProfileFieldPayload::commit(tx, created).await
    }

    /// Changes a field. What organisations have in it stays good. For administrators.
    async fn update_profile_field(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileFieldInput,
    ) -> Result<UpdateProfileFieldPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.profile_field_id.0, input.version);
        let edit = |definition: &mut Definition| input.apply(definition);
        let updated = fields::update(&mut tx, viewer(ctx)?, id, version, edit).await;
        UpdateProfileFieldPayload::commit(tx, updated).await
    }

    /// Takes a field out of use, or back into it. What organisations have in it is kept, and shown to nobody meanwhile. For
    /// administrators.
    async fn archive_profile_field(
        &self,
        ctx: &Context<'_>,
        input: ArchiveProfileFieldInput,
    ) -> Result<ArchiveProfileFieldPayload> {
        let mut tx = begin(ctx).await?;
        let (id, archived) = (input.profile_field_id.0, input.archived);
        let archived = fields::archive(&mut tx, viewer(ctx)?, id, archived).await;
        ArchiveProfileFieldPayload::commit(tx, archived).await
    }
}
