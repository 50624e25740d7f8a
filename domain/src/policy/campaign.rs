//! Bulk e-mail: for those who were trained for it (policy 2.5).

use super::table::table;

table! {
    type Query {
        campaigns, campaignPreview, campaignPromotions, overlappingCampaigns: read(SEND_BULK_EMAIL);
        campaignPromotions(campaignId), overlappingCampaigns(campaignId): give(SEND_BULK_EMAIL);
        campaigns(state, archived): filter(SEND_BULK_EMAIL);
        campaigns(first, after, last, before): give(SEND_BULK_EMAIL);
        campaignPreview(campaignId, input): give(SEND_BULK_EMAIL);
    }
    type Mutation {
        createCampaign, updateCampaign, sendTestCampaign, submitCampaign, approveCampaign, declineCampaign,
        scheduleCampaign, pauseCampaign, resumeCampaign, cancelCampaign, copyCampaign, archiveCampaign, settleDelivery, settleDeliveries,
        addCampaignAttachment, removeCampaignAttachment,
        leaveOutCampaignEvents, bringBackCampaignEvents, joinCampaigns: read(SEND_BULK_EMAIL);
        createCampaign(input), updateCampaign(input), sendTestCampaign(input), submitCampaign(input),
        approveCampaign(input), declineCampaign(input), copyCampaign(input), archiveCampaign(input), scheduleCampaign(input),
        pauseCampaign(input), resumeCampaign(input), cancelCampaign(input), settleDelivery(input),
        settleDeliveries(input), leaveOutCampaignEvents(input), bringBackCampaignEvents(input),
        addCampaignAttachment(input), removeCampaignAttachment(input), joinCampaigns(input): give(SEND_BULK_EMAIL);
    }
    type Subscription {
        campaignProgress: read(SEND_BULK_EMAIL);
        campaignProgress(campaignId): give(SEND_BULK_EMAIL);
    }
    type Campaign {
        id: read(EVERYONE);
        name, subject, body, state, allOfTags, anyOfTags, noneOfTags, subscriberTypes, segment, segmentAsked, topic, createdBy, notBefore, notAfter, approvedBy, approvedAt,
        archivedAt, attachments, mailFor, refusal, startedAt,
        finishedAt, recipients, skipped, counts, estimate, deliveries, version, createdAt, updatedAt: read(SEND_BULK_EMAIL);
        mailFor(contactId): give(SEND_BULK_EMAIL);
        deliveries(state): filter(SEND_BULK_EMAIL);
        deliveries(first, after, last, before): give(SEND_BULK_EMAIL);
    }
    type CampaignAttachment {
        id: read(EVERYONE);
        name, mediaType, size, addedBy, file: read(SEND_BULK_EMAIL);
    }
    input AddCampaignAttachmentInput { campaignId, version, name, file: give(SEND_BULK_EMAIL); }
    input RemoveCampaignAttachmentInput { attachmentId, version: give(SEND_BULK_EMAIL); }
    type AddCampaignAttachmentPayload { campaign, userErrors: read(EVERYONE); }
    type RemoveCampaignAttachmentPayload { campaign, userErrors: read(EVERYONE); }
    type CampaignSegment {
        segmentId, name, version, at, search, allOfTags, anyOfTags, noneOfTags, sector, state, engagedBy,
        lastContactedBefore, profileFields: read(SEND_BULK_EMAIL);
    }
    type CampaignMail { subject, text, html: read(SEND_BULK_EMAIL); }
    type CampaignConnection { edges, nodes, pageInfo, totalCount: read(SEND_BULK_EMAIL); }
    type CampaignEdge { node, cursor: read(SEND_BULK_EMAIL); }
    type Delivery {
        id: read(EVERYONE);
        address, recipientName, contact, state, messageId, attempts, nextAttemptAt, sentAt, bounce, bouncedAt,
        complainedAt, lastReply: read(SEND_BULK_EMAIL);
    }
    type DeliveryConnection { edges, nodes, pageInfo, totalCount: read(SEND_BULK_EMAIL); }
    type DeliveryEdge { node, cursor: read(SEND_BULK_EMAIL); }
    type DeliveryCounts { queued, sending, sent, failed, unknown, skipped, cancelled, bounced, complained: read(SEND_BULK_EMAIL); }
    type CampaignEstimate { inQuietHours, quietUntil, rate, end: read(SEND_BULK_EMAIL); }
    type CampaignPreview { recipients, skipped: read(SEND_BULK_EMAIL); }
    type CampaignSkip { reason, count: read(SEND_BULK_EMAIL); }
    type CampaignPromotion { event, leftOutBecause: read(SEND_BULK_EMAIL); }
    type CampaignOverlap { campaign, contacts: read(SEND_BULK_EMAIL); }
    input LeaveOutCampaignEventsInput { campaignId, eventIds, reason: give(SEND_BULK_EMAIL); }
    input BringBackCampaignEventsInput { campaignId, eventIds: give(SEND_BULK_EMAIL); }
    input JoinCampaignsInput { intoCampaignId, intoVersion, fromCampaignId, fromVersion: give(SEND_BULK_EMAIL); }
    type LeaveOutCampaignEventsPayload { campaign, userErrors: read(EVERYONE); }
    type BringBackCampaignEventsPayload { campaign, userErrors: read(EVERYONE); }
    type JoinCampaignsPayload { campaign, userErrors: read(EVERYONE); }
    input CampaignAudienceInput { allOfTags, anyOfTags, noneOfTags, subscriberTypes, segmentId, topicId: give(SEND_BULK_EMAIL); }
    input CreateCampaignInput {
        name, subject, body, allOfTags, anyOfTags, noneOfTags, subscriberTypes, segmentId,
        topicId: give(SEND_BULK_EMAIL);
    }
    input UpdateCampaignInput {
        campaignId, version, name, subject, body, allOfTags, anyOfTags, noneOfTags, subscriberTypes, segmentId,
        topicId: give(SEND_BULK_EMAIL);
    }
    input SendTestCampaignInput { campaignId: give(SEND_BULK_EMAIL); }
    input SubmitCampaignInput { campaignId, notBefore, notAfter: give(SEND_BULK_EMAIL); }
    input ApproveCampaignInput { campaignId, version: give(SEND_BULK_EMAIL); }
    input DeclineCampaignInput { campaignId, reason: give(SEND_BULK_EMAIL); }
    input CopyCampaignInput { campaignId: give(SEND_BULK_EMAIL); }
    input ArchiveCampaignInput { campaignId, archived: give(SEND_BULK_EMAIL); }
    input ScheduleCampaignInput { campaignId, notBefore, notAfter: give(SEND_BULK_EMAIL); }
    input PauseCampaignInput { campaignId: give(SEND_BULK_EMAIL); }
    input ResumeCampaignInput { campaignId: give(SEND_BULK_EMAIL); }
    input CancelCampaignInput { campaignId: give(SEND_BULK_EMAIL); }
    input SettleDeliveryInput { deliveryId, settlement, reason: give(SEND_BULK_EMAIL); }
    input SettleDeliveriesInput { campaignId, settlement, reason: give(SEND_BULK_EMAIL); }
    type CreateCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type UpdateCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type SendTestCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type SubmitCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type ApproveCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type DeclineCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type CopyCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type ArchiveCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type ScheduleCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type PauseCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type ResumeCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type CancelCampaignPayload { campaign, userErrors: read(EVERYONE); }
    type SettleDeliveryPayload { delivery, userErrors: read(EVERYONE); }
    type SettleDeliveriesPayload { campaign, userErrors: read(EVERYONE); }
    enum DeliveryBounce { HARD, SOFT: read(SEND_BULK_EMAIL); }
    enum DeliverySettlement { SENT, SEND_AGAIN: give(SEND_BULK_EMAIL); }
    enum CampaignState {
        DRAFT, IN_REVIEW, SCHEDULED, SENDING, PAUSED, SENT, CANCELLED, MISSED: both(SEND_BULK_EMAIL) filter(SEND_BULK_EMAIL);
    }
    enum DeliveryState {
        QUEUED, SENDING, SENT, FAILED, UNKNOWN, SKIPPED, CANCELLED: both(SEND_BULK_EMAIL) filter(SEND_BULK_EMAIL);
    }
    enum CampaignSkipReason {
        INACTIVE, DO_NOT_EMAIL, OPTED_OUT, OPTED_OUT_OF_TOPIC, ON_HOLD, KEY_ACCOUNT_WITHOUT_AGREEMENT, NO_ADDRESS,
        INVALID_ADDRESS, SUPPRESSED, DUPLICATE_ADDRESS, OVER_CAP: both(SEND_BULK_EMAIL);
    }
}
