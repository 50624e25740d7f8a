//! Who took part in an engagement, besides the contact it is about and whoever wrote it down (policy 2.2).

use entity::{
    contact,
    ids::{ContactId, NoteId, OrganisationId, UserId},
    note_colleague, note_participant,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};

use crate::{
    contact as contacts,
    error::{RefusalCode, Refusals, Result},
    store::Tx,
    viewer::Viewer,
};

/// How many people of either side a note names at most.
const MOST: usize = 50;

/// Who took part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participants {
    /// Contacts of the organisation.
    pub contacts: Vec<ContactId>,
    /// Members of staff.
    pub colleagues: Vec<UserId>,
}

impl Participants {
    /// Each of them once, without the contact whom the note is about and without its author.
    pub(super) fn tidied(mut self, about: Option<ContactId>, author: UserId) -> Self {
        self.contacts.sort_unstable();
        self.contacts.dedup();
        self.contacts.retain(|id| Some(*id) != about);
        self.colleagues.sort_unstable();
        self.colleagues.dedup();
        self.colleagues.retain(|id| *id != author);
        self
    }

    /// Notes people who aren't there, or aren't of the organisation or of the staff.
    pub(super) async fn check(
        &self,
        tx: &Tx,
        viewer: &Viewer,
        organisation_id: OrganisationId,
        refusals: &mut Refusals,
    ) -> Result<()> {
        for (count, field) in [
            (self.contacts.len(), "participantIds"),
            (self.colleagues.len(), "colleagueIds"),
        ] {
            refusals.add_if(
                count > MOST,
                RefusalCode::TooLong,
                field,
                "Name at most 50 people.",
            );
        }
        let known = contacts::visible(viewer)
            .filter(contacts::working_at(viewer, organisation_id))
            .filter(contact::Column::Id.is_in(self.contacts.iter().copied().take(MOST + 1)))
            .count(tx.conn())
            .await?;
        refusals.add_if(
            self.contacts.len() <= MOST && known != self.contacts.len() as u64,
            RefusalCode::NotFound,
            "participantIds",
            "The organisation has no such contact.",
        );
        let known = user::Entity::find()
            .filter(user::Column::Kind.eq(UserKind::Staff))
            .filter(user::Column::State.eq(UserState::Active))
            .filter(user::Column::Id.is_in(self.colleagues.iter().copied().take(MOST + 1)))
            .count(tx.conn())
            .await?;
        refusals.add_if(
            self.colleagues.len() <= MOST && known != self.colleagues.len() as u64,
            RefusalCode::NotFound,
            "colleagueIds",
            "There is no such member of staff.",
        );
        Ok(())
    }

    pub(super) async fn write(&self, tx: &Tx, note_id: NoteId) -> Result<()> {
        if !self.contacts.is_empty() {
            let rows = self
                .contacts
                .iter()
                .map(|id| note_participant::ActiveModel {
                    note_id: Set(note_id),
                    contact_id: Set(*id),
                });
            note_participant::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await?;
        }
        if !self.colleagues.is_empty() {
            let rows = self
                .colleagues
                .iter()
                .map(|id| note_colleague::ActiveModel {
                    note_id: Set(note_id),
                    user_id: Set(*id),
                });
            note_colleague::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await?;
        }
        Ok(())
    }
}

/// The contacts who took part in each of the notes, which are of those that exist for whoever asks.
pub async fn contacts_of(
    db: &impl ConnectionTrait,
    ids: &[NoteId],
) -> Result<Vec<note_participant::Model>> {
    Ok(note_participant::Entity::find()
        .filter(note_participant::Column::NoteId.is_in(ids.iter().copied()))
        .order_by_asc(note_participant::Column::ContactId)
        .all(db)
        .await?)
}

/// The members of staff who took part in each of the notes.
pub async fn colleagues_of(
    db: &impl ConnectionTrait,
    ids: &[NoteId],
) -> Result<Vec<note_colleague::Model>> {
    Ok(note_colleague::Entity::find()
        .filter(note_colleague::Column::NoteId.is_in(ids.iter().copied()))
        .order_by_asc(note_colleague::Column::UserId)
        .all(db)
        .await?)
}
