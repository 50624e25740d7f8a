//! The structure of the university: faculty, school, programme. Everybody may know it.

use entity::{
    faculty,
    ids::{FacultyId, ProgrammeId, SchoolId},
    programme, school,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::error::Result;

/// Every faculty, by name.
pub async fn faculties(db: &impl ConnectionTrait) -> Result<Vec<faculty::Model>> {
    Ok(faculty::Entity::find()
        .order_by_asc(faculty::Column::Name)
        .all(db)
        .await?)
}

/// The faculties with these ids.
pub async fn faculties_with(
    db: &impl ConnectionTrait,
    ids: &[FacultyId],
) -> Result<Vec<faculty::Model>> {
    Ok(faculty::Entity::find()
        .filter(faculty::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// The schools with these ids.
pub async fn schools_with(
    db: &impl ConnectionTrait,
    ids: &[SchoolId],
) -> Result<Vec<school::Model>> {
    Ok(school::Entity::find()
        .filter(school::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// The programmes with these ids.
pub async fn programmes_with(
    db: &impl ConnectionTrait,
    ids: &[ProgrammeId],
) -> Result<Vec<programme::Model>> {
    Ok(programme::Entity::find()
        .filter(programme::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// The schools of these faculties, by name.
pub async fn schools_of(
    db: &impl ConnectionTrait,
    faculties: &[FacultyId],
) -> Result<Vec<school::Model>> {
    Ok(school::Entity::find()
        .filter(school::Column::FacultyId.is_in(faculties.iter().copied()))
        .order_by_asc(school::Column::Name)
        .all(db)
        .await?)
}

/// The programmes of these schools, by name.
pub async fn programmes_of(
    db: &impl ConnectionTrait,
    schools: &[SchoolId],
) -> Result<Vec<programme::Model>> {
    Ok(programme::Entity::find()
        .filter(programme::Column::SchoolId.is_in(schools.iter().copied()))
        .order_by_asc(programme::Column::Name)
        .all(db)
        .await?)
}
