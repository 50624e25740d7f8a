//! Somebody who touched everything: their copy has every row, and after erasure nothing has their values. Which tables and
//! columns that are, the declarations say, so that a new one without a row here fails.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Store, Viewer, audit,
    data_protection::{self, Person, Run},
    suppression::{self, AddressKey},
};
use entity::{
    calendar_feed, campaign, campaign_attachment, campaign_event, contact, delivery,
    duplicate_pair, event, event_feedback, event_told, group_booking, held_change, identity,
    ids::{
        CampaignAttachmentId, CampaignId, ContactId, DuplicatePairId, EventFeedbackId,
        GroupBookingId, HeldChangeId, KeptNoticeId, MailTopicId, MergeChangeId, MergeId,
        OrganisationId, RegistrationId, SegmentId, SessionId, UserId,
    },
    kept_notice,
    list::IdList,
    mail_topic, merge, merge_change,
    notice_choice::{self, NoticeChannel, NoticeTopic},
    organisation,
    personal_data::{ALL, Erased, Holding, Holds, Key},
    profile_photo, registration, segment, session,
    suppression::SuppressionReason,
    topic_opt_out, user,
};
use sea_orm::{
    ActiveModelTrait, ColumnType, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryOrder, QuerySelect, Statement, Value as Bound, sea_query::OnConflict,
};
use support::{System, keep_values_of, on_both_columns, until};
use uuid::Uuid;

use super::person::{columns_with, nothing_is_on_its_way, rows_with};
use crate::super_user_group;

const NAME: &str = "Zebedee Quillfeather";
const EMAIL: &str = "zebedee.quillfeather@everything.test";
const TELEPHONE: &str = "0113 496 7351";

/// Who they are in the tables.
struct Everybody {
    account: Uuid,
    contact: Uuid,
    session: Uuid,
    address_hash: String,
    written: String,
}

impl Everybody {
    /// An operator who is also a contact at an employer: one address, one person.
    async fn appear(store: &Store) -> Self {
        let like = user::Entity::find()
            .all(store.reader())
            .await
            .unwrap()
            .into_iter()
            .find(|account| account.email.starts_with("operator@"))
            .unwrap();
        let account = user::Model {
            id: UserId::new_at(store.now()),
            email: EMAIL.to_owned(),
            name: NAME.to_owned(),
            ..like
        };
        let like = contact::Entity::find()
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let contact = contact::Model {
            id: ContactId::new_at(store.now()),
            name: NAME.to_owned(),
            email: Some(EMAIL.to_owned()),
            telephone: Some(TELEPHONE.to_owned()),
            ..like
        };
        let session = session::Model {
            id: SessionId::new_at(store.now()),
            user_id: account.id,
            created_at: store.now(),
            expires_at: store.now(),
            ended_at: None,
            end_reason: None,
            last_used_at: None,
            device: None,
            network: None,
        };
        let key = AddressKey::load(store.reader(), store.now()).await.unwrap();
        let hash = key.hash(EMAIL).unwrap();
        let everybody = Self {
            account: account.id.into(),
            contact: contact.id.into(),
            session: session.id.into(),
            address_hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            written: account.id.to_string(),
        };
        put::<user::Entity>(store, account).await;
        put::<contact::Entity>(store, contact).await;
        put::<session::Entity>(store, session).await;
        everybody
    }

    /// What makes a column theirs; none when it is nobody's.
    fn value(&self, column: &str, holds: Holds, kind: &ColumnType) -> Option<Bound> {
        let words = format!("{column}: {NAME}, {EMAIL}, {TELEPHONE}");
        let text = || match kind {
            ColumnType::Json | ColumnType::JsonBinary => {
                serde_json::json!({ "said": words }).into()
            }
            ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => {
                words.clone().into_bytes().into()
            }
            _ => words.clone().into(),
        };
        match holds {
            Holds::Nothing | Holds::Secret(_) | Holds::Sealed | Holds::Value(Erased::Stays) => None,
            Holds::Subject(Key::Account) | Holds::Hand => Some(self.account.into()),
            Holds::Subject(Key::Contact) => Some(self.contact.into()),
            Holds::Subject(Key::Session) => Some(self.session.into()),
            Holds::Subject(Key::Address) => Some(EMAIL.into()),
            Holds::Subject(Key::AddressHash) => Some(self.address_hash.clone().into()),
            Holds::Subject(Key::Written) => Some(self.written.clone().into()),
            Holds::Value(_) | Holds::Words => Some(text()),
        }
    }
}

/// The tables that hold something of somebody, but for those that are the person.
fn tables() -> impl Iterator<Item = &'static Holding> {
    ALL.iter().copied().filter(|holding| {
        let personal = |(_, holds): (_, Holds)| !matches!(holds, Holds::Nothing | Holds::Secret(_));
        !["user_account", "contact", "session", "audit_entry"].contains(&holding.table)
            && holding.columns().any(personal)
    })
}

/// Makes one row of a table theirs, with their values wherever there can be any.
async fn touch(store: &Store, holding: &Holding, person: &Everybody) {
    let types: BTreeMap<_, _> = (holding.types)().into_iter().collect();
    let mut values = Vec::new();
    let mut set = Vec::new();
    for (column, holds) in holding.columns() {
        if let Some(value) = person.value(column, holds, &types[column]) {
            values.push(value);
            set.push(format!("\"{column}\" = ${}", values.len()));
        }
    }
    let place = if store.backend() == DbBackend::Sqlite {
        "rowid"
    } else {
        "ctid"
    };
    let table = holding.table;
    let text = format!(
        "UPDATE \"{table}\" SET {} WHERE {place} = (SELECT {place} FROM \"{table}\" LIMIT 1)",
        set.join(", ")
    );
    let statement = Statement::from_sql_and_values(store.backend(), text.clone(), values);
    let changed = store
        .reader()
        .execute_raw(statement)
        .await
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(
        changed.rows_affected(),
        1,
        "{table} has no row that could be theirs: let `rows` below make one"
    );
}

/// Rows for the tables that the demo data leaves empty, of the student's and of nobody's.
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

/// A campaign, a pair of organisations that aren't the same, and an address that gets no mail.
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

async fn put<E>(store: &Store, row: E::Model)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    E::insert(row.into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(store.reader())
        .await
        .unwrap();
}

on_both_columns! {
    async fn the_copy_of_a_person_who_touched_everything_has_every_row_and_after_erasure_nothing_has_their_values(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        nothing_is_on_its_way(store).await;
        rows(&system, store).await;
        let everybody = Everybody::appear(store).await;
        let mut empty = Vec::new();
        for holding in tables() {
            let count = Statement::from_string(store.backend(), format!("SELECT 1 FROM \"{}\" LIMIT 1", holding.table));
            if store.reader().query_one_raw(count).await.unwrap().is_none() {
                empty.push(holding.table);
            }
        }
        assert_eq!(empty, [""; 0], "nobody can have touched these: let `rows` make a row");
        for holding in tables() {
            touch(store, holding, &everybody).await;
        }
        let settled = "UPDATE booking SET state = 'ATTENDED' WHERE state IN ('BOOKED', 'WAITING', 'OFFERED')";
        store.reader().execute_unprepared(settled).await.unwrap();
        // The audit log is written, never changed.
        let person = Person::find(store.reader(), EMAIL).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let by = Viewer::load(store.reader(), person.accounts[0].id, None, store.now()).await.unwrap().unwrap();
        let words = serde_json::json!({ "name": NAME, "email": EMAIL, "telephone": TELEPHONE });
        tx.audit(&by, "test.by_them", "elsewhere", None, Some(words.clone())).await.unwrap();
        tx.audit(&Viewer::system(), "test.about_them", person.accounts[0].id, Some(words), None).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let export = data_protection::export(&mut tx, &Viewer::system(), EMAIL).await.unwrap();
        drop(tx);
        let mut found: BTreeMap<String, usize> = export
            .tables
            .iter()
            .map(|part| (part.table.to_owned(), part.about_them.len() + part.by_them.len()))
            .collect();
        for holding in ALL {
            let theirs = holding.columns().any(|(_, holds)| matches!(holds, Holds::Subject(_) | Holds::Hand));
            assert!(!theirs || found.contains_key(holding.table), "{} is missing in the copy", holding.table);
        }
        // Known by the session, and by the hash of the address.
        found.remove("refresh_token");
        found.remove("suppression");
        assert_eq!(found, rows_with(store, &person).await);

        let values = person.values();
        for value in [NAME, EMAIL, TELEPHONE] {
            assert!(values.iter().any(|known| known == value), "{value}");
        }
        // Each table had them, as a scan says that knows nothing of the declarations.
        let before = columns_with(store, &values).await;
        for holding in tables() {
            let can = |(_, holds): (_, Holds)| {
                matches!(holds, Holds::Words | Holds::Value(Erased::Null | Erased::Word | Erased::EmptyObject | Erased::Unique))
            };
            let has = before.iter().any(|column| column.starts_with(&format!("{}.", holding.table)));
            assert!(has || !holding.columns().any(can), "{} did not have their values", holding.table);
        }

        keep_values_of(store.reader()).await;
        let mut tx = store.begin().await.unwrap();
        let erased = data_protection::erase(&mut tx, &Viewer::system(), EMAIL, "asked", Run::Real).await.unwrap();
        tx.commit().await.unwrap();
        assert!(erased.len() > 20, "{erased:?}");
        assert_eq!(columns_with(store, &values).await, [""; 0], "tables");
        let mut log = String::new();
        let (viewer, everything) = (Viewer::system(), audit::Filter::default());
        let mut tx = store.begin().await.unwrap();
        let last = audit::begin_export(&mut tx, &viewer, &everything).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut after = None;
        loop {
            let page = audit::next_lines(store.reader(), &viewer, &everything, after, last).await.unwrap();
            let Some(end) = page.last() else { break };
            after = Some(end.id);
            for entry in &page {
                log.push_str(&audit::line(&viewer, entry).to_string());
            }
        }
        let written = person.written_ids().join(" ");
        assert!(log.contains("test.by_them") && log.contains(&written), "the pseudonym stays");
        for value in &values {
            assert!(!log.to_lowercase().contains(&value.to_lowercase()), "the log has {value}");
        }
        // Whoever is left has nothing of them in their own copy.
        for other in ["admin", "operator", "employer", "student1"] {
            let email = format!("{other}@demo.mycareer.test");
            let mut tx = store.begin().await.unwrap();
            let copy = data_protection::export(&mut tx, &Viewer::system(), &email).await.unwrap();
            drop(tx);
            let copy = serde_json::to_string(&copy).unwrap().to_lowercase();
            for value in &values {
                assert!(!copy.contains(&value.to_lowercase()), "the copy of {other} has {value}");
            }
        }
        let mut tx = store.begin().await.unwrap();
        audit::seal(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(audit::verify(store, None).await.unwrap().fault, None);
    }
}
