//! The words of the mails.
//!
//! A mail is a folder in `templates/`: `subject.txt`, `body.txt`, `body.html`, and `sample.json`, which shows the fields
//! that it takes and is what the tests render it with. The files are compiled into the binary. A field that a template
//! uses and nobody gave, or that is null, is an error and never an empty place or the word "none"; HTML bodies escape
//! what they are given. Times are RFC 3339 and shown in the
//! university's time.

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context,
    syntax::SyntaxConfig, value::Serde,
};
use serde::Serialize;

use super::filters;

/// The most work one rendering may cost, in minijinja's units: far more than any mail, and milliseconds of time.
const FUEL: u64 = 200_000;

/// One template as it stands in its folder.
struct Files {
    name: &'static str,
    subject: &'static str,
    text: &'static str,
    html: &'static str,
    #[cfg(test)]
    sample: &'static str,
}

macro_rules! folders {
    ($($name:literal),+ $(,)?) => {
        &[$(Files {
            name: $name,
            subject: include_str!(concat!("templates/", $name, "/subject.txt")),
            text: include_str!(concat!("templates/", $name, "/body.txt")),
            html: include_str!(concat!("templates/", $name, "/body.html")),
            #[cfg(test)]
            sample: include_str!(concat!("templates/", $name, "/sample.json")),
        }),+]
    };
}

/// Every mail that can be sent.
const MAILS: &[Files] = folders![
    "access_invitation",
    "account_closed",
    "agreement_named",
    "agreement_to_accept",
    "announcement",
    "announcement_reminder",
    "audit_head",
    "booking_cancelled",
    "booking_confirmed",
    "campaign",
    "campaign_paused",
    "coming_events",
    "contacted_without_agreement",
    "change_email",
    "daily_digest",
    "email_change_asked",
    "email_changed",
    "event_cancelled",
    "event_moved",
    "event_reminder",
    "event_reminder_class",
    "event_reminder_employer",
    "feedback_request",
    "key_account_handed_over",
    "key_account_lapsed",
    "key_account_merged",
    "liaison_answered",
    "liaison_expired",
    "liaison_requested",
    "group_digest",
    "clash_acknowledged",
    "clashes_ahead",
    "event_sharing_answered",
    "event_sharing_requested",
    "invitation",
    "next_action_due",
    "no_show",
    "offer_expired",
    "password_changed",
    "personal_data_ready",
    "place_given",
    "place_offered",
    "register_unmarked",
    "registered_already",
    "registration_decided",
    "training_lapses",
    "suggestion_changed",
    "suggestion_discussed",
    "reset_password",
    "vacancy_closed",
    "vacancy_closing",
    "vacancy_decided",
    "verify_email",
    "waiting_list_joined",
];

/// What the mails have in common.
const SHARED: &[(&str, &str)] = &[
    ("layout/body.txt", include_str!("templates/layout/body.txt")),
    (
        "layout/body.html",
        include_str!("templates/layout/body.html"),
    ),
    (
        "layout/event.txt",
        include_str!("templates/layout/event.txt"),
    ),
    (
        "layout/event.html",
        include_str!("templates/layout/event.html"),
    ),
    (
        "layout/button.html",
        include_str!("templates/layout/button.html"),
    ),
];

/// Who signs the mails.
#[derive(Debug, Clone, Serialize)]
pub struct Service {
    /// Such as `Careers Centre`.
    pub name: String,
    /// Where a person can be asked.
    pub email: String,
    /// Where this system is reached from outside, such as `https://mycareer.example.ac.uk`: what links in mails that
    /// are only a path begin with.
    pub website: String,
}

/// A mail in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The plain text, with `\n` line ends.
    pub text: String,
    /// The HTML page.
    pub html: String,
}

/// Why a template can't be rendered. Trying again with the same fields changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// There is no folder of that name.
    #[error("there is no mail template named {0:?}")]
    Unknown(String),
    /// A field is missing or empty, or the template itself is wrong.
    #[error("{}", told(.0))]
    Render(#[from] Error),
}

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

/// The templates, parsed, with the service's name in them.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Parses them all, so that a broken one stops the start.
    pub fn new(service: &Service) -> Result<Self, TemplateError> {
        let mut environment = environment();
        environment.add_global("service", Value::from(Serde(service)));
        filters::add_page(&mut environment, &service.website);
        for (name, source) in SHARED {
            environment.add_template(name, source)?;
        }
        for mail in MAILS {
            let files = [
                ("subject.txt", mail.subject),
                ("body.txt", mail.text),
                ("body.html", mail.html),
            ];
            for (file, source) in files {
                environment.add_template_owned(format!("{}/{file}", mail.name), source)?;
            }
        }
        Ok(Self { environment })
    }

    /// The names of the mails.
    pub fn names() -> impl Iterator<Item = &'static str> {
        MAILS.iter().map(|mail| mail.name)
    }

    /// Renders one mail to a person of that name with the fields that its `sample.json` shows.
    pub fn render(
        &self,
        template: &str,
        name: &str,
        fields: &serde_json::Value,
    ) -> Result<Rendered, TemplateError> {
        if !Self::names().any(|name| name == template) {
            return Err(TemplateError::Unknown(template.to_owned()));
        }
        let fields = context! { name => name, ..Value::from(Serde(fields)) };
        let subject = self.file(template, "subject.txt", fields.clone())?;
        let subject = subject.trim().to_owned();
        let text = self.file(template, "body.txt", fields.clone())?;
        let html = self.file(
            template,
            "body.html",
            context! { subject => subject.as_str(), ..fields },
        )?;
        Ok(Rendered {
            subject,
            text: ended(&text),
            html: ended(&html),
        })
    }

    fn file(&self, template: &str, file: &str, fields: Value) -> Result<String, TemplateError> {
        Ok(self
            .environment
            .get_template(&format!("{template}/{file}"))?
            .render(fields)?)
    }
}

fn ended(text: &str) -> String {
    format!("{}\n", text.trim())
}

/// What holds for every template.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|name| {
        let html = name.rsplit('.').next() == Some("html");
        if html {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_formatter(|out, state, value| {
        if value.is_none() {
            return Err(Error::new(
                ErrorKind::UndefinedError,
                "a field that is to be shown is empty",
            ));
        }
        minijinja::escape_formatter(out, state, value)
    });
    if let Ok(syntax) = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
    {
        environment.set_syntax(syntax);
    }
    filters::add_to(&mut environment);
    environment
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{collections::BTreeSet, path::Path};

    use serde_json::{Value as Json, json};

    use super::*;

    pub(crate) fn templates() -> Templates {
        Templates::new(&Service {
            name: "Careers Centre".into(),
            email: "careers@university.test".into(),
            website: "https://careers.university.test".into(),
        })
        .unwrap()
    }

    fn sample(mail: &Files) -> Json {
        serde_json::from_str(mail.sample).unwrap()
    }

    #[test]
    fn every_mail_reads_as_it_should() {
        let templates = templates();
        for mail in MAILS {
            let mail_text = templates
                .render(mail.name, "Amina Yusuf", &sample(mail))
                .unwrap();
            insta::assert_snapshot!(
                mail.name,
                format!("Subject: {}\n\n{}", mail_text.subject, mail_text.text)
            );
            insta::assert_snapshot!(format!("{}_html", mail.name), mail_text.html);
        }
    }

    /// The same mail under the opposite circumstances.
    fn otherwise(mut fields: Json) -> Json {
        for (name, value) in fields.as_object_mut().unwrap() {
            *value = match (name.as_str(), value.take()) {
                (_, Json::Bool(is)) => Json::Bool(!is),
                ("reason", Json::Null) => "The room is closed.".into(),
                ("reason", _) => Json::Null,
                ("events", _) => json!([]),
                ("outcome", _) => "DECLINED".into(),
                (_, value) => value,
            };
        }
        fields
    }

    #[test]
    fn every_mail_reads_as_it_should_otherwise_too() {
        let templates = templates();
        for mail in MAILS {
            let fields = otherwise(sample(mail));
            if fields != sample(mail) {
                let rendered = templates.render(mail.name, "", &fields).unwrap();
                insta::assert_snapshot!(format!("{}_otherwise", mail.name), rendered.text);
            }
        }
    }

    #[test]
    fn every_folder_is_a_mail_and_every_mail_a_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail/templates");
        let entries = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap());
        let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
        let mut folders: BTreeSet<String> = folders
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        assert!(folders.remove("layout"));
        assert_eq!(folders, Templates::names().map(ToOwned::to_owned).collect());
    }

    #[test]
    fn a_missing_field_is_an_error_that_names_the_line() {
        let templates = templates();
        for mail in MAILS {
            let sample = sample(mail);
            for field in sample.as_object().unwrap().keys() {
                let mut lacking = sample.clone();
                lacking.as_object_mut().unwrap().remove(field);
                let error = templates.render(mail.name, "Amina Yusuf", &lacking);
                let error = error.expect_err(&format!(
                    "{} does not need {field}: take it out of its sample",
                    mail.name
                ));
                assert!(error.to_string().contains(", line "), "{error}");
            }
        }
    }

    #[test]
    fn an_empty_field_or_an_unknown_template_is_an_error() {
        let templates = templates();
        let mail = MAILS.iter().find(|mail| mail.name == "register_unmarked");
        let mut fields = sample(mail.unwrap());
        for unknown in ["layout", "../no_show", ""] {
            let refused = templates.render(unknown, "Ada", &fields);
            assert!(
                matches!(refused, Err(TemplateError::Unknown(_))),
                "{unknown:?}"
            );
        }
        fields["booked"] = Json::Null;
        let refused = templates.render("register_unmarked", "Ada", &fields);
        assert!(refused.unwrap_err().to_string().contains("empty"));
    }

    #[test]
    fn a_person_whose_name_is_not_known_is_greeted_all_the_same() {
        let mail = MAILS
            .iter()
            .find(|mail| mail.name == "place_given")
            .unwrap();
        let rendered = templates().render(mail.name, "", &sample(mail)).unwrap();
        assert!(
            rendered.text.starts_with("Hello,\n\nGood news"),
            "{}",
            rendered.text
        );
        assert!(rendered.html.contains("<p>Hello,</p>"));
    }

    #[test]
    fn html_escapes_what_it_is_given_and_text_does_not() {
        let templates = templates();
        for mail in MAILS.iter().filter(|mail| mail.name != "campaign") {
            let rendered = templates
                .render(mail.name, "O'Neil <script>", &sample(mail))
                .unwrap();
            assert!(!rendered.html.contains("<script>"), "{}", mail.name);
            assert!(
                rendered.html.contains("O&#x27;Neil &lt;script&gt;"),
                "{}",
                mail.name
            );
            assert!(rendered.text.contains("O'Neil <script>"), "{}", mail.name);
        }
    }
}
