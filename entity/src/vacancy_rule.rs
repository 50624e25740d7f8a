//! That the vacancies of an organisation are published without waiting for an operator (policy 2.2).

use sea_orm::entity::prelude::*;

use crate::event_opportunity::OpportunityKind;
use crate::ids::{OrganisationId, UserId, VacancyRuleId};
use crate::personal_data::personal_data;

/// A row of `vacancy_rule`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vacancy_rule")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VacancyRuleId,
    /// Whose vacancies.
    pub organisation_id: OrganisationId,
    /// Which kind of them; none means every kind.
    pub kind: Option<OpportunityKind>,
    /// Why the organisation is trusted.
    pub reason: String,
    /// Who said so.
    pub set_by: UserId,
    /// When.
    pub set_at: DateTimeUtc,
    /// Who ended it.
    pub ended_by: Option<UserId>,
    /// When.
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "vacancy_rule": "That an employer's vacancies are published at once, and who decided that.";
    erasure: Keep("why something was published without being looked at must stay known; its author is a pseudonym then");
    retention: Until::Always.because("why something was published without being looked at must stay known");
    Hand => set_by, ended_by;
    Words => reason;
    Nothing => id, organisation_id, kind, set_at, ended_at;
}
