//! What is new in a file is compared with what there is before anything is locked.

use std::{fmt::Write as _, time::Duration};

use chrono::TimeDelta;
use domain::{
    Store, Viewer,
    import::{
        Outcome,
        table::{self, File},
    },
    organisation::{duplicates::Pair, import::Organisations},
};
use entity::{
    duplicate_pair,
    job::{self, JobState},
    organisation,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use support::{Process, on_both_columns};
use tokio::time::timeout;

/// How long nothing happens where something waits.
const PAUSE: Duration = Duration::from_millis(300);
const CONTENT: &str = "source_key,name\nA,ACME Corporation\nB,Brook\n";

fn csv(content: &str) -> File<'_, &[u8]> {
    File {
        name: "employers.csv".into(),
        content: content.as_bytes(),
        mapped: &[],
    }
}

async fn foreseeing(store: &Store, content: &str) -> Organisations {
    let (db, now) = (store.reader(), store.now());
    Organisations::default()
        .foreseeing(db, now, &Viewer::system(), csv(content))
        .await
        .unwrap()
}

async fn carried_out(store: &Store, content: &str, import: Organisations) -> Outcome<Pair> {
    let mut tx = store.begin().await.unwrap();
    let imported = table::import(&mut tx, &Viewer::system(), csv(content), import, |_| {})
        .await
        .unwrap();
    tx.commit().await.unwrap();
    imported.outcome
}

fn names(outcome: &Outcome<Pair>) -> Vec<(&str, &str)> {
    let pairs = outcome.likely_duplicates.as_ref().unwrap();
    let pairs = pairs.first.iter();
    pairs
        .map(|pair| (pair.one.name.as_str(), pair.other.name.as_str()))
        .collect()
}

on_both_columns! {
    async fn nobody_waits_while_a_file_is_compared(bed: TestBed) {
        let store = bed.store().await;
        super::import(&store, "name\nAcme Ltd\n").await;
        bed.clock().advance(TimeDelta::days(1));
        // Somebody writes, and has all organisations to themselves.
        let writing = store.begin().await.unwrap();
        writing.hold("import").await.unwrap();
        organisation::Entity::find().lock_exclusive().all(writing.conn()).await.unwrap();
        let compared = foreseeing(&store, CONTENT).await;
        // The control: what is imported waits for them.
        let mut importing = Box::pin(carried_out(&store, CONTENT, compared));
        assert!(timeout(PAUSE, &mut importing).await.is_err());
        drop(writing);
        let outcome = importing.await;
        assert_eq!((outcome.created, names(&outcome)), (2, vec![("Acme Ltd", "ACME Corporation")]));
        assert_eq!(duplicate_pair::Entity::find().count(store.reader()).await.unwrap(), 1);
    }

    async fn what_others_added_meanwhile_is_left_alone_and_in_no_pair(bed: TestBed) {
        let store = bed.store().await;
        super::import(&store, "name\nAcme Ltd\n").await;
        bed.clock().advance(TimeDelta::days(1));
        let compared = foreseeing(&store, CONTENT).await;
        super::import(&store, "source_key,name\nB,Brook\n").await;
        let outcome = carried_out(&store, CONTENT, compared).await;
        assert_eq!((outcome.created, outcome.unchanged), (1, 1));
        assert_eq!(names(&outcome), [("Acme Ltd", "ACME Corporation")], "the control");
    }

    async fn what_was_not_compared_is_looked_for_afterwards(bed: TestBed) {
        let store = bed.store().await;
        super::import(&store, "name\nAcme Ltd\n").await;
        let searches = async || {
            job::Entity::find()
                .filter(job::Column::Kind.eq("organisation.scan_duplicates"))
                .filter(job::Column::State.ne(JobState::Done))
                .count(store.reader())
                .await
                .unwrap()
        };
        assert_eq!(searches().await, 0, "the control: the file was compared");
        let outcome = carried_out(&store, CONTENT, Organisations::default()).await;
        assert_eq!((outcome.created, outcome.likely_duplicates), (2, None));
        assert_eq!(searches().await, 1);
    }

    async fn a_key_that_is_no_longer_remembered_is_found_in_the_database(bed: TestBed) {
        let store = bed.store().await;
        super::import(&store, "source_key,name\nK,Known\n").await;
        bed.clock().advance(TimeDelta::days(1));
        // Three keys are remembered, and those of the rows that are read together: 500 of them.
        let mut content = "source_key,name\n0,First\nK,Known\n".to_owned();
        for row in 1..600 {
            writeln!(content, "{row},Employer {row}").unwrap();
        }
        content += "0,First again\n70,Early again\n599,Late again\n";
        let (db, now) = (store.reader(), store.now());
        let looked_at = Organisations::remembering(3)
            .foreseeing(db, now, &Viewer::system(), csv(&content))
            .await
            .unwrap();
        let outcome = carried_out(&store, &content, looked_at).await;
        assert_eq!((outcome.created, outcome.unchanged), (600, 1));
        assert_eq!(outcome.likely_duplicates, None, "so many are not compared");
        let refused: Vec<String> = outcome.refused.first.iter().map(|row| format!("{}: {}", row.line, row.reasons[0])).collect();
        assert_eq!(refused, [
            "603: Its key \"0\" is that of line 2.",
            "605: Its key \"599\" is that of line 602.",
            "604: Its key \"70\" stands earlier in the file.",
        ]);
    }

    async fn the_second_row_of_a_key_that_is_no_longer_remembered_is_compared_with_nothing(bed: TestBed) {
        let store = bed.store().await;
        let employers = |rows: std::ops::Range<usize>| {
            let mut content = String::new();
            for row in rows {
                writeln!(content, "{row},Employer {row}").unwrap();
            }
            content
        };
        super::import(&store, format!("source_key,name\n{}", employers(1..601))).await;
        bed.clock().advance(TimeDelta::days(1));
        // The first three keys are remembered; the two rows of one key are not read together.
        let content = format!(
            "source_key,name\n{}N,Newcomer\n{}N,Newcomer plc\n",
            employers(1..4),
            employers(4..601)
        );
        let (db, now) = (store.reader(), store.now());
        let looked_at = Organisations::remembering(3)
            .foreseeing(db, now, &Viewer::system(), csv(&content))
            .await
            .unwrap();
        let outcome = carried_out(&store, &content, looked_at).await;
        assert_eq!((outcome.created, outcome.unchanged, outcome.refused.count), (1, 600, 1));
        assert_eq!(outcome.refused.first[0].reasons[0].to_string(), "Its key \"N\" stands earlier in the file.");
        assert_eq!(names(&outcome), [("", ""); 0], "it is like nothing else");
    }

    async fn what_comes_through_a_pipe_is_compared_afterwards(bed: TestBed) {
        let told = async |rows: &str, options: &[&str]| {
            let mut arguments = vec!["import", "organisations", "/dev/stdin"];
            arguments.extend(options);
            let (succeeded, told) = Process::run("mycareer", bed.environment(), &arguments, rows).await;
            assert!(succeeded, "{told}");
            told
        };
        let tried = told(CONTENT, &["--dry-run"]).await;
        assert!(tried.contains("created 2, unchanged 0, likely duplicates not looked for, refused 0"), "{tried}");
        let done = told(CONTENT, &[]).await;
        assert!(done.contains("created 2, unchanged 0, likely duplicates to be looked for by the worker, refused 0"), "{done}");
    }
}
