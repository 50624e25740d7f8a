//! The audit log can only be added to, and tampering shows (policy 3, domain "Data protection").

pub mod bulk;
mod changes;
mod command;
mod log;
mod numbers;

use domain::{Store, audit};
use sea_orm::{ConnectionTrait, DbBackend};
use support::{Column, TestBed, on_both_columns};

/// Something that has happened, in a chain of some lines.
async fn sealed(bed: &TestBed) -> Store {
    let system = bed.system_with_demo_data().await;
    let store = system.store().clone();
    let mut tx = store.begin().await.unwrap();
    for subject in ["one", "two", "three", "four"] {
        let after = Some(serde_json::json!({ "b": 1, "a": { "name": "Ada" } }));
        tx.audit(
            &domain::Viewer::system(),
            "test.change",
            subject,
            None,
            after,
        )
        .await
        .unwrap();
    }
    audit::seal(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    store
}

async fn run(store: &Store, statement: &str) -> Result<(), sea_orm::DbErr> {
    store
        .reader()
        .execute_unprepared(statement)
        .await
        .map(|_| ())
}

/// What whoever owns the database can do.
async fn switch_guards_off(store: &Store) {
    let statements: &[&str] = match store.backend() {
        DbBackend::Sqlite => &[
            "DROP TRIGGER audit_entry_no_update",
            "DROP TRIGGER audit_entry_no_delete",
            "DROP TRIGGER audit_seal_no_update",
            "DROP TRIGGER audit_seal_no_delete",
        ],
        _ => &[
            "ALTER TABLE audit_entry DISABLE TRIGGER USER",
            "ALTER TABLE audit_seal DISABLE TRIGGER USER",
        ],
    };
    for statement in statements {
        run(store, statement).await.unwrap();
    }
}

on_both_columns! {
    async fn the_database_refuses_to_change_or_delete_a_line(bed: TestBed) {
        let store = sealed(&bed).await;
        let mut statements = vec![
            "UPDATE audit_entry SET action = 'other'",
            "UPDATE audit_entry SET subject = 'other', before = NULL, after = NULL",
            "DELETE FROM audit_entry",
            "UPDATE audit_seal SET hash = 'other'",
            "DELETE FROM audit_seal",
        ];
        if bed.column() == Column::PostgresRedis {
            statements.push("TRUNCATE audit_entry CASCADE");
            statements.push("TRUNCATE audit_seal");
        }
        for statement in statements {
            let error = run(&store, statement).await.expect_err(statement);
            assert!(error.to_string().contains("can only be added to"), "{statement}: {error}");
        }
    }

    async fn a_chain_that_nobody_touched_is_sound(bed: TestBed) {
        let store = sealed(&bed).await;
        let report = audit::verify(&store, None).await.unwrap();
        assert!(report.fault.is_none(), "{report:?}");
        assert!(report.sealed >= 4, "{report:?}");
        let again = audit::verify(&store, Some(&report.head)).await.unwrap();
        assert!(again.fault.is_none(), "{again:?}");
        assert!(audit::verify(&store, Some("another")).await.unwrap().fault.is_some());
    }

    async fn whatever_is_tampered_with_shows_and_where(bed: TestBed) {
        for (tampering, seq) in [
            ("UPDATE audit_entry SET action = 'other' WHERE id = (SELECT entry_id FROM audit_seal WHERE seq = 2)", 2),
            ("UPDATE audit_entry SET after = '{}' WHERE id = (SELECT entry_id FROM audit_seal WHERE seq = 3)", 3),
            ("UPDATE audit_seal SET salt = NULL WHERE seq = 2", 2),
            ("DELETE FROM audit_seal WHERE seq = 3", 3),
            ("UPDATE audit_seal SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)", 2),
        ] {
            let bed = TestBed::new(bed.column()).await;
            let store = sealed(&bed).await;
            assert!(audit::verify(&store, None).await.unwrap().fault.is_none());
            switch_guards_off(&store).await;
            run(&store, tampering).await.unwrap();
            run(&store, "UPDATE audit_seal SET seq = -seq WHERE seq < 0").await.unwrap();
            let fault = audit::verify(&store, None).await.unwrap().fault;
            assert_eq!(fault.map(|fault| fault.seq), Some(seq), "{tampering}");
        }
    }
}
