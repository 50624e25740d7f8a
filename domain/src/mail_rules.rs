//! The rules of bulk mail for the whole campus: when a second sender has to agree, how much of it anybody gets, when, and
//! how fast it goes out (policy 2.5). Super users and administrators set them.

mod quiet_hours;
mod rate;

use chrono::{DateTime, TimeDelta, Utc};
use entity::mail_rules;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, Iterable, sea_query::OnConflict};
use serde::Serialize;

pub use self::{
    quiet_hours::{QuietHours, zone},
    rate::{Rate, RateSyntaxError},
};
use crate::{
    change::{Change, stale},
    error::{Error, RefusalCode, Refusals, Result},
    store::Tx,
    viewer::Viewer,
};

/// The key of the only row.
const ROW: i32 = 1;
/// The action of the audit log, and what it is about.
const UPDATED: &str = "mail_rules.updated";
const SUBJECT: &str = "mail_rules";
/// What holds while nobody has set anything.
const REVIEW_ABOVE: u32 = 250;
const CONTACT_CAP: u32 = 4;
const ORGANISATION_CAP: u32 = 100;
const CAP_DAYS: u32 = 30;
const QUIET_HOURS: QuietHours = QuietHours { from: 20, until: 7 };
/// The longest period, in days.
const LONGEST_PERIOD: u32 = 366;
/// The largest number that a rule takes.
const MOST: u32 = 1_000_000;
const LAST_HOUR: u32 = 23;

/// The rules. A number that is `None` sets no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MailRules {
    /// A campaign to more recipients than this needs the approval of a second sender.
    pub review_above: Option<u32>,
    /// How many bulk mails a contact gets in a period at most.
    pub contact_cap: Option<u32>,
    /// How many the contacts of one organisation get together.
    pub organisation_cap: Option<u32>,
    /// How long the period is, in days.
    pub cap_days: u32,
    /// The hour of the day, by an organisation's clock, from which it is sent no bulk mail.
    pub quiet_from: Option<u32>,
    /// The hour from which it is sent again.
    pub quiet_until: Option<u32>,
    /// How fast mail goes out; `None` is what the processes were started with.
    pub mail_rate: Option<Rate>,
    /// The same for the recipients of any one domain.
    pub domain_rate: Option<Rate>,
}

impl Default for MailRules {
    fn default() -> Self {
        Self {
            review_above: Some(REVIEW_ABOVE),
            contact_cap: Some(CONTACT_CAP),
            organisation_cap: Some(ORGANISATION_CAP),
            cap_days: CAP_DAYS,
            quiet_from: Some(QUIET_HOURS.from),
            quiet_until: Some(QUIET_HOURS.until),
            mail_rate: None,
            domain_rate: None,
        }
    }
}

impl MailRules {
    /// The rules as they are now, and the version that a change is made to; 0 while nobody has changed them.
    pub async fn load(db: &impl ConnectionTrait) -> Result<(Self, i32)> {
        let row = mail_rules::Entity::find_by_id(ROW).one(db).await?;
        let number = |given: Option<i32>| given.and_then(|given| u32::try_from(given).ok());
        let rate = |given: Option<String>| given.and_then(|given| given.parse().ok());
        Ok(row.map_or_else(
            || (Self::default(), 0),
            |row| {
                let rules = Self {
                    review_above: number(row.review_above),
                    contact_cap: number(row.contact_cap),
                    organisation_cap: number(row.organisation_cap),
                    cap_days: number(Some(row.cap_days)).unwrap_or(CAP_DAYS),
                    quiet_from: number(row.quiet_from),
                    quiet_until: number(row.quiet_until),
                    mail_rate: rate(row.mail_rate),
                    domain_rate: rate(row.domain_rate),
                };
                (rules, row.version)
            },
        ))
    }

    /// Whether anybody gets no more than so many mails.
    #[must_use]
    pub fn has_caps(&self) -> bool {
        self.contact_cap.is_some() || self.organisation_cap.is_some()
    }

    /// The hours in which no bulk mail goes out, if there are any.
    #[must_use]
    pub fn quiet_hours(&self) -> Option<QuietHours> {
        Some(QuietHours {
            from: self.quiet_from?,
            until: self.quiet_until?,
        })
    }

    /// When the period began that ends now.
    #[must_use]
    pub fn since(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::days(self.cap_days.into())
    }
}

/// Sets the rules, which are at `version`.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    version: i32,
    rules: MailRules,
) -> Result<(MailRules, i32)> {
    viewer.signed_in()?;
    if !viewer.is_super_user() && !viewer.is_administrator() {
        return Err(Error::Forbidden(
            "The rules of bulk e-mail are set by super users and administrators.".to_owned(),
        ));
    }
    let mut refusals = Refusals::default();
    for (number, field, least) in [
        (rules.review_above, "reviewAbove", 0),
        (rules.contact_cap, "contactCap", 1),
        (rules.organisation_cap, "organisationCap", 1),
    ] {
        refusals.add_if(
            number.is_some_and(|number| number < least || number > MOST),
            RefusalCode::Invalid,
            field,
            "It must be a whole number of a sensible size, or null for no limit.",
        );
    }
    refusals.add_if(
        rules.cap_days == 0 || rules.cap_days > LONGEST_PERIOD,
        RefusalCode::Invalid,
        "capDays",
        "The period is between one day and a year.",
    );
    let quiet_is_wrong = match (rules.quiet_from, rules.quiet_until) {
        (None, None) => false,
        (Some(from), Some(until)) => from > LAST_HOUR || until > LAST_HOUR || from == until,
        _ => true,
    };
    refusals.add_if(
        quiet_is_wrong,
        RefusalCode::Invalid,
        "quietFrom",
        "Quiet hours are two different hours of the day between 0 and 23, or both null for none.",
    );
    refusals.into_result()?;
    tx.hold(SUBJECT).await?;
    let (before, current) = MailRules::load(tx.conn()).await?;
    if current != version {
        return Err(stale(tx.conn(), UPDATED, SUBJECT, version, current).await?);
    }
    let change = Change::between(&before, &rules)?;
    if change.is_empty() {
        return Ok((before, current));
    }
    let number = |given: Option<u32>| given.and_then(|given| i32::try_from(given).ok());
    let row = mail_rules::ActiveModel {
        id: Set(ROW),
        review_above: Set(number(rules.review_above)),
        contact_cap: Set(number(rules.contact_cap)),
        organisation_cap: Set(number(rules.organisation_cap)),
        cap_days: Set(number(Some(rules.cap_days)).unwrap_or(i32::MAX)),
        quiet_from: Set(number(rules.quiet_from)),
        quiet_until: Set(number(rules.quiet_until)),
        mail_rate: Set(rules.mail_rate.map(|rate| rate.to_string())),
        domain_rate: Set(rules.domain_rate.map(|rate| rate.to_string())),
        version: Set(version + 1),
        updated_at: Set(tx.now()),
    };
    mail_rules::Entity::insert(row)
        .on_conflict(
            OnConflict::column(mail_rules::Column::Id)
                .update_columns(
                    mail_rules::Column::iter()
                        .filter(|column| !matches!(column, mail_rules::Column::Id)),
                )
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    let (before, after) = change.into_audit(version + 1);
    tx.audit(viewer, UPDATED, SUBJECT, before, after).await?;
    Ok((rules, version + 1))
}
