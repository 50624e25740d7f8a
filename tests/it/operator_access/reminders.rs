//! Reminders before training lapses.

use chrono::TimeDelta;
use domain::{Viewer, operator_access::RemindOperators};
use entity::access_grant::Permission;
use support::on_both_columns;

use crate::campus::Campus;

impl Campus {
    async fn remind(&self) {
        self.change(async |tx| tx.enqueue(&RemindOperators {}, None).await)
            .await
            .unwrap();
        self.run_jobs().await;
    }

    /// For how many days each reminder to somebody says that their training still counts.
    async fn reminded(&self, person: &Viewer) -> Vec<i64> {
        let letters = self.letters().await;
        letters
            .iter()
            .filter(|letter| {
                letter.user_id == person.user_id() && letter.template == "training_lapses"
            })
            .map(|letter| letter.fields["days"].as_i64().unwrap())
            .collect()
    }
}

on_both_columns! {
    async fn reminders_go_out_thirty_and_seven_days_before_a_lapse(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let admin = campus.administrator("ada").await;
        let (ann, ben) = (campus.staff("ann").await, campus.staff("ben").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        campus.train(&admin, course.id, &ben).await;
        campus.train(&admin, course.id, &ann).await;
        campus.grant(&admin, &ann, Permission::ReadReport).await.unwrap();
        let lapses = campus.store.now() + TimeDelta::days(365);

        campus.clock.set(lapses - TimeDelta::days(30) - TimeDelta::seconds(1));
        campus.remind().await;
        assert_eq!(campus.reminded(&ann).await, [0; 0]);
        campus.clock.advance(TimeDelta::seconds(1));
        campus.remind().await;
        campus.remind().await;
        assert_eq!(campus.reminded(&ann).await, [30], "once, however often the job comes");
        campus.clock.set(lapses - TimeDelta::days(7));
        campus.remind().await;
        campus.remind().await;
        assert_eq!(campus.reminded(&ann).await, [30, 7]);
        assert_eq!(campus.reminded(&ben).await, [0; 0], "nothing of his rests on it");

        // A refresher begins a new year, with reminders of its own.
        campus.clock.set(lapses - TimeDelta::days(14));
        campus.train(&admin, course.id, &ann).await;
        campus.remind().await;
        assert_eq!(campus.reminded(&ann).await, [30, 7]);
        campus.clock.advance(TimeDelta::days(340));
        campus.remind().await;
        assert_eq!(campus.reminded(&ann).await, [30, 7, 30]);
    }
}
