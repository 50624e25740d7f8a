//! What operators edit of a contact.

use entity::contact::{self, ContactState, SubscriberType};
use serde::Serialize;

use super::MARK;
use crate::{
    email_address::EmailAddress,
    error::{RefusalCode, Refusals},
    text::Text,
};

/// The part of a contact that operators edit. The field names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a state of its own: consent, opting out, no mail at all, mail held back"
)]
pub struct Profile {
    /// Their name.
    pub name: String,
    /// Their job title.
    pub job_title: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their telephone number.
    pub telephone: Option<String>,
    /// Whether they agreed to be shown to students.
    pub visible_to_students: bool,
    /// Whether they are still there.
    pub state: ContactState,
    /// What they have to do with the university.
    pub subscriber_type: SubscriberType,
    /// Whether they opted out of bulk e-mail.
    pub bulk_opted_out: bool,
    /// Whether they must not be sent any mail.
    pub do_not_email: bool,
    /// Whether mail is held back after bounces.
    pub on_hold: bool,
}

impl Profile {
    /// Somebody of whom nothing but the name is known, and who has agreed to nothing.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            job_title: None,
            email: None,
            telephone: None,
            visible_to_students: false,
            state: ContactState::Active,
            subscriber_type: SubscriberType::General,
            bulk_opted_out: false,
            do_not_email: false,
            on_hold: false,
        }
    }

    /// The profile of a contact as it is.
    #[must_use]
    pub fn of(contact: &contact::Model) -> Self {
        Self {
            name: contact.name.clone(),
            job_title: contact.job_title.clone(),
            email: contact.email.clone(),
            telephone: contact.telephone.clone(),
            visible_to_students: contact.visible_to_students,
            state: contact.state,
            subscriber_type: contact.subscriber_type,
            bulk_opted_out: contact.bulk_opted_out_at.is_some(),
            do_not_email: contact.do_not_email,
            on_hold: contact.on_hold_at.is_some(),
        }
    }

    /// The profile as it is kept. All that is wrong is noted.
    #[must_use]
    pub fn checked(self, refusals: &mut Refusals) -> Self {
        let email = self
            .email
            .filter(|given| !given.trim().is_empty())
            .and_then(|given| refusals.take(EmailAddress::from_input(&given, "email")))
            .map(String::from);
        let telephone = Text::line("telephone", 40).optional(self.telephone.as_deref(), refusals);
        refusals.add_if(
            telephone
                .as_deref()
                .is_some_and(|given| !is_telephone(given)),
            RefusalCode::Invalid,
            "telephone",
            "This is not a telephone number; one looks like +44 20 7946 0000 ext. 12.",
        );
        let name = Text::line("name", 120).required(&self.name, refusals);
        // policy 2.3: the mark of a key account contact is shown, never written.
        refusals.add_if(
            name.ends_with(MARK),
            RefusalCode::Invalid,
            "name",
            "Leave the * out: it is shown by itself for the contacts of key accounts.",
        );
        Self {
            name,
            job_title: Text::line("jobTitle", 120).optional(self.job_title.as_deref(), refusals),
            email,
            telephone,
            ..self
        }
    }
}

/// Digits, at least five of them, with the signs that people put between them, and perhaps an extension.
fn is_telephone(given: &str) -> bool {
    let given = given.to_lowercase().replace("ext", "");
    given.chars().filter(char::is_ascii_digit).count() >= 5
        && given
            .chars()
            .all(|c| c.is_ascii_digit() || " +()-./x".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn fields_refused(profile: Profile) -> Vec<&'static str> {
        let mut refusals = Refusals::default();
        let _ = profile.checked(&mut refusals);
        match refusals.into_result() {
            Err(Error::Refused(all)) => all.iter().filter_map(|refusal| refusal.field).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = Profile {
            email: Some("ann@".to_owned()),
            telephone: Some("call me".to_owned()),
            ..Profile::named(" ")
        };
        assert_eq!(fields_refused(wrong), ["email", "telephone", "name"]);
    }

    #[test]
    fn telephone_numbers_are_taken_as_people_write_them() {
        for given in [
            "+44 (0)20 7946-0000",
            "0113 496 0000 ext. 12",
            "0113.496.0000 x12",
        ] {
            let good = Profile {
                telephone: Some(given.to_owned()),
                ..Profile::named("Ann Lee")
            };
            assert_eq!(fields_refused(good), [""; 0], "{given}");
        }
    }
}
