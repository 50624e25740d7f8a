//! The structure of the university: faculties, schools, programmes.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Object, Result, dataloader::Loader};
use domain::university;
use entity::{
    faculty,
    ids::{FacultyId, ProgrammeId, SchoolId},
    programme::{self, StudyLevel as Level},
    school,
};

use super::{
    id::Id,
    rows::{LoadError, Rows, rows},
    store,
};

/// Queries about the university.
#[derive(Debug, Default)]
pub struct UniversityQuery;

#[Object]
impl UniversityQuery {
    /// Every faculty, by name.
    async fn faculties(&self, ctx: &Context<'_>) -> Result<Vec<Faculty>> {
        let faculties = university::faculties(store(ctx)?.reader()).await?;
        Ok(faculties.into_iter().map(Faculty).collect())
    }
}

/// A faculty of the university.
#[derive(Clone, Debug)]
pub struct Faculty(faculty::Model);

/// A faculty of the university.
#[Object]
impl Faculty {
    /// Its id.
    async fn id(&self) -> Id<FacultyId> {
        Id(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its schools, by name.
    async fn schools(&self, ctx: &Context<'_>) -> Result<Vec<School>> {
        let schools = rows(ctx)?.load_one(SchoolsOf(self.0.id)).await?;
        Ok(schools.unwrap_or_default())
    }
}

/// A school within a faculty.
#[derive(Clone, Debug)]
pub struct School(school::Model);

/// A school within a faculty.
#[Object]
impl School {
    /// Its id.
    async fn id(&self) -> Id<SchoolId> {
        Id(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The faculty that it belongs to.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        faculty(ctx, self.0.faculty_id).await.transpose()
    }

    /// The programmes that it teaches, by name.
    async fn programmes(&self, ctx: &Context<'_>) -> Result<Vec<Programme>> {
        let programmes = rows(ctx)?.load_one(ProgrammesOf(self.0.id)).await?;
        Ok(programmes.unwrap_or_default())
    }
}

/// A degree programme within a school.
#[derive(Clone, Debug)]
pub struct Programme(programme::Model);

/// A degree programme within a school.
#[Object]
impl Programme {
    /// Its id.
    async fn id(&self) -> Id<ProgrammeId> {
        Id(self.0.id)
    }

    /// Its name, with the award, such as `BSc Computer Science`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its level of study.
    async fn level(&self) -> StudyLevel {
        self.0.level.into()
    }

    /// The school that teaches it.
    async fn school(&self, ctx: &Context<'_>) -> Option<Result<School>> {
        school(ctx, self.0.school_id).await.transpose()
    }
}

/// The level of study of a degree programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Level")]
pub enum StudyLevel {
    /// A foundation year.
    Foundation,
    /// A first degree.
    Undergraduate,
    /// A taught master's degree.
    TaughtPostgraduate,
    /// A research degree.
    Research,
}

/// The faculty with this id.
pub async fn faculty(ctx: &Context<'_>, id: FacultyId) -> Result<Option<Faculty>> {
    Ok(rows(ctx)?.load_one(id).await?)
}

/// The school with this id.
pub async fn school(ctx: &Context<'_>, id: SchoolId) -> Result<Option<School>> {
    Ok(rows(ctx)?.load_one(id).await?)
}

/// The programme with this id.
pub async fn programme(ctx: &Context<'_>, id: ProgrammeId) -> Result<Option<Programme>> {
    Ok(rows(ctx)?.load_one(id).await?)
}

/// The schools of a faculty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SchoolsOf(FacultyId);

/// The programmes of a school.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ProgrammesOf(SchoolId);

impl Loader<FacultyId> for Rows {
    type Value = Faculty;
    type Error = LoadError;

    async fn load(&self, ids: &[FacultyId]) -> Result<HashMap<FacultyId, Faculty>, LoadError> {
        let found = university::faculties_with(self.store.reader(), ids).await?;
        Ok(found
            .into_iter()
            .map(|row| (row.id, Faculty(row)))
            .collect())
    }
}

impl Loader<SchoolId> for Rows {
    type Value = School;
    type Error = LoadError;

    async fn load(&self, ids: &[SchoolId]) -> Result<HashMap<SchoolId, School>, LoadError> {
        let found = university::schools_with(self.store.reader(), ids).await?;
        Ok(found.into_iter().map(|row| (row.id, School(row))).collect())
    }
}

impl Loader<ProgrammeId> for Rows {
    type Value = Programme;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[ProgrammeId],
    ) -> Result<HashMap<ProgrammeId, Programme>, LoadError> {
        let found = university::programmes_with(self.store.reader(), ids).await?;
        Ok(found
            .into_iter()
            .map(|row| (row.id, Programme(row)))
            .collect())
    }
}

impl Loader<SchoolsOf> for Rows {
    type Value = Vec<School>;
    type Error = LoadError;

    async fn load(&self, keys: &[SchoolsOf]) -> Result<HashMap<SchoolsOf, Vec<School>>, LoadError> {
        let ids: Vec<FacultyId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<SchoolsOf, Vec<School>> = HashMap::new();
        for row in university::schools_of(self.store.reader(), &ids).await? {
            let key = SchoolsOf(row.faculty_id);
            found.entry(key).or_default().push(School(row));
        }
        Ok(found)
    }
}

impl Loader<ProgrammesOf> for Rows {
    type Value = Vec<Programme>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ProgrammesOf],
    ) -> Result<HashMap<ProgrammesOf, Vec<Programme>>, LoadError> {
        let ids: Vec<SchoolId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<ProgrammesOf, Vec<Programme>> = HashMap::new();
        for row in university::programmes_of(self.store.reader(), &ids).await? {
            let key = ProgrammesOf(row.school_id);
            found.entry(key).or_default().push(Programme(row));
        }
        Ok(found)
    }
}
