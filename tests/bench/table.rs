//! Tables in Markdown.

/// Prints a heading, a sentence that says what was measured, and the rows; the first is the header.
pub fn print<const N: usize>(title: &str, what: &str, rows: &[[String; N]]) {
    println!("\n## {title}\n\n{what}\n");
    for (nth, row) in rows.iter().enumerate() {
        println!("| {} |", row.join(" | "));
        if nth == 0 {
            println!("|{}", "---|".repeat(N));
        }
    }
    println!();
}

/// A header or a row of what can be shown.
pub fn row<const N: usize>(cells: [&dyn std::fmt::Display; N]) -> [String; N] {
    cells.map(ToString::to_string)
}

/// A whole number with commas between the thousands.
pub fn whole(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
