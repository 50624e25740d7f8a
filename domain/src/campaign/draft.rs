//! Writing a campaign.

use entity::{
    access_grant::Permission,
    campaign::{self, CampaignState},
    contact::SubscriberType,
    ids::{CampaignId, MailTopicId},
    list::SubscriberTypeList,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use serde_json::{Value, json};

use super::{
    Audience, attachment, locked, markdown,
    words::{Recipient, Words},
};
use crate::{
    change::Change,
    email_address::EmailAddress,
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    mail::{self, Attachment, Letter},
    mail_topic,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How long a name may be, in characters.
const LONGEST_NAME: usize = 200;
/// How long a subject may be, in characters.
const LONGEST_SUBJECT: usize = 300;
/// How long a text may be, in characters.
const LONGEST_BODY: usize = 50_000;
/// The action of the audit log under which changes of drafts are kept.
pub(super) const UPDATED: &str = "campaign.updated";

/// What a campaign says, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What its operators call it.
    pub name: String,
    /// The subject line, with fields in double braces.
    pub subject: String,
    /// The text, with fields in double braces.
    pub body: String,
    /// Whom it goes to.
    pub audience: Audience,
    /// What it is about.
    pub topic: Option<MailTopicId>,
}

/// What is to be other about a draft; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What its operators call it.
    pub name: Option<String>,
    /// The subject line.
    pub subject: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// Tags of which an organisation has every one.
    pub all_of: Option<Vec<entity::ids::TagId>>,
    /// Tags of which it has at least one.
    pub any_of: Option<Vec<entity::ids::TagId>>,
    /// Tags of which it has none.
    pub none_of: Option<Vec<entity::ids::TagId>>,
    /// Of which subscriber types a contact is one.
    pub subscriber_types: Option<Vec<SubscriberType>>,
    /// The segment in which it is as well; `Some(None)` is none.
    pub segment_id: Option<Option<entity::ids::SegmentId>>,
    /// What it is about; `Some(None)` is nothing in particular.
    pub topic: Option<Option<MailTopicId>>,
}

/// A name that is no longer than one may be.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// Begins a campaign (policy 2.5: for those who were trained for it).
pub async fn create(tx: &mut Tx, viewer: &Viewer, draft: Draft) -> Result<campaign::Model> {
    begin(tx, viewer, draft, Segment::Named).await
}

/// Whether the segment of a draft is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// It was named now, by somebody who must have it.
    Named,
    /// It is the one that was named before. Whether it can still be used is looked at when the campaign starts.
    Kept,
}

/// Begins a campaign, which may keep a segment of another.
pub(super) async fn begin(
    tx: &mut Tx,
    viewer: &Viewer,
    draft: Draft,
    segment: Segment,
) -> Result<campaign::Model> {
    viewer.require(Permission::SendBulkEmail)?;
    let author = viewer.signed_in()?.id;
    let draft = draft.checked(tx, viewer, segment).await?;
    let after = draft.told();
    let segment_id = draft.audience.segment_id;
    let subscriber_types = SubscriberTypeList(draft.audience.subscriber_types.clone());
    let [all_of, any_of, none_of] = draft.audience.into_lists();
    let created = campaign::ActiveModel {
        id: Set(CampaignId::new_at(tx.now())),
        name: Set(draft.name),
        subject: Set(draft.subject),
        body: Set(draft.body),
        state: Set(CampaignState::Draft),
        all_of: Set(all_of),
        any_of: Set(any_of),
        none_of: Set(none_of),
        segment_id: Set(segment_id),
        subscriber_types: Set(subscriber_types),
        segment_asked: Set(None),
        mail_topic_id: Set(draft.topic),
        created_by: Set(author),
        not_before: Set(None),
        not_after: Set(None),
        scheduled_by: Set(None),
        refusal: Set(None),
        approved_by: Set(None),
        approved_at: Set(None),
        archived_at: Set(None),
        started_at: Set(None),
        finished_at: Set(None),
        recipients: Set(0),
        skipped: Set(json!({})),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    }
    .insert(tx.conn())
    .await?;
    tx.audit(viewer, "campaign.created", created.id, None, Some(after))
        .await?;
    Ok(created)
}

/// Changes a draft that is at `version`.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    version: i32,
    changes: Changes,
) -> Result<campaign::Model> {
    let campaign = attachment::draft_at(tx, viewer, id, version).await?;
    let before = Draft::of(&campaign);
    let audience = before.audience.clone();
    let draft = Draft {
        name: changes.name.unwrap_or_else(|| before.name.clone()),
        subject: changes.subject.unwrap_or_else(|| before.subject.clone()),
        body: changes.body.unwrap_or_else(|| before.body.clone()),
        audience: Audience {
            all_of: changes.all_of.unwrap_or(audience.all_of),
            any_of: changes.any_of.unwrap_or(audience.any_of),
            none_of: changes.none_of.unwrap_or(audience.none_of),
            subscriber_types: changes
                .subscriber_types
                .unwrap_or(audience.subscriber_types),
            segment_id: changes.segment_id.unwrap_or(audience.segment_id),
        },
        topic: changes.topic.unwrap_or(before.topic),
    };
    let segment = if draft.audience.segment_id == audience.segment_id {
        Segment::Kept
    } else {
        Segment::Named
    };
    let draft = draft.checked(tx, viewer, segment).await?;
    if draft == before {
        return Ok(campaign);
    }
    let (before, after) = Change::between(&before.told(), &draft.told())?.into_audit(version + 1);
    let segment_id = draft.audience.segment_id;
    let subscriber_types = SubscriberTypeList(draft.audience.subscriber_types.clone());
    let [all_of, any_of, none_of] = draft.audience.into_lists();
    let mut row = campaign.into_active_model();
    row.segment_id = Set(segment_id);
    row.subscriber_types = Set(subscriber_types);
    row.segment_asked = Set(None);
    row.name = Set(draft.name);
    row.subject = Set(draft.subject);
    row.body = Set(draft.body);
    row.all_of = Set(all_of);
    row.any_of = Set(any_of);
    row.none_of = Set(none_of);
    row.mail_topic_id = Set(draft.topic);
    row.refusal = Set(None);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    tx.audit(viewer, UPDATED, id, before, after).await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(updated)
}

/// Sends the viewer the mail as it stands, filled in for themselves. Nobody else gets one.
pub async fn send_test(tx: &mut Tx, viewer: &Viewer, id: CampaignId) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    let person = viewer.signed_in()?;
    let recipient = Recipient {
        name: person.name.clone(),
        organisation: "Example Ltd".to_owned(),
        job_title: Some("Recruiter".to_owned()),
    };
    let written = Words::parse(&campaign.subject, &campaign.body)
        .and_then(|words| words.render(&recipient))
        .map_err(|error| Error::refused_whole(RefusalCode::CannotRender, error.to_string()))?;
    let to: EmailAddress = person
        .email
        .parse()
        .map_err(|error| Error::Fault(format!("the address of {}: {error}", person.id)))?;
    let letter = Letter {
        template: "campaign",
        to,
        name: person.name.clone(),
        user_id: Some(person.id),
        purpose_key: format!(
            "campaign_test/{id}/{}/{}",
            person.id,
            tx.now().timestamp_micros()
        ),
        fields: json!({
            "subject": format!("Test: {}", written.subject),
            "text": written.text,
            "html": written.html,
            "events": super::promoted(tx.conn(), &campaign, tx.now()).await?,
            "unsubscribe_link": super::unsubscribe::TEST_LINK,
            "preferences_link": super::preferences::TEST_LINK,
        }),
    };
    mail::post_with(tx, letter, &[Attachment::OfCampaign(id)]).await?;
    tx.audit(viewer, "campaign.tested", id, None, None).await?;
    Ok(campaign)
}

impl Draft {
    fn of(campaign: &campaign::Model) -> Self {
        Self {
            name: campaign.name.clone(),
            subject: campaign.subject.clone(),
            body: campaign.body.clone(),
            audience: Audience::of(campaign),
            topic: campaign.mail_topic_id,
        }
    }

    /// As the audit log tells of it.
    fn told(&self) -> Value {
        json!({
            "name": self.name,
            "subject": self.subject,
            "body": self.body,
            "allOfTags": self.audience.all_of,
            "anyOfTags": self.audience.any_of,
            "noneOfTags": self.audience.none_of,
            "subscriberTypes": self.audience.subscriber_types,
            "segmentId": self.audience.segment_id,
            "topicId": self.topic,
        })
    }

    async fn checked(mut self, tx: &Tx, viewer: &Viewer, segment: Segment) -> Result<Self> {
        let mut refusals = Refusals::default();
        self.name = Text::line("name", LONGEST_NAME).required(&self.name, &mut refusals);
        self.subject =
            Text::line("subject", LONGEST_SUBJECT).required(&self.subject, &mut refusals);
        self.body = Text::block("body", LONGEST_BODY).required(&self.body, &mut refusals);
        for (text, field) in [(&self.subject, "subject"), (&self.body, "body")] {
            if let Some(fault) = Words::fault(text) {
                refusals.add(RefusalCode::CannotRender, field, fault);
            }
        }
        if let Some(fault) = markdown::fault(&self.body) {
            refusals.add(RefusalCode::Invalid, "body", fault);
        }
        self.audience.subscriber_types.sort_unstable();
        self.audience.subscriber_types.dedup();
        self.audience.check(tx.conn(), &mut refusals).await?;
        if segment == Segment::Named {
            let found = self.audience.look_up(tx.conn(), viewer.user_id(), tx.now());
            refusals.join(found.await)?;
        }
        mail_topic::check(tx.conn(), self.topic, &mut refusals).await?;
        refusals.into_result()?;
        Ok(self)
    }
}
