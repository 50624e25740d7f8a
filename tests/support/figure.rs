//! Figures that tests measure on their way, for the summary of the run.

use std::{fs::OpenOptions, io::Write};

use crate::confidential;

/// Prints a figure, and keeps it for the summary that `tests/run` ends with.
pub fn figure(text: &str) {
    println!("{text}");
    if let Some(folder) = confidential::folder() {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("figures"))
            .unwrap();
        file.write_all(format!("{text}\n").as_bytes()).unwrap();
    }
}
