//! Vacancies: what employers offer students and graduates (policy 2.2).

mod inputs;
mod loaders;
mod rule;

use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    clock::university_day,
    vacancy::{self as vacancies, Dates, Filter, Order},
};
use entity::{
    ids::{OrganisationId, VacancyId},
    vacancy::Model,
};

pub use self::rule::VacancyRule;
pub(super) use self::rule::rules_of;
use self::{
    inputs::{
        CloseVacancyInput, CreateVacancyInput, EndVacancyRuleInput, ReviewVacancyInput,
        SalaryPeriod, SetVacancyRuleInput, SubmitVacancyInput, UpdateVacancyInput, VacancyFilter,
        VacancyHours, VacancyOrder, VacancyState,
    },
    loaders::{ProgrammesSuiting, VacanciesOf},
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    contact::{self, Contact},
    errors::{Payload, payload},
    event::OpportunityKind,
    id::Id,
    organisation::{self, Organisation, related::few},
    person::{self, Person},
    rows::rows,
    scalars::Date,
    store,
    university::Programme,
    viewer,
};

/// Queries about vacancies.
#[derive(Clone, Copy, Debug, Default)]
pub struct VacancyQuery;

/// Mutations about vacancies.
#[derive(Clone, Copy, Debug, Default)]
pub struct VacancyMutation;

/// A vacancy.
#[derive(Clone, Debug)]
pub struct Vacancy(pub Model);

impl From<Model> for Vacancy {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The vacancy with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: VacancyId) -> Result<Option<Vacancy>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Vacancy))
}

/// The last vacancies of an organisation that exist for the viewer.
pub(super) async fn of_organisation(
    ctx: &Context<'_>,
    id: OrganisationId,
    first: i32,
) -> Result<Vec<Vacancy>> {
    let found = rows(ctx)?.load_one(VacanciesOf(id, few(first)?)).await?;
    Ok(found.unwrap_or_default().into_iter().map(Vacancy).collect())
}

/// Something that an organisation offers to students and graduates.
#[Object]
impl Vacancy {
    /// Its id.
    pub async fn id(&self) -> Id<VacancyId> {
        Id(self.0.id)
    }

    /// Whose it is.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// What it is called.
    async fn title(&self) -> Option<&str> {
        Some(&self.0.title)
    }

    /// What there is to do.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// What kind of opportunity it is.
    async fn kind(&self) -> Option<OpportunityKind> {
        Some(self.0.kind.into())
    }

    /// How much work it is.
    async fn hours(&self) -> Option<VacancyHours> {
        self.0.hours.map(Into::into)
    }

    /// What is paid; null for volunteering and studies where nothing was said.
    async fn salary(&self) -> Option<Salary> {
        vacancies::Salary::of(&self.0).map(Into::into)
    }

    /// Where it is.
    async fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// The programmes it suits; empty means all.
    async fn programmes(&self, ctx: &Context<'_>) -> Option<Result<Vec<Programme>>> {
        Some(programmes(ctx, self.0.id).await)
    }

    /// How to apply, in words.
    async fn how_to_apply(&self) -> Option<&str> {
        self.0.how_to_apply.as_deref()
    }

    /// Where to apply on the web.
    async fn apply_link(&self) -> Option<&str> {
        self.0.apply_link.as_deref()
    }

    /// Whom to ask. Students have them only while the person and the organisation both agree to be shown (policy 3).
    async fn contact(&self, ctx: &Context<'_>) -> Option<Result<Contact>> {
        contact::find(ctx, self.0.contact_id?).await.transpose()
    }

    /// Where it stands.
    async fn state(&self) -> Option<VacancyState> {
        Some(self.0.state.into())
    }

    /// Why it stands there, for its employer.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The first day on which students find it; null until it is approved or somebody said so.
    async fn published_from(&self) -> Option<Date> {
        self.0.published_from.map(Into::into)
    }

    /// The last day on which students find it: a month from publication when nobody gave one.
    async fn closes_on(&self) -> Option<Date> {
        Some(self.0.closes_on.into())
    }

    /// Whether students whom it suits find it today.
    async fn is_open(&self, ctx: &Context<'_>) -> Option<Result<bool>> {
        Some(store(ctx).map(|store| vacancies::is_open(&self.0, university_day(store.now()))))
    }

    /// Since when it waits for an operator, or waited last.
    async fn submitted_at(&self) -> Option<DateTime<Utc>> {
        self.0.submitted_at
    }

    /// When it was last decided about.
    async fn decided_at(&self) -> Option<DateTime<Utc>> {
        self.0.decided_at
    }

    /// Who decided; null when a rule did.
    async fn decided_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.decided_by?).await.transpose()
    }

    /// When it was over.
    async fn closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.closed_at
    }

    /// Who wrote it.
    async fn created_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.created_by).await.transpose()
    }

    /// When it was written.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.updated_at)
    }

    /// Raised at every change; changes ask for it.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }
}

/// What is paid.
#[derive(Clone, Debug, SimpleObject)]
pub struct Salary {
    /// It in words: `£28,000 to £32,000 a year`.
    text: Option<String>,
    /// The lowest, in pence.
    lowest_pence: Option<i32>,
    /// The highest, in pence; the same where there is one number.
    highest_pence: Option<i32>,
    /// What it is paid for.
    per: Option<SalaryPeriod>,
}

impl From<vacancies::Salary> for Salary {
    fn from(salary: vacancies::Salary) -> Self {
        Self {
            text: Some(salary.to_string()),
            lowest_pence: Some(salary.lowest),
            highest_pence: Some(salary.highest),
            per: Some(salary.per.into()),
        }
    }
}

async fn programmes(ctx: &Context<'_>, id: VacancyId) -> Result<Vec<Programme>> {
    let rows = rows(ctx)?;
    let ids = rows.load_one(ProgrammesSuiting(id)).await?;
    let ids = ids.unwrap_or_default();
    let mut found = rows.load_many(ids.iter().copied()).await?;
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

payload! {
    /// What became of a new vacancy.
    CreateVacancyPayload {
        /// The vacancy.
        vacancy: Vacancy,
    }
}

payload! {
    /// What became of a change of a vacancy.
    UpdateVacancyPayload {
        /// The vacancy as it is now.
        vacancy: Vacancy,
    }
}

payload! {
    /// What became of submitting a vacancy.
    SubmitVacancyPayload {
        /// The vacancy as it is now.
        vacancy: Vacancy,
    }
}

payload! {
    /// What became of a decision about a vacancy.
    ReviewVacancyPayload {
        /// The vacancy as it is now.
        vacancy: Vacancy,
    }
}

payload! {
    /// What became of ending a vacancy.
    CloseVacancyPayload {
        /// The vacancy as it is now.
        vacancy: Vacancy,
    }
}

payload! {
    /// What became of trusting an organisation.
    SetVacancyRulePayload {
        /// The rule.
        rule: VacancyRule,
    }
}

payload! {
    /// What became of ending a rule.
    EndVacancyRulePayload {
        /// The rule as it is now.
        rule: VacancyRule,
    }
}

#[Object]
impl VacancyQuery {
    /// Vacancies: for students and graduates those that are open and suit their programme, for an employer their own, for
    /// staff all that were submitted.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of the GraphQL field"
    )]
    async fn vacancies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<VacancyFilter>,
        #[graphql(desc = "What comes first.", default)] order_by: VacancyOrder,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Vacancy>>> {
        let page = PageArgs::new(first, after, last, before);
        let filter = filter.unwrap_or_default().into();
        Some(list(ctx, filter, order_by.into(), &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    order: Order,
    page: &PageArgs,
) -> Result<Connection<Vacancy>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let now = store.now();
    let counted = (store.clone(), viewer.clone(), filter.clone());
    let count = move || {
        let (store, viewer, filter) = counted.clone();
        async move { vacancies::count(store.reader(), &viewer, now, &filter).await }
    };
    let name = match order {
        Order::ClosingSoonest => {
            return connect(
                ctx,
                "vacancies by closing date",
                page,
                async |page| {
                    vacancies::list_by_closing(store.reader(), viewer, now, &filter, &page).await
                },
                |row: &Model| (row.closes_on, row.id),
                Vacancy,
                count,
            )
            .await;
        }
        Order::Newest => "vacancies",
        Order::Oldest => "vacancies from the first",
    };
    connect(
        ctx,
        name,
        page,
        async |page| {
            vacancies::list_by_id(store.reader(), viewer, now, &filter, order, &page).await
        },
        |row: &Model| row.id,
        Vacancy,
        count,
    )
    .await
}

#[Object]
impl VacancyMutation {
    /// Writes a draft, which needs no more than a title and a kind. Employers write those of their own organisation.
    async fn create_vacancy(
        &self,
        ctx: &Context<'_>,
        input: CreateVacancyInput,
    ) -> Result<CreateVacancyPayload> {
        let mut tx = begin(ctx).await?;
        let (organisation_id, advert) = input.into_advert();
        let created = vacancies::create(&mut tx, viewer(ctx)?, organisation_id, advert);
        let created = Box::pin(created).await;
        CreateVacancyPayload::commit(tx, created).await
    }

    /// Changes a vacancy. What is not given stays as it is; `null` empties a field. An approved one that says something else
    /// than before waits for an operator again, unless a rule trusts the organisation.
    async fn update_vacancy(
        &self,
        ctx: &Context<'_>,
        input: UpdateVacancyInput,
    ) -> Result<UpdateVacancyPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.id.0, input.version);
        let edit = |advert: &mut vacancies::Advert| input.apply(advert);
        let updated = vacancies::update(&mut tx, viewer(ctx)?, id, version, edit);
        let updated = Box::pin(updated).await;
        UpdateVacancyPayload::commit(tx, updated).await
    }

    /// Hands a draft, or what was declined, to the operators. Where a rule trusts the organisation, it is published at once.
    async fn submit_vacancy(
        &self,
        ctx: &Context<'_>,
        input: SubmitVacancyInput,
    ) -> Result<SubmitVacancyPayload> {
        let mut tx = begin(ctx).await?;
        let submitted = vacancies::submit(&mut tx, viewer(ctx)?, input.id.0, input.version);
        let submitted = Box::pin(submitted).await;
        SubmitVacancyPayload::commit(tx, submitted).await
    }

    /// Approves or declines a vacancy that waits, and tells its employer. Who is declined reads why.
    async fn review_vacancy(
        &self,
        ctx: &Context<'_>,
        input: ReviewVacancyInput,
    ) -> Result<ReviewVacancyPayload> {
        let mut tx = begin(ctx).await?;
        let dates = Dates {
            published_from: input.published_from.map(|day| day.0),
            closes_on: input.closes_on.map(|day| day.0),
        };
        let reviewed = vacancies::review(
            &mut tx,
            viewer(ctx)?,
            input.id.0,
            input.version,
            input.decision.into(),
            input.reason.as_deref(),
            dates,
        );
        let reviewed = Box::pin(reviewed).await;
        ReviewVacancyPayload::commit(tx, reviewed).await
    }

    /// Ends a vacancy: closed, filled or withdrawn. One that was never published is withdrawn; one that closed by itself can be
    /// called filled. An operator says why, and its employer is told.
    async fn close_vacancy(
        &self,
        ctx: &Context<'_>,
        input: CloseVacancyInput,
    ) -> Result<CloseVacancyPayload> {
        let mut tx = begin(ctx).await?;
        let closed = vacancies::close(
            &mut tx,
            viewer(ctx)?,
            input.id.0,
            input.version,
            input.outcome.into(),
            input.reason.as_deref(),
        );
        let closed = Box::pin(closed).await;
        CloseVacancyPayload::commit(tx, closed).await
    }

    /// Has the vacancies of an organisation that is trusted published at once: those of one kind, or all.
    async fn set_vacancy_rule(
        &self,
        ctx: &Context<'_>,
        input: SetVacancyRuleInput,
    ) -> Result<SetVacancyRulePayload> {
        let mut tx = begin(ctx).await?;
        let (id, kind) = (input.organisation_id.0, input.kind.map(Into::into));
        let set = vacancies::set_rule(&mut tx, viewer(ctx)?, id, kind, &input.reason);
        let set = Box::pin(set).await;
        SetVacancyRulePayload::commit(tx, set).await
    }

    /// Ends a rule: what is submitted from now on waits for an operator. What was published stays so.
    async fn end_vacancy_rule(
        &self,
        ctx: &Context<'_>,
        input: EndVacancyRuleInput,
    ) -> Result<EndVacancyRulePayload> {
        let mut tx = begin(ctx).await?;
        let ended = vacancies::end_rule(&mut tx, viewer(ctx)?, input.rule_id.0).await;
        EndVacancyRulePayload::commit(tx, ended).await
    }
}
