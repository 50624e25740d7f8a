//! However large a file is, it needs no more memory.

use std::{fmt::Write as _, time::Duration};

use support::on_both_columns;

use super::file;

const PATIENCE: Duration = Duration::from_mins(3);
/// How much more memory a large file may need than a small one. The large one has more than twice as much.
const ALLOWED: u64 = 20 << 20;
/// What every row has in a column that is not read.
const REMARK: usize = 4_000;

/// A file of so many contacts.
fn contacts(rows: usize) -> String {
    let remark = "x".repeat(REMARK);
    let mut all = "organisation,name,email,remarks\n".to_owned();
    for row in 0..rows {
        writeln!(
            all,
            "Acme Ltd,Contact {row},contact{row}@acme.test,{remark}"
        )
        .unwrap();
    }
    all
}

/// What the program says of the most memory that it had, in bytes.
fn peak(output: &str) -> u64 {
    let told = output.split_once("It took ").expect(output).1;
    let megabytes = told.split_once(" MB").expect(output).0;
    megabytes.parse::<u64>().unwrap() << 20
}

on_both_columns! {
    async fn a_large_file_needs_no_more_memory_than_a_small_one(bed: TestBed) {
        let organisations = file("name\nAcme Ltd\n");
        let mut first = bed.start_command(&["import", "organisations", organisations.path().to_str().unwrap()]);
        assert!(first.ended_within(PATIENCE).await.success());
        let mut peaks = Vec::new();
        for rows in [100, 12_000] {
            let content = contacts(rows);
            assert!(rows == 100 || content.len() as u64 > 2 * ALLOWED);
            let large = file(&content);
            drop(content);
            let mut run = bed.start_command(&["import", "contacts", "--dry-run", large.path().to_str().unwrap()]);
            let status = run.ended_within(PATIENCE).await;
            assert!(status.success(), "{}", run.output());
            assert!(run.output().contains(&format!("created {rows},")), "{}", run.output());
            peaks.push(peak(&run.output()));
        }
        assert!(peaks[0] > 0 && peaks[1] < peaks[0] + ALLOWED, "{peaks:?}");
    }
}
