//! What templates can do to a field.

use std::fmt::{Display, Write as _};

use chrono::{DateTime, TimeZone, Utc};
use domain::clock::{UNIVERSITY_TIME, university_hour};
use minijinja::{Environment, Error, ErrorKind, HtmlEscape, State, Value, context};

/// Adds the filters to an environment:
/// - `moment`: `14:00 on Tuesday 3 March 2026`;
/// - `span(end)`: `Tuesday 3 March 2026, 14:00 to 16:00`;
/// - `paragraphs`: HTML of plain text, with its paragraphs, line breaks and links;
/// - `day`: `Tuesday 3 March 2026`;
/// - `subject_of`, `text_of`, `html_of`: what the mail that is kept in `{ template, fields }` says, for a digest.
///
/// Times come in as RFC 3339 and are shown in the university's time zone.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("moment", moment);
    environment.add_filter("span", span);
    environment.add_filter("paragraphs", paragraphs);
    environment.add_filter("day", |time: &str| local(time).map(|time| day(&time)));
    environment.add_filter("subject_of", |state: &State, mail: Value| {
        let template = mail.get_attr("template")?;
        let file = format!("{}/subject.txt", template.as_str().unwrap_or_default());
        let subject = state.env().get_template(&file)?;
        Ok::<_, Error>(subject.render(mail.get_attr("fields")?)?.trim().to_owned())
    });
    environment.add_filter("text_of", |state: &State, mail: Value| {
        body_of(state, &mail, "body.txt")
    });
    environment.add_filter("html_of", |state: &State, mail: Value| {
        body_of(state, &mail, "body.html").map(Value::from_safe_string)
    });
}

/// Adds `page`: the whole address of a link that may be only a path on `website`.
pub(super) fn add_page(environment: &mut Environment<'_>, website: &str) {
    let website = website.trim_end_matches('/').to_owned();
    environment.add_filter("page", move |link: &str| {
        if link.starts_with('/') {
            format!("{website}{link}")
        } else {
            link.to_owned()
        }
    });
}

/// What a mail says, without what stands around it in every mail.
fn body_of(state: &State, mail: &Value, file: &str) -> Result<String, Error> {
    let template = mail.get_attr("template")?;
    let file = format!("{}/{file}", template.as_str().unwrap_or_default());
    let body = state.env().get_template(&file)?;
    let fields = context! { name => "", subject => "", ..mail.get_attr("fields")? };
    let body = body
        .render_captured(fields)?
        .with_state_mut(|state| state.render_block("body"))?;
    Ok(body.trim().to_owned())
}

fn moment(time: &str) -> Result<String, Error> {
    let time = local(time)?;
    Ok(format!("{} on {}", hour(&time), day(&time)))
}

fn span(start: &str, end: &str) -> Result<String, Error> {
    let (start, end) = (local(start)?, local(end)?);
    Ok(if start.date_naive() == end.date_naive() {
        format!("{}, {} to {}", day(&start), hour(&start), hour(&end))
    } else {
        format!(
            "{}, {} to {}, {}",
            day(&start),
            hour(&start),
            day(&end),
            hour(&end)
        )
    })
}

fn local(time: &str) -> Result<DateTime<impl TimeZone<Offset: Display>>, Error> {
    let time: DateTime<Utc> = time.parse().map_err(|error| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("{time:?} is not a time in RFC 3339: {error}"),
        )
    })?;
    Ok(time.with_timezone(&UNIVERSITY_TIME))
}

fn day(time: &DateTime<impl TimeZone<Offset: Display>>) -> String {
    time.format("%A %-d %B %Y").to_string()
}

fn hour(time: &DateTime<impl TimeZone<Offset: Display>>) -> String {
    university_hour(time.to_utc())
}

fn paragraphs(text: &str) -> Value {
    let text = text.replace("\r\n", "\n");
    let mut html = String::with_capacity(text.len() + 64);
    for paragraph in text
        .split("\n\n")
        .map(|paragraph| paragraph.trim_matches('\n'))
        .filter(|p| !p.is_empty())
    {
        html.push_str("<p>");
        for (n, line) in paragraph.lines().enumerate() {
            html.push_str(if n > 0 { "<br>\n" } else { "" });
            line.split_inclusive(' ')
                .for_each(|word| linked(word, &mut html));
        }
        html.push_str("</p>\n");
    }
    Value::from_safe_string(html)
}

/// Writes a word with the space after it, as a link where it is a web address.
fn linked(word: &str, html: &mut String) {
    let end = word
        .trim_end_matches([' ', '.', ',', ';', ':', '!', '?', ')', '"', '\''])
        .len();
    let (address, rest) = word.split_at(end);
    let link = ["https://", "http://"]
        .iter()
        .any(|scheme| address.len() > scheme.len() && address.starts_with(scheme));
    // Writing to a String can't fail.
    let _ = if link {
        let address = HtmlEscape(address);
        write!(
            html,
            "<a href=\"{address}\">{address}</a>{}",
            HtmlEscape(rest)
        )
    } else {
        write!(html, "{}", HtmlEscape(word))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_london_has_them() {
        assert_eq!(
            moment("2026-03-03T14:00:00Z").unwrap(),
            "14:00 on Tuesday 3 March 2026"
        );
        assert_eq!(
            moment("2026-07-03T23:30:00Z").unwrap(),
            "00:30 on Saturday 4 July 2026",
            "an hour ahead in summer"
        );
        assert_eq!(
            moment("2026-07-03T16:30:00+02:00").unwrap(),
            "15:30 on Friday 3 July 2026"
        );
        assert!(
            moment("tomorrow")
                .unwrap_err()
                .to_string()
                .contains("RFC 3339")
        );
    }

    #[test]
    fn a_span_names_the_second_day_only_when_there_is_one() {
        let same = span("2026-03-29T00:30:00Z", "2026-03-29T03:00:00Z").unwrap();
        assert_eq!(
            same, "Sunday 29 March 2026, 00:30 to 04:00",
            "across the change to summer time"
        );
        let two = span("2026-03-03T09:00:00Z", "2026-03-04T17:00:00Z").unwrap();
        assert_eq!(
            two,
            "Tuesday 3 March 2026, 09:00 to Wednesday 4 March 2026, 17:00"
        );
    }

    #[test]
    fn plain_text_becomes_html_that_runs_nothing() {
        let html = paragraphs(
            "Hello <b>you</b>,\r\nsee https://a.test/?a=1&b=2.\r\n\r\n\r\njavascript:alert(1) & bye\n",
        );
        assert_eq!(
            html.as_str().unwrap(),
            "<p>Hello &lt;b&gt;you&lt;&#x2f;b&gt;,<br>\nsee <a href=\"https:&#x2f;&#x2f;a.test&#x2f;?a=1&amp;b=2\">\
             https:&#x2f;&#x2f;a.test&#x2f;?a=1&amp;b=2</a>.</p>\n<p>javascript:alert(1) &amp; bye</p>\n"
        );
    }
}
