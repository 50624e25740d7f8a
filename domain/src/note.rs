//! Notes: every engagement with an employer is recorded, so that everybody knows of it (policy 2.2).

mod next_action;
mod participants;

use chrono::{DateTime, Utc};
use entity::{
    access_grant::Permission,
    ids::{ContactId, NoteId, OrganisationId, UserId},
    note::{self, NoteKind, NoteVisibility},
    note_participant, user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, Order,
    PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, Select, sea_query::SelectStatement,
};
use serde_json::json;

pub(crate) use self::next_action::schedule;
pub use self::{
    next_action::{RemindOfAction, complete, remind},
    participants::{Participants, colleagues_of, contacts_of},
};
use crate::{
    contact,
    error::{RefusalCode, Refusals, Result},
    first_of_each::first_of_each,
    key_account,
    organisation::{self, nothing},
    page::{Page, Slice},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// Which notes exist for `viewer`: staff share them, and nobody else reads what staff write about employers. One that is for a
/// faculty is for the staff of the faculty that its author is of now, and for administrators.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if !viewer.is_staff() {
        return Condition::all().add(nothing());
    }
    let Some(person) = viewer
        .person()
        .filter(|_| !viewer.is_administrator() && !viewer.is_system())
    else {
        return Condition::all();
    };
    let open = Condition::any()
        .add(note::Column::Visibility.eq(NoteVisibility::Staff))
        .add(note::Column::AuthorId.eq(person.id));
    let Some(faculty) = person.faculty_id else {
        return open;
    };
    let colleagues = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::FacultyId.eq(faculty));
    open.add(note::Column::AuthorId.in_subquery(colleagues.into_query()))
}

/// The notes that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<note::Entity> {
    note::Entity::find().filter(visible_to(viewer))
}

/// The last `limit` notes that exist for `viewer` about each of these organisations, the latest written first.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
    limit: u64,
) -> Result<Vec<note::Model>> {
    first_of_each(
        db,
        visible(viewer).filter(note::Column::OrganisationId.is_in(ids.iter().copied())),
        note::Column::OrganisationId,
        [(note::Column::Id.into_expr(), Order::Desc)],
        limit,
    )
    .await
}

/// What a list of notes is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The organisation they are about.
    pub organisation_id: Option<OrganisationId>,
    /// The contact they are about, or who took part.
    pub contact_id: Option<ContactId>,
    /// The kind of engagement.
    pub kind: Option<NoteKind>,
    /// Whether something is still to be done.
    pub has_next_action: Option<bool>,
    /// Whether the viewer wrote them.
    pub is_mine: Option<bool>,
}

impl Filter {
    fn condition(&self, viewer: &Viewer) -> Condition {
        let mut all = Condition::all();
        if let Some(id) = self.organisation_id {
            all = all.add(note::Column::OrganisationId.eq(id));
        }
        if let Some(id) = self.contact_id {
            all = all.add(
                Condition::any()
                    .add(note::Column::ContactId.eq(id))
                    .add(note::Column::Id.in_subquery(with(id))),
            );
        }
        if let Some(kind) = self.kind {
            all = all.add(note::Column::Kind.eq(kind));
        }
        if let Some(open) = self.has_next_action {
            let is_open = Condition::all()
                .add(note::Column::NextAction.is_not_null())
                .add(note::Column::NextActionDoneAt.is_null());
            all = all.add(if open { is_open } else { is_open.not() });
        }
        if let (Some(is_mine), Some(user_id)) = (self.is_mine, viewer.user_id()) {
            all = all.add(if is_mine {
                note::Column::AuthorId.eq(user_id)
            } else {
                note::Column::AuthorId.ne(user_id)
            });
        }
        all
    }
}

/// The notes of engagements in which a contact took part.
fn with(contact_id: ContactId) -> SelectStatement {
    note_participant::Entity::find()
        .select_only()
        .column(note_participant::Column::NoteId)
        .filter(note_participant::Column::ContactId.eq(contact_id))
        .into_query()
}

/// One page of the notes that exist for `viewer` and meet the filter, the latest written first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<NoteId>,
) -> Result<Slice<note::Model>> {
    let query = visible(viewer).filter(filter.condition(viewer));
    page.read(db, query, [note::Column::Id.into_expr()], Order::Desc)
        .await
}

/// How many notes exist for `viewer` and meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(visible(viewer)
        .filter(filter.condition(viewer))
        .count(db)
        .await?)
}

/// An engagement to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engagement {
    /// The organisation it was with.
    pub organisation_id: OrganisationId,
    /// The contact it was with.
    pub contact_id: Option<ContactId>,
    /// Who took part besides.
    pub participants: Participants,
    /// What kind of engagement it was.
    pub kind: NoteKind,
    /// What it was like.
    pub words: Words,
}

/// What a note says of an engagement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// When it took place; now when it isn't given.
    pub happened_at: Option<DateTime<Utc>>,
    /// What was said and done.
    pub body: String,
    /// What came of it.
    pub outcome: Option<String>,
    /// What is to be done next.
    pub next_action: Option<String>,
    /// By when.
    pub next_action_due_at: Option<DateTime<Utc>>,
    /// Who sees it.
    pub visibility: NoteVisibility,
}

impl Words {
    /// The words as they are kept. All that is wrong is noted.
    pub(crate) fn checked(self, now: DateTime<Utc>, refusals: &mut Refusals) -> Self {
        let body = Text::block("body", 10_000).required(&self.body, refusals);
        let outcome = Text::block("outcome", 2_000).optional(self.outcome.as_deref(), refusals);
        let next_action =
            Text::block("nextAction", 2_000).optional(self.next_action.as_deref(), refusals);
        let happened_at = self.happened_at.unwrap_or(now);
        refusals.add_if(
            happened_at > now,
            RefusalCode::Invalid,
            "happenedAt",
            "A note tells what has happened; this is in the future.",
        );
        if let Some(due) = self.next_action_due_at {
            refusals.add_if(
                next_action.is_none(),
                RefusalCode::Required,
                "nextAction",
                "Say what is to be done by then.",
            );
            refusals.add_if(
                due < happened_at,
                RefusalCode::EndsBeforeStart,
                "nextActionDueAt",
                "What is to be done next is due after the engagement.",
            );
        }
        Self {
            happened_at: Some(happened_at),
            body,
            outcome,
            next_action,
            next_action_due_at: self.next_action_due_at,
            visibility: self.visibility,
        }
    }
}

/// A row for words that have been checked.
pub(crate) fn new_row(
    tx: &Tx,
    organisation_id: OrganisationId,
    contact_id: Option<ContactId>,
    kind: NoteKind,
    author_id: UserId,
    words: Words,
) -> note::Model {
    note::Model {
        id: NoteId::new_at(tx.now()),
        organisation_id,
        contact_id,
        kind,
        visibility: words.visibility,
        happened_at: words.happened_at.unwrap_or_else(|| tx.now()),
        body: words.body,
        outcome: words.outcome,
        next_action: words.next_action,
        next_action_due_at: words.next_action_due_at,
        next_action_done_at: None,
        next_action_done_by: None,
        author_id,
        created_at: tx.now(),
    }
}

/// Records an engagement.
pub async fn add_note(tx: &mut Tx, viewer: &Viewer, given: Engagement) -> Result<note::Model> {
    viewer.require(Permission::RecordEngagement)?;
    let author = viewer.signed_in()?;
    let author_id = author.id;
    let mut refusals = Refusals::default();
    let words = given.words.checked(tx.now(), &mut refusals);
    let for_faculty = words.visibility == NoteVisibility::Faculty;
    refusals.add_if(
        for_faculty && author.faculty_id.is_none(),
        RefusalCode::Invalid,
        "visibility",
        "A note for a faculty is written by its staff; you are of none.",
    );
    // policy 2.3: whoever is about to contact somebody reads how.
    refusals.add_if(
        for_faculty && given.kind == NoteKind::GuidanceOnContact,
        RefusalCode::Invalid,
        "visibility",
        "Guidance on a contact is for all staff.",
    );
    let organisation = organisation::find(tx.conn(), viewer, given.organisation_id).await?;
    refusals.add_if(
        organisation.is_none(),
        RefusalCode::NotFound,
        "organisationId",
        "There is no such organisation, or it is not open to you.",
    );
    if let Some(contact_id) = given.contact_id {
        refusals.add_if(
            !contact::works_at(tx.conn(), viewer, contact_id, given.organisation_id).await?,
            RefusalCode::NotFound,
            "contactId",
            "The organisation has no such contact.",
        );
        key_account::refuse_guidance_of_others(tx, viewer, given.kind, contact_id, &mut refusals)
            .await?;
    }
    let participants = given.participants.tidied(given.contact_id, author_id);
    refusals.add_if(
        given.kind == NoteKind::GuidanceOnContact && !participants.contacts.is_empty(),
        RefusalCode::Invalid,
        "participantIds",
        "Guidance is about one contact.",
    );
    participants
        .check(tx, viewer, given.organisation_id, &mut refusals)
        .await?;
    refusals.into_result()?;
    let created = new_row(
        tx,
        given.organisation_id,
        given.contact_id,
        given.kind,
        author_id,
        words,
    )
    .into_active_model()
    .reset_all()
    .insert(tx.conn())
    .await?;
    participants.write(tx, created.id).await?;
    key_account::note_added(tx, viewer, &created, &participants.contacts).await?;
    schedule(tx, &created).await?;
    tx.audit(
        viewer,
        "note.add",
        created.id,
        None,
        Some(json!({ "organisationId": created.organisation_id, "kind": created.kind })),
    )
    .await?;
    Ok(created)
}
