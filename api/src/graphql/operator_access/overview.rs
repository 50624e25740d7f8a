//! Who is trained for what, by faculty (policy 3).

use std::collections::HashMap;

use async_graphql::{Context, Enum, Object, Result, dataloader::Loader};
use domain::operator_access::{self as access, Cell, CellKey, Trained};
use entity::user;

use crate::graphql::{
    person::Person,
    rows::{LoadError, Rows, rows},
    training_course::{self, TrainingCourse},
    university::{self, Faculty},
};

/// How many of the staff of a faculty are trained in a course.
#[derive(Clone, Debug)]
pub struct TrainingOverview(Cell);

impl From<Cell> for TrainingOverview {
    fn from(cell: Cell) -> Self {
        Self(cell)
    }
}

/// How many of the staff of a faculty are trained in a course, and who.
#[Object]
impl TrainingOverview {
    /// The faculty; null for staff of no faculty, as in the Careers Centre.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty_id?)
            .await
            .transpose()
    }

    /// The course.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<TrainingCourse>> {
        training_course::find(ctx, self.0.course_id)
            .await
            .transpose()
    }

    /// How many are trained for longer than the next 30 days.
    async fn trained(&self) -> Option<i64> {
        Some(self.0.trained)
    }

    /// How many are trained, but for less than that.
    async fn lapsing(&self) -> Option<i64> {
        Some(self.0.lapsing)
    }

    /// How many were trained too long ago.
    async fn lapsed(&self) -> Option<i64> {
        Some(self.0.lapsed)
    }

    /// How many were never trained.
    async fn never(&self) -> Option<i64> {
        Some(self.0.never)
    }

    /// Who they are, by name, as far as the viewer oversees their access; at most 100.
    async fn people(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those who stand so to the course.")] standing: TrainingStanding,
    ) -> Option<Result<Vec<Person>>> {
        let key = (self.0.faculty_id, self.0.course_id, standing.into());
        let found = async {
            let people = rows(ctx)?.load_one(PeopleIn(key)).await?;
            Ok(people
                .unwrap_or_default()
                .into_iter()
                .map(Person::from)
                .collect())
        };
        Some(found.await)
    }
}

/// How somebody stands to a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Trained")]
pub enum TrainingStanding {
    /// Trained for longer than the next 30 days.
    Trained,
    /// Trained, for less than that.
    Lapsing,
    /// Trained once, too long ago.
    Lapsed,
    /// Never trained.
    Never,
}

/// Who stands so to a course in a faculty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PeopleIn(CellKey);

impl Loader<PeopleIn> for Rows {
    type Value = Vec<user::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[PeopleIn],
    ) -> Result<HashMap<PeopleIn, Vec<user::Model>>, LoadError> {
        let cells: Vec<CellKey> = keys.iter().map(|key| key.0).collect();
        let now = self.store.now();
        let found = access::people_in(self.store.reader(), &self.viewer, &cells, now).await?;
        Ok(found
            .into_iter()
            .map(|(key, people)| (PeopleIn(key), people))
            .collect())
    }
}
