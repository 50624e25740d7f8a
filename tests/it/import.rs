//! Importing organisations: known rows are left alone, wrong ones refused with a reason, broken files change nothing.

mod by_api;
mod compared;
mod export;
mod memory;
mod records;

use std::{io::Write, path::PathBuf};

use api::commands::import::{ImportArgs, Report, organisations};
use chrono::TimeDelta;
use domain::{Store, import::Told, organisation::duplicates::Pair};
use entity::{
    audit_entry,
    organisation::{self, OrganisationState, RecordSource},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use support::on_both_columns;
use tempfile::NamedTempFile;

fn companies() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/s-and-p-500-companies.csv")
}

fn args(file: impl Into<PathBuf>, map: &[&str]) -> ImportArgs {
    ImportArgs {
        file: file.into(),
        map: map.iter().map(|mapped| mapped.parse().unwrap()).collect(),
        dry_run: false,
    }
}

fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    file
}

async fn import(store: &Store, content: impl AsRef<[u8]>) -> Report<Pair> {
    organisations(&args(file(content).path(), &[]), store)
        .await
        .unwrap()
}

async fn count(store: &Store) -> u64 {
    organisation::Entity::find()
        .count(store.reader())
        .await
        .unwrap()
}

on_both_columns! {
    async fn the_companies_of_the_index_come_in_and_doubles_are_told(bed: TestBed) {
        let store = bed.store().await;
        let report = organisations(&args(companies(), &[]), &store).await.unwrap();
        assert_eq!(report.outcome.created, 503);
        assert_eq!(report.outcome.unchanged, 0);
        assert_eq!(report.outcome.refused.first, []);
        let pairs: Vec<_> = report
            .outcome
            .likely_duplicates
            .as_ref()
            .unwrap()
            .first
            .iter()
            .map(|pair| (pair.one.name.as_str(), pair.other.name.as_str()))
            // All were made in one moment.
            .map(|(one, other)| (one.min(other), one.max(other)))
            .collect();
        assert_eq!(
            pairs,
            [
                ("Alphabet Inc. (Class A)", "Alphabet Inc. (Class C)"),
                ("Fox Corporation (Class A)", "Fox Corporation (Class B)"),
                ("News Corp (Class A)", "News Corp (Class B)"),
            ]
        );
        assert_eq!(count(&store).await, 503);

        let abbott = organisation::Entity::find()
            .filter(organisation::Column::SourceKey.eq("ABT"))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(abbott.name, "Abbott Laboratories");
        assert_eq!(abbott.sector.as_deref(), Some("Health Care"));
        assert_eq!(abbott.sub_sector.as_deref(), Some("Health Care Equipment"));
        assert_eq!(abbott.address.as_deref(), Some("North Chicago, Illinois"));
        assert_eq!(abbott.company_number.as_deref(), Some("1800"));
        assert_eq!(abbott.founded.as_deref(), Some("1888"));
        assert_eq!((abbott.state, abbott.source), (OrganisationState::Approved, RecordSource::Import));
        assert!(!abbott.shows_contacts_to_students);
    }

    async fn a_second_run_creates_nothing_and_leaves_changes_alone(bed: TestBed) {
        let store = bed.store().await;
        organisations(&args(companies(), &[]), &store).await.unwrap();
        let abbott = organisation::Entity::find()
            .filter(organisation::Column::SourceKey.eq("ABT"))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let mut renamed = abbott.into_active_model();
        renamed.name = Set("Abbott".to_owned());
        let renamed = renamed.update(store.reader()).await.unwrap();

        let report = organisations(&args(companies(), &[]), &store).await.unwrap();
        assert_eq!((report.outcome.created, report.outcome.unchanged), (0, 503));
        assert_eq!(report.outcome.likely_duplicates, Some(Told::default()));
        assert_eq!(count(&store).await, 503);
        let after = organisation::Entity::find_by_id(renamed.id).one(store.reader()).await.unwrap();
        assert_eq!(after.unwrap(), renamed);

        let lines = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("organisation.import"))
            .all(store.reader())
            .await
            .unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].subject, "s-and-p-500-companies.csv");
    }

    async fn a_dry_run_tells_all_and_changes_nothing(bed: TestBed) {
        let store = bed.store().await;
        let dry = ImportArgs { dry_run: true, ..args(companies(), &[]) };
        let report = organisations(&dry, &store).await.unwrap();
        assert_eq!(report.outcome.created, 503);
        assert_eq!(report.outcome.likely_duplicates.as_ref().unwrap().count, 3);
        let told = report.to_string();
        assert!(told.starts_with("This was a dry run: nothing was changed.\ncreated 503,"), "{told}");
        assert_eq!(count(&store).await, 0);
    }

    async fn wrong_rows_are_refused_with_line_and_reason_and_the_others_taken(bed: TestBed) {
        let store = bed.store().await;
        let report = import(
            &store,
            "Symbol,Name,Website\nA,Acme,acme.example\nB,,b.example\nC,\"Coyote\nLtd\",nowhere\nA,Acorn,\nD,Dingo,\n",
        )
        .await;
        assert_eq!((report.outcome.created, report.outcome.unchanged), (2, 0));
        let refused: Vec<_> = report.outcome.refused.first.iter().map(|row| (row.line, row.reasons.len())).collect();
        assert_eq!(refused, [(3, 1), (4, 2), (6, 1)]);
        let told = report.to_string();
        assert!(told.starts_with("created 2, unchanged 0, likely duplicates 0, refused 3"), "{told}");
        assert!(told.contains("line 3: name: This can't be empty."), "{told}");
        assert!(told.contains("line 6: Its key \"A\" is that of line 2."), "{told}");
        assert_eq!(count(&store).await, 2);
    }

    async fn lines_are_counted_as_an_editor_does_whatever_ends_them(bed: TestBed) {
        let store = bed.store().await;
        let rows = "Symbol,Name,Website\nA,Acme,acme.example\nB,,b.example\n\nC,\"Coyote\nLtd\",nowhere\nD,,";
        for end in ["\n", "\r\n"] {
            let report = import(&store, rows.replace('\n', end)).await;
            let refused: Vec<_> = report.outcome.refused.first.iter().map(|row| row.line).collect();
            assert_eq!(refused, [3, 5, 7], "{end:?} {report}");
        }
    }

    async fn a_column_says_in_which_time_zone_an_organisation_is(bed: TestBed) {
        let store = bed.store().await;
        let rows = "Symbol,Name,Time zone\nA,Acme,America/New_York\nB,Beck,\nC,Coyote,Middle/Earth\n";
        let report = import(&store, rows).await;
        assert_eq!(report.outcome.created, 2);
        assert_eq!(report.outcome.refused.first.iter().map(|row| row.line).collect::<Vec<_>>(), [4]);
        let mut zones: Vec<_> = organisation::Entity::find().all(store.reader()).await.unwrap().into_iter()
            .map(|row| (row.name, row.time_zone))
            .collect();
        zones.sort();
        let expected = [("Acme", "America/New_York"), ("Beck", "Europe/London")];
        assert_eq!(zones, expected.map(|(name, zone)| (name.to_owned(), zone.to_owned())));
    }

    async fn a_broken_file_changes_nothing(bed: TestBed) {
        let store = bed.store().await;
        let rows = |count: usize| {
            (0..count).fold("Symbol,Name\n".to_owned(), |all, row| format!("{all}S{row},Company {row}\n"))
        };
        // Long enough that rows have been written when the fault is found.
        let with = |end: &[u8]| [rows(1200).as_bytes(), end].concat();
        for (broken, reason) in [
            (with(b"X,Bad \xff\xfe bytes\n"), "invalid utf-8"),
            (with(b"X,Too,many\n"), "1202"),
            (with(b"X\n"), "1202"),
            (with(b"X,\"no end\n1\n"), "a quote is opened and never closed"),
            (Vec::new(), "the file is empty"),
            (b"%PDF-1.7 \x00\x01\x02".to_vec(), "no column is known to hold the name"),
            (b"Firm,City\nAcme,Leeds\n".to_vec(), "--map name=COLUMN"),
        ] {
            let broken_file = file(&broken);
            let told = organisations(&args(broken_file.path(), &[]), &store).await.unwrap_err().to_string();
            assert!(told.contains(reason), "{told}");
            assert_eq!(count(&store).await, 0, "{told}");
        }
        let good = file("Name\nAcme\n");
        let error = organisations(&args(good.path(), &["name=Firm"]), &store).await.unwrap_err();
        assert!(error.to_string().contains("no column \"Firm\""), "{error}");
        let error = organisations(&args("/nowhere/at/all.csv", &[]), &store).await.unwrap_err();
        assert!(error.to_string().contains("can't be opened"), "{error}");
    }

    async fn columns_are_mapped_by_hand_where_their_names_say_nothing(bed: TestBed) {
        let store = bed.store().await;
        let strange = file("\u{feff}Firm;ignored,Where\nAcme,Leeds\n");
        let report = organisations(
            &args(strange.path(), &["name=Firm;ignored", "address=Where"]),
            &store,
        )
        .await
        .unwrap();
        assert_eq!(report.outcome.created, 1);
        let acme = organisation::Entity::find().one(store.reader()).await.unwrap().unwrap();
        assert_eq!((acme.name.as_str(), acme.address.as_deref()), ("Acme", Some("Leeds")));
        assert_eq!(acme.source_key.as_deref(), Some("name:acme"), "without a key the name tells rows apart");
    }

    async fn what_looks_like_one_that_was_there_is_told(bed: TestBed) {
        let store = bed.store().await;
        import(&store, "Symbol,Name,CIK\nA,Acme Ltd,7\nB,Brook,8\n").await;
        bed.clock().advance(TimeDelta::days(1));
        let report = import(&store, "Symbol,Name,CIK\nC,ACME Corporation,\nD,Brooke plc,\nE,Other,0008\n").await;
        let pairs: Vec<_> = report
            .outcome
            .likely_duplicates
            .as_ref()
            .unwrap()
            .first
            .iter()
            .map(|pair| (pair.one.name.as_str(), pair.other.name.as_str()))
            .collect();
        assert_eq!(report.outcome.created, 3);
        assert!(pairs.contains(&("Acme Ltd", "ACME Corporation")), "{pairs:?}");
        assert!(pairs.contains(&("Brook", "Other")), "{pairs:?}");
    }
}
