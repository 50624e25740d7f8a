//! Importing files of organisations by `mycareer import organisations`: one of 100,000 rows, and one of a gigabyte.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    time::Instant,
};

use entity::organisation;
use sea_orm::{EntityTrait, PaginatorTrait};
use support::{Column, Process};

use crate::{
    fill::Words,
    stage::Stage,
    table::{print, row, whole},
};

const ROWS: usize = 100_000;
/// How many bytes the large file has at least.
const LARGE: usize = 1 << 30;
/// What every row of it has in a column that is not read.
const REMARK: usize = 4_000;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("organisations.csv");
    std::fs::write(&file, organisations()).unwrap();
    let mut rows = vec![row([
        &"what",
        &"database",
        &"time",
        &"rows/s",
        &"most memory",
    ])];
    for column in [Column::PostgresRedis, Column::SqliteMemory] {
        let stage = Stage::new(column).await;
        for what in ["all of them new", "all of them known"] {
            let imported = import(&stage, &file, &[]).await;
            assert!(imported.succeeded, "{}", imported.printed);
            rows.push(row([
                &what,
                &stage.name(),
                &format!("{:.1} s", imported.seconds),
                &whole(ROWS as f64 / imported.seconds),
                &imported.memory(),
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
    measure_large(folder.path()).await;
}

/// Files whose rows are long, so that what is kept of the rows is little beside them.
async fn measure_large(folder: &Path) {
    let large = LARGE / REMARK;
    let files = [
        ("a small one", 1_000, false),
        ("a gigabyte", large, false),
        ("a gigabyte whose last row lacks a cell", large, true),
    ];
    let mut rows = vec![row([
        &"file",
        &"rows",
        &"database",
        &"time",
        &"most memory",
    ])];
    for column in [Column::PostgresRedis, Column::SqliteMemory] {
        let stage = Stage::new(column).await;
        let count = async || {
            let all = organisation::Entity::find();
            all.count(stage.store.reader()).await.unwrap()
        };
        let before = count().await;
        for (what, length, is_broken) in files {
            let path = folder.join("long.csv");
            write_long_rows(&path, length, is_broken).unwrap();
            let imported = import(&stage, &path, &["--dry-run"]).await;
            assert_eq!(imported.succeeded, !is_broken, "{}", imported.printed);
            let is_compared = !imported
                .printed
                .contains("likely duplicates not looked for");
            assert_eq!(
                is_compared,
                length < large || is_broken,
                "{}",
                imported.printed
            );
            if is_broken {
                let told = format!("line {} has 2 cells, and the header has 3", length + 1);
                assert!(imported.printed.contains(&told), "{}", imported.printed);
            }
            rows.push(row([
                &what,
                &whole(length as f64),
                &stage.name(),
                &format!("{:.1} s", imported.seconds),
                &imported.memory(),
            ]));
        }
        assert_eq!(count().await, before);
    }
    print(
        "Large files",
        &format!(
            "Files of new organisations with {} letters in a column that is not read, tried with `--dry-run`.",
            whole(REMARK as f64)
        ),
        &rows,
    );
}

/// What a run of the command did.
struct Imported {
    succeeded: bool,
    seconds: f64,
    printed: String,
}

impl Imported {
    /// What the command says of the most memory that it had.
    fn memory(&self) -> String {
        let told = self.printed.split_once("It took ");
        let told = told.and_then(|(_, told)| told.split_once(" of memory"));
        told.map_or_else(String::new, |(memory, _)| memory.to_owned())
    }
}

async fn import(stage: &Stage, file: &Path, options: &[&str]) -> Imported {
    let begun = Instant::now();
    let mut arguments = vec!["import", "organisations", file.to_str().unwrap()];
    arguments.extend(options);
    let (succeeded, printed) =
        Process::run("mycareer", stage.environment(&[]), &arguments, "").await;
    Imported {
        succeeded,
        seconds: begun.elapsed().as_secs_f64(),
        printed,
    }
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

fn write_long_rows(path: &Path, rows: usize, is_broken: bool) -> std::io::Result<()> {
    let mut words = Words::new(4);
    let remark = "x".repeat(REMARK);
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "name,company_number,remark")?;
    for nth in 0..rows {
        let (name, number) = (words.name(), 1_000_000 + nth);
        if is_broken && nth + 1 == rows {
            writeln!(file, "{name},{number:08}")?;
        } else {
            writeln!(file, "{name},{number:08},{remark}")?;
        }
    }
    file.flush()
}
