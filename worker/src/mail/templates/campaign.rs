//! A campaign's own words, written by an operator, set into the service's layout.

use std::collections::BTreeSet;

use minijinja::{Environment, Value, context, value::Serde};
use serde::Serialize;

use super::{Rendered, TemplateError, Templates, environment};

const SUBJECT: &str = "the subject";
const TEXT: &str = "the text";

/// An operator's subject and text with `{{ fields }}`, parsed once for all recipients.
///
/// A field that is missing or empty for a recipient is an error; `{{ first_name or "colleague" }}` says what to write
/// instead of an empty one. What a field holds is never itself a template, and in the HTML part never HTML.
#[derive(Debug)]
pub struct CampaignTemplate {
    environment: Environment<'static>,
}

/// What the system adds below the operator's text.
#[derive(Debug, Clone, Serialize)]
pub struct CampaignExtras {
    /// Upcoming events that suit the recipient (policy 2.5); may be empty.
    pub events: Vec<PromotedEvent>,
    /// The page on which this recipient can stop such mails.
    pub unsubscribe_link: String,
}

/// An event that a campaign draws attention to.
#[derive(Debug, Clone, Serialize)]
pub struct PromotedEvent {
    /// Its title.
    pub title: String,
    /// Start, RFC 3339.
    pub starts_at: String,
    /// End, RFC 3339.
    pub ends_at: String,
    /// Venue, or where to join online.
    pub place: String,
    /// Its page.
    pub link: String,
}

impl CampaignTemplate {
    /// Parses an operator's words; the error says what is wrong, and in which line.
    pub fn parse(subject: &str, text: &str) -> Result<Self, TemplateError> {
        let mut environment = environment();
        environment.add_template_owned(SUBJECT, subject.to_owned())?;
        environment.add_template_owned(TEXT, text.to_owned())?;
        Ok(Self { environment })
    }

    /// The fields that the words use, to be compared with those that there are.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<String> {
        let used = self
            .environment
            .templates()
            .flat_map(|(_, template)| template.undeclared_variables(false));
        let functions: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        used.filter(|name| !functions.contains(name.as_str()))
            .collect()
    }

    /// Renders the mail for one recipient.
    pub fn render(
        &self,
        templates: &Templates,
        fields: &serde_json::Value,
        extras: &CampaignExtras,
    ) -> Result<Rendered, TemplateError> {
        let fields = Value::from(Serde(fields));
        let subject = self
            .environment
            .get_template(SUBJECT)?
            .render(fields.clone())?;
        let text = self.environment.get_template(TEXT)?.render(fields)?;
        let all = context! { subject => subject.trim(), text => text.trim(), ..Value::from(Serde(extras)) };
        templates.bodies("campaign", subject.trim().to_owned(), &all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{super::tests::templates, *};

    fn rendered(subject: &str, text: &str, fields: &Json) -> Result<Rendered, TemplateError> {
        let extras = CampaignExtras {
            events: Vec::new(),
            unsubscribe_link: "https://u.test/1".into(),
        };
        CampaignTemplate::parse(subject, text)?.render(&templates(), fields, &extras)
    }

    fn error(text: &str, fields: &Json) -> String {
        rendered("Hello", text, fields).unwrap_err().to_string()
    }

    #[test]
    fn fields_are_filled_in_for_each_recipient() {
        let fields =
            json!({ "name": "Ada <Lovelace>", "organisation": "A & B", "first_name": null });
        let text = "Dear {{ name }},\n\n{{ organisation }} & we. {{ first_name or \"colleague\" }}";
        let mail = rendered("To {{ organisation }}", text, &fields).unwrap();
        assert_eq!(mail.subject, "To A & B");
        assert!(
            mail.text
                .contains("Dear Ada <Lovelace>,\n\nA & B & we. colleague"),
            "{}",
            mail.text
        );
        assert!(mail.text.contains("https://u.test/1"));
        assert!(
            mail.html.contains(
                "<p>Dear Ada &lt;Lovelace&gt;,</p>\n<p>A &amp; B &amp; we. colleague</p>"
            )
        );
        assert!(mail.html.contains("https:&#x2f;&#x2f;u.test&#x2f;1"));
    }

    #[test]
    fn what_a_field_holds_is_not_a_template() {
        let mail = rendered(
            "Hi",
            "{{ name }}",
            &json!({ "name": "{{ secret }}{% raw %}" }),
        )
        .unwrap();
        assert!(mail.text.contains("{{ secret }}{% raw %}"));
    }

    #[test]
    fn words_that_cannot_be_rendered_are_refused_with_the_line() {
        assert_eq!(
            error("Dear\n{{ nmae }}", &json!({ "name": "Ada" })),
            "the text, line 2: `nmae` is undefined"
        );
        assert!(error("{{ name }}", &json!({ "name": null })).contains("empty"));
        assert!(error("Dear {{ name", &json!({})).contains("line 1"));
        assert!(
            error("{% include 'layout/body.txt' %}", &json!({ "name": "Ada" })).contains("line 1")
        );
    }

    #[test]
    fn words_that_would_never_end_are_stopped() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}";
        assert!(error(endless, &json!({})).contains("fuel"));
    }

    #[test]
    fn the_fields_in_use_are_known_before_anybody_is_written_to() {
        let text =
            "{{ organisation }} {% for x in range(2) %}{{ x }}{% endfor %}{{ person.title }}";
        let template = CampaignTemplate::parse("{{ name }}", text).unwrap();
        assert_eq!(
            template.fields().into_iter().collect::<Vec<_>>(),
            ["name", "organisation", "person"]
        );
    }
}
