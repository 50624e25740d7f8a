//! Looks whether the audit log is whole, and tells administrators where it ends.

use domain::{
    audit::{self, TellHead},
    error::Result,
};
use tracing::{error, info};

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for TellHead {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let report = audit::verify(&ctx.store, None).await?;
        let mut tx = ctx.begin().await?;
        let told = audit::tell_head(&mut tx, &report).await?;
        metrics::gauge!("mycareer_audit_log_is_whole").set(f64::from(u8::from(report.is_sound())));
        if report.is_sound() {
            info!(audit.head = %report.head, audit.sealed = report.sealed, people = told, "the audit log is whole");
        } else {
            let faults = report.faults().join(" ");
            error!(audit.head = %report.head, audit.sealed = report.sealed, people = told, %faults, "the audit log is not whole");
        }
        Ok(Outcome::Done(tx))
    }
}
