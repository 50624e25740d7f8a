//! Whom a campaign reaches, and who is left out.

use async_graphql::{Enum, SimpleObject};
use domain::campaign::{Preview, SkipReason, Skipped};

/// Whom a campaign would reach.
#[derive(Debug, SimpleObject)]
pub struct CampaignPreview {
    /// How many would get the mail.
    recipients: u64,
    /// Who would be left out, and why.
    skipped: Vec<CampaignSkip>,
}

impl From<Preview> for CampaignPreview {
    fn from(preview: Preview) -> Self {
        Self {
            recipients: preview.recipients,
            skipped: told(preview.skipped),
        }
    }
}

/// How many are left out for one reason.
#[derive(Debug, SimpleObject)]
pub struct CampaignSkip {
    /// The reason. When several hold, the first in the order of their list is told.
    reason: CampaignSkipReason,
    /// How many.
    count: u64,
}

/// Who is left out, by reason.
pub(super) fn told(skipped: Skipped) -> Vec<CampaignSkip> {
    skipped
        .into_iter()
        .map(|(reason, count)| CampaignSkip {
            reason: reason.into(),
            count,
        })
        .collect()
}

/// Why a contact is left out of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "SkipReason")]
pub enum CampaignSkipReason {
    /// They have left the organisation, or can't be reached.
    Inactive,
    /// They must not be sent any mail.
    DoNotEmail,
    /// They opted out of bulk mail.
    OptedOut,
    /// They opted out of mail about the campaign's topic.
    OptedOutOfTopic,
    /// Mail is held back after bounces.
    OnHold,
    /// They are a key account contact, and the Key Account Operator has not agreed.
    KeyAccountWithoutAgreement,
    /// No address is known.
    NoAddress,
    /// The address is none.
    InvalidAddress,
    /// The address is suppressed: unsubscribed, bounced, complained or erased.
    Suppressed,
    /// Another contact with the same address is reached already.
    DuplicateAddress,
    /// They, or the contacts of their organisation together, have had as much bulk mail as anybody gets in a period.
    OverCap,
}
