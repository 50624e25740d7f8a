//! The rules of bulk mail for the whole campus (policy 2.5): one row, or none while the defaults hold.

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// The row of `mail_rules`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_rules")]
pub struct Model {
    /// 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// A campaign to more recipients than this needs the approval of a second sender; none needs it when null.
    pub review_above: Option<i32>,
    /// How many bulk mails a contact gets in a period at most.
    pub contact_cap: Option<i32>,
    /// How many the contacts of one organisation get together.
    pub organisation_cap: Option<i32>,
    /// How long the period is, in days.
    pub cap_days: i32,
    /// The hour of the day from which no bulk mail goes to an organisation, in its time zone; null when any hour will do.
    pub quiet_from: Option<i32>,
    /// The hour at which it may go again.
    pub quiet_until: Option<i32>,
    /// How fast mail goes out, such as `600/min`; null is what the processes were started with.
    pub mail_rate: Option<String>,
    /// The same for the recipients of any one domain.
    pub domain_rate: Option<String>,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "mail_rules": nobody;
    id, review_above, contact_cap, organisation_cap, cap_days, quiet_from, quiet_until, mail_rate, domain_rate, version, updated_at
}
