//! A campaign's words: a subject and a text in Markdown that an operator writes, with fields in double braces.

use std::collections::BTreeSet;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, value::Serde};
use serde::{Deserialize, Serialize};

use super::markdown;

/// The fields that there are.
pub const FIELDS: [&str; 3] = ["name", "organisation", "job_title"];

/// The most work one rendering may cost, in minijinja's units: far more than any mail, and milliseconds of time.
const FUEL: u64 = 200_000;
const SUBJECT: &str = "the subject";
const BODY: &str = "the text";

/// What is known of a recipient, frozen when the campaign starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Their name.
    pub name: String,
    /// The name of their organisation.
    pub organisation: String,
    /// Their job title, when it is known.
    pub job_title: Option<String>,
}

/// The words for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The subject, on one line.
    pub subject: String,
    /// The text, plain.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why the words can't be rendered: what is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}", told(.0))]
pub struct WordsError(#[from] Error);

/// minijinja's error with the line it happened in.
fn told(error: &Error) -> String {
    let text = error
        .detail()
        .map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("{name}, line {line}: {text}"),
        _ => text,
    }
}

/// Subject and text, parsed once for all recipients.
///
/// A field that is missing or empty for a recipient is an error; `{{ job_title or "colleague" }}` says what to write
/// instead of an empty one. What a field holds is never itself a template.
#[derive(Debug)]
pub struct Words {
    environment: Environment<'static>,
}

impl Words {
    /// Parses an operator's words.
    pub fn parse(subject: &str, body: &str) -> Result<Self, WordsError> {
        let mut words = Self::none();
        words
            .environment
            .add_template_owned(SUBJECT, subject.to_owned())?;
        words
            .environment
            .add_template_owned(BODY, body.to_owned())?;
        Ok(words)
    }

    /// Why this text can't be used, if it can't: it is no template, or asks for a field that there isn't.
    #[must_use]
    pub fn fault(text: &str) -> Option<String> {
        let mut words = Self::none();
        if let Err(error) = words.environment.add_template_owned(BODY, text.to_owned()) {
            return Some(format!("It can't be read: {}.", WordsError(error)));
        }
        let unknown: Vec<String> = words
            .fields()
            .into_iter()
            .filter(|field| !FIELDS.contains(&field.as_str()))
            .map(|field| format!("{{{{ {field} }}}}"))
            .collect();
        (!unknown.is_empty()).then(|| {
            format!(
                "There is no field {}. The fields are {}.",
                unknown.join(", "),
                FIELDS.join(", ")
            )
        })
    }

    /// The words for one recipient, given as a [`Recipient`] or as the ledger keeps one.
    pub fn render(&self, recipient: &impl Serialize) -> Result<Written, WordsError> {
        let (subject, source) = self.filled(recipient)?;
        Ok(Written {
            subject,
            text: markdown::text(&source),
            html: markdown::html(&source),
        })
    }

    /// Whether the words can be written to a recipient.
    pub fn check(&self, recipient: &impl Serialize) -> Result<(), WordsError> {
        self.filled(recipient).map(|_| ())
    }

    /// Subject and Markdown, with the fields filled in.
    fn filled(&self, recipient: &impl Serialize) -> Result<(String, String), WordsError> {
        let fields = Value::from(Serde(recipient));
        let subject = self
            .environment
            .get_template(SUBJECT)?
            .render(fields.clone())?;
        let text = self.environment.get_template(BODY)?.render(fields)?;
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        if subject.is_empty() {
            return Err(Error::new(ErrorKind::UndefinedError, "the subject is empty").into());
        }
        Ok((subject, text))
    }

    fn none() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Err(Error::new(
                    ErrorKind::UndefinedError,
                    "a field that is to be shown is empty",
                ));
            }
            if state.name() == BODY {
                let plain = value.to_string();
                return Ok(out.write_str(&markdown::escaped(&plain))?);
            }
            minijinja::escape_formatter(out, state, value)
        });
        Self { environment }
    }

    fn fields(&self) -> BTreeSet<String> {
        let functions: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        self.environment
            .templates()
            .flat_map(|(_, template)| template.undeclared_variables(false))
            .filter(|name| !functions.contains(name.as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Recipient {
        Recipient {
            name: "Ada <Lovelace>".to_owned(),
            organisation: "A & B".to_owned(),
            job_title: None,
        }
    }

    fn error(subject: &str, body: &str) -> String {
        let words = Words::parse(subject, body);
        words
            .and_then(|words| words.render(&ada()))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn fields_are_filled_in_as_they_are() {
        let words = Words::parse(
            "To {{ organisation }}\n",
            "Dear {{ name }},\n{{ job_title or \"colleague\" }}\n",
        )
        .unwrap();
        assert_eq!(
            words.render(&ada()).unwrap(),
            Written {
                subject: "To A & B".to_owned(),
                text: "Dear Ada <Lovelace>,\ncolleague".to_owned(),
                html: "<p>Dear Ada &lt;Lovelace&gt;,<br />\ncolleague</p>\n".to_owned(),
            }
        );
    }

    #[test]
    fn what_a_field_holds_is_not_a_template() {
        let mut recipient = ada();
        recipient.name = "{{ secret }}{% raw %}".to_owned();
        let words = Words::parse("Hello", "{{ name }}").unwrap();
        assert_eq!(
            words.render(&recipient).unwrap().text,
            "{{ secret }}{% raw %}"
        );
    }

    #[test]
    fn what_cannot_be_rendered_is_told_with_its_line() {
        assert_eq!(
            error("Hello", "Dear\n{{ nmae }}"),
            "the text, line 2: `nmae` is undefined"
        );
        assert!(error("Hello", "{{ job_title }}").contains("empty"));
        assert!(error("{{ job_title or '' }}", "Hello").contains("the subject is empty"));
        assert!(error("Hello", "{% include 'the subject' %}{% include 'x' %}").contains("line 1"));
    }

    #[test]
    fn words_that_would_never_end_are_stopped() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}";
        assert!(error("Hello", endless).contains("fuel"));
    }

    #[test]
    fn a_field_that_there_is_not_is_known_before_anybody_is_written_to() {
        assert_eq!(Words::fault("Dear {{ name }}"), None);
        assert_eq!(
            Words::fault("{{ organisation }} {{ salary }}").unwrap(),
            "There is no field {{ salary }}. The fields are name, organisation, job_title."
        );
        assert!(
            Words::fault("Dear {{ name")
                .unwrap()
                .starts_with("It can't be read: the text, line 1")
        );
    }
}
