//! A segment as the audience of a campaign (policy 2.5): whoever is in it when the campaign starts, whatever becomes of it later.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    RefusalCode, Viewer,
    campaign::{self, Audience, Changes, Draft, Timing},
    organisation::Filter,
    segment::{self, Criteria},
};
use entity::{
    access_grant::Permission,
    campaign::CampaignState,
    ids::{CampaignId, SegmentId},
    organisation,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use support::{Client, on_both_columns};

use super::{
    api::{text, until_sent},
    office::Office,
    world::{World, refusal},
};

/// Calls a mutation that is expected to be done, and answers its payload.
pub(crate) async fn done(client: &Client, mutation: &str, wanted: &str, input: Value) -> Value {
    let name = mutation[..1].to_uppercase() + &mutation[1..];
    let query = format!(
        "mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ {wanted} userErrors {{ code field message }} }} }}"
    );
    let payload = client.data(&query, json!({ "input": input })).await[mutation].take();
    assert_eq!(payload["userErrors"], json!([]), "{mutation}");
    payload
}

/// An approved employer of a sector, with so many contacts who can be written to.
async fn employer(world: &World, name: &str, sector: &str, contacts: usize) {
    let id = world.organisation(name, &[]).await;
    let found = organisation::Entity::find_by_id(id);
    let found = found.one(world.store.reader()).await.unwrap().unwrap();
    let mut row = found.into_active_model();
    row.sector = Set(Some(sector.to_owned()));
    row.update(world.store.reader()).await.unwrap();
    for n in 0..contacts {
        world
            .insert::<entity::contact::Entity>(world.contact(id, &format!("{sector} {name} {n}")))
            .await;
    }
}

/// Keeps a segment of a sector, or changes one.
async fn keep(
    world: &World,
    owner: &Viewer,
    known: Option<(SegmentId, i32)>,
    sector: &str,
    is_shared: bool,
) -> segment::Key {
    let mut tx = world.store.begin().await.unwrap();
    let criteria = Criteria {
        name: "Quarries".to_owned(),
        is_shared,
        filter: Filter {
            sector: Some(sector.to_owned()),
            ..Filter::default()
        },
    };
    let saved = segment::save(&mut tx, owner, known, criteria)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    segment::key(&saved)
}

async fn drafted(world: &World, author: &Viewer, segment: SegmentId) -> domain::Result<CampaignId> {
    let mut tx = world.store.begin().await.unwrap();
    let draft = Draft {
        name: "Quarry day".to_owned(),
        subject: "Come to our quarry day".to_owned(),
        body: "Dear {{ name }}".to_owned(),
        audience: Audience {
            segment_id: Some(segment),
            ..Audience::default()
        },
        topic: None,
    };
    let created = campaign::create(&mut tx, author, draft).await?;
    tx.commit().await.unwrap();
    Ok(created.id)
}

on_both_columns! {
    async fn a_campaign_for_a_segment_reaches_whoever_is_in_it_at_the_start_and_keeps_what_it_asked(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, admin) = (system.demo_client("operator").await, system.demo_client("admin").await);
        let employer = async |name: &str, sector: &str, contacts: usize| {
            let input = json!({ "name": name, "sector": sector });
            let made = done(&admin, "createOrganisation", "organisation { id }", input).await;
            for n in 0..contacts {
                let input = json!({
                    "organisationId": made["organisation"]["id"], "name": format!("{name} {n}"),
                    "email": format!("contact{n}@{}.test", name.to_lowercase()),
                });
                done(&operator, "createContact", "contact { id }", input).await;
            }
        };
        employer("Limeworks", "Quarrying", 2).await;
        employer("Bakehouse", "Food", 2).await;
        let filter = json!({ "sector": "Quarrying" });
        let saved = done(&operator, "saveSegment", "segment { id version }", json!({ "name": "Quarries", "filter": filter })).await;
        let segment = &saved["segment"]["id"];
        let input = json!({ "name": "Quarry day", "subject": "Quarry day", "body": "Dear {{ name }}", "segmentId": segment });
        let made = done(&operator, "createCampaign", "campaign { id segment { name } segmentAsked { name } }", input).await;
        assert_eq!(made["campaign"]["segment"]["name"], "Quarries");
        assert_eq!(made["campaign"]["segmentAsked"], Value::Null, "it asks what the segment asks, until it starts");
        let id = text(&made["campaign"]["id"]);
        let preview = async |query: &str, id: &Value| {
            let data = operator.data(query, json!({ "id": id })).await;
            data["campaignPreview"].clone()
        };
        let of_campaign = "query($id: ID!) { campaignPreview(campaignId: $id) { recipients skipped { reason count } } }";
        let of_segment = "query($id: ID!) { campaignPreview(input: { segmentId: $id }) { recipients skipped { reason count } } }";
        assert_eq!(preview(of_campaign, &json!(id)).await["recipients"], 2);
        // Who comes into the segment before the start is meant too, and reasons are counted as ever.
        employer("Slateworks", "Quarrying", 3).await;
        let found = operator.data("{ contacts(filter: { search: \"Slateworks 0\" }, first: 1) { nodes { id version } } }", json!({})).await;
        let contact = &found["contacts"]["nodes"][0];
        let input = json!({ "id": contact["id"], "version": contact["version"], "doNotEmail": true });
        done(&operator, "updateContact", "contact { id }", input).await;
        let expected = json!({ "recipients": 4, "skipped": [{ "reason": "DO_NOT_EMAIL", "count": 1 }] });
        assert_eq!(preview(of_campaign, &json!(id)).await, expected);
        assert_eq!(preview(of_segment, segment).await, expected);

        let started = done(&operator, "scheduleCampaign", "campaign { state recipients skipped { reason count } }", json!({ "campaignId": id })).await;
        assert_eq!(started["campaign"]["recipients"], 4);
        assert_eq!(started["campaign"]["skipped"], expected["skipped"]);
        // Nothing that becomes of the segment changes what was frozen.
        let input = json!({ "id": segment, "version": 1, "name": "Bakers", "filter": { "sector": "Food" } });
        done(&operator, "saveSegment", "segment { id }", input).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Campaign { recipients segment { name } segmentAsked {
            segmentId name version at sector search state allOfTags { id } engagedBy { id } lastContactedBefore
        } } } }";
        let shown = operator.data(query, json!({ "id": id })).await;
        assert_eq!(shown["node"]["segment"]["name"], "Bakers", "as it is today");
        done(&operator, "deleteSegment", "segment { id }", json!({ "id": segment })).await;
        until_sent(&operator, &id).await;
        let shown = operator.data(query, json!({ "id": id })).await;
        let asked = &shown["node"]["segmentAsked"];
        assert_eq!((&shown["node"]["segment"], &shown["node"]["recipients"]), (&Value::Null, &json!(4)));
        assert_eq!((&asked["segmentId"], &asked["name"], &asked["version"]), (segment, &json!("Quarries"), &json!(1)));
        assert_eq!((&asked["sector"], &asked["search"]), (&json!("Quarrying"), &Value::Null));
        assert!(asked["at"].is_string());
        let to: BTreeSet<String> = bed.mail().received().into_iter().flat_map(|mail| mail.to).collect();
        let wanted = ["contact0@limeworks.test", "contact1@limeworks.test", "contact1@slateworks.test", "contact2@slateworks.test"];
        assert_eq!(to.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
    }

    async fn a_segment_is_used_by_those_who_have_it_and_a_campaign_whose_segment_is_gone_does_not_start(bed: TestBed) {
        let office = Office::open(&bed).await;
        let world = &office.world;
        let (owner, other) = (world.sender().await, world.staff("olive", &[Permission::SendBulkEmail]).await);
        employer(world, "Limeworks", "Quarrying", 2).await;
        let (_, id) = keep(world, &owner, None, "Quarrying", false).await;
        let refused = refusal(drafted(world, &other, id).await);
        assert_eq!((refused.code, refused.field), (RefusalCode::NotFound, Some("segmentId")));
        let absent = refusal(drafted(world, &other, SegmentId::new_at(world.store.now())).await);
        assert_eq!(absent.message, refused.message, "hidden and absent are alike");

        // The control: its owner can, and another once it is shared.
        let own = drafted(world, &owner, id).await.unwrap();
        keep(world, &owner, Some((id, 1)), "Quarrying", true).await;
        let shared = drafted(world, &other, id).await.unwrap();
        let waiting = drafted(world, &other, id).await.unwrap();
        let opens = world.store.now() + TimeDelta::hours(1);
        let later = Timing { not_before: Some(opens), not_after: None };
        let mut tx = world.store.begin().await.unwrap();
        campaign::schedule(&mut tx, &other, waiting, later).await.unwrap();
        tx.commit().await.unwrap();
        keep(world, &owner, Some((id, 2)), "Quarrying", false).await;
        let refused = refusal(world.start(&other, shared).await);
        assert_eq!((refused.code, refused.field), (RefusalCode::NotFound, Some("segmentId")));
        assert!(refused.message.contains("name another one, or tags"), "{}", refused.message);
        // Other words can still be changed, and nothing was written to anybody.
        let mut tx = world.store.begin().await.unwrap();
        let words = Changes { body: Some("Hello".to_owned()), ..Changes::default() };
        campaign::update(&mut tx, &other, shared, 1, words).await.unwrap();
        let anew = Changes { segment_id: Some(None), ..Changes::default() };
        let refused = refusal(campaign::update(&mut tx, &other, shared, 2, anew).await);
        assert_eq!((refused.code, refused.field), (RefusalCode::Required, Some("allOfTags")));
        tx.commit().await.unwrap();
        assert_eq!(world.ledger(shared).await.len(), 0);
        let started = world.start(&owner, own).await.unwrap();
        assert_eq!((started.state, started.recipients), (CampaignState::Sending, 2));

        // At its time it is looked at again, in the name of whoever set the time.
        bed.clock().set(opens);
        office.work().await;
        let row = world.campaign_row(waiting).await;
        assert_eq!((row.state, row.recipients), (CampaignState::Draft, 0));
        assert!(row.refusal.unwrap().contains("The segment is gone"), "its sender is told why");
        assert_eq!(world.ledger(waiting).await.len(), 0);
        let to = office.relay.received().into_iter().filter(|mail| mail.to[0].contains("quarrying")).count();
        assert_eq!(to, 2, "the owner's campaign alone");
    }

    async fn a_reviewed_campaign_asks_what_the_reviewer_read(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        world.rules(Some(1), None, None).await;
        let (author, second) = (world.sender().await, world.staff("olive", &[Permission::SendBulkEmail]).await);
        employer(&world, "Limeworks", "Quarrying", 2).await;
        employer(&world, "Bakehouse", "Food", 3).await;
        let (_, id) = keep(&world, &author, None, "Quarrying", false).await;
        let (kept, changed) = (drafted(&world, &author, id).await.unwrap(), drafted(&world, &author, id).await.unwrap());
        let mut tx = world.store.begin().await.unwrap();
        let version = campaign::submit(&mut tx, &author, kept, Timing::default()).await.unwrap().version;
        let submitted = campaign::submit(&mut tx, &author, changed, Timing::default()).await.unwrap();
        let asked = campaign::segment_asked(&submitted).unwrap().unwrap();
        assert_eq!(asked.filter.sector.as_deref(), Some("Quarrying"), "what a private segment asks can be read by the reviewer");
        tx.commit().await.unwrap();
        let preview = campaign::preview_campaign(&world.store, &second, &submitted).await.unwrap();
        assert_eq!(preview.recipients, 2);
        // The control: an unchanged one is approved, in the name of whoever submitted it.
        let mut tx = world.store.begin().await.unwrap();
        assert_eq!(campaign::approve(&mut tx, &second, kept, version).await.unwrap().recipients, 2);
        tx.commit().await.unwrap();

        keep(&world, &author, Some((id, 1)), "Food", false).await;
        let mut tx = world.store.begin().await.unwrap();
        let refused = refusal(campaign::approve(&mut tx, &second, changed, submitted.version).await);
        assert_eq!((refused.code, refused.field), (RefusalCode::NeedsAgreement, Some("segmentId")));
        drop(tx);
        let mut tx = world.store.begin().await.unwrap();
        campaign::decline(&mut tx, &second, changed, "The segment is another one now.").await.unwrap();
        let version = campaign::submit(&mut tx, &author, changed, Timing::default()).await.unwrap().version;
        assert_eq!(campaign::approve(&mut tx, &second, changed, version).await.unwrap().recipients, 3);
    }

    async fn a_segment_and_tags_must_both_hold_and_one_that_asks_nothing_is_refused(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        employer(&world, "Limeworks", "Quarrying", 2).await;
        let both = world.organisation("Slateworks", &[tag]).await;
        let found = organisation::Entity::find_by_id(both).one(world.store.reader()).await.unwrap().unwrap();
        let mut row = found.into_active_model();
        row.sector = Set(Some("Quarrying".to_owned()));
        row.update(world.store.reader()).await.unwrap();
        world.insert::<entity::contact::Entity>(world.contact(both, "ann")).await;
        world.employers(tag, 4).await;
        let (_, id) = keep(&world, &sender, None, "Quarrying", false).await;
        let reached = async |all_of: &[entity::ids::TagId], none_of: &[entity::ids::TagId], segment_id: Option<SegmentId>| {
            let audience = Audience { all_of: all_of.to_vec(), any_of: vec![], none_of: none_of.to_vec(), segment_id, ..Audience::default() };
            campaign::preview(&world.store, &sender, &audience, None).await.map(|preview| preview.recipients)
        };
        assert_eq!(reached(&[tag], &[], None).await.unwrap(), 5);
        assert_eq!(reached(&[], &[], Some(id)).await.unwrap(), 3);
        assert_eq!(reached(&[tag], &[], Some(id)).await.unwrap(), 1);
        assert_eq!(reached(&[], &[tag], Some(id)).await.unwrap(), 2);
        // Campaigns that mean some of the same people are shown, by segment and by tags.
        let (by_segment, by_tag) = (drafted(&world, &sender, id).await.unwrap(), world.campaign(&sender, tag, "Hello").await);
        let found = campaign::overlaps(&world.store, &sender, by_tag).await.unwrap();
        assert_eq!(found.iter().map(|one| (one.campaign.id, one.contacts)).collect::<Vec<_>>(), [(by_segment, 1)]);

        let mut tx = world.store.begin().await.unwrap();
        let everybody = Criteria { name: "All".to_owned(), is_shared: false, filter: Filter::default() };
        let everybody = segment::save(&mut tx, &sender, None, everybody).await.unwrap();
        tx.commit().await.unwrap();
        let refused = refusal(reached(&[], &[], Some(everybody.id)).await);
        assert_eq!((refused.code, refused.field), (RefusalCode::Invalid, Some("segmentId")));
    }
}
