//! Contacts: the people at organisations (policy 2.2), shown to those who may see them (policy 3).

pub(super) mod duplicates;
mod hold;
mod own;
pub(super) mod posts;

use async_graphql::{Context, Enum, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::contact::{self as contacts, Filter, Profile, duplicates::of_contact};
use entity::{
    contact::{Column, ContactState as State, Model, SubscriberType as Subscriber},
    ids::{ContactId, OrganisationId},
};

use self::{
    duplicates::ContactDuplicatePair,
    hold::{LiftContactHoldInput, LiftContactHoldPayload},
    own::{
        CreateOwnContactInput, CreateOwnContactPayload, UpdateOwnContactInput,
        UpdateOwnContactPayload,
    },
    posts::{
        AddContactPostInput, AddContactPostPayload, ContactPost, EndContactPostInput,
        EndContactPostPayload,
    },
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    disclosure::disclose,
    errors::{Payload, UserError, outcome, payload},
    history::{self, RecordChange},
    id::Id,
    key_account::{self, KeyAccount},
    merge::{self, Merge},
    note::Note,
    organisation::{self, Organisation},
    rows::{by_id, rows},
    store, viewer,
};

/// Queries about contacts.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContactQuery;

/// Mutations about contacts.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContactMutation;

/// A contact.
#[derive(Clone, Debug)]
pub struct Contact(pub Model);

impl From<Model> for Contact {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The contact with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: ContactId) -> Result<Option<Contact>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Contact))
}

by_id!(ContactId => Model, visible |rows| contacts::visible(&rows.viewer), Column::Id);

/// A contact: a person at an organisation. Students see those who agreed to be shown, at organisations that agreed.
#[Object]
impl Contact {
    /// Its id.
    pub async fn id(&self) -> Id<ContactId> {
        Id(self.0.id)
    }

    /// Their name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Their name as the viewer reads it: with a ` *` behind it for staff when it is a key account contact (policy 2.3).
    async fn display_name(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        Some(display_name(ctx, &self.0).await)
    }

    /// Their job title.
    async fn job_title(&self) -> Option<&str> {
        self.0.job_title.as_deref()
    }

    /// Where they work.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// Where else they work, as far as the viewer may know: students where that organisation agreed to show its contacts.
    async fn posts(&self, ctx: &Context<'_>) -> Option<Result<Vec<ContactPost>>> {
        Some(posts::posts_of(ctx, self.0.id).await)
    }

    /// Their e-mail address. Of a key account contact it is null for operators who must liaise first: `detailsWithheld` says
    /// so, and `contactWithGuidance` shows it.
    async fn email(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        let email = unless_withheld(ctx, &self.0, self.0.email.as_deref()).await;
        email
            .map(|email| disclose(ctx, self.0.id, "Contact.email", email))
            .transpose()
    }

    /// Their telephone number, under the same rule.
    async fn telephone(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        let telephone = unless_withheld(ctx, &self.0, self.0.telephone.as_deref()).await;
        telephone
            .map(|telephone| disclose(ctx, self.0.id, "Contact.telephone", telephone))
            .transpose()
    }

    /// Why e-mail address and telephone number are not shown to the viewer, and what to do; null when they are not withheld.
    async fn details_withheld(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        details_withheld(ctx, &self.0).await.transpose()
    }

    /// Whether others liaise with the Key Account Operator before they contact them (policy 2.3).
    async fn is_key_account_contact(&self, ctx: &Context<'_>) -> Option<Result<bool>> {
        let standing = key_account::standing(ctx, self.0.id).await;
        Some(standing.map(|standing| standing.is_some()))
    }

    /// The key account that they are a contact of; null when they are none.
    async fn key_account(&self, ctx: &Context<'_>) -> Option<Result<KeyAccount>> {
        account_of(ctx, &self.0).await.transpose()
    }

    /// How they are to be approached; null when they are no key account contact.
    async fn guidance(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        let standing = key_account::standing(ctx, self.0.id).await;
        standing
            .map(|standing| standing.map(|standing| standing.guidance))
            .transpose()
    }

    /// Whether they are still there.
    async fn state(&self) -> Option<ContactState> {
        Some(self.0.state.into())
    }

    /// What they have to do with the university, by which mail suits them.
    async fn subscriber_type(&self) -> Option<SubscriberType> {
        Some(self.0.subscriber_type.into())
    }

    /// Whether they agreed to be shown to students (policy 3).
    async fn visible_to_students(&self) -> Option<bool> {
        Some(self.0.visible_to_students)
    }

    /// When they opted out of bulk e-mail; null when they did not.
    async fn bulk_opted_out_at(&self) -> Option<DateTime<Utc>> {
        self.0.bulk_opted_out_at
    }

    /// Whether they must not be sent any mail.
    async fn do_not_email(&self) -> Option<bool> {
        Some(self.0.do_not_email)
    }

    /// Since when mail is held back after bounces; null when it isn't.
    async fn on_hold_at(&self) -> Option<DateTime<Utc>> {
        self.0.on_hold_at
    }

    /// What staff recorded of their work with the organisation, the latest first: it shows on every contact in it.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<Note>>> {
        Some(organisation::related::notes(ctx, self.0.organisation_id, first).await)
    }

    /// What was changed of the record, the latest first: who, when, what it was and what it became. Details for which the
    /// viewer must liaise first are left out.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.", default = 20)] first: i32,
    ) -> Option<Result<Vec<RecordChange>>> {
        Some(history::of_contact(ctx, self.0.id, first).await)
    }

    /// What was merged into it, the latest first.
    async fn merges(&self, ctx: &Context<'_>) -> Option<Result<Vec<Merge>>> {
        Some(merge::into_contact(ctx, self.0.id).await)
    }

    /// Raised at every change; `updateContact` asks for it.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }

    /// When the record was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }

    /// When the record last changed.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.updated_at)
    }
}

async fn display_name(ctx: &Context<'_>, row: &Model) -> Result<String> {
    let standing = key_account::standing(ctx, row.id).await?;
    Ok(if standing.is_some() {
        contacts::marked(&row.name)
    } else {
        row.name.clone()
    })
}

/// A detail of a contact, unless the viewer must liaise first. A contact without it is looked up all the same: what isn't
/// shown doesn't show by its absence either.
pub(super) async fn unless_withheld<'a>(
    ctx: &Context<'_>,
    row: &Model,
    detail: Option<&'a str>,
) -> Result<Option<&'a str>> {
    let standing = key_account::standing(ctx, row.id).await?;
    Ok(detail.filter(|_| standing.is_none_or(|standing| !standing.must_liaise)))
}

async fn details_withheld(ctx: &Context<'_>, row: &Model) -> Result<Option<String>> {
    let standing = key_account::standing(ctx, row.id).await?;
    Ok(standing
        .filter(|standing| standing.must_liaise)
        .map(|standing| {
            format!(
                "This is a key account contact. Liaise first with {}, the Key Account Operator: `requestLiaison` asks them. \
                 `contactWithGuidance` shows the details together with the guidance, and records that it did.",
                standing.operator_name
            )
        }))
}

async fn account_of(ctx: &Context<'_>, row: &Model) -> Result<Option<KeyAccount>> {
    match key_account::standing(ctx, row.id).await? {
        Some(standing) => key_account::find(ctx, standing.key_account_id).await,
        None => Ok(None),
    }
}

/// Whether a contact is still at the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum ContactState {
    /// They are.
    Active,
    /// They have left, or can no longer be reached.
    Inactive,
}

/// What a contact has to do with the university, by which mail suits them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Subscriber")]
pub enum SubscriberType {
    /// Nothing in particular, or nobody has said.
    General,
    /// They recruit graduates and students.
    Recruitment,
    /// They take students on placements.
    Placements,
    /// They come to events.
    Events,
    /// They look after the partnership as a whole.
    Partnership,
}

/// What a list of contacts is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ContactFilter {
    /// Words with which words of their name or job title begin, in whatever case, with or without accents.
    search: Option<String>,
    /// Where they work, by their record or by a further post.
    organisation_id: Option<Id<OrganisationId>>,
    /// Their e-mail address, in whatever case.
    email: Option<String>,
    /// Whether they are still there.
    state: Option<ContactState>,
    /// What they have to do with the university.
    subscriber_type: Option<SubscriberType>,
}

impl From<ContactFilter> for Filter {
    fn from(given: ContactFilter) -> Self {
        Self {
            search: given.search,
            organisation_id: given.organisation_id.map(|id| id.0),
            email: given.email,
            state: given.state.map(Into::into),
            subscriber_type: given.subscriber_type.map(Into::into),
        }
    }
}

/// A contact to be added.
#[derive(Debug, InputObject)]
pub struct CreateContactInput {
    /// Where they work.
    organisation_id: Id<OrganisationId>,
    /// Their name.
    name: String,
    /// Their job title.
    job_title: Option<String>,
    /// Their e-mail address.
    email: Option<String>,
    /// Their telephone number.
    telephone: Option<String>,
    /// Whether they agreed to be shown to students (policy 3).
    #[graphql(default)]
    visible_to_students: bool,
    /// Whether they are still there.
    #[graphql(default_with = "ContactState::Active")]
    state: ContactState,
    /// What they have to do with the university.
    #[graphql(default_with = "SubscriberType::General")]
    subscriber_type: SubscriberType,
    /// Whether they opted out of bulk e-mail.
    #[graphql(default)]
    bulk_opted_out: bool,
    /// Whether they must not be sent any mail.
    #[graphql(default)]
    do_not_email: bool,
}

/// A change of a contact. What is not given stays as it is.
#[derive(Debug, InputObject)]
pub struct UpdateContactInput {
    /// The contact.
    id: Id<ContactId>,
    /// The version that was read: when another change came first, this one is refused.
    version: i32,
    /// Their name.
    name: Option<String>,
    /// Their job title.
    job_title: MaybeUndefined<String>,
    /// Their e-mail address.
    email: MaybeUndefined<String>,
    /// Their telephone number.
    telephone: MaybeUndefined<String>,
    /// Whether they agreed to be shown to students (policy 3).
    visible_to_students: Option<bool>,
    /// Whether they are still there.
    state: Option<ContactState>,
    /// What they have to do with the university.
    subscriber_type: Option<SubscriberType>,
    /// Whether they opted out of bulk e-mail.
    bulk_opted_out: Option<bool>,
    /// Whether they must not be sent any mail.
    do_not_email: Option<bool>,
    /// Whether mail is held back, as it is after bounces. `liftContactHold` lets it go again, for a reason.
    on_hold: Option<bool>,
}

impl UpdateContactInput {
    /// Changes the profile by what was given.
    fn apply(self, profile: &mut Profile) {
        if let Some(name) = self.name {
            profile.name = name;
        }
        if let Some(visible) = self.visible_to_students {
            profile.visible_to_students = visible;
        }
        if let Some(state) = self.state {
            profile.state = state.into();
        }
        if let Some(subscriber_type) = self.subscriber_type {
            profile.subscriber_type = subscriber_type.into();
        }
        if let Some(opted_out) = self.bulk_opted_out {
            profile.bulk_opted_out = opted_out;
        }
        if let Some(do_not_email) = self.do_not_email {
            profile.do_not_email = do_not_email;
        }
        if let Some(on_hold) = self.on_hold {
            profile.on_hold = on_hold;
        }
        self.job_title.update_to(&mut profile.job_title);
        self.email.update_to(&mut profile.email);
        self.telephone.update_to(&mut profile.telephone);
    }
}

/// What became of a new contact.
#[derive(Debug, SimpleObject)]
pub struct CreateContactPayload {
    /// The contact.
    contact: Option<Contact>,
    /// Whom the contact is likely the same as, the most alike first: `mergeContacts`, or `dismissContactDuplicate`.
    likely_duplicates: Option<Vec<ContactDuplicatePair>>,
    /// Why nothing was changed; empty when it was.
    user_errors: Vec<UserError>,
}

payload! {
    /// What became of a change of a contact.
    UpdateContactPayload {
        /// The contact as it is now.
        contact: Contact,
    }
}

#[Object]
impl ContactQuery {
    /// Contacts whom the viewer may see, by name.
    async fn contacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<ContactFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Contact>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(ctx: &Context<'_>, filter: Filter, page: &PageArgs) -> Result<Connection<Contact>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "contacts",
        page,
        async |page| contacts::list(store.reader(), viewer, store.now(), &filter, &page).await,
        contacts::key,
        Contact,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { contacts::count(store.reader(), &viewer, store.now(), &filter).await }
        },
    )
    .await
}

#[Object]
impl ContactMutation {
    /// Adds a contact to an organisation, and tells whom they are likely the same as.
    async fn create_contact(
        &self,
        ctx: &Context<'_>,
        input: CreateContactInput,
    ) -> Result<CreateContactPayload> {
        let mut tx = begin(ctx).await?;
        let profile = Profile {
            name: input.name,
            job_title: input.job_title,
            email: input.email,
            telephone: input.telephone,
            visible_to_students: input.visible_to_students,
            state: input.state.into(),
            subscriber_type: input.subscriber_type.into(),
            bulk_opted_out: input.bulk_opted_out,
            do_not_email: input.do_not_email,
            on_hold: false,
        };
        let (viewer, at) = (viewer(ctx)?, input.organisation_id.0);
        let created = Box::pin(contacts::create(&mut tx, viewer, at, profile)).await;
        let (contact, user_errors) = outcome(created)?;
        let mut likely_duplicates = Vec::new();
        if let Some(contact) = &contact {
            likely_duplicates = of_contact(tx.conn(), viewer, tx.now(), contact.id).await?;
            tx.commit().await?;
        }
        Ok(CreateContactPayload {
            contact: contact.map(Contact),
            likely_duplicates: Some(likely_duplicates.into_iter().map(Into::into).collect()),
            user_errors,
        })
    }

    /// Lets mail go again to a contact who is on hold because mails came back, and to the other records with their address, and
    /// keeps why.
    async fn lift_contact_hold(
        &self,
        ctx: &Context<'_>,
        input: LiftContactHoldInput,
    ) -> Result<LiftContactHoldPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, reason) = (input.id.0, input.version, &input.reason);
        let freed = Box::pin(contacts::lift_hold(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            reason,
        ))
        .await;
        LiftContactHoldPayload::commit(tx, freed).await
    }

    /// Changes a contact. What is not given stays as it is; `null` empties a field.
    async fn update_contact(
        &self,
        ctx: &Context<'_>,
        input: UpdateContactInput,
    ) -> Result<UpdateContactPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let edit = |profile: &mut Profile| input.apply(profile);
        let updated = contacts::update(&mut tx, viewer(ctx)?, id, version, edit).await;
        UpdateContactPayload::commit(tx, updated).await
    }

    /// Says that a contact works at another organisation too, or what their job title there is.
    async fn add_contact_post(
        &self,
        ctx: &Context<'_>,
        input: AddContactPostInput,
    ) -> Result<AddContactPostPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, job_title) = (input.contact_id.0, input.version, input.job_title);
        let added = Box::pin(contacts::add_post(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            input.organisation_id.0,
            job_title.as_deref(),
        ))
        .await;
        AddContactPostPayload::commit(tx, added).await
    }

    /// Says that a contact no longer works at another organisation.
    async fn end_contact_post(
        &self,
        ctx: &Context<'_>,
        input: EndContactPostInput,
    ) -> Result<EndContactPostPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, at) = (input.contact_id.0, input.version, input.organisation_id.0);
        let ended = Box::pin(contacts::end_post(&mut tx, viewer(ctx)?, id, version, at)).await;
        EndContactPostPayload::commit(tx, ended).await
    }

    /// Adds a contact to one's own organisation. For employers.
    async fn create_own_contact(
        &self,
        ctx: &Context<'_>,
        input: CreateOwnContactInput,
    ) -> Result<CreateOwnContactPayload> {
        let mut tx = begin(ctx).await?;
        let created = Box::pin(contacts::create_own(&mut tx, viewer(ctx)?, input.into())).await;
        CreateOwnContactPayload::commit(tx, created).await
    }

    /// Changes a contact of one's own organisation. Whoever signs in keeps their own record. For employers.
    async fn update_own_contact(
        &self,
        ctx: &Context<'_>,
        input: UpdateOwnContactInput,
    ) -> Result<UpdateOwnContactPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let edit = |profile: &mut Profile| input.apply(profile);
        let updated = Box::pin(contacts::update_of_own(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            edit,
        ))
        .await;
        UpdateOwnContactPayload::commit(tx, updated).await
    }
}
