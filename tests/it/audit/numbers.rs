//! Lines are numbered as they come: one that is removed is missed, sealed or not, and so is an end that is cut off.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Store, Viewer,
    audit::{self, Gap, TellHead},
};
use entity::audit_entry;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use support::{on_both_columns, until};

use super::{run, sealed, switch_guards_off};
use crate::delivered::told;

async fn write(store: &Store, subject: &str) -> audit_entry::Model {
    let mut tx = store.begin().await.unwrap();
    tx.audit(&Viewer::system(), "test.number", subject, None, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    audit_entry::Entity::find()
        .filter(audit_entry::Column::Subject.eq(subject))
        .one(store.reader())
        .await
        .unwrap()
        .unwrap()
}

async fn seal(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    audit::seal(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

on_both_columns! {
    async fn lines_are_numbered_upwards_without_a_gap(bed: TestBed) {
        let store = sealed(&bed).await;
        let numbers: Vec<i64> = audit_entry::Entity::find()
            .order_by_asc(audit_entry::Column::Number)
            .all(store.reader())
            .await
            .unwrap()
            .into_iter()
            .map(|line| line.number.unwrap())
            .collect();
        let count = i64::try_from(numbers.len()).unwrap();
        assert!(count >= 4);
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
        bed.clock().advance(TimeDelta::hours(2));
        let report = audit::verify(&store, None).await.unwrap();
        assert_eq!((report.gaps.len(), report.after_the_last), (0, 0), "{report:?}");
    }

    async fn a_line_that_is_removed_before_it_was_sealed_is_missed(bed: TestBed) {
        // Not a system: no worker seals it.
        let store = bed.store().await;
        for subject in ["one", "two", "three", "four"] {
            write(&store, subject).await;
        }
        bed.clock().advance(TimeDelta::hours(2));
        write(&store, "five").await;
        let two = write(&store, "six").await.number.unwrap() - 4;
        let report = audit::verify(&store, None).await.unwrap();
        assert_eq!((report.gaps, report.after_the_last), (vec![], 0), "the control");

        switch_guards_off(&store).await;
        run(&store, "DELETE FROM audit_entry WHERE subject = 'two'").await.unwrap();
        seal(&store).await;
        let report = audit::verify(&store, None).await.unwrap();
        assert_eq!(report.gaps, [Gap { first: two, last: two }]);
        assert_eq!(report.fault, None, "the chain alone knows nothing of it");
        assert!(!report.is_sound());

        // The newest one, of which no later line tells.
        run(&store, "DELETE FROM audit_seal WHERE entry_id = (SELECT id FROM audit_entry WHERE subject = 'six')").await.unwrap();
        run(&store, "DELETE FROM audit_entry WHERE subject = 'six'").await.unwrap();
        assert_eq!(audit::verify(&store, None).await.unwrap().after_the_last, 1);
        // Once there is a later one, it is a gap like the other.
        write(&store, "seven").await;
        bed.clock().advance(TimeDelta::hours(2));
        let report = audit::verify(&store, None).await.unwrap();
        assert_eq!((report.gaps.len(), report.after_the_last), (2, 0), "{report:?}");
    }

    async fn an_end_of_sealed_lines_that_is_cut_off_shows_without_a_head_that_was_kept(bed: TestBed) {
        let store = bed.store().await;
        for subject in ["one", "two", "three", "four", "five"] {
            write(&store, subject).await;
            bed.clock().advance(TimeDelta::seconds(1));
        }
        seal(&store).await;
        assert!(audit::verify(&store, None).await.unwrap().is_sound());
        switch_guards_off(&store).await;
        run(&store, "DELETE FROM audit_seal WHERE seq > 3").await.unwrap();
        run(&store, "DELETE FROM audit_entry WHERE subject IN ('four', 'five')").await.unwrap();
        let report = audit::verify(&store, None).await.unwrap();
        assert_eq!((report.fault.clone(), report.after_the_last), (None, 2), "{report:?}");
        assert!(!report.is_sound());
    }

    async fn changes_that_are_given_up_while_others_commit_leave_no_gap(bed: TestBed) {
        let store = bed.store().await;
        let change = async |number: usize| {
            let mut tx = store.begin().await.unwrap();
            for part in 0..3 {
                tx.audit(&Viewer::system(), "test.number", format!("{number}/{part}"), None, None).await.unwrap();
            }
            // Every third is given up, some of them with their lines written.
            match number % 6 {
                0 => drop(tx),
                3 => {
                    audit::seal(&mut tx).await.unwrap();
                    drop(tx);
                }
                _ => tx.commit().await.unwrap(),
            }
        };
        futures_util::future::join_all((0..36).map(change)).await;
        seal(&store).await;
        let report = audit::verify(&store, None).await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        let numbers: Vec<Option<i64>> = audit_entry::Entity::find()
            .order_by_asc(audit_entry::Column::Number)
            .all(store.reader())
            .await
            .unwrap()
            .into_iter()
            .map(|line| line.number)
            .collect();
        assert_eq!(numbers, (1..=72).map(Some).collect::<Vec<_>>());
    }

    async fn an_end_that_was_kept_must_be_in_the_chain_later(bed: TestBed) {
        let store = bed.store().await;
        let keep = async || {
            seal(&store).await;
            let report = audit::verify(&store, None).await.unwrap();
            let mut tx = store.begin().await.unwrap();
            audit::tell_head(&mut tx, &report).await.unwrap();
            tx.commit().await.unwrap();
            bed.clock().advance(TimeDelta::seconds(1));
            report
        };
        for subject in ["one", "two", "three", "four"] {
            write(&store, subject).await;
            bed.clock().advance(TimeDelta::seconds(1));
        }
        assert!(keep().await.is_sound());
        bed.clock().advance(TimeDelta::days(1));
        write(&store, "five").await;
        assert!(keep().await.is_sound(), "the control");

        // Whoever cuts off the end and sets back the count has still not got at what was kept.
        switch_guards_off(&store).await;
        run(&store, "DELETE FROM audit_seal WHERE seq > 3").await.unwrap();
        run(&store, "DELETE FROM audit_entry WHERE number > 3").await.unwrap();
        run(&store, "UPDATE audit_number SET last = 3").await.unwrap();
        let report = keep().await;
        assert_eq!((report.gaps.len(), report.after_the_last), (0, 0), "{report:?}");
        assert_eq!(report.fault.map(|fault| fault.seq), Some(4));

        // Nor has who writes another end, as long as it likes.
        for subject in ["other four", "other five", "other six"] {
            write(&store, subject).await;
            bed.clock().advance(TimeDelta::seconds(1));
        }
        assert_eq!(keep().await.fault.map(|fault| fault.seq), Some(4));
        let error = run(&store, "DELETE FROM audit_head").await.unwrap_err();
        assert!(error.to_string().contains("can only be added to"), "{error}");
    }

    async fn the_number_of_a_line_can_not_be_changed(bed: TestBed) {
        let store = sealed(&bed).await;
        let error = run(&store, "UPDATE audit_entry SET number = number + 1000").await.unwrap_err();
        assert!(error.to_string().contains("can only be added to"), "{error}");
        switch_guards_off(&store).await;
        run(&store, "UPDATE audit_entry SET number = 1000 WHERE id = (SELECT entry_id FROM audit_seal WHERE seq = 2)").await.unwrap();
        assert_eq!(audit::verify(&store, None).await.unwrap().fault.map(|fault| fault.seq), Some(2));
    }

    async fn administrators_are_told_every_day_where_the_chain_ends_and_whether_it_is_whole(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store().clone();
        write(&store, "one").await;
        write(&store, "two").await;
        seal(&store).await;
        let tell = async || {
            let mut tx = store.begin().await.unwrap();
            tx.enqueue(&TellHead::default(), None).await.unwrap();
            tx.commit().await.unwrap();
        };
        let text = async |subject: &str| {
            until(Duration::from_secs(20), "the mail", async || {
                (told(&bed, subject) == ["admin@demo.mycareer.test"]).then_some(())
            })
            .await;
        };
        tell().await;
        text("The audit log is whole").await;
        let mails = bed.mail().received();
        let known = audit::verify(&store, None).await.unwrap();
        assert!(known.sealed > 0);
        // What the mail says is taken by the check, however many lines come after.
        let mail = mails.iter().map(|mail| String::from_utf8_lossy(&mail.raw)).find(|raw| raw.contains("--expect"));
        let raw = mail.unwrap().replace("=\r\n", "").replace("=3D", "=");
        let kept = raw.split("--expect ").nth(1).unwrap()[..64].to_owned();
        assert!(audit::verify(&store, Some(&kept)).await.unwrap().fault.is_none(), "{kept}");

        switch_guards_off(&store).await;
        run(&store, "UPDATE audit_entry SET action = 'other' WHERE id = (SELECT entry_id FROM audit_seal WHERE seq = 2)").await.unwrap();
        bed.clock().advance(TimeDelta::days(1));
        tell().await;
        text("something is wrong").await;
    }
}
