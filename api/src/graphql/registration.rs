//! Employers who register themselves and keep their own profile (policy 2.2).

mod inputs;
mod loaders;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    profile_field::asked_at_registration,
    registration::{self as registrations, Decision, Found, Signal},
};
use entity::{
    held_change,
    ids::{HeldChangeId, OrganisationId, RegistrationId},
    registration::{Model, RegistrationKind as Kind, RegistrationState as State},
};

use self::{
    inputs::{
        AnswerHeldChangeInput, AnswerRegistrationInput, RegisterEmployerInput,
        ReviewOrganisationInput, UpdateOwnOrganisationInput,
    },
    loaders::{HeldOf, SignalsOf},
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    organisation::{self, Organisation},
    person::{self, Person},
    profile_field::ProfileField,
    rows::rows,
    session::CameFrom,
    store, viewer,
};

/// Queries about registrations.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegistrationQuery;

/// Mutations about registrations.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegistrationMutation;

/// What somebody registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum RegistrationKind {
    /// With an organisation that wasn't known.
    New,
    /// To join one that is.
    Join,
}

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum RegistrationState {
    /// It waits for an operator.
    Submitted,
    /// It was approved.
    Approved,
    /// It was declined.
    Declined,
}

/// Something that speaks for a closer look at a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Signal")]
pub enum RegistrationSignal {
    /// The address is one that anybody can have.
    FreeMailDomain,
    /// The domain of the address is not that of the web site or of the organisation's mail.
    DomainUnlikeWebsite,
    /// The organisation looks like one that is known.
    LikelyDuplicate,
}

/// What is decided about an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Decision")]
pub enum OrganisationDecision {
    /// Students may see it.
    Approve,
    /// They may not; its people are told why, and may mend it and ask again.
    Decline,
    /// It is taken out of students' sight again.
    Suspend,
    /// It is no longer suspended.
    Reinstate,
}

/// What anybody is shown of an organisation that may be theirs: nothing more.
#[derive(Clone, Debug, SimpleObject)]
pub struct EmployerFound {
    /// Its id, for `registerEmployer`.
    id: Id<OrganisationId>,
    /// Its name.
    name: String,
    /// The domain of its web site, or of its mail.
    domain: Option<String>,
}

impl From<Found> for EmployerFound {
    fn from(found: Found) -> Self {
        Self {
            id: Id(found.id),
            name: found.name,
            domain: found.domain,
        }
    }
}

/// A registration.
#[derive(Clone, Debug)]
pub struct Registration(Model);

impl From<Model> for Registration {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// A registration: an employer who came by themselves, with an organisation or to one.
#[Object]
impl Registration {
    /// Its id.
    async fn id(&self) -> Id<RegistrationId> {
        Id(self.0.id)
    }

    /// What it is for.
    async fn kind(&self) -> Option<RegistrationKind> {
        Some(self.0.kind.into())
    }

    /// Where it stands.
    async fn state(&self) -> Option<RegistrationState> {
        Some(self.0.state.into())
    }

    /// Who registered.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.user_id).await.transpose()
    }

    /// The organisation that was registered, or is to be joined.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// The job title of whoever wants to join.
    async fn job_title(&self) -> Option<&str> {
        self.0.job_title.as_deref()
    }

    /// Since when it waits.
    async fn submitted_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.submitted_at)
    }

    /// How many whole days it has waited.
    async fn age_in_days(&self, ctx: &Context<'_>) -> Option<Result<i64>> {
        Some(store(ctx).map(|store| (store.now() - self.0.submitted_at).num_days()))
    }

    /// What speaks for a closer look.
    async fn signals(&self, ctx: &Context<'_>) -> Option<Result<Vec<RegistrationSignal>>> {
        Some(signals(ctx, self.0.id).await)
    }

    /// Why it was decided so.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }
}

async fn signals(ctx: &Context<'_>, id: RegistrationId) -> Result<Vec<RegistrationSignal>> {
    let found = rows(ctx)?.load_one(SignalsOf(id)).await?;
    Ok(found
        .unwrap_or_default()
        .into_iter()
        .map(Into::into)
        .collect())
}

/// Changes of an organisation that its employer asks for.
#[derive(Clone, Debug)]
pub struct HeldChange(held_change::Model);

impl From<held_change::Model> for HeldChange {
    fn from(row: held_change::Model) -> Self {
        Self(row)
    }
}

/// Changes of an organisation that its employer asked for, and that wait for an operator.
#[Object]
impl HeldChange {
    /// Its id.
    async fn id(&self) -> Id<HeldChangeId> {
        Id(self.0.id)
    }

    /// The organisation.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// How many whole days it has waited.
    async fn age_in_days(&self, ctx: &Context<'_>) -> Option<Result<i64>> {
        Some(store(ctx).map(|store| (store.now() - self.0.asked_at).num_days()))
    }

    /// The name that is wanted; null when it stays.
    async fn name(&self) -> Option<String> {
        self.text("name")
    }

    /// The web site that is wanted; null when it stays.
    async fn website(&self) -> Option<String> {
        self.text("website")
    }

    /// The domains of mail that are wanted; null when they stay.
    async fn email_domains(&self) -> Option<Vec<String>> {
        let wanted = self.0.wanted.get("emailDomains")?.clone();
        serde_json::from_value(wanted).ok()
    }

    /// The address that is wanted; null when it stays.
    async fn address(&self) -> Option<String> {
        self.text("address")
    }

    /// Who asked.
    async fn asked_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.asked_by).await.transpose()
    }

    /// When.
    async fn asked_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.asked_at)
    }
}

impl HeldChange {
    fn text(&self, field: &str) -> Option<String> {
        self.0.wanted.get(field)?.as_str().map(str::to_owned)
    }
}

/// What waits for an operator, of an organisation.
pub(super) async fn held_of(ctx: &Context<'_>, id: OrganisationId) -> Result<Option<HeldChange>> {
    let found = rows(ctx)?.load_one(HeldOf(id)).await?;
    Ok(found.map(HeldChange))
}

payload! {
    /// What became of registering. It doesn't tell whether there is an account with the address.
    RegisterEmployerPayload {
        /// Whether a letter is on its way to the address.
        registered: bool,
    }
}

payload! {
    /// What became of a decision about an organisation.
    ReviewOrganisationPayload {
        /// The organisation as it is now.
        organisation: Organisation,
    }
}

payload! {
    /// What became of a decision about somebody who wants to join an organisation.
    AnswerRegistrationPayload {
        /// The registration as it is now.
        registration: Registration,
    }
}

payload! {
    /// What became of submitting a registration again.
    ResubmitRegistrationPayload {
        /// The registration as it is now.
        registration: Registration,
    }
}

payload! {
    /// What became of a change of one's own organisation.
    UpdateOwnOrganisationPayload {
        /// The organisation as it is now; `heldChange` has what waits for an operator.
        organisation: Organisation,
    }
}

payload! {
    /// What became of a decision about held changes.
    AnswerHeldChangePayload {
        /// The changes.
        held_change: HeldChange,
    }
}

#[Object]
impl RegistrationQuery {
    /// Organisations that may be somebody's own, by a part of their name or domain: for `registerEmployer`. At least three
    /// letters; at most ten are found.
    async fn find_employers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A part of the name, or a domain.")] search: String,
    ) -> Result<Vec<EmployerFound>> {
        let found = registrations::find(store(ctx)?.reader(), &search).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    /// The fields that whoever registers an organisation is asked for, in the order in which they are shown: for
    /// `registerEmployer`, which is refused without those that are required. Whoever joins an organisation isn't asked.
    async fn registration_fields(&self, ctx: &Context<'_>) -> Result<Vec<ProfileField>> {
        let found = asked_at_registration(store(ctx)?.reader()).await?;
        Ok(found.into_iter().map(ProfileField).collect())
    }

    /// The registrations that wait for an operator, the oldest first. Those whose address isn't proved yet are not among
    /// them.
    async fn registrations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Registration>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, &page).await)
    }

    /// The changes that employers asked for of what is approved, and that wait for an operator, of all organisations, the oldest
    /// first.
    async fn held_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<HeldChange>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(held_list(ctx, &page).await)
    }

    /// How the viewer registered; null when they didn't by themselves.
    async fn my_registration(&self, ctx: &Context<'_>) -> Option<Result<Registration>> {
        mine(ctx).await.transpose()
    }
}

async fn mine(ctx: &Context<'_>) -> Result<Option<Registration>> {
    let found = registrations::of_viewer(store(ctx)?.reader(), viewer(ctx)?).await?;
    Ok(found.map(Registration))
}

async fn held_list(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<HeldChange>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "heldChanges",
        page,
        async |page| registrations::held_list(store.reader(), viewer, &page).await,
        |row: &held_change::Model| row.id,
        HeldChange,
        move || {
            let (store, viewer) = counted.clone();
            async move { registrations::held_count(store.reader(), &viewer).await }
        },
    )
    .await
}

async fn list(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<Registration>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "registrations",
        page,
        async |page| registrations::list(store.reader(), viewer, &page).await,
        |row: &Model| row.id,
        Registration,
        move || {
            let (store, viewer) = counted.clone();
            async move { registrations::count(store.reader(), &viewer).await }
        },
    )
    .await
}

#[Object]
impl RegistrationMutation {
    /// Registers an employer, with an organisation that is known or a new one. A letter with a link goes to the address;
    /// then an operator looks at it. The answer is the same whether there is an account with the address or not.
    async fn register_employer(
        &self,
        ctx: &Context<'_>,
        input: RegisterEmployerInput,
    ) -> Result<RegisterEmployerPayload> {
        let employer = match input.into_employer() {
            Ok(employer) => employer,
            Err(error) => return RegisterEmployerPayload::of::<bool>(Err(error)),
        };
        let origin = CameFrom::of(ctx).origin();
        let registered = registrations::register(store(ctx)?, employer, origin).await;
        RegisterEmployerPayload::of(registered.map(|()| true))
    }

    /// Decides about an organisation: approves it, declines it with a reason that its employer reads, suspends it, or ends
    /// that.
    async fn review_organisation(
        &self,
        ctx: &Context<'_>,
        input: ReviewOrganisationInput,
    ) -> Result<ReviewOrganisationPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, decision) = (
            input.organisation_id.0,
            input.version,
            input.decision.into(),
        );
        let reason = input.reason.as_deref();
        let reviewed =
            registrations::review(&mut tx, viewer(ctx)?, id, version, decision, reason).await;
        ReviewOrganisationPayload::commit(tx, reviewed).await
    }

    /// Lets somebody join the organisation that they registered for, or says why not.
    async fn answer_registration(
        &self,
        ctx: &Context<'_>,
        input: AnswerRegistrationInput,
    ) -> Result<AnswerRegistrationPayload> {
        let mut tx = begin(ctx).await?;
        let (id, approve) = (input.registration_id.0, input.approve);
        let reason = input.reason.as_deref();
        let answered = registrations::answer_join(&mut tx, viewer(ctx)?, id, approve, reason).await;
        AnswerRegistrationPayload::commit(tx, answered).await
    }

    /// Submits one's registration again after it was declined.
    async fn resubmit_registration(
        &self,
        ctx: &Context<'_>,
    ) -> Result<ResubmitRegistrationPayload> {
        let mut tx = begin(ctx).await?;
        let submitted = registrations::resubmit(&mut tx, viewer(ctx)?).await;
        ResubmitRegistrationPayload::commit(tx, submitted).await
    }

    /// Changes the viewer's own organisation. Name, web site, domains and address of an approved one wait for an operator,
    /// and stay as they are until then; the rest is changed at once.
    async fn update_own_organisation(
        &self,
        ctx: &Context<'_>,
        input: UpdateOwnOrganisationInput,
    ) -> Result<UpdateOwnOrganisationPayload> {
        let mut tx = begin(ctx).await?;
        let version = input.version;
        let edit = |profile: &mut domain::organisation::Profile| input.apply(profile);
        let updated = registrations::update_own(&mut tx, viewer(ctx)?, version, edit).await;
        UpdateOwnOrganisationPayload::commit(tx, updated).await
    }

    /// Makes the changes that an employer asked for, or says why not.
    async fn answer_held_change(
        &self,
        ctx: &Context<'_>,
        input: AnswerHeldChangeInput,
    ) -> Result<AnswerHeldChangePayload> {
        let mut tx = begin(ctx).await?;
        let (id, approve) = (input.held_change_id.0, input.approve);
        let reason = input.reason.as_deref();
        let answered = registrations::answer_held(&mut tx, viewer(ctx)?, id, approve, reason).await;
        AnswerHeldChangePayload::commit(tx, answered).await
    }
}
