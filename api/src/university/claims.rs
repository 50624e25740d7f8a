//! What the provider says of a person, and what that means here.

use domain::{email_address::EmailAddress, identity::Arrived};
use entity::user::UserKind;
use openidconnect::{AdditionalClaims, IdTokenClaims, UserInfoClaims, core::CoreGenderClaim};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Trouble, UniversitySettings};

/// The claims that the standard doesn't name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Claims(Map<String, Value>);

impl AdditionalClaims for Claims {}

/// What was told, here or there; not yet whom it makes.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub(super) subject: String,
    issuer: String,
    email: Option<String>,
    email_is_verified: bool,
    name: Option<String>,
    kind: Option<UserKind>,
    faculty: Option<String>,
    programme: Option<String>,
    year_of_study: Option<i32>,
}

impl Told {
    /// By an ID token.
    pub(super) fn by(
        settings: &UniversitySettings,
        claims: &IdTokenClaims<Claims, CoreGenderClaim>,
    ) -> Self {
        Self {
            subject: claims.subject().to_string(),
            issuer: claims.issuer().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_is_verified: claims.email_verified() == Some(true),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.to_string()),
            ..Self::by_additional(settings, claims.additional_claims())
        }
    }

    /// By the provider, asked for more.
    pub(super) fn by_user_info(
        settings: &UniversitySettings,
        claims: &UserInfoClaims<Claims, CoreGenderClaim>,
    ) -> Self {
        Self {
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_is_verified: claims.email_verified() == Some(true),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.to_string()),
            ..Self::by_additional(settings, claims.additional_claims())
        }
    }

    fn by_additional(settings: &UniversitySettings, claims: &Claims) -> Self {
        let text = |claim: &str| claims.texts(claim).into_iter().next();
        let affiliations = claims.texts(&settings.affiliation_claim);
        let is_one_of = |words: &str| {
            words.split(',').map(str::trim).any(|word| {
                affiliations.iter().any(|affiliation| {
                    // A scoped affiliation is the word, then where: `student@university.example`.
                    affiliation
                        .split('@')
                        .next()
                        .is_some_and(|affiliation| affiliation.eq_ignore_ascii_case(word))
                })
            })
        };
        let kind = if is_one_of(&settings.staff) {
            Some(UserKind::Staff)
        } else if is_one_of(&settings.students) {
            Some(UserKind::Student)
        } else if is_one_of(&settings.graduates) {
            Some(UserKind::Graduate)
        } else {
            None
        };
        Self {
            kind,
            faculty: text(&settings.faculty_claim),
            programme: text(&settings.programme_claim),
            year_of_study: text(&settings.year_claim).and_then(|year| year.trim().parse().ok()),
            ..Self::default()
        }
    }

    /// What is missing here is taken from there. An address and its proof go together.
    pub(super) fn or(self, more: Self) -> Self {
        let (email, email_is_verified) = match self.email {
            Some(email) => {
                let told_again = more.email.as_ref() == Some(&email) && more.email_is_verified;
                (Some(email), self.email_is_verified || told_again)
            }
            None => (more.email, more.email_is_verified),
        };
        Self {
            subject: self.subject,
            issuer: self.issuer,
            email,
            email_is_verified,
            name: self.name.or(more.name),
            kind: self.kind.or(more.kind),
            faculty: self.faculty.or(more.faculty),
            programme: self.programme.or(more.programme),
            year_of_study: self.year_of_study.or(more.year_of_study),
        }
    }

    /// Whom that makes, if MyCareer is for them at all.
    pub fn arrived(self) -> Result<Arrived, Trouble> {
        Ok(Arrived {
            issuer: self.issuer,
            subject: self.subject,
            email: self
                .email
                .and_then(|email| email.parse::<EmailAddress>().ok()),
            email_is_verified: self.email_is_verified,
            name: self.name,
            kind: self.kind.ok_or(Trouble("no_affiliation"))?,
            faculty: self.faculty,
            programme: self.programme,
            year_of_study: self.year_of_study,
        })
    }
}

impl Claims {
    /// The texts of a claim, which may be one or a list.
    fn texts(&self, claim: &str) -> Vec<String> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match self.0.get(claim) {
            Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }
}
