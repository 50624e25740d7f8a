//! An e-mail address that has been looked at.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Refusal, RefusalCode};

/// A well-formed e-mail address in lower case, without a display name.
///
/// It follows the `addr-spec` of RFC 5322 without comments, quoted local parts and address literals, which no
/// mailbox of a person has.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Without the address, which no log may have.
impl std::fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

/// The text is not a well-formed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an e-mail address; one looks like name@example.org")]
pub struct NotAnEmailAddress;

impl EmailAddress {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Reads the input field `field`.
    pub fn from_input(given: &str, field: &'static str) -> Result<Self, Refusal> {
        given.parse().map_err(|error: NotAnEmailAddress| Refusal {
            code: RefusalCode::Invalid,
            field: Some(field),
            message: format!("{given:?}: {error}."),
        })
    }
}

impl FromStr for EmailAddress {
    type Err = NotAnEmailAddress;

    fn from_str(given: &str) -> Result<Self, NotAnEmailAddress> {
        let given = given.trim();
        let (local, domain) = given.rsplit_once('@').ok_or(NotAnEmailAddress)?;
        let good = given.len() <= 254 && is_local_part(local) && is_domain(domain);
        if good {
            Ok(Self(given.to_lowercase()))
        } else {
            Err(NotAnEmailAddress)
        }
    }
}

/// `dot-atom` of RFC 5322, with the letters of other scripts that RFC 6532 adds.
fn is_local_part(local: &str) -> bool {
    local.len() <= 64
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .chars()
                    .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
        })
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NotAnEmailAddress;

    fn try_from(given: String) -> Result<Self, NotAnEmailAddress> {
        given.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_people_are_taken_in_lower_case() {
        for given in [
            "Ann.Lee@Example.org",
            " o'neil+jobs@mail.example.co.uk ",
            "jörg@example.de",
        ] {
            let address: EmailAddress = given.parse().unwrap();
            assert_eq!(address.as_str(), given.trim().to_lowercase());
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for given in [
            "",
            "ann",
            "ann@",
            "@example.org",
            "ann@example",
            "a b@example.org",
            "ann@exa mple.org",
            "ann@@example.org",
            "ann@example..org",
            ".ann@example.org",
            "ann@-example.org",
            "ann@example.org\r\nBcc: x@example.org",
            "Ann <ann@example.org>",
        ] {
            assert_eq!(
                given.parse::<EmailAddress>(),
                Err(NotAnEmailAddress),
                "{given:?}"
            );
        }
    }
}
