//! Fields of an organisation's profile that administrators define: what no other organisation of the campus records is
//! recorded here without anybody writing a program (policy 1: profiles are customised).

mod seeking;
mod values;

use entity::{
    ids::ProfileFieldId,
    list::TextList,
    organisation_field,
    profile_field::{self, Model, ProfileFieldAudience as Audience, ProfileFieldKind as Kind},
    user::UserKind,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde::Serialize;
use serde_json::json;

pub(crate) use self::seeking::{having, sought_by};
pub use self::values::{Given, of_organisations};
pub(crate) use self::values::{Said, checked, compared, in_order, judged, say, say_of_new, shared};
use crate::{
    change::{self, Change},
    error::{Error, RefusalCode, Refusals, Result},
    organisation::nothing,
    store::Tx,
    text::Text,
    venue::key,
    viewer::Viewer,
};

/// What the audit log calls a change.
const UPDATED: &str = "profile_field.update";
/// How many fields are in use at most.
pub const MOST_FIELDS: u64 = 50;
/// How many choices a field has at most.
const MOST_CHOICES: usize = 50;
/// The greatest position.
const LAST_POSITION: i32 = 1_000;

/// Which fields exist for `viewer`. Those that are out of use exist for administrators alone, who can take them back.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    let seen: &[Audience] = match viewer.kind() {
        _ if viewer.is_staff() => &[Audience::Staff, Audience::Employer, Audience::Everyone],
        Some(UserKind::Employer) => &[Audience::Employer, Audience::Everyone],
        _ => &[Audience::Everyone],
    };
    let all = Condition::all().add(profile_field::Column::VisibleTo.is_in(seen.iter().copied()));
    if viewer.is_administrator() {
        return all;
    }
    all.add(profile_field::Column::ArchivedAt.is_null())
}

/// The fields that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<profile_field::Entity> {
    profile_field::Entity::find().filter(visible_to(viewer))
}

/// The fields that exist for `viewer`, in the order in which they are shown.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    archived: bool,
) -> Result<Vec<Model>> {
    let mut query = visible(viewer);
    if !archived {
        query = query.filter(profile_field::Column::ArchivedAt.is_null());
    }
    Ok(query
        .order_by_asc(profile_field::Column::Position)
        .order_by_asc(profile_field::Column::NameKey)
        .all(db)
        .await?)
}

/// What administrators say of a field. The names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// What it is called.
    pub name: String,
    /// What belongs there.
    pub help: Option<String>,
    /// What is kept in it.
    pub kind: Kind,
    /// What can be chosen.
    pub choices: Vec<String>,
    /// Who sees it.
    pub visible_to: Audience,
    /// Whether an organisation can't be without it once it is asked for.
    pub is_required: bool,
    /// Whether employers say it of their own organisation.
    pub set_by_employers: bool,
    /// Fields are shown by this, the lowest first.
    pub position: i32,
}

impl Definition {
    fn of(row: &Model) -> Self {
        Self {
            name: row.name.clone(),
            help: row.help.clone(),
            kind: row.kind,
            choices: row.choices.0.clone(),
            visible_to: row.visible_to,
            is_required: row.is_required,
            set_by_employers: row.set_by_employers,
            position: row.position,
        }
    }

    fn checked(self, refusals: &mut Refusals) -> Self {
        let name = Text::line("name", 80).required(&self.name, refusals);
        refusals.add_if(
            !name.is_empty() && key(&name).is_empty(),
            RefusalCode::Invalid,
            "name",
            "A name has letters or numbers in it.",
        );
        let mut choices: Vec<String> = Vec::new();
        for given in &self.choices {
            if let Some(choice) = Text::line("choices", 100).optional(Some(given), refusals)
                && !choices.contains(&choice)
            {
                choices.push(choice);
            }
        }
        refusals.add_if(
            choices.len() > MOST_CHOICES,
            RefusalCode::TooLong,
            "choices",
            "At most 50 choices are kept.",
        );
        refusals.add_if(
            self.kind == Kind::Choice && choices.is_empty(),
            RefusalCode::Required,
            "choices",
            "Say what can be chosen.",
        );
        refusals.add_if(
            self.kind != Kind::Choice && !choices.is_empty(),
            RefusalCode::Invalid,
            "choices",
            "Only a field of the kind CHOICE has choices.",
        );
        refusals.add_if(
            self.set_by_employers && self.visible_to == Audience::Staff,
            RefusalCode::Invalid,
            "setByEmployers",
            "Employers say nothing in a field that they don't see.",
        );
        refusals.add_if(
            !(0..=LAST_POSITION).contains(&self.position),
            RefusalCode::Invalid,
            "position",
            "The position is from 0 to 1000.",
        );
        Self {
            name,
            help: Text::line("help", 300).optional(self.help.as_deref(), refusals),
            choices,
            ..self
        }
    }

    fn write(self, row: &mut profile_field::ActiveModel) {
        row.name_key = Set(key(&self.name));
        row.name = Set(self.name);
        row.help = Set(self.help);
        row.kind = Set(self.kind);
        row.choices = Set(TextList(self.choices));
        row.visible_to = Set(self.visible_to);
        row.is_required = Set(self.is_required);
        row.set_by_employers = Set(self.set_by_employers);
        row.position = Set(self.position);
    }
}

fn require_administrator(viewer: &Viewer) -> Result<()> {
    if viewer.is_administrator() {
        return Ok(());
    }
    viewer.signed_in()?;
    Err(Error::Forbidden(
        "Administrators define the fields of profiles; put one forward as a suggestion.".to_owned(),
    ))
}

/// Adds a field that organisations have from now on.
pub async fn create(tx: &mut Tx, viewer: &Viewer, given: Definition) -> Result<Model> {
    require_administrator(viewer)?;
    let mut refusals = Refusals::default();
    let definition = given.checked(&mut refusals);
    tx.hold("profile_fields").await?;
    check_name(tx, None, &definition.name, &mut refusals).await?;
    check_number(tx, &mut refusals).await?;
    refusals.into_result()?;
    let told = serde_json::to_value(&definition)?;
    let mut row = profile_field::ActiveModel {
        id: Set(ProfileFieldId::new_at(tx.now())),
        archived_at: Set(None),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    definition.write(&mut row);
    let created = row.insert(tx.conn()).await?;
    tx.audit(viewer, "profile_field.create", created.id, None, Some(told))
        .await?;
    Ok(created)
}

/// Changes what `edit` changes in a field that is at `version`. What organisations have in it stays good: its kind changes
/// only while no organisation has a value, and a choice goes only when none has it.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ProfileFieldId,
    version: i32,
    edit: impl FnOnce(&mut Definition) + Send,
) -> Result<Model> {
    require_administrator(viewer)?;
    let current = locked(tx, id).await?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    let old = Definition::of(&current);
    let mut new = old.clone();
    edit(&mut new);
    let mut refusals = Refusals::default();
    let new = new.checked(&mut refusals);
    if new.name != old.name {
        tx.hold("profile_fields").await?;
        check_name(tx, Some(id), &new.name, &mut refusals).await?;
    }
    if new.kind == old.kind {
        let gone = old
            .choices
            .iter()
            .filter(|choice| !new.choices.contains(choice));
        for choice in gone {
            let kept = kept(tx, id, Some(choice)).await?;
            if kept > 0 {
                refusals.add(
                    RefusalCode::WrongState,
                    "choices",
                    format!("{kept} organisations have {choice:?}: give them another one first."),
                );
            }
        }
    } else {
        let kept = kept(tx, id, None).await?;
        refusals.add_if(
            kept > 0,
            RefusalCode::WrongState,
            "kind",
            "Organisations have values in it: archive it and add another field.",
        );
    }
    refusals.into_result()?;
    let change = Change::between(&old, &new)?;
    if change.is_empty() {
        return Ok(current);
    }
    let mut row = current.into_active_model();
    new.write(&mut row);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    let (before, after) = change.into_audit(updated.version);
    tx.audit(viewer, UPDATED, id, before, after).await?;
    Ok(updated)
}

/// Takes a field out of use, or back into it. What organisations have in it is kept, and shown to nobody meanwhile.
pub async fn archive(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ProfileFieldId,
    archived: bool,
) -> Result<Model> {
    require_administrator(viewer)?;
    tx.hold("profile_fields").await?;
    let current = locked(tx, id).await?;
    if current.archived_at.is_some() == archived {
        return Ok(current);
    }
    let mut refusals = Refusals::default();
    if !archived {
        check_number(tx, &mut refusals).await?;
    }
    refusals.into_result()?;
    let version = current.version + 1;
    let mut row = current.into_active_model();
    row.archived_at = Set(archived.then(|| tx.now()));
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "profile_field.archive",
        id,
        Some(json!({ "archived": !archived })),
        Some(json!({ "archived": archived, change::VERSION: version })),
    )
    .await?;
    Ok(updated)
}

async fn locked(tx: &Tx, id: ProfileFieldId) -> Result<Model> {
    profile_field::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("profileFieldId", "field"))
}

/// How many organisations have a value in the field, or this one.
async fn kept(tx: &Tx, id: ProfileFieldId, value: Option<&str>) -> Result<u64> {
    let mut values = organisation_field::Entity::find()
        .filter(organisation_field::Column::ProfileFieldId.eq(id));
    if let Some(value) = value {
        values = values.filter(organisation_field::Column::Value.eq(value));
    }
    Ok(values.count(tx.conn()).await?)
}

/// No two fields have one name, in whatever case.
async fn check_name(
    tx: &Tx,
    id: Option<ProfileFieldId>,
    name: &str,
    refusals: &mut Refusals,
) -> Result<()> {
    let mut same =
        profile_field::Entity::find().filter(profile_field::Column::NameKey.eq(key(name)));
    if let Some(id) = id {
        same = same.filter(profile_field::Column::Id.ne(id));
    }
    refusals.add_if(
        !name.is_empty() && same.count(tx.conn()).await? > 0,
        RefusalCode::Taken,
        "name",
        "Another field has this name; it may be out of use.",
    );
    Ok(())
}

async fn check_number(tx: &Tx, refusals: &mut Refusals) -> Result<()> {
    let in_use = profile_field::Entity::find()
        .filter(profile_field::Column::ArchivedAt.is_null())
        .count(tx.conn())
        .await?;
    refusals.add_if(
        in_use >= MOST_FIELDS,
        RefusalCode::TooLong,
        "name",
        "At most 50 fields are in use: archive one first.",
    );
    Ok(())
}

/// Which fields whoever registers an organisation is asked for: those that its employers fill in, in the order in which they are
/// shown. They are told to anybody, because nobody has an account before they register.
pub async fn asked_at_registration(db: &impl ConnectionTrait) -> Result<Vec<Model>> {
    Ok(profile_field::Entity::find()
        .filter(said_at_registration())
        .order_by_asc(profile_field::Column::Position)
        .order_by_asc(profile_field::Column::NameKey)
        .all(db)
        .await?)
}

/// The same, as a condition on `profile_field`.
pub(crate) fn said_at_registration() -> Condition {
    Condition::all()
        .add(profile_field::Column::ArchivedAt.is_null())
        .add(profile_field::Column::SetByEmployers.eq(true))
        .add(profile_field::Column::VisibleTo.ne(Audience::Staff))
}

/// Which fields `viewer` fills in, as a condition on `profile_field`.
pub(crate) fn settable_by(viewer: &Viewer) -> Condition {
    let all = visible_to(viewer).add(profile_field::Column::ArchivedAt.is_null());
    if viewer.is_staff() {
        return all;
    }
    if viewer.kind() == Some(UserKind::Employer) {
        return all.add(profile_field::Column::SetByEmployers.eq(true));
    }
    all.add(nothing())
}
