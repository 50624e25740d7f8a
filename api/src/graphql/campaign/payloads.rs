//! What mutations of campaigns answer.

use super::{Campaign, Delivery};
use crate::graphql::errors::payload;

payload! {
    /// What became of beginning a campaign.
    CreateCampaignPayload {
        /// The draft.
        campaign: Campaign,
    }
}

payload! {
    /// What became of changing a draft.
    UpdateCampaignPayload {
        /// The draft as it is now.
        campaign: Campaign,
    }
}

payload! {
    /// What became of a test mail.
    SendTestCampaignPayload {
        /// The campaign, which is as it was.
        campaign: Campaign,
    }
}

payload! {
    /// What became of submitting a campaign for review.
    SubmitCampaignPayload {
        /// The campaign, which a second sender looks at.
        campaign: Campaign,
    }
}

payload! {
    /// What became of approving a campaign.
    ApproveCampaignPayload {
        /// The campaign, which is on its way or waits for its time.
        campaign: Campaign,
    }
}

payload! {
    /// What became of sending a campaign back.
    DeclineCampaignPayload {
        /// The campaign, which is a draft again.
        campaign: Campaign,
    }
}

payload! {
    /// What became of copying a campaign.
    CopyCampaignPayload {
        /// The new draft.
        campaign: Campaign,
    }
}

payload! {
    /// What became of putting a campaign away.
    ArchiveCampaignPayload {
        /// The campaign.
        campaign: Campaign,
    }
}

payload! {
    /// What became of starting a campaign, or of setting the time for it.
    ScheduleCampaignPayload {
        /// The campaign, which is on its way or waits for its time.
        campaign: Campaign,
    }
}

payload! {
    /// What became of holding a campaign up.
    PauseCampaignPayload {
        /// The campaign, which waits to be resumed.
        campaign: Campaign,
    }
}

payload! {
    /// What became of letting a campaign go on.
    ResumeCampaignPayload {
        /// The campaign, which is on its way again.
        campaign: Campaign,
    }
}

payload! {
    /// What became of ending a campaign for good.
    CancelCampaignPayload {
        /// The campaign, of which nothing more is sent.
        campaign: Campaign,
    }
}

payload! {
    /// What became of settling a mail that was in doubt.
    SettleDeliveryPayload {
        /// The mail as it stands now.
        delivery: Delivery,
    }
}

payload! {
    /// What became of settling all mails of a campaign that were in doubt.
    SettleDeliveriesPayload {
        /// The campaign as it stands now.
        campaign: Campaign,
    }
}

payload! {
    /// What became of leaving events out of a mail.
    LeaveOutCampaignEventsPayload {
        /// The draft.
        campaign: Campaign,
    }
}

payload! {
    /// What became of taking events back into a mail.
    BringBackCampaignEventsPayload {
        /// The draft.
        campaign: Campaign,
    }
}

payload! {
    /// What became of making one mail of two.
    JoinCampaignsPayload {
        /// The draft that has the words of both.
        campaign: Campaign,
    }
}

payload! {
    /// What became of attaching a file.
    AddCampaignAttachmentPayload {
        /// The draft.
        campaign: Campaign,
    }
}

payload! {
    /// What became of taking a file off.
    RemoveCampaignAttachmentPayload {
        /// The draft.
        campaign: Campaign,
    }
}
