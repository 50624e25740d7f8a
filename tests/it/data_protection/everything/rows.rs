//! Rows for the tables that the demo data leaves empty.

use std::time::Duration;

use domain::{Store, suppression};
use entity::{
    calendar_feed, campaign, campaign_attachment, campaign_event, contact, contact_duplicate_pair,
    contact_post, delivery, duplicate_pair, event, event_feedback, event_told, group_booking,
    held_address, held_change, identity,
    ids::{
        CampaignAttachmentId, CampaignId, DuplicatePairId, EventFeedbackId, GroupBookingId,
        HeldChangeId, KeptNoticeId, MailTopicId, MergeChangeId, MergeId, OrganisationId,
        ProfileFieldId, RecordImportId, RegistrationId, SegmentId, UserId,
    },
    kept_notice,
    list::{IdList, SoughtFieldList, SubscriberTypeList, TextList},
    mail_topic, merge, merge_change,
    notice_choice::{self, NoticeChannel, NoticeTopic},
    organisation, organisation_field, profile_field, profile_photo,
    record_import::{self, RecordImportState, RecordKind},
    registration, segment,
    suppression::SuppressionReason,
    topic_opt_out,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use support::{System, put, until};
use uuid::Uuid;

use crate::{data_protection::person::nothing_is_on_its_way, super_user_group};

/// Of the student's and of nobody's.
pub async fn rows(system: &System, store: &Store) {
    // A session with its token, and a copy with the letter about it.
    let student = system.demo_client("student1").await;
    let ask = r#"mutation { requestSubjectAccessExport(input: {}) { userErrors { code } }
        requestPasswordReset(input: { email: "student2@demo.mycareer.test" }) { userErrors { code } } }"#;
    student.data(ask, serde_json::json!({})).await;
    until(Duration::from_secs(30), "the letter", async || {
        let posted = delivery::Entity::find()
            .count(store.reader())
            .await
            .unwrap();
        (posted > 0).then_some(())
    })
    .await;
    nothing_is_on_its_way(store).await;
    let now = store.now();
    let user_id = super_user_group::account(system, "student1").await.id;
    put::<profile_photo::Entity>(
        store,
        profile_photo::Model {
            user_id,
            token: "a token".to_owned(),
            width: 64,
            height: 64,
            bytes: vec![1, 2, 3],
            uploaded_at: now,
        },
    )
    .await;
    put::<identity::Entity>(
        store,
        identity::Model {
            issuer: "https://university.test".to_owned(),
            subject: "student-1".to_owned(),
            user_id,
            created_at: now,
            last_used_at: now,
        },
    )
    .await;
    put::<notice_choice::Entity>(
        store,
        notice_choice::Model {
            user_id,
            topic: NoticeTopic::Event,
            channel: NoticeChannel::None,
            chosen_at: now,
        },
    )
    .await;
    put::<kept_notice::Entity>(
        store,
        kept_notice::Model {
            id: KeptNoticeId::new_at(now),
            user_id,
            topic: NoticeTopic::Event,
            purpose_key: "test".to_owned(),
            template: "event_moved".to_owned(),
            fields: serde_json::json!({}),
            kept_at: now,
            digested_on: Some(now.date_naive()),
        },
    )
    .await;
    rows_of_events(store, user_id).await;
    rows_about_employers(store, user_id).await;
}

/// What somebody was told and says of an event, and a class that had places at it.
async fn rows_of_events(store: &Store, user_id: UserId) {
    let now = store.now();
    let event = event::Entity::find()
        .one(store.reader())
        .await
        .unwrap()
        .unwrap();
    put::<event_feedback::Entity>(
        store,
        event_feedback::Model {
            id: EventFeedbackId::new_at(now),
            event_id: event.id,
            user_id,
            rating: 4,
            good: None,
            mend: None,
            given_at: now,
            released_at: None,
            released_by: None,
        },
    )
    .await;
    put::<event_told::Entity>(
        store,
        event_told::Model {
            user_id,
            event_id: event.id,
            told_at: now,
        },
    )
    .await;
    put::<group_booking::Entity>(
        store,
        group_booking::Model {
            id: GroupBookingId::new_at(now),
            event_id: event.id,
            class_name: String::new(),
            places: 1,
            state: group_booking::GroupBookingState::Cancelled,
            booked_by: user_id,
            booked_at: now,
            reason: None,
            cancelled_at: None,
            attended: None,
            attended_names: None,
            marked_at: None,
        },
    )
    .await;
}

/// A file that somebody imports.
async fn a_file_of_records(store: &Store, user_id: UserId) {
    put::<record_import::Entity>(
        store,
        record_import::Model {
            id: RecordImportId::new_at(store.now()),
            kind: RecordKind::Contacts,
            file_name: "contacts.csv".to_owned(),
            mapping: serde_json::json!([]),
            is_dry_run: true,
            state: RecordImportState::Done,
            row_count: 1,
            content: Some(vec![0]),
            report: Some(serde_json::json!({})),
            requested_by: user_id,
            requested_at: store.now(),
            finished_at: Some(store.now()),
            expires_at: store.now(),
        },
    )
    .await;
}

/// An event that somebody left out of a campaign, and a file that they added.
async fn an_event_that_was_left_out(store: &Store, user_id: UserId) {
    let now = store.now();
    let told = campaign::Entity::find().one(store.reader()).await.unwrap();
    put::<campaign_attachment::Entity>(
        store,
        campaign_attachment::Model {
            id: CampaignAttachmentId::new_at(now),
            campaign_id: told.as_ref().unwrap().id,
            name: String::new(),
            media_type: "application/pdf".to_owned(),
            size: 1,
            bytes: vec![0],
            added_by: user_id,
            added_at: now,
        },
    )
    .await;
    let event = event::Entity::find().one(store.reader()).await.unwrap();
    put::<campaign_event::Entity>(
        store,
        campaign_event::Model {
            campaign_id: told.unwrap().id,
            event_id: event.unwrap().id,
            left_out_because: Some(String::new()),
            chosen_by: Some(user_id),
            chosen_at: now,
        },
    )
    .await;
}

/// A campaign, a pair of organisations that aren't the same, and addresses that get no mail.
async fn rows_about_employers(store: &Store, user_id: UserId) {
    let now = store.now();
    put::<campaign::Entity>(
        store,
        campaign::Model {
            id: CampaignId::new_at(now),
            name: String::new(),
            subject: String::new(),
            body: String::new(),
            state: campaign::CampaignState::Cancelled,
            all_of: IdList::default(),
            any_of: IdList::default(),
            none_of: IdList::default(),
            subscriber_types: SubscriberTypeList::default(),
            segment_id: None,
            segment_asked: None,
            mail_topic_id: None,
            approved_by: None,
            approved_at: None,
            archived_at: None,
            created_by: user_id,
            not_before: None,
            not_after: None,
            scheduled_by: None,
            refusal: None,
            started_at: None,
            finished_at: None,
            recipients: 0,
            skipped: serde_json::json!({}),
            version: 1,
            created_at: now,
            updated_at: now,
        },
    )
    .await;
    an_event_that_was_left_out(store, user_id).await;
    a_file_of_records(store, user_id).await;
    let topic = mail_topic::Model {
        id: MailTopicId::new_at(now),
        name: "Fairs".to_owned(),
        name_key: "fairs".to_owned(),
        description: None,
        archived_at: None,
        created_at: now,
    };
    let mail_topic_id = topic.id;
    put::<mail_topic::Entity>(store, topic).await;
    let contact = contact::Entity::find()
        .one(store.reader())
        .await
        .unwrap()
        .unwrap();
    put::<topic_opt_out::Entity>(
        store,
        topic_opt_out::Model {
            contact_id: contact.id,
            mail_topic_id,
            opted_out_at: now,
        },
    )
    .await;
    rows_of_records(store, user_id, contact).await;
    let two: Vec<OrganisationId> = organisation::Entity::find()
        .select_only()
        .column(organisation::Column::Id)
        .order_by_desc(organisation::Column::Id)
        .limit(2)
        .into_tuple()
        .all(store.reader())
        .await
        .unwrap();
    put::<duplicate_pair::Entity>(
        store,
        duplicate_pair::Model {
            id: DuplicatePairId::new_at(now),
            one_id: two[1],
            other_id: two[0],
            group_id: two[1],
            doubt: 1,
            signals: serde_json::json!([]),
            evidence: serde_json::json!([]),
            state: duplicate_pair::DuplicatePairState::Dismissed,
            found_at: now,
            dismissed_by: None,
            dismissed_at: None,
            reason: None,
        },
    )
    .await;
    addresses_that_get_no_mail(store).await;
}

/// An address that is on hold, and one that is suppressed.
async fn addresses_that_get_no_mail(store: &Store) {
    let now = store.now();
    put::<held_address::Entity>(
        store,
        held_address::Model {
            address_hash: "a hash".to_owned(),
            since: now,
        },
    )
    .await;
    let mut tx = store.begin().await.unwrap();
    suppression::suppress(&mut tx, &[7; 32], SuppressionReason::Bounced)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// A merge with its journal, a registration, a segment, a change that waits, and a calendar of one's own.
async fn rows_of_records(store: &Store, user_id: UserId, contact: contact::Model) {
    let now = store.now();
    put::<calendar_feed::Entity>(
        store,
        calendar_feed::Model {
            user_id,
            token_hash: "a hash".to_owned(),
            created_at: now,
        },
    )
    .await;
    let merge = merge::Model {
        id: MergeId::new_at(now),
        kind: merge::MergeKind::Contact,
        survivor_id: contact.id.into(),
        merged_id: Uuid::from_u128(1),
        merged_name: None,
        source_key: None,
        merged_by: None,
        merged_at: now,
        undone_by: None,
        undone_at: None,
    };
    let merge_id = merge.id;
    put::<merge::Entity>(store, merge).await;
    put::<merge_change::Entity>(
        store,
        merge_change::Model {
            id: MergeChangeId::new_at(now),
            merge_id,
            place: 1,
            in_table: "contact".to_owned(),
            kind: merge_change::MergeChangeKind::Value,
            in_column: Some("name".to_owned()),
            row_key: serde_json::json!({}),
            before: None,
            after: None,
            contact_id: Some(contact.id),
            created_at: now,
        },
    )
    .await;
    put::<segment::Entity>(
        store,
        segment::Model {
            id: SegmentId::new_at(now),
            name: String::new(),
            name_key: String::new(),
            owner_id: user_id,
            is_shared: false,
            search: None,
            all_of: IdList::default(),
            any_of: IdList::default(),
            none_of: IdList::default(),
            sector: None,
            state: None,
            engaged_by: None,
            last_contacted_before: None,
            profile_fields: SoughtFieldList::default(),
            version: 1,
            created_at: now,
            updated_at: now,
        },
    )
    .await;
    put::<registration::Entity>(
        store,
        registration::Model {
            id: RegistrationId::new_at(now),
            user_id,
            organisation_id: contact.organisation_id,
            kind: registration::RegistrationKind::Join,
            state: registration::RegistrationState::Declined,
            job_title: None,
            telephone: None,
            submitted_at: now,
            decided_by: None,
            decided_at: None,
            reason: None,
        },
    )
    .await;
    fields_and_posts(store, &contact).await;
    put::<held_change::Entity>(
        store,
        held_change::Model {
            id: HeldChangeId::new_at(now),
            organisation_id: contact.organisation_id,
            wanted: serde_json::json!({}),
            state: held_change::HeldChangeState::Declined,
            asked_by: user_id,
            asked_at: now,
            decided_by: None,
            decided_at: None,
            reason: None,
        },
    )
    .await;
}

/// What is said of their organisation in a field that administrators defined, and where else they work.
async fn fields_and_posts(store: &Store, contact: &contact::Model) {
    let now = store.now();
    let field = profile_field::Model {
        id: ProfileFieldId::new_at(now),
        name: "Remarks".to_owned(),
        name_key: "remarks".to_owned(),
        help: None,
        kind: profile_field::ProfileFieldKind::Text,
        choices: TextList::default(),
        visible_to: profile_field::ProfileFieldAudience::Staff,
        is_required: false,
        set_by_employers: false,
        position: 0,
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let value = organisation_field::Model {
        organisation_id: contact.organisation_id,
        profile_field_id: field.id,
        value: "Ask at the door.".to_owned(),
        updated_at: now,
    };
    let elsewhere = organisation::Entity::find()
        .filter(organisation::Column::Id.ne(contact.organisation_id))
        .one(store.reader())
        .await
        .unwrap()
        .unwrap();
    put::<contact_post::Entity>(
        store,
        contact_post::Model {
            contact_id: contact.id,
            organisation_id: elsewhere.id,
            job_title: Some("Trustee".to_owned()),
            created_at: now,
        },
    )
    .await;
    let another = contact::Entity::find()
        .filter(contact::Column::Id.ne(contact.id))
        .one(store.reader())
        .await
        .unwrap()
        .unwrap();
    let pair = DuplicatePairId::new_at(now);
    put::<contact_duplicate_pair::Entity>(
        store,
        contact_duplicate_pair::Model {
            id: pair,
            one_id: another.id,
            other_id: contact.id,
            group_id: pair,
            doubt: 1,
            signals: serde_json::json!(["SAME_NAME"]),
            evidence: serde_json::json!([]),
            state: duplicate_pair::DuplicatePairState::Open,
            found_at: now,
            dismissed_by: None,
            dismissed_at: None,
            reason: None,
        },
    )
    .await;
    put::<profile_field::Entity>(store, field).await;
    put::<organisation_field::Entity>(store, value).await;
}
