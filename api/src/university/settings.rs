//! The settings of signing in with the university.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use domain::clock::Clock;
use openidconnect::{IssuerUrl, RedirectUrl};
use url::Url;
use worker::settings::{SettingsError, read_secret};

use super::University;
use crate::http::university::CALLBACK;

/// Which provider signs people in, and what it calls what it says of them. Without an issuer nobody signs in this way.
#[derive(Args, Clone)]
pub struct UniversitySettings {
    /// The university's `OpenID` Connect provider: the address that stands in `issuer` of its own document. Unset: nobody
    /// signs in with the university
    #[arg(long = "oidc-issuer", env = "MYCAREER_OIDC_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,

    /// What the provider knows MyCareer by
    #[arg(
        long = "oidc-client-id",
        env = "MYCAREER_OIDC_CLIENT_ID",
        value_name = "ID"
    )]
    pub client_id: Option<String>,

    /// What MyCareer proves that by. Unset: PKCE alone does
    #[arg(
        long = "oidc-client-secret",
        env = "MYCAREER_OIDC_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub client_secret: Option<String>,

    /// A file that holds `MYCAREER_OIDC_CLIENT_SECRET`
    #[arg(
        long = "oidc-client-secret-file",
        env = "MYCAREER_OIDC_CLIENT_SECRET_FILE",
        conflicts_with = "client_secret",
        value_name = "FILE"
    )]
    pub client_secret_file: Option<PathBuf>,

    /// What is asked for beside `openid`
    #[arg(
        long = "oidc-scopes",
        env = "MYCAREER_OIDC_SCOPES",
        default_value = "profile email",
        value_name = "SCOPES"
    )]
    pub scopes: String,

    /// The claim that says what somebody is at the university: a text or a list
    #[arg(
        long = "oidc-affiliation-claim",
        env = "MYCAREER_OIDC_AFFILIATION_CLAIM",
        default_value = "eduperson_affiliation",
        value_name = "CLAIM"
    )]
    pub affiliation_claim: String,

    /// The affiliations of staff, separated by commas. Who is staff and a student is staff
    #[arg(
        long = "oidc-staff",
        env = "MYCAREER_OIDC_STAFF",
        default_value = "staff,faculty,employee",
        value_name = "WORDS"
    )]
    pub staff: String,

    /// The affiliations of students
    #[arg(
        long = "oidc-students",
        env = "MYCAREER_OIDC_STUDENTS",
        default_value = "student",
        value_name = "WORDS"
    )]
    pub students: String,

    /// The affiliations of graduates. Who is a student too is a student
    #[arg(
        long = "oidc-graduates",
        env = "MYCAREER_OIDC_GRADUATES",
        default_value = "alum",
        value_name = "WORDS"
    )]
    pub graduates: String,

    /// The claim with the name of somebody's faculty
    #[arg(
        long = "oidc-faculty-claim",
        env = "MYCAREER_OIDC_FACULTY_CLAIM",
        default_value = "faculty",
        value_name = "CLAIM"
    )]
    pub faculty_claim: String,

    /// The claim with the name of a student's programme
    #[arg(
        long = "oidc-programme-claim",
        env = "MYCAREER_OIDC_PROGRAMME_CLAIM",
        default_value = "programme",
        value_name = "CLAIM"
    )]
    pub programme_claim: String,

    /// The claim with the year of the programme a student is in
    #[arg(
        long = "oidc-year-claim",
        env = "MYCAREER_OIDC_YEAR_CLAIM",
        default_value = "year_of_study",
        value_name = "CLAIM"
    )]
    pub year_claim: String,

    /// Where the frontend takes up a sign-in: `code` is added to it, for `exchangeSignInCode`. It must begin the sign-in with
    /// a `challenge`. Unset: a page of MyCareer's own shows the code
    #[arg(
        long = "sign-in-frontend",
        env = "MYCAREER_SIGN_IN_FRONTEND",
        value_name = "URL"
    )]
    pub frontend: Option<Url>,
}

impl std::fmt::Debug for UniversitySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UniversitySettings")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl UniversitySettings {
    /// Reads the file that holds the secret, and checks what can be checked without asking the provider.
    pub fn resolve(mut self) -> Result<Self, SettingsError> {
        read_secret(
            "MYCAREER_OIDC_CLIENT_SECRET_FILE",
            &mut self.client_secret,
            self.client_secret_file.take(),
        )?;
        // An empty variable is how many tools unset one.
        for value in [&mut self.issuer, &mut self.client_id] {
            if value
                .as_deref()
                .is_some_and(|value| value.trim().is_empty())
            {
                *value = None;
            }
        }
        if let Some(issuer) = &self.issuer {
            read_issuer(issuer)?;
            if self.client_id.is_none() {
                return Err(SettingsError::new(
                    "MYCAREER_OIDC_CLIENT_ID",
                    "with MYCAREER_OIDC_ISSUER it is needed too",
                ));
            }
        }
        Ok(self)
    }

    /// The provider, when there is one.
    pub(crate) fn open(
        &self,
        public_url: &Url,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<University>, SettingsError> {
        let Some(issuer) = &self.issuer else {
            return Ok(None);
        };
        let redirect = format!("{}{CALLBACK}", public_url.as_str().trim_end_matches('/'));
        let redirect = RedirectUrl::new(redirect)
            .map_err(|error| SettingsError::new("MYCAREER_PUBLIC_URL", error.to_string()))?;
        University::new(self.clone(), read_issuer(issuer)?, redirect, clock)
            .map(Some)
            .map_err(|error| SettingsError::new("MYCAREER_OIDC_ISSUER", error.to_string()))
    }
}

/// Over plain HTTP anybody on the way could be the provider; only this machine's own is let be.
fn read_issuer(issuer: &str) -> Result<IssuerUrl, SettingsError> {
    let wrong = |reason: &str| SettingsError::new("MYCAREER_OIDC_ISSUER", reason);
    let url = Url::parse(issuer).map_err(|_| wrong("it is not an address"))?;
    let is_here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
        return Err(wrong("it must begin with https://"));
    }
    IssuerUrl::new(issuer.to_owned()).map_err(|_| wrong("it is not an address"))
}
