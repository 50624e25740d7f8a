//! What is paid: a number or a range, for a year, a month, a week, a day or an hour. Anything that doesn't say how much is
//! refused (policy 2.2: students see what they apply for).

use entity::vacancy::{self, SalaryPeriod};

use crate::error::{Refusal, RefusalCode};

/// The words that may stand between the numbers and behind them.
const LINKING: &[&str] = &[
    "-", "–", "—", "to", "and", "from", "between", "a", "an", "per", "/", "gbp", "pounds",
];

/// From how much, in pounds, a number without a period is meant by the year.
const SURELY_A_YEAR: i32 = 10_000;

/// The most that is believed, in pounds.
const MOST: i32 = 1_000_000;

/// What is paid, in pence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salary {
    /// The lowest.
    pub lowest: i32,
    /// The highest; the same where there is one number.
    pub highest: i32,
    /// What it is paid for.
    pub per: SalaryPeriod,
}

impl Salary {
    /// The salary of a vacancy; none when it isn't said.
    #[must_use]
    pub fn of(row: &vacancy::Model) -> Option<Self> {
        Some(Self {
            lowest: row.salary_lowest?,
            highest: row.salary_highest?,
            per: row.salary_per?,
        })
    }

    /// Reads what somebody typed: `£28,000 to £32,000 a year`, `12.60 an hour`, `30k`.
    pub fn read(given: &str, field: &'static str) -> Result<Self, Refusal> {
        parts(given)
            .and_then(|(numbers, per)| settle(&numbers, per))
            .ok_or_else(|| Refusal {
                code: RefusalCode::Invalid,
                field: Some(field),
                message: format!(
                    "{given:?} isn't a salary. Say a number or a range and what it is for, such as \"£28,000 to £32,000 a \
                     year\" or \"£12.60 an hour\": \"TBC\" and \"competitive\" tell students nothing."
                ),
            })
    }
}

impl std::fmt::Display for Salary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write_pounds(f, self.lowest)?;
        if self.highest != self.lowest {
            f.write_str(" to ")?;
            write_pounds(f, self.highest)?;
        }
        f.write_str(match self.per {
            SalaryPeriod::Year => " a year",
            SalaryPeriod::Month => " a month",
            SalaryPeriod::Week => " a week",
            SalaryPeriod::Day => " a day",
            SalaryPeriod::Hour => " an hour",
        })
    }
}

fn write_pounds(f: &mut std::fmt::Formatter<'_>, pence: i32) -> std::fmt::Result {
    let pounds = (pence / 100).to_string();
    f.write_str("£")?;
    for (at, digit) in pounds.chars().enumerate() {
        if at > 0 && (pounds.len() - at).is_multiple_of(3) {
            f.write_str(",")?;
        }
        write!(f, "{digit}")?;
    }
    if pence % 100 == 0 {
        Ok(())
    } else {
        write!(f, ".{:02}", pence % 100)
    }
}

/// The numbers, in pence, and the period; none when there is anything else.
fn parts(given: &str) -> Option<(Vec<i32>, Option<SalaryPeriod>)> {
    let mut spaced = String::with_capacity(given.len() + 8);
    for c in given.to_lowercase().chars() {
        match c {
            '£' => spaced.push(' '),
            '-' | '–' | '—' | '/' => {
                spaced.push(' ');
                spaced.push(c);
                spaced.push(' ');
            }
            c => spaced.push(c),
        }
    }
    let mut numbers = Vec::new();
    let mut per = None;
    for word in spaced.split_whitespace() {
        let word = word.trim_end_matches(['.', ',', ';']);
        if let Some(period) = period(word) {
            if per.is_some_and(|other| other != period) {
                return None;
            }
            per = Some(period);
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            numbers.push(pence(word)?);
        } else if !LINKING.contains(&word) {
            return None;
        }
    }
    Some((numbers, per))
}

fn period(word: &str) -> Option<SalaryPeriod> {
    Some(match word {
        "year" | "yearly" | "annum" | "annual" | "annually" | "pa" | "p.a" => SalaryPeriod::Year,
        "month" | "monthly" | "pm" | "pcm" => SalaryPeriod::Month,
        "week" | "weekly" | "pw" => SalaryPeriod::Week,
        "day" | "daily" | "pd" => SalaryPeriod::Day,
        "hour" | "hourly" | "ph" | "hr" => SalaryPeriod::Hour,
        _ => return None,
    })
}

/// `28,000`, `12.60`, `30k` in pence.
fn pence(word: &str) -> Option<i32> {
    let (number, times) = match word.strip_suffix('k') {
        Some(thousands) => (thousands, 1_000),
        None => (word, 1),
    };
    let (pounds, rest) = number.split_once('.').unwrap_or((number, "0"));
    let grouped = pounds.split(',').skip(1).all(|group| group.len() == 3);
    let pounds: i32 = pounds.replace(',', "").parse().ok()?;
    let hundredths: i32 = match rest.len() {
        1 => rest.parse::<i32>().ok()? * 10,
        2 => rest.parse().ok()?,
        _ => return None,
    };
    if !grouped || pounds > MOST || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    (pounds * 100 + hundredths)
        .checked_mul(times)
        .filter(|pence| (1..=MOST * 100).contains(pence))
}

fn settle(numbers: &[i32], per: Option<SalaryPeriod>) -> Option<Salary> {
    let (lowest, highest) = match *numbers {
        [one] => (one, one),
        // `28 to 32k` is a slip, not a range.
        [one, other] if one <= other && other / 10 <= one => (one, other),
        _ => return None,
    };
    let per = per.or_else(|| (lowest >= SURELY_A_YEAR * 100).then_some(SalaryPeriod::Year))?;
    Some(Salary {
        lowest,
        highest,
        per,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &str) -> Option<String> {
        Salary::read(given, "salary")
            .ok()
            .map(|salary| salary.to_string())
    }

    #[test]
    fn numbers_and_ranges_are_read_as_people_write_them() {
        for (given, meant) in [
            ("28000", "£28,000 a year"),
            ("£28,000 - £32,000", "£28,000 to £32,000 a year"),
            ("£28k–£32k p.a.", "£28,000 to £32,000 a year"),
            (
                "between 28,000 and 32,000 per annum",
                "£28,000 to £32,000 a year",
            ),
            ("£12.60 an hour", "£12.60 an hour"),
            ("12.6/hour", "£12.60 an hour"),
            (
                "from £1,500 to £1,750 per month",
                "£1,500 to £1,750 a month",
            ),
        ] {
            assert_eq!(read(given).as_deref(), Some(meant), "{given}");
            assert_eq!(
                read(meant).as_deref(),
                Some(meant),
                "it reads what it writes"
            );
        }
    }

    #[test]
    fn what_says_no_number_or_too_little_is_refused() {
        for given in [
            "TBC",
            "tbc",
            "Competitive",
            "competitive, around £30,000",
            "negotiable",
            "£",
            "12",
            "£32,000 to £28,000",
            "1 2 3 a year",
            "28,00 a year",
            "12.605 an hour",
            "0 a year",
            "99999999999 a year",
            "1000000k a year",
            "£500 a week or a day",
            "28 to 32k a year",
        ] {
            assert_eq!(read(given), None, "{given}");
        }
    }
}
