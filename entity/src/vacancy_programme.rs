//! A programme that a vacancy suits; a vacancy without any suits all.

use sea_orm::entity::prelude::*;

use crate::ids::{ProgrammeId, VacancyId};
use crate::personal_data::personal_data;

/// A row of `vacancy_programme`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vacancy_programme")]
pub struct Model {
    /// The vacancy.
    #[sea_orm(primary_key, auto_increment = false)]
    pub vacancy_id: VacancyId,
    /// The programme.
    #[sea_orm(primary_key, auto_increment = false)]
    pub programme_id: ProgrammeId,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "vacancy_programme": nobody;
    vacancy_id, programme_id
}
