//! What comes back of mail: reports of failed delivery and complaints, as mail servers write them.

use std::{env, process::Stdio};

use api::commands::bounce::take;
use chrono::TimeDelta;
use domain::{
    RefusalCode, campaign,
    mail_report::{Outcome, Source},
    notice::{self, Channel, Topic},
};
use entity::{
    audit_entry,
    campaign::CampaignState,
    contact,
    delivery::{self, Bounce, DeliveryState},
    ids::{CampaignId, TagId},
    kept_notice,
    suppression::{self, SuppressionReason},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::{Value, json};
use support::{Received, TestBed, on_both_columns};
use tokio::{io::AsyncWriteExt, process::Command};

use super::{
    office::{Office, header, text},
    world::refusal,
};

const BOUNCES: &[&str] = &["--bounce-domain", "bounces.university.test"];
const UNKNOWN_USER: &str = include_str!("../../data/reports/unknown_user.eml");
const MAILBOX_FULL: &str = include_str!("../../data/reports/mailbox_full.eml");
const DELAYED: &str = include_str!("../../data/reports/delayed.eml");
const COMPLAINT: &str = include_str!("../../data/reports/complaint.eml");
const COMPLAINT_WITHOUT_SENDER: &str =
    include_str!("../../data/reports/complaint_without_sender.eml");

/// The sample, about this mail, with the line ends of mail.
fn about(sample: &str, mail: &Received) -> String {
    let link = header(mail, "List-Unsubscribe").unwrap_or_default();
    sample
        .replace("ENVELOPE_SENDER", &mail.from)
        .replace("RECIPIENT", &mail.to[0])
        .replace("UNSUBSCRIBE_LINK", link.trim_matches(['<', '>']))
        .replace('\n', "\r\n")
}

/// An office that has sent a campaign, and to whom it can send another.
struct Sent {
    office: Office,
    sender: domain::Viewer,
    tag: TagId,
}

impl Sent {
    async fn open(bed: &TestBed, contacts: usize) -> Self {
        let office = Office::open_with(bed, BOUNCES).await;
        let sender = office.world.sender().await;
        let tag = office.world.tag("engineering").await;
        office.world.employers(tag, contacts).await;
        Self {
            office,
            sender,
            tag,
        }
    }

    /// Sends one more campaign, and gives its mails.
    async fn send(&self, bed: &TestBed) -> (CampaignId, Vec<Received>) {
        bed.clock().advance(TimeDelta::hours(1));
        let before = self.office.relay.received().len();
        let id = self
            .office
            .world
            .campaign(&self.sender, self.tag, "Dear {{ name }}")
            .await;
        self.office.world.start(&self.sender, id).await.unwrap();
        self.office.work().await;
        (id, self.office.relay.received().split_off(before))
    }

    async fn take(&self, report: &str) -> domain::Result<Outcome> {
        take(
            &self.office.world.store,
            report.as_bytes(),
            None,
            Source::Command,
        )
        .await
    }

    async fn suppressions(&self) -> Vec<SuppressionReason> {
        let rows = suppression::Entity::find()
            .all(self.office.world.store.reader())
            .await
            .unwrap();
        rows.into_iter().map(|row| row.reason).collect()
    }

    async fn on_hold(&self) -> usize {
        let held = contact::Entity::find().filter(contact::Column::OnHoldAt.is_not_null());
        held.all(self.office.world.store.reader())
            .await
            .unwrap()
            .len()
    }

    /// What the history of contacts says of them.
    async fn history(&self) -> Vec<(Option<Value>, Option<Value>)> {
        let lines = self.audit("contact.update").await;
        lines
            .into_iter()
            .map(|line| (line.before, line.after))
            .collect()
    }

    async fn audit(&self, actions: &str) -> Vec<audit_entry::Model> {
        audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.like(actions))
            .order_by_asc(audit_entry::Column::Id)
            .all(self.office.world.store.reader())
            .await
            .unwrap()
    }
}

/// Of the mails of a campaign to two, each of which says that it is from the Careers Centre.
async fn envelope_senders(bed: &TestBed, settings: &[&str]) -> Vec<String> {
    let office = Office::open_with(bed, settings).await;
    let sender = office.world.sender().await;
    office.world.started(&sender, 2).await;
    office.work().await;
    let mails = office.relay.received();
    for mail in &mails {
        assert!(
            header(mail, "From")
                .unwrap()
                .contains("careers@mycareer.test")
        );
        assert_eq!(header(mail, "DKIM-Signature"), None, "there is no key");
    }
    mails.into_iter().map(|mail| mail.from).collect()
}

on_both_columns! {
    async fn one_envelope_sender_can_be_set_for_every_mail(bed: TestBed) {
        let senders = envelope_senders(&bed, &["--envelope-sender", "returns@university.test"]).await;
        assert_eq!(senders, ["returns@university.test"; 2]);
    }

    async fn the_envelope_sender_is_who_the_mail_is_from_when_none_is_set(bed: TestBed) {
        assert_eq!(envelope_senders(&bed, &[]).await, ["careers@mycareer.test"; 2]);
    }

    async fn mails_are_signed_when_there_is_a_key(bed: TestBed) {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        // An Ed25519 key is 32 bytes, here of no secret.
        std::fs::write(&key, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
        let key = key.to_str().unwrap();
        let signing = ["--dkim-domain", "mycareer.test", "--dkim-selector", "careers", "--dkim-key-file", key];
        let office = Office::open_with(&bed, &signing).await;
        let sender = office.world.sender().await;
        let id = office.world.started(&sender, 1).await;
        let mut tx = office.world.store.begin().await.unwrap();
        campaign::send_test(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
        office.work().await;
        let mails = office.relay.received();
        assert_eq!(mails.len(), 2, "a letter and a bulk mail");
        for mail in &mails {
            let signature = header(mail, "DKIM-Signature").unwrap();
            assert!(signature.contains("d=mycareer.test") && signature.contains("s=careers"), "{signature}");
        }
    }

    async fn a_hard_bounce_suppresses_at_once_and_says_where_it_came_from(bed: TestBed) {
        let sent = Sent::open(&bed, 2).await;
        let (id, mails) = sent.send(&bed).await;
        let mail = &mails[0];
        assert!(mail.from.starts_with("b-") && mail.from.ends_with("@bounces.university.test"), "{}", mail.from);
        assert_ne!(mail.from, mails[1].from, "every mail has its own");

        let report = about(UNKNOWN_USER, mail);
        assert_eq!(sent.take(&report).await.unwrap(), Outcome::Suppressed);
        assert_eq!(sent.take(&report).await.unwrap(), Outcome::Known);
        assert_eq!(sent.suppressions().await, [SuppressionReason::Bounced]);
        let counts = sent.office.world.states(id).await;
        assert_eq!((counts.sent, counts.bounced, counts.complained), (2, 1, 0));
        let ledger = sent.office.world.ledger(id).await;
        let row = ledger.iter().find(|row| row.bounce.is_some()).unwrap();
        assert_eq!((row.bounce, &row.address), (Some(Bounce::Hard), &mail.to[0]));
        assert!(row.last_reply.as_ref().unwrap().starts_with("5.1.1: 550 5.1.1 <"), "{row:?}");

        let audit = sent.audit("mail.%").await;
        assert_eq!(audit.len(), 1, "the second report changed nothing");
        let told = audit[0].after.as_ref().unwrap();
        assert_eq!(audit[0].subject, row.id.to_string());
        assert_eq!((&told["source"], &told["outcome"], &told["bounce"]), (&json!("COMMAND"), &json!("SUPPRESSED"), &json!("HARD")));
        assert!(!told.to_string().contains('@'), "no address stands in the log: {told}");

        let (_, mails) = sent.send(&bed).await;
        assert_eq!(mails.len(), 1, "the next campaign leaves the address out");
    }

    async fn three_soft_bounces_in_a_row_put_a_contact_on_hold(bed: TestBed) {
        let sent = Sent::open(&bed, 1).await;
        for outcome in [Outcome::Noted, Outcome::Noted, Outcome::OnHold] {
            assert_eq!(sent.on_hold().await, 0);
            let (_, mails) = sent.send(&bed).await;
            assert_eq!(sent.take(&about(MAILBOX_FULL, &mails[0])).await.unwrap(), outcome);
        }
        assert_eq!(sent.on_hold().await, 1);
        let told = (Some(json!({ "onHold": false })), Some(json!({ "onHold": true, "version": 2 })));
        assert_eq!(sent.history().await, [told]);
        assert_eq!(sent.suppressions().await, []);
        let id = sent.office.world.campaign(&sent.sender, sent.tag, "Dear {{ name }}").await;
        assert_eq!(refusal(sent.office.world.start(&sent.sender, id).await).code, RefusalCode::EmptyAudience);
    }

    async fn a_mail_that_arrives_in_between_begins_the_row_anew(bed: TestBed) {
        let sent = Sent::open(&bed, 1).await;
        for comes_back in [true, true, false, true, true] {
            let (_, mails) = sent.send(&bed).await;
            if comes_back {
                assert_eq!(sent.take(&about(MAILBOX_FULL, &mails[0])).await.unwrap(), Outcome::Noted);
            }
        }
        assert_eq!(sent.on_hold().await, 0);
        let (_, mails) = sent.send(&bed).await;
        assert_eq!(sent.take(&about(MAILBOX_FULL, &mails[0])).await.unwrap(), Outcome::OnHold);
    }

    async fn a_complaint_suppresses_whatever_the_report_leaves_out(bed: TestBed) {
        let sent = Sent::open(&bed, 2).await;
        let (id, mails) = sent.send(&bed).await;
        for (sample, mail) in [COMPLAINT, COMPLAINT_WITHOUT_SENDER].into_iter().zip(&mails) {
            assert_eq!(sent.take(&about(sample, mail)).await.unwrap(), Outcome::Suppressed);
        }
        assert_eq!(sent.suppressions().await, [SuppressionReason::Complained; 2]);
        assert_eq!(sent.office.world.states(id).await.complained, 2);
        assert_eq!(sent.audit("mail.complained").await.len(), 2);
    }

    async fn more_complaints_than_one_in_a_thousand_pause_the_campaign(bed: TestBed) {
        let sent = Sent::open(&bed, 0).await;
        let world = &sent.office.world;
        world.employers(sent.tag, 3_100).await;
        let id = world.campaign(&sent.sender, sent.tag, "Dear {{ name }}").await;
        world.start(&sent.sender, id).await.unwrap();
        let ledger = world.ledger(id).await;
        // All but the last are out.
        let last = ledger.last().unwrap().id;
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::val(DeliveryState::Sent))
            .col_expr(delivery::Column::SentAt, Expr::val(world.store.now()))
            .filter(delivery::Column::CampaignId.eq(id))
            .filter(delivery::Column::Id.ne(last))
            .exec(world.store.reader()).await.unwrap();
        let key = domain::suppression::AddressKey::load(world.store.reader(), world.store.now()).await.unwrap();
        for (nth, row) in ledger.iter().take(4).enumerate() {
            let state = world.campaign_row(id).await.state;
            assert_eq!(state, CampaignState::Sending, "after {nth} complaints of 3,099");
            let from = domain::mail_report::envelope_sender(&key, row.id, "bounces.university.test").unwrap();
            let report = COMPLAINT.replace("ENVELOPE_SENDER", &from);
            assert_eq!(sent.take(&report).await.unwrap(), Outcome::Suppressed);
        }
        assert_eq!(world.campaign_row(id).await.state, CampaignState::Paused);
        let paused = sent.audit("campaign.paused_after_complaints").await;
        assert_eq!((paused.len(), paused[0].actor_id), (1, None));
        sent.office.work().await;
        let mails = sent.office.relay.received();
        assert_eq!(mails.len(), 1, "the sender is told, and no more of the campaign goes out");
        assert_eq!(mails[0].to, ["sam@university.test"]);
        assert!(text(&mails[0]).contains("4 recipients of your bulk e-mail “Autumn fair”"));
    }

    async fn that_complaints_paused_a_campaign_comes_in_the_digest_to_a_sender_who_chose_so(bed: TestBed) {
        let sent = Sent::open(&bed, 4).await;
        let (id, mails) = sent.send(&bed).await;
        let world = &sent.office.world;
        let sender = sent.sender.user_id().unwrap();
        let mut tx = world.store.begin().await.unwrap();
        // The least of the topic: a campaign that stands still can't be kept from its sender.
        let none = notice::choose(&tx, sender, &[(Topic::BulkEmail, Channel::None)]).await;
        assert!(none.is_err(), "{none:?}");
        notice::choose(&tx, sender, &[(Topic::BulkEmail, Channel::DailyDigest)]).await.unwrap();
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::val(DeliveryState::Unknown))
            .filter(delivery::Column::Address.eq(&mails[3].to[0]))
            .exec(tx.conn()).await.unwrap();
        let reason = "the relay's log has nothing of it";
        domain::campaign::settle_deliveries(&mut tx, &sent.sender, id, domain::campaign::Settlement::SendAgain, reason)
            .await.unwrap();
        tx.commit().await.unwrap();
        for mail in &mails[..3] {
            sent.take(&about(COMPLAINT, mail)).await.unwrap();
        }
        assert_eq!(world.campaign_row(id).await.state, CampaignState::Paused);
        let letters = delivery::Entity::find()
            .filter(delivery::Column::UserId.eq(sender))
            .all(world.store.reader()).await.unwrap();
        assert!(letters.iter().all(|letter| letter.template != "campaign_paused"));
        let kept = kept_notice::Entity::find().all(world.store.reader()).await.unwrap();
        assert_eq!(kept.iter().map(|row| (row.user_id, row.template.as_str())).collect::<Vec<_>>(), [(sender, "campaign_paused")]);
    }

    async fn two_complaints_of_a_few_recipients_pause_nothing(bed: TestBed) {
        let sent = Sent::open(&bed, 4).await;
        let (id, mails) = sent.send(&bed).await;
        // One is still to be sent.
        let mut tx = sent.office.world.store.begin().await.unwrap();
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::val(DeliveryState::Unknown))
            .filter(delivery::Column::Address.eq(&mails[3].to[0]))
            .exec(tx.conn()).await.unwrap();
        let reason = "the relay's log has nothing of it";
        domain::campaign::settle_deliveries(&mut tx, &sent.sender, id, domain::campaign::Settlement::SendAgain, reason)
            .await.unwrap();
        tx.commit().await.unwrap();
        for (mail, state) in mails.iter().zip([CampaignState::Sending, CampaignState::Sending, CampaignState::Paused]) {
            sent.take(&about(COMPLAINT, mail)).await.unwrap();
            assert_eq!(sent.office.world.campaign_row(id).await.state, state);
        }
    }

    async fn what_is_no_report_is_refused_in_words_and_changes_nothing(bed: TestBed) {
        let sent = Sent::open(&bed, 1).await;
        let (_, mails) = sent.send(&bed).await;
        let whole = about(UNKNOWN_USER, &mails[0]);
        let complaint = about(COMPLAINT, &mails[0]);
        let forged = whole.replace(&mails[0].from, &mails[0].from.replace(&mails[0].from[50..58], "00000000"));
        let without = |text: &str, line: &str| text.replacen(line, "X-Gone: yes", 1);
        for (report, expected) in [
            (String::new(), "no mail"),
            ("\u{0}\u{1}\u{2}".to_owned(), "n"),
            ("From: a@b.test\r\nSubject: On holiday\r\n\r\nBack on Monday.\r\n".to_owned(), "neither a report"),
            (about(DELAYED, &mails[0]), "delayed"),
            (without(&whole, "Status: 5.1.1"), "no status code"),
            (whole.replace("Status: 5.1.1", "Status: oops"), "status code is none"),
            (without(&whole, "Action: failed"), "what became of the mail"),
            (whole[..900].to_owned(), "n"),
            (forged, "no mail that was sent from here"),
            (without(&complaint, "Feedback-Type: abuse"), "of what type"),
            (complaint.replace("abuse\r\n", "not-spam\r\n"), "not spam"),
            (complaint.replace("\r\nVersion: 1", ""), "version"),
        ] {
            let refused = refusal(sent.take(&report).await);
            assert!(refused.message.contains(expected), "{expected}: {}", refused.message);
        }
        assert_eq!((sent.suppressions().await.len(), sent.audit("mail.%").await.len()), (0, 0));
        // The control: the report that these were made of is one.
        assert_eq!(sent.take(&whole).await.unwrap(), Outcome::Suppressed);
    }

    async fn a_mail_server_posts_reports_with_the_secret_and_nobody_without(bed: TestBed) {
        let sent = Sent::open(&bed, 1).await;
        let (_, mails) = sent.send(&bed).await;
        let report = about(MAILBOX_FULL, &mails[0]);
        let secret = "a secret of enough letters";
        let system = bed.system_with(&[("MYCAREER_BOUNCE_SECRET", secret)]).await;
        let post = async |secret: Option<&str>, body: String| {
            let mut request = system.client().request(reqwest::Method::POST, "/hooks/mail-report");
            if let Some(secret) = secret {
                request = request.bearer_auth(secret);
            }
            let answer = request.header("Content-Type", "message/rfc822").body(body).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
        };
        for wrong in [None, Some(""), Some("a secret of enough letter"), Some("a secret of enough letters!")] {
            assert_eq!(post(wrong, report.clone()).await.0, 401, "{wrong:?}");
        }
        let (status, told) = post(Some(secret), "nothing".to_owned()).await;
        assert_eq!(status, 422);
        assert!(told["error"].is_string(), "{told}");
        assert_eq!(sent.audit("mail.%").await.len(), 0);
        assert_eq!(post(Some(secret), report).await, (200, json!({ "outcome": "NOTED" })));
        let audit = sent.audit("mail.bounced").await;
        assert_eq!(audit[0].after.as_ref().unwrap()["source"], "HOOK");

        let without = bed.system().await;
        let answer = without.client().request(reqwest::Method::POST, "/hooks/mail-report").send().await.unwrap();
        assert_eq!(answer.status(), 404, "with no secret set there is no such address");
    }

    async fn a_mail_server_hands_a_report_to_the_command(bed: TestBed) {
        let sent = Sent::open(&bed, 1).await;
        let (_, mails) = sent.send(&bed).await;
        let program = env::current_exe().unwrap().ancestors().nth(2).unwrap().join("mycareer");
        let hand_over = async |report: String| {
            let mut command = Command::new(&program);
            command.args(["bounce", "--recipient", &mails[0].from]).env_clear().envs(bed.environment());
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(report.as_bytes()).await.unwrap();
            let output = child.wait_with_output().await.unwrap();
            (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
        };
        let (done, told) = hand_over("Subject: Hello\r\n\r\nHello\r\n".to_owned()).await;
        assert!(!done && told.contains("neither a report"), "{told}");
        // The recipient stands on the command line alone.
        let report = UNKNOWN_USER.replace("ENVELOPE_SENDER", "nobody@university.test");
        let (done, told) = hand_over(report).await;
        assert!(done && told.contains("no bulk mail any more"), "{told}");
        assert_eq!(sent.suppressions().await, [SuppressionReason::Bounced]);
    }
}
