//! CSV that people open in spreadsheet programs.

use crate::error::{Error, Result};

/// Writes rows as CSV, with a head. No cell is taken for a formula: one that begins like it is a text.
pub fn csv<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<String> {
    Ok(lines([head.map(str::to_owned)])? + &lines(rows)?)
}

/// Writes rows as lines of CSV, in the same way.
pub fn lines<R: IntoIterator<Item = String>>(rows: impl IntoIterator<Item = R>) -> Result<String> {
    let fault =
        |error: &dyn std::fmt::Display| Error::Fault(format!("no CSV can be made: {error}"));
    let mut out = csv::Writer::from_writer(Vec::new());
    for row in rows {
        out.write_record(row.into_iter().map(plain))
            .map_err(|error| fault(&error))?;
    }
    let bytes = out.into_inner().map_err(|error| fault(&error))?;
    String::from_utf8(bytes).map_err(|error| fault(&error))
}

/// A cell as it was before [`lines`] wrote it: what leaves in a file comes back from it unchanged.
#[must_use]
pub fn read(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

/// The text with an apostrophe before it where a spreadsheet program would carry it out: names come from people.
fn plain(text: String) -> String {
    if is_formula(&text) {
        format!("'{text}")
    } else {
        text
    }
}

fn is_formula(text: &str) -> bool {
    text.trim_start_matches([' ', '\u{a0}'])
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_carried_out() {
        let rows = [
            "=1+1",
            "+44 113",
            "-1",
            "@SUM(A1)",
            "\t=1",
            " =1",
            "＝1",
            "O'Neil, \"Ann\"",
            "a=b",
        ]
        .map(|text| [text.to_owned()]);
        let written = csv(["What"], rows).unwrap();
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(
            lines,
            [
                "What",
                "'=1+1",
                "'+44 113",
                "'-1",
                "'@SUM(A1)",
                "'\t=1",
                "' =1",
                "'＝1",
                "\"O'Neil, \"\"Ann\"\"\"",
                "a=b"
            ]
        );
    }
}
