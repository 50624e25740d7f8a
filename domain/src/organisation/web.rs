//! Addresses on the web, and the domains that people write from.

use url::Url;

use crate::{
    email_address::EmailAddress,
    error::{Refusal, RefusalCode},
};

/// Where anybody can have a mailbox: sharing one of these says nothing about two organisations.
const FREE_MAIL: &[&str] = &[
    "aol.com",
    "btinternet.com",
    "gmail.com",
    "googlemail.com",
    "hotmail.co.uk",
    "hotmail.com",
    "icloud.com",
    "live.co.uk",
    "live.com",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "sky.com",
    "talktalk.net",
    "yahoo.co.uk",
    "yahoo.com",
];

/// Whether anybody can have a mailbox at `domain`.
#[must_use]
pub fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.contains(&domain)
}

/// The address of a web site, with its scheme. `www.example.org` is taken for `https://www.example.org/`.
pub fn website(given: &str, field: &'static str) -> Result<String, Refusal> {
    let given = given.trim();
    let full = if given.contains("://") {
        given.to_owned()
    } else {
        format!("https://{given}")
    };
    Url::parse(&full)
        .ok()
        .filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.domain().is_some_and(|domain| domain.contains('.'))
        })
        .map(|url| url.to_string())
        .ok_or_else(|| Refusal {
            code: RefusalCode::Invalid,
            field: Some(field),
            message: format!(
                "{given:?}: this is not the address of a web site; one looks like https://www.example.org."
            ),
        })
}

/// The domain of a web site, without `www.`.
#[must_use]
pub fn domain_of(website: &str) -> Option<String> {
    let url = Url::parse(website).ok()?;
    let domain = url.domain()?;
    Some(domain.strip_prefix("www.").unwrap_or(domain).to_owned())
}

/// The part of an e-mail address behind the `@`, in lower case. A leading `@` is left out.
pub fn email_domain(given: &str, field: &'static str) -> Result<String, Refusal> {
    let domain = given.trim().trim_start_matches('@');
    format!("somebody@{domain}")
        .parse::<EmailAddress>()
        .map(|address| address.domain().to_owned())
        .map_err(|_| Refusal {
            code: RefusalCode::Invalid,
            field: Some(field),
            message: format!("{given:?}: this is not a domain; one looks like example.org."),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_site_has_a_scheme_and_a_domain() {
        assert_eq!(
            website(" www.Example.org/jobs ", "website").unwrap(),
            "https://www.example.org/jobs"
        );
        for given in [
            "",
            "example",
            "javascript:alert(1)",
            "ftp://example.org",
            "https://user@example.org",
            "https://10.0.0.1/",
            "two words.org",
        ] {
            assert!(website(given, "website").is_err(), "{given}");
        }
    }

    #[test]
    fn the_domain_of_a_site_is_that_of_its_mail() {
        assert_eq!(
            domain_of("https://www.example.org/jobs").unwrap(),
            "example.org"
        );
        assert_eq!(
            email_domain("@Example.ORG", "emailDomains").unwrap(),
            "example.org"
        );
        assert!(email_domain("ann@example.org", "emailDomains").is_err());
        assert!(email_domain("example", "emailDomains").is_err());
    }
}
