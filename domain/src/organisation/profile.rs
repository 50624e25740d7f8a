//! What an organisation says of itself, looked at before it is kept.

use chrono_tz::Tz;
use entity::{
    ids::OrganisationId,
    organisation::{self, OrganisationKind, OrganisationSize},
};
use serde::Serialize;

use super::web;
use crate::{
    clock::UNIVERSITY_TIME,
    error::{RefusalCode, Refusals},
    profile_field::Given,
    text::Text,
};

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 200;

/// How many trading names and e-mail domains an organisation has at most.
const MOST_NAMES: usize = 20;

/// The part of an organisation that operators edit. The field names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Other names it trades under.
    pub trading_names: Vec<String>,
    /// The address of its web site.
    pub website: Option<String>,
    /// The domains its people write from.
    pub email_domains: Vec<String>,
    /// Its sector.
    pub sector: Option<String>,
    /// Its sub-sector.
    pub sub_sector: Option<String>,
    /// How many people it employs.
    pub size: Option<OrganisationSize>,
    /// What type of organisation it is.
    pub kind: OrganisationKind,
    /// The head office that it is a division of.
    pub parent_id: Option<OrganisationId>,
    /// Its number in the register of companies.
    pub company_number: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// When it was founded, as its source says it.
    pub founded: Option<String>,
    /// Whether it agreed that its contacts are shown to students (policy 3).
    pub shows_contacts_to_students: bool,
    /// Whether it has many touch points and no single owner (policy 2.3).
    pub multiple_touch_points: bool,
    /// The name of its time zone, as the tz database has it: bulk mail waits while it is night there (policy 2.5).
    pub time_zone: String,
    /// What is said of fields that administrators defined; what isn't stays. They are rows of their own.
    #[serde(skip)]
    pub fields: Vec<Given>,
}

impl Profile {
    /// A profile with nothing but a name, a direct employer that has agreed to nothing.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            trading_names: Vec::new(),
            website: None,
            email_domains: Vec::new(),
            sector: None,
            sub_sector: None,
            size: None,
            kind: OrganisationKind::DirectEmployer,
            parent_id: None,
            company_number: None,
            address: None,
            founded: None,
            shows_contacts_to_students: false,
            multiple_touch_points: false,
            time_zone: UNIVERSITY_TIME.name().to_owned(),
            fields: Vec::new(),
        }
    }

    /// The profile of an organisation as it is.
    #[must_use]
    pub fn of(organisation: &organisation::Model) -> Self {
        Self {
            name: organisation.name.clone(),
            trading_names: organisation.trading_names.0.clone(),
            website: organisation.website.clone(),
            email_domains: organisation.email_domains.0.clone(),
            sector: organisation.sector.clone(),
            sub_sector: organisation.sub_sector.clone(),
            size: organisation.size,
            kind: organisation.kind,
            parent_id: organisation.parent_id,
            company_number: organisation.company_number.clone(),
            address: organisation.address.clone(),
            founded: organisation.founded.clone(),
            shows_contacts_to_students: organisation.shows_contacts_to_students,
            multiple_touch_points: organisation.multiple_touch_points,
            time_zone: organisation.time_zone.clone(),
            fields: Vec::new(),
        }
    }

    /// The profile as it is kept: without needless space, addresses in one spelling. All that is wrong is noted.
    #[must_use]
    pub fn checked(self, refusals: &mut Refusals) -> Self {
        let mut line = |field, longest, given: Option<String>| {
            Text::line(field, longest).optional(given.as_deref(), refusals)
        };
        let sector = line("sector", 100, self.sector);
        let sub_sector = line("subSector", 100, self.sub_sector);
        let company_number = line("companyNumber", 40, self.company_number);
        let founded = line("founded", 60, self.founded);
        let website = line("website", 300, self.website)
            .and_then(|given| refusals.take(web::website(&given, "website")));
        let email_domains = few("emailDomains", self.email_domains, refusals)
            .into_iter()
            .filter_map(|given| refusals.take(web::email_domain(&given, "emailDomains")))
            .collect();
        let trading_names = few("tradingNames", self.trading_names, refusals)
            .into_iter()
            .filter_map(|given| {
                Text::line("tradingNames", LONGEST_NAME).optional(Some(&given), refusals)
            })
            .collect();
        refusals.add_if(
            self.time_zone.parse::<Tz>().is_err(),
            RefusalCode::Invalid,
            "timeZone",
            "It is the name of a time zone, such as Europe/London or America/New_York.",
        );
        Self {
            name: Text::line("name", LONGEST_NAME).required(&self.name, refusals),
            trading_names: unique(trading_names),
            website,
            email_domains: unique(email_domains),
            sector,
            sub_sector,
            company_number,
            address: Text::block("address", 500).optional(self.address.as_deref(), refusals),
            founded,
            ..self
        }
    }
}

fn few(field: &'static str, given: Vec<String>, refusals: &mut Refusals) -> Vec<String> {
    if given.len() > MOST_NAMES {
        refusals.add(
            RefusalCode::TooLong,
            field,
            format!("At most {MOST_NAMES} are kept; {} were given.", given.len()),
        );
        return Vec::new();
    }
    given
}

/// The list without what stands in it before.
fn unique(mut list: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    list.retain(|item| seen.insert(item.clone()));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, Result};

    fn check(profile: Profile) -> Result<Profile> {
        let mut refusals = Refusals::default();
        let profile = profile.checked(&mut refusals);
        refusals.into_result().map(|()| profile)
    }

    #[test]
    fn a_profile_is_kept_in_one_spelling() {
        let kept = check(Profile {
            website: Some("www.acme.example".to_owned()),
            email_domains: vec!["@Acme.example".to_owned(), "acme.example".to_owned()],
            sector: Some("  ".to_owned()),
            ..Profile::named(" Acme Ltd ")
        })
        .unwrap();
        assert_eq!(kept.name, "Acme Ltd");
        assert_eq!(kept.website.as_deref(), Some("https://www.acme.example/"));
        assert_eq!(kept.email_domains, ["acme.example"]);
        assert_eq!(kept.sector, None);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = check(Profile {
            website: Some("nowhere".to_owned()),
            email_domains: vec!["ann@acme.example".to_owned()],
            sector: Some("x".repeat(101)),
            trading_names: vec!["x".to_owned(); 21],
            ..Profile::named("")
        });
        let Err(Error::Refused(refusals)) = wrong else {
            panic!("{wrong:?}");
        };
        let fields: Vec<_> = refusals
            .iter()
            .filter_map(|refusal| refusal.field)
            .collect();
        assert_eq!(
            fields,
            ["sector", "website", "emailDomains", "tradingNames", "name"]
        );
    }
}
