//! Employers, their contacts and a sender, for the tests of bulk e-mail.

use chrono::TimeDelta;
use domain::{
    Store, Viewer,
    campaign::{self, Audience, Draft, Timing},
};
use entity::{
    access_grant::Permission,
    campaign::Model as Campaign,
    contact::{self, ContactState},
    delivery::{self, DeliveryState},
    ids::{CampaignId, ContactId, OrganisationId, TagId, TrainingCourseId, UserId},
    list::TextList,
    mail_rules,
    organisation::{self, OrganisationKind, OrganisationState, RecordSource},
    organisation_tag, tag, training_course,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};
use support::operator;

/// The training that opens bulk e-mail.
pub const TRAINING: &str = "Writing to employers";

/// Rows are written straight into the database: how they come to be is tested elsewhere.
pub struct World {
    pub store: Store,
}

impl World {
    pub async fn new(store: Store) -> Self {
        let world = Self { store };
        world
            .insert::<training_course::Entity>(training_course::Model {
                id: TrainingCourseId::new_at(world.store.now()),
                title: TRAINING.to_owned(),
                permissions: TextList(vec!["SEND_BULK_EMAIL".to_owned()]),
                validity_days: 365,
                created_at: world.store.now(),
            })
            .await;
        world.rules(None, None, None).await;
        world
    }

    /// Sets the rules of bulk mail: above how many recipients a campaign is reviewed, and how many mails a contact and an
    /// organisation get in thirty days.
    pub async fn rules(
        &self,
        review_above: Option<i32>,
        contact_cap: Option<i32>,
        organisation_cap: Option<i32>,
    ) {
        mail_rules::Entity::delete_many()
            .exec(self.store.reader())
            .await
            .unwrap();
        self.insert::<mail_rules::Entity>(mail_rules::Model {
            id: 1,
            review_above,
            contact_cap,
            organisation_cap,
            cap_days: 30,
            quiet_from: None,
            quiet_until: None,
            mail_rate: None,
            domain_rate: None,
            version: 1,
            updated_at: self.store.now(),
        })
        .await;
    }

    pub async fn insert<E>(&self, row: E::Model)
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    {
        E::insert(row.into_active_model().reset_all())
            .exec_without_returning(self.store.reader())
            .await
            .unwrap();
    }

    /// A member of staff with these permissions.
    pub async fn staff(&self, name: &str, permissions: &[Permission]) -> Viewer {
        let (id, now) = (UserId::new_at(self.store.now()), self.store.now());
        self.insert::<user::Entity>(user::Model {
            id,
            email: format!("{name}@university.test"),
            name: name.to_owned(),
            kind: UserKind::Staff,
            is_super_user: false,
            is_administrator: false,
            state: UserState::Active,
            faculty_id: None,
            programme_id: None,
            year_of_study: None,
            contact_id: None,
            email_verified_at: Some(now),
            session_version: 0,
            booking_blocked_at: None,
            created_at: now,
            updated_at: now,
        })
        .await;
        for permission in permissions {
            operator::grant(&self.store, id, *permission, None).await;
        }
        Viewer::load(self.store.reader(), id, None, now)
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn sender(&self) -> Viewer {
        self.staff("sam", &[Permission::SendBulkEmail]).await
    }

    pub async fn tag(&self, name: &str) -> TagId {
        let id = TagId::new_at(self.store.now());
        self.insert::<tag::Entity>(tag::Model {
            id,
            name: name.to_owned(),
            name_key: name.to_owned(),
            category: None,
            archived_at: None,
            created_at: self.store.now(),
        })
        .await;
        id
    }

    pub async fn organisation(&self, name: &str, tags: &[TagId]) -> OrganisationId {
        self.organisation_in(OrganisationState::Approved, name, tags)
            .await
    }

    pub async fn organisation_in(
        &self,
        state: OrganisationState,
        name: &str,
        tags: &[TagId],
    ) -> OrganisationId {
        let (id, now) = (OrganisationId::new_at(self.store.now()), self.store.now());
        self.insert::<organisation::Entity>(organisation::Model {
            id,
            name: name.to_owned(),
            name_key: name.to_lowercase(),
            trading_names: TextList::default(),
            website: None,
            email_domains: TextList::default(),
            sector: None,
            sub_sector: None,
            size: None,
            kind: OrganisationKind::DirectEmployer,
            parent_id: None,
            company_number: None,
            address: None,
            founded: None,
            state,
            archived_from: None,
            state_reason: None,
            source: RecordSource::Staff,
            source_key: None,
            shows_contacts_to_students: false,
            multiple_touch_points: false,
            time_zone: "Europe/London".to_owned(),
            version: 1,
            created_at: now,
            updated_at: now,
        })
        .await;
        for tag_id in tags {
            self.insert::<organisation_tag::Entity>(organisation_tag::Model {
                organisation_id: id,
                tag_id: *tag_id,
                tagged_by: None,
                tagged_at: now,
            })
            .await;
        }
        id
    }

    /// A contact who can be written to.
    pub fn contact(&self, organisation_id: OrganisationId, name: &str) -> contact::Model {
        let now = self.store.now();
        contact::Model {
            id: ContactId::new_at(now),
            organisation_id,
            name: name.to_owned(),
            job_title: None,
            email: Some(format!("{}@employer.test", name.replace(' ', "."))),
            telephone: None,
            visible_to_students: false,
            state: ContactState::Active,
            subscriber_type: entity::contact::SubscriberType::General,
            bulk_opted_out_at: None,
            do_not_email: false,
            on_hold_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// An organisation with this tag and so many contacts who can be written to.
    pub async fn employers(&self, tag: TagId, contacts: usize) {
        let domains = (0..contacts).map(|n| format!("employer{}.test", n % 7));
        self.employers_at(tag, domains).await;
    }

    /// An organisation with this tag, and a contact at each of the domains.
    pub async fn employers_at(&self, tag: TagId, domains: impl IntoIterator<Item = String>) {
        let id = self.organisation("Lovelace & Sons", &[tag]).await;
        let rows: Vec<_> = domains
            .into_iter()
            .enumerate()
            .map(|(n, domain)| {
                let mut row = self.contact(id, &format!("contact{n:05}"));
                row.email = Some(format!("contact{n:05}@{domain}"));
                row.into_active_model().reset_all()
            })
            .collect();
        for some in rows.chunks(500) {
            contact::Entity::insert_many(some.to_vec())
                .exec_without_returning(self.store.reader())
                .await
                .unwrap();
        }
    }

    /// A draft to everybody with the tag.
    pub async fn campaign(&self, sender: &Viewer, tag: TagId, body: &str) -> CampaignId {
        let mut tx = self.store.begin().await.unwrap();
        let draft = Draft {
            name: "Autumn fair".to_owned(),
            subject: "The autumn fair and {{ organisation }}".to_owned(),
            body: body.to_owned(),
            audience: Audience {
                all_of: vec![tag],
                ..Audience::default()
            },
            topic: None,
        };
        let created = campaign::create(&mut tx, sender, draft).await.unwrap();
        tx.commit().await.unwrap();
        created.id
    }

    pub async fn start(&self, sender: &Viewer, id: CampaignId) -> domain::Result<Campaign> {
        let mut tx = self.store.begin().await?;
        let started = campaign::schedule(&mut tx, sender, id, Timing::default()).await?;
        tx.commit().await?;
        Ok(started)
    }

    /// A campaign that was started, to so many contacts.
    pub async fn started(&self, sender: &Viewer, contacts: usize) -> CampaignId {
        let domains = (0..contacts).map(|n| format!("employer{}.test", n % 7));
        self.started_at(sender, domains).await
    }

    /// A campaign that was started, to a contact at each of the domains.
    pub async fn started_at(
        &self,
        sender: &Viewer,
        domains: impl IntoIterator<Item = String>,
    ) -> CampaignId {
        let tag = self.tag("engineering").await;
        self.employers_at(tag, domains).await;
        let id = self.campaign(sender, tag, "Dear {{ name }}").await;
        self.start(sender, id).await.unwrap();
        id
    }

    /// The contact of a mail opts out of bulk mail.
    pub async fn opts_out(&self, mail: &delivery::Model) {
        let contact = contact::Entity::find_by_id(mail.contact_id.unwrap());
        let contact = contact.one(self.store.reader()).await.unwrap().unwrap();
        let mut contact = contact.into_active_model();
        contact.bulk_opted_out_at = Set(Some(self.store.now()));
        self.change(contact).await;
    }

    pub async fn campaign_row(&self, id: CampaignId) -> Campaign {
        entity::campaign::Entity::find_by_id(id)
            .one(self.store.reader())
            .await
            .unwrap()
            .unwrap()
    }

    /// The ledger of a campaign, in its order.
    pub async fn ledger(&self, id: CampaignId) -> Vec<delivery::Model> {
        delivery::Entity::find()
            .filter(delivery::Column::CampaignId.eq(id))
            .order_by_asc(delivery::Column::Id)
            .all(self.store.reader())
            .await
            .unwrap()
    }

    pub async fn states(&self, id: CampaignId) -> campaign::Counts {
        campaign::counts(self.store.reader(), &[id])
            .await
            .unwrap()
            .remove(&id)
            .unwrap_or_default()
    }

    /// Changes a contact's row.
    pub async fn change(&self, row: contact::ActiveModel) {
        row.update(self.store.reader()).await.unwrap();
    }

    /// Puts one mail into a state, as a worker that was killed would leave it.
    pub async fn leave_claimed(&self, mail: &delivery::Model) {
        let mut row = mail.clone().into_active_model();
        row.state = Set(DeliveryState::Sending);
        row.claimed_by = Set(Some("a worker that was killed".to_owned()));
        row.claimed_until = Set(Some(self.store.now() + TimeDelta::seconds(20)));
        row.update(self.store.reader()).await.unwrap();
    }
}

/// The code of the only refusal.
pub fn refusal<T: std::fmt::Debug>(result: domain::Result<T>) -> domain::Refusal {
    match result {
        Err(domain::Error::Refused(mut refusals)) if refusals.len() == 1 => refusals.remove(0),
        other => panic!("one refusal was expected, not {other:?}"),
    }
}
