//! The relay as `SMTP_URL` names it.

use std::{fmt, path::PathBuf, str::FromStr};

use lettre::transport::smtp::{
    SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT, authentication::Credentials, extension::ClientId,
};
use url::{Host, Url};

use super::tls::{self, Security};

/// Where the relay is, how to be safe on the way, and who we are to it.
///
/// Forms of `SMTP_URL`:
/// - `smtp://relay.example.ac.uk` — no encryption, port 25: for a relay on the same machine or network;
/// - `smtp://user:password@relay.example.ac.uk?tls=required` — STARTTLS, port 587; a relay without it is not spoken to;
/// - `smtps://user:password@relay.example.ac.uk` — TLS from the first byte, port 465.
///
/// A path is the name to greet with (`smtp://relay/careers.example.ac.uk`), `ca=/path/to.pem` trusts a further
/// authority, such as the university's own. User and password are percent-encoded.
#[derive(Clone)]
pub struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) hello: ClientId,
}

/// Why an `SMTP_URL` can't be used. Never repeats the URL: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum RelayUrlError {
    /// It is no URL.
    #[error("it is not a URL: {0}")]
    Syntax(#[from] url::ParseError),
    /// The scheme is neither `smtp` nor `smtps`.
    #[error("its scheme is {0:?}, not smtp or smtps")]
    Scheme(String),
    /// It names no host.
    #[error("it names no host")]
    NoHost,
    /// `tls` says something else than `required`.
    #[error("tls={0:?} is not known; the one choice is tls=required")]
    Tls(String),
    /// A parameter nobody reads, which is likely a misspelt one.
    #[error("the parameter {0:?} is not known; there are tls and ca")]
    Parameter(String),
    /// User or password are not UTF-8 once decoded.
    #[error("its user or password is not valid percent-encoded UTF-8")]
    Credentials,
    /// `ca` without TLS.
    #[error("ca is given, but the connection is not encrypted: use smtps:// or tls=required")]
    NeedlessCa,
    /// The file of `ca` can't be read, or TLS can't be set up.
    #[error("{0}")]
    Certificates(String),
}

impl FromStr for Relay {
    type Err = RelayUrlError;

    fn from_str(url: &str) -> Result<Self, RelayUrlError> {
        let url = Url::parse(url)?;
        let host = match Host::parse(url.host_str().ok_or(RelayUrlError::NoHost)?)? {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let (mut starttls, mut ca) = (false, None);
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", "required") => starttls = true,
                ("tls", other) => return Err(RelayUrlError::Tls(other.to_owned())),
                ("ca", path) => ca = Some(PathBuf::from(path)),
                (other, _) => return Err(RelayUrlError::Parameter(other.to_owned())),
            }
        }
        let (security, default_port) = match (url.scheme(), starttls) {
            ("smtp", false) if ca.is_some() => return Err(RelayUrlError::NeedlessCa),
            ("smtp", false) => (Security::None, SMTP_PORT),
            ("smtp", true) => (tls::starttls(&host, ca.as_deref())?, SUBMISSION_PORT),
            ("smtps", _) => (tls::from_the_start(&host, ca.as_deref())?, SUBMISSIONS_PORT),
            (other, _) => return Err(RelayUrlError::Scheme(other.to_owned())),
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(
                decoded(url.username())?,
                decoded(password)?,
            )),
            None => None,
        };
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(default_port),
            security,
            credentials,
            hello,
        })
    }
}

fn decoded(part: &str) -> Result<String, RelayUrlError> {
    // A URL's user info knows no "+" for a space, so the form decoder is kept from seeing one.
    let pair = format!("v={}", part.replace('+', "%2B"));
    let value = url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned());
    value
        .filter(|value| !value.contains('\u{fffd}'))
        .ok_or(RelayUrlError::Credentials)
}

/// Without the credentials.
impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("signs_in", &self.credentials.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(url: &str) -> Relay {
        url.parse().unwrap()
    }

    fn error(url: &str) -> String {
        url.parse::<Relay>().unwrap_err().to_string()
    }

    #[test]
    fn each_form_has_its_port_and_security() {
        let plain = relay("smtp://localhost");
        assert_eq!(
            (plain.port, plain.security.to_string().as_str()),
            (25, "none")
        );
        let starttls = relay("smtp://relay.test?tls=required");
        assert_eq!(
            (starttls.port, starttls.security.to_string().as_str()),
            (587, "STARTTLS")
        );
        let tls = relay("smtps://relay.test");
        assert_eq!((tls.port, tls.security.to_string().as_str()), (465, "TLS"));
        assert_eq!(relay("smtp://127.0.0.1:2525").port, 2525);
        assert_eq!(relay("smtp://[::1]:25").host, "::1");
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let relay = relay("smtps://car%40eers:p%2Bss+w%C3%B6rd@relay.test/mail.careers.test");
        assert_eq!(
            relay.credentials,
            Some(Credentials::new("car@eers".into(), "p+ss+wörd".into()))
        );
        assert_eq!(relay.hello, ClientId::Domain("mail.careers.test".into()));
        assert!(
            !format!("{relay:?}").contains("w%C3%B6rd") && !format!("{relay:?}").contains("wörd")
        );
    }

    #[test]
    fn a_wrong_url_is_refused_with_the_reason() {
        assert!(error("relay.test").contains("not a URL"));
        assert!(error("http://relay.test").contains("not smtp or smtps"));
        assert!(error("smtp://relay.test?tls=maybe").contains("tls=required"));
        assert!(error("smtp://relay.test?tsl=required").contains("\"tsl\""));
        assert!(error("smtp://relay.test?ca=/etc/ca.pem").contains("not encrypted"));
        assert!(error("smtps://relay.test?ca=/nowhere/ca.pem").contains("/nowhere/ca.pem"));
        assert!(error("smtps://u:%ff@relay.test").contains("UTF-8"));
    }
}
