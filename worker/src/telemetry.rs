//! The log and the metrics of a process.
//!
//! A line of the log is a message and fields with dotted names (`job.id`, `request.id`). Names and addresses of people,
//! and what they wrote, never stand in it: ids do.

use std::io::{IsTerminal, stderr};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::LogFormat;

/// What is logged when `RUST_LOG` doesn't say otherwise. apalis tells every start and stop of a worker, and warns of each
/// lost connection that we have a word for ourselves.
const USUAL_FILTER: &str = "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,apalis=error,apalis_core=error,apalis_redis=error,apalis_cron=error";

/// The bounds of the histograms, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0,
];

/// Starts the log, on standard error. To be called once.
pub fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL_FILTER));
    let registry = tracing_subscriber::registry().with(filter);
    // An error says that a log has been started already, by a test for one.
    let _ = match format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_ansi(stderr().is_terminal())
                    .with_writer(stderr),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_writer(stderr),
            )
            .try_init(),
    };
}

/// Starts counting, and answers with what renders the counts. To be called once.
pub fn start_metrics() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    metrics::describe_counter!(
        "mycareer_job_attempts_total",
        "Attempts at jobs, by kind and outcome"
    );
    metrics::describe_histogram!("mycareer_job_seconds", "How long attempts took, by kind");
    metrics::describe_gauge!(
        "mycareer_mail_rate_per_second",
        "How many mails may go out in a second by the limit that holds now; infinity is no limit"
    );
    metrics::describe_gauge!("mycareer_jobs", "Jobs that wait, run or were given up");
    metrics::describe_gauge!(
        "mycareer_jobs_overdue_seconds",
        "For how long the first waiting job has been due"
    );
    metrics::describe_gauge!(
        "mycareer_audit_log_is_whole",
        "Whether the audit log was whole when it was last checked, which is once a day: 1 or 0"
    );
    Ok(handle)
}
