//! What a draft clashes with, among 10,000 events in the year, asked of the API over HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use domain::event::{self, AudienceGroup, EventDraft};
use entity::{
    event::EventKind,
    ids::{OrganisationId, ProgrammeId},
    programme,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::EntityTrait;
use serde_json::json;
use support::Column;

use crate::{
    fill::{self, Words},
    stage::Stage,
    table::{print, row, whole},
    timing::Times,
};

const EVENTS: i64 = 10_000;
const ORGANISATIONS: usize = 1_000;
const DRAFTS: usize = 200;
const MINUTES_OF_YEAR: i64 = 365 * 24 * 60;

const CLASHES: &str = "query($input: EventClashesInput!) { eventClashes(input: $input) { severity why other { id title } } }";

pub async fn measure() {
    let mut rows = vec![row([
        &"database",
        &"clashes of a draft, on average",
        &"half are under",
        &"95% are under",
        &"slowest",
    ])];
    for column in [Column::PostgresRedis, Column::SqliteMemory] {
        let stage = Stage::new(column).await;
        let year = Year::fill(&stage).await;
        let (_api, client) = stage.operator().await;
        let (mut times, mut rng, mut found) = (Times::default(), StdRng::seed_from_u64(5), 0_usize);
        for _ in 0..DRAFTS {
            let starts_at = year.any_time(&mut rng);
            let input = json!({
                "kind": "EMPLOYER_PRESENTATION",
                "startsAt": starts_at,
                "endsAt": starts_at + TimeDelta::hours(2),
                "organisationIds": [year.organisation(&mut rng)],
                "audience": [{ "programmeId": year.programme(&mut rng) }],
                "opportunityKinds": ["GRADUATE_JOB"],
            });
            let data = times
                .of(client.data(CLASHES, json!({ "input": input })))
                .await;
            found += data["eventClashes"].as_array().unwrap().len();
        }
        rows.push(row([
            &stage.name(),
            &format!("{:.1}", found as f64 / DRAFTS as f64),
            &times.percentile(50),
            &times.percentile(95),
            &times.percentile(100),
        ]));
    }
    print(
        "Clashes",
        &format!(
            "{DRAFTS} drafts, one after the other, over HTTP; {} published events in the year.",
            whole(EVENTS as f64)
        ),
        &rows,
    );
}

/// A year full of events.
struct Year {
    from: DateTime<Utc>,
    organisations: Vec<OrganisationId>,
    programmes: Vec<ProgrammeId>,
}

impl Year {
    async fn fill(stage: &Stage) -> Self {
        let tag = fill::tag(&stage.store, "Measured").await;
        let (organisations, _) =
            fill::organisations(&stage.store, &mut Words::new(4), ORGANISATIONS, 1, tag).await;
        let programmes = programme::Entity::find()
            .all(stage.store.reader())
            .await
            .unwrap();
        let year = Self {
            from: stage.store.now() + TimeDelta::days(1),
            organisations,
            programmes: programmes.iter().map(|row| row.id).collect(),
        };
        let organiser = stage.viewer("operator").await;
        let mut rng = StdRng::seed_from_u64(4);
        for _ in 0..EVENTS / 100 {
            let mut tx = stage.store.begin().await.unwrap();
            for nth in 0..100 {
                let draft = year.draft(&mut rng, nth);
                event::create(&mut tx, &organiser, draft).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        stage
            .sql("UPDATE event SET state = 'PUBLISHED' WHERE state = 'DRAFT'")
            .await;
        stage.settle().await;
        year
    }

    fn draft(&self, rng: &mut StdRng, nth: usize) -> EventDraft {
        let starts_at = self.any_time(rng);
        let kinds = [
            EventKind::EmployerPresentation,
            EventKind::Workshop,
            EventKind::Interviews,
        ];
        EventDraft {
            organisation_ids: vec![self.organisation(rng)],
            audience: vec![AudienceGroup {
                programme_id: Some(self.programme(rng)),
                ..AudienceGroup::default()
            }],
            ..EventDraft::new(
                format!("Event {nth}"),
                kinds[nth % kinds.len()],
                starts_at,
                starts_at + TimeDelta::hours(2),
                50,
            )
        }
    }

    fn any_time(&self, rng: &mut StdRng) -> DateTime<Utc> {
        self.from + TimeDelta::minutes(rng.random_range(0..MINUTES_OF_YEAR / 15) * 15)
    }

    fn organisation(&self, rng: &mut StdRng) -> OrganisationId {
        self.organisations[rng.random_range(0..self.organisations.len())]
    }

    fn programme(&self, rng: &mut StdRng) -> ProgrammeId {
        self.programmes[rng.random_range(0..self.programmes.len())]
    }
}
