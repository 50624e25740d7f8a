//! Scalars that GraphQL doesn't have of its own. Each says where it is specified. (`DateTime` is the library's: a date and
//! time with an offset, RFC 3339.)

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::NaiveDate;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

impl From<NaiveDate> for Date {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

/// A day of the calendar, as in `2026-10-05`: a `full-date` of RFC 3339.
#[Scalar(
    name = "Date",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6"
)]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        // The length keeps out what RFC 3339 doesn't know: `+02026-1-5`.
        if text.len() != "2026-10-05".len() {
            return Err(InputValueError::custom("write it as 2026-10-05"));
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map(Self)
            .map_err(|_| InputValueError::custom("write it as 2026-10-05"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%d").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reads_back_what_it_writes() {
        let day = Date(NaiveDate::from_ymd_opt(2026, 2, 3).unwrap());
        assert_eq!(day.to_value(), Value::String("2026-02-03".to_owned()));
        assert_eq!(Date::parse(day.to_value()).unwrap(), day);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "2026-02-30",
            "2026-2-3",
            "03/02/2026",
            "20260203",
            "2026-02-03T00:00:00Z",
            "",
        ] {
            assert!(
                Date::parse(Value::String(text.to_owned())).is_err(),
                "{text}"
            );
        }
        assert!(Date::parse(Value::from(7)).is_err());
    }
}
