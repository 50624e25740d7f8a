//! Importing a file of 100,000 organisations by `mycareer import organisations`.

use std::{fmt::Write as _, time::Instant};

use support::{Column, Process};

use crate::{
    fill::Words,
    stage::Stage,
    table::{print, row, whole},
};

const ROWS: usize = 100_000;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("organisations.csv");
    std::fs::write(&file, organisations()).unwrap();
    let file = file.to_str().unwrap();
    let mut rows = vec![row([&"what", &"database", &"time", &"rows/s"])];
    for column in [Column::PostgresRedis, Column::SqliteMemory] {
        let stage = Stage::new(column).await;
        for what in ["all of them new", "all of them known"] {
            let begun = Instant::now();
            let arguments = ["import", "organisations", file];
            let (succeeded, printed) =
                Process::run("mycareer", stage.environment(&[]), &arguments, "").await;
            assert!(succeeded, "{printed}");
            let time = begun.elapsed().as_secs_f64();
            rows.push(row([
                &what,
                &stage.name(),
                &format!("{time:.1} s"),
                &whole(ROWS as f64 / time),
            ]));
        }
    }
    print(
        "Import",
        &format!(
            "A file of {} organisations with name, web site, sector, address and company number, from the start of the command \
             to its end; likely duplicates are looked for.",
            whole(ROWS as f64)
        ),
        &rows,
    );
}

fn organisations() -> String {
    let mut words = Words::new(3);
    let mut file = "name,website,sector,address,company_number\n".to_owned();
    for nth in 0..ROWS {
        let name = words.name();
        writeln!(
            file,
            "{name},https://www.imported{nth}.example,Energy,\"{} Kirkgate, Leeds LS{} {}AB\",{:08}",
            nth % 250,
            nth % 28 + 1,
            nth % 9 + 1,
            1_000_000 + nth
        )
        .unwrap();
    }
    file
}
