//! `mycareer audit verify` as it is delivered: it fails, and names what is wrong.

use chrono::TimeDelta;
use domain::{Store, Viewer, audit};
use support::{Process, TestBed, on_both_columns};

use super::{run, switch_guards_off};

/// Six lines, five of them sealed.
async fn written(bed: &TestBed) -> Store {
    let store = bed.store().await;
    for number in 1..=6 {
        let mut tx = store.begin().await.unwrap();
        let after = Some(serde_json::json!({ "name": "Ada" }));
        tx.audit(&Viewer::system(), "test.line", number, None, after)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        // Lines of one moment are sealed in any order.
        bed.clock().advance(TimeDelta::seconds(1));
        if number == 5 {
            let mut tx = store.begin().await.unwrap();
            assert_eq!(audit::seal(&mut tx).await.unwrap(), 5);
            tx.commit().await.unwrap();
        }
    }
    // One that is given up.
    let mut tx = store.begin().await.unwrap();
    tx.audit(&Viewer::system(), "test.line", "given up", None, None)
        .await
        .unwrap();
    drop(tx);
    store
}

async fn seal(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    audit::seal(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn verify(bed: &TestBed, further: &[&str]) -> (bool, String) {
    let arguments = [&["audit", "verify"], further].concat();
    Process::run("mycareer", bed.environment(), &arguments, "").await
}

on_both_columns! {
    async fn the_command_passes_a_log_that_nobody_touched(bed: TestBed) {
        let store = written(&bed).await;
        seal(&store).await;
        let (passed, said) = verify(&bed, &[]).await;
        assert!(passed, "{said}");
        let head = said.split("head ").nth(1).unwrap()[..64].to_owned();
        let (passed, said) = verify(&bed, &["--expect", &head]).await;
        assert!(passed, "{said}");
    }

    async fn the_command_fails_and_says_what_was_done_to_the_log(bed: TestBed) {
        const REMOVE_THE_LAST: &str = "DELETE FROM audit_entry WHERE number = 6";
        for (tampering, expected) in [
            (&["UPDATE audit_entry SET action = 'other' WHERE number = 3"][..], "At seal 3: its line was altered"),
            (
                &["UPDATE audit_entry SET after = '{\"name\": \"Eve\"}' WHERE number = 3"],
                "At seal 3: what its line tells before and after was altered",
            ),
            (
                &["DELETE FROM audit_seal WHERE seq = 3", "DELETE FROM audit_entry WHERE number = 3"],
                "these numbers have none: 3.",
            ),
            // Before it was sealed: the chain alone knows nothing of it.
            (&[REMOVE_THE_LAST, "UPDATE audit_number SET last = last + 0"], "1 lines were counted after the last one"),
            (
                &["DELETE FROM audit_seal WHERE seq > 3", "DELETE FROM audit_entry WHERE number > 3"],
                "3 lines were counted after the last one",
            ),
            (&[REMOVE_THE_LAST, "UPDATE audit_number SET last = 4"], "The count of the lines was set back"),
        ] {
            let bed = TestBed::new(bed.column()).await;
            let store = written(&bed).await;
            switch_guards_off(&store).await;
            for statement in tampering {
                run(&store, statement).await.unwrap();
            }
            seal(&store).await;
            let (passed, said) = verify(&bed, &[]).await;
            assert!(!passed, "{tampering:?}: {said}");
            assert!(said.contains(expected), "{tampering:?}: {said}");
        }
    }

    async fn the_command_fails_when_the_end_that_was_written_down_is_no_longer_there(bed: TestBed) {
        let store = written(&bed).await;
        seal(&store).await;
        let (_, said) = verify(&bed, &[]).await;
        let head = said.split("head ").nth(1).unwrap()[..64].to_owned();
        switch_guards_off(&store).await;
        for statement in [
            "DELETE FROM audit_seal WHERE seq > 3",
            "DELETE FROM audit_entry WHERE number > 3",
            "UPDATE audit_number SET last = 3",
        ] {
            run(&store, statement).await.unwrap();
        }
        let (passed, said) = verify(&bed, &["--expect", &head]).await;
        assert!(!passed && said.contains("its end was cut off"), "{said}");
        let (passed, said) = verify(&bed, &[]).await;
        assert!(passed, "the control: what is left is whole by itself: {said}");
    }
}
