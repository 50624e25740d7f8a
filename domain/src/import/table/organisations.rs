//! Organisations: their fields, and how a row is read.

use crate::organisation::{Profile, import::OrganisationRow};
use csv::StringRecord;

use super::{
    field::{Field, Known},
    mapping::Mapping,
};

/// A field of an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganisationField {
    /// Its name.
    Name,
    /// Other names it trades under, with semicolons between them.
    TradingNames,
    /// The address of its web site.
    Website,
    /// The domains its people write from, with semicolons between them.
    EmailDomains,
    /// Its sector.
    Sector,
    /// Its sub-sector.
    SubSector,
    /// Its number in the register of companies.
    CompanyNumber,
    /// Where it is.
    Address,
    /// When it was founded.
    Founded,
    /// The name of its time zone; where it says nothing, the university's.
    TimeZone,
    /// What it is known by in its source.
    SourceKey,
}

impl Field for OrganisationField {
    const OWN: &'static [Known<Self>] = &[
        (
            Self::Name,
            "name",
            &[
                "name",
                "organisation",
                "organization",
                "company",
                "companyname",
                "employer",
                "security",
            ],
        ),
        (
            Self::TradingNames,
            "trading_names",
            &["tradingnames", "tradingname", "tradingas"],
        ),
        (
            Self::Website,
            "website",
            &["website", "web", "url", "homepage"],
        ),
        (
            Self::EmailDomains,
            "email_domains",
            &["emaildomains", "emaildomain", "domain"],
        ),
        (
            Self::Sector,
            "sector",
            &["sector", "gicssector", "industry"],
        ),
        (
            Self::SubSector,
            "sub_sector",
            &["subsector", "gicssubindustry", "subindustry"],
        ),
        (
            Self::CompanyNumber,
            "company_number",
            &["companynumber", "registrationnumber", "cik"],
        ),
        (
            Self::Address,
            "address",
            &[
                "address",
                "headquarterslocation",
                "headquarters",
                "location",
            ],
        ),
        (Self::Founded, "founded", &["founded", "yearfounded"]),
        (Self::TimeZone, "time_zone", &["timezone"]),
        (
            Self::SourceKey,
            "source_key",
            &["sourcekey", "id", "key", "symbol"],
        ),
    ];

    const NEEDED: &'static [Self] = &[Self::Name];
}

/// What a row says of an organisation.
pub(crate) fn read(mapping: &Mapping<OrganisationField>, row: &StringRecord) -> OrganisationRow {
    let text = |field| mapping.text(row, field);
    let several = |field| mapping.several(row, field);
    let named = Profile::named(text(OrganisationField::Name).unwrap_or_default());
    OrganisationRow {
        source_key: text(OrganisationField::SourceKey),
        profile: Profile {
            trading_names: several(OrganisationField::TradingNames),
            website: text(OrganisationField::Website).filter(|given| !given.trim().is_empty()),
            email_domains: several(OrganisationField::EmailDomains),
            sector: text(OrganisationField::Sector),
            sub_sector: text(OrganisationField::SubSector),
            company_number: text(OrganisationField::CompanyNumber),
            address: text(OrganisationField::Address),
            founded: text(OrganisationField::Founded),
            time_zone: mapping
                .filled(row, OrganisationField::TimeZone)
                .unwrap_or(named.time_zone),
            fields: mapping.given(row),
            ..named
        },
    }
}
