//! Whoever changes something stands in the log: every mutation of the schema is called as it succeeds, and its caller has a
//! new line for it (policy 3).
//!
//! A mutation that is new fails the test until it is called here, or stands below with the reason why it has no line.

mod employers;
mod events;
mod people;
mod records;
mod vacancies;
mod walk;

use serde_json::json;
use support::on_both_columns;

use self::{
    employers::{campaigns, employers, files_of_records, key_accounts, reviewed_campaigns},
    events::{bookings, calendars, door, registers, sharing, venues},
    people::{access, accounts, group, training},
    records::{merging, personal_data, posts, profile_fields, registration, standing},
    vacancies::vacancies,
    walk::Walk,
};

/// What has no line of its caller, and why.
const WITHOUT_A_LINE: &[(&str, &str)] = &[
    (
        "signIn",
        "nobody is signed in yet; the session itself says when and from where",
    ),
    ("refreshSession", "the same session goes on"),
    (
        "exchangeSignInCode",
        "nobody is signed in yet; the session itself says when and from where",
    ),
    (
        "requestPasswordReset",
        "nobody is signed in: the line names the account and no caller",
    ),
    (
        "exportAuditLog",
        "it makes a link; whoever follows the link has a line",
    ),
    (
        "exportRecords",
        "it makes a link; whoever follows the link has a line",
    ),
    (
        "registerEmployer",
        "nobody is signed in yet: the line names the account and no caller",
    ),
    (
        "resetPassword",
        "nobody is signed in: the line names the account and no caller",
    ),
    (
        "verifyEmail",
        "nobody is signed in: the line names the account and no caller",
    ),
];

on_both_columns! {
    async fn every_mutation_that_changes_something_writes_a_line(bed: TestBed) {
        let mut walk = Walk::begin(&bed).await;
        employers(&mut walk).await;
        key_accounts(&mut walk).await;
        campaigns(&mut walk).await;
        reviewed_campaigns(&mut walk).await;
        files_of_records(&mut walk).await;
        standing(&mut walk).await;
        profile_fields(&mut walk).await;
        posts(&mut walk).await;
        merging(&mut walk).await;
        registration(&mut walk).await;
        vacancies(&mut walk).await;
        bookings(&mut walk).await;
        door(&mut walk).await;
        calendars(&mut walk).await;
        sharing(&mut walk).await;
        venues(&mut walk).await;
        training(&mut walk).await;
        access(&mut walk).await;
        group(&mut walk).await;
        accounts(&mut walk).await;
        registers(&mut walk).await;
        let (from, to) = (walk.person("operator").await, walk.person("admin").await);
        walk.call("admin", "handOver", json!({ "fromUserId": from, "toUserId": to }), "").await;
        personal_data(&mut walk).await;
        walk.call_without_input("student5", "signOut").await;

        assert_eq!(walk.silent(), [""; 0], "these changed something and wrote no line");
        let mut missing = walk.not_called().await;
        missing.retain(|name| WITHOUT_A_LINE.iter().all(|(without, _)| without != name));
        assert_eq!(missing, [""; 0], "call them here, or say why they have no line");
        walk.end().await;
    }

    /// The control: a call that changes nothing writes no line, and that is seen.
    async fn a_mutation_without_a_line_is_noticed(bed: TestBed) {
        let mut walk = Walk::begin(&bed).await;
        let input = json!({ "kind": "SYSTEM_UPDATE", "title": "A new calendar", "body": "It shows terms." });
        let made = walk.call("admin", "publishAnnouncement", input, "announcement { id }").await;
        let input = json!({ "announcementId": made["announcement"]["id"] });
        walk.call("untrained", "markAnnouncementRead", input.clone(), "").await;
        assert_eq!(walk.silent(), [""; 0]);
        walk.call("untrained", "markAnnouncementRead", input, "").await;
        assert_eq!(walk.silent(), ["markAnnouncementRead"]);
        assert!(walk.not_called().await.contains(&"createTag".to_owned()));
        walk.end().await;
    }
}
