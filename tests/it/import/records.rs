//! Contacts and notes from files.

use api::commands::import::{ImportArgs, NotesArgs, contacts, notes, organisations};
use chrono::TimeDelta;
use domain::{Store, import::CHUNK};
use entity::{
    audit_entry,
    contact::{self, ContactState},
    note::{self, NoteKind},
    organisation,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use support::on_both_columns;

use super::{args, file};
use crate::merge::world::World;

const ORGANISATIONS: &str = "Symbol,Name\nA,Acme Ltd\nB,Brook plc\nT1,Twin Ltd\nT2,Twin plc\n";

async fn with_organisations(store: &Store) {
    organisations(&args(file(ORGANISATIONS).path(), &[]), store)
        .await
        .unwrap();
}

async fn all(store: &Store) -> Vec<contact::Model> {
    contact::Entity::find()
        .order_by_asc(contact::Column::Name)
        .all(store.reader())
        .await
        .unwrap()
}

fn notes_args(content: &str, author: Option<&str>) -> (tempfile::NamedTempFile, NotesArgs) {
    let file = file(content);
    let import = args(file.path(), &[]);
    let author = author.map(str::to_owned);
    (file, NotesArgs { import, author })
}

on_both_columns! {
    async fn contacts_come_in_with_their_states_and_a_second_run_leaves_them_alone(bed: TestBed) {
        let store = bed.store().await;
        with_organisations(&store).await;
        let table = file(
            "Company,Name,Job title,E-mail,Phone,State,Opted out,Do not email,Visible to students,Shoe size\n\
             Acme Limited,Ann Lee,Recruiter,ANN@acme.test,'+44 113 496 0000,,yes,no,yes,38\n\
             Brook plc,Émile Roux,,,,inactive,,yes,,\n",
        );
        let report = contacts(&args(table.path(), &[]), &store).await.unwrap();
        assert_eq!((report.outcome.created, report.outcome.refused.count), (2, 0), "{report}");
        assert!(report.to_string().contains("Columns that were not read: Shoe size"), "{report}");
        let rows = all(&store).await;
        let ann = &rows[0];
        assert_eq!(ann.name, "Ann Lee");
        assert_eq!(ann.email.as_deref(), Some("ann@acme.test"));
        assert_eq!(ann.telephone.as_deref(), Some("+44 113 496 0000"), "the apostrophe was the spreadsheet's");
        assert!(ann.bulk_opted_out_at.is_some() && !ann.do_not_email && ann.visible_to_students);
        let emile = &rows[1];
        assert_eq!((emile.state, emile.do_not_email), (ContactState::Inactive, true));
        assert!(!emile.visible_to_students, "nobody is shown who wasn't asked");

        bed.clock().advance(TimeDelta::days(1));
        let again = contacts(&args(table.path(), &[]), &store).await.unwrap();
        assert_eq!((again.outcome.created, again.outcome.unchanged), (0, 2), "{again}");
        assert_eq!(all(&store).await, rows);
        let lines = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("contact.import"))
            .order_by_asc(audit_entry::Column::Number)
            .all(store.reader())
            .await
            .unwrap();
        assert_eq!(lines.len(), 2);
        let what = json!({ "created": 2, "unchanged": 0, "refused": 0, "likelyDuplicates": 0 });
        assert_eq!(lines[0].after, Some(what), "how many, and nothing of whom");
    }

    async fn a_contact_that_cannot_be_kept_is_refused_with_line_column_and_remedy(bed: TestBed) {
        let store = bed.store().await;
        with_organisations(&store).await;
        let table = file(
            "organisation,organisation_key,name,email,telephone,do_not_email,state\n\
             Nowhere,,Ann Lee,,,,\n\
             Twin,,Ann Lee,,,,\n\
             ,T2,Ann Lee,,,,\n\
             Acme,,,ann@,call me,,\n\
             Acme,,Bea Low,bea@acme.test,,,\n\
             Acme,,Bea Low,bea@acme.test,,,\n\
             Acme,,Cy Moss,,,perhaps,gone\n\
             ,,Dan Ode,,,,\n",
        );
        let report = contacts(&args(table.path(), &[]), &store).await.unwrap();
        let told = report.to_string();
        assert_eq!((report.outcome.created, report.outcome.refused.count), (2, 6), "{told}");
        for line in [
            "line 2: organisation: There is no organisation \"Nowhere\"; import or add it first.",
            "line 3: organisation: There are 2 organisations \"Twin\"; say which by organisation_id or organisation_key.",
            "line 7: This is the contact of line 6.",
            "line 8: do_not_email: \"perhaps\" is neither yes nor no. state: \"gone\" is neither ACTIVE nor INACTIVE.",
            "line 9: organisation: Say which organisation this is about.",
        ] {
            assert!(told.contains(line), "{line} in {told}");
        }
        let fifth = told.lines().find(|line| line.contains("line 5:")).unwrap();
        for field in ["name:", "email:", "telephone:"] {
            assert!(fifth.contains(field), "{fifth}");
        }
    }

    async fn a_row_that_names_two_organisations_is_refused(bed: TestBed) {
        let store = bed.store().await;
        with_organisations(&store).await;
        let acme = organisation::Entity::find()
            .filter(organisation::Column::Name.eq("Acme Ltd"))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let table = file(format!(
            "organisation,organisation_id,organisation_key,name\n\
             Brook plc,{id},,Ann Lee\n\
             Brook plc,,A,Ann Lee\n\
             ,{id},B,Ann Lee\n\
             ACME,{id},A,Bea Low\n",
            id = acme.id
        ));
        let report = contacts(&args(table.path(), &[]), &store).await.unwrap();
        let told = report.to_string();
        assert_eq!((report.outcome.created, report.outcome.refused.count), (1, 3), "{told}");
        for line in [
            "line 2: organisation: organisation_id is that of \"Acme Ltd\", and organisation says \"Brook plc\": correct one of them",
            "line 3: organisation: organisation_key is that of \"Acme Ltd\", and organisation says \"Brook plc\": correct one of them",
            "line 4: organisation: organisation_id is that of \"Acme Ltd\", and organisation_key that of \"Brook plc\": correct one of them",
        ] {
            assert!(told.contains(line), "{line} in {told}");
        }
    }

    async fn the_same_contact_twice_in_a_file_is_refused_near_and_far(bed: TestBed) {
        let store = bed.store().await;
        with_organisations(&store).await;
        let others = (0..CHUNK).fold(String::new(), |all, row| format!("{all}Acme,Other {row},\n"));
        for (name, between) in [("Near", String::new()), ("Far", others)] {
            let table = file(format!(
                "organisation,name,email\nAcme,{name} Lee,{name}@acme.test\nAcme,{name} Moss,\n{between}Acme,{name} lee,\nAcme,{name} Moss,\n"
            ));
            let report = contacts(&args(table.path(), &[]), &store).await.unwrap();
            assert_eq!(report.outcome.refused.count, 2, "{name}: {report}");
        }
    }

    async fn what_names_an_organisation_that_was_merged_goes_to_the_one_that_is_left(bed: TestBed) {
        let world = World::open(&bed).await;
        let store = world.system.store();
        let table = file("Symbol,Name\nK1,Kirkstall Forge\nK2,Kirkstall Works\n");
        organisations(&args(table.path(), &[]), store).await.unwrap();
        let forge = world.organisation_named("Kirkstall Forge").await.id;
        let works = world.organisation_named("Kirkstall Works").await.id;
        world.merged(&json!({ "survivorId": works, "mergedId": forge })).await;
        world.merged(&json!({ "survivorId": world.survivor, "mergedId": works })).await;

        let table = file(format!(
            "organisation,organisation_id,organisation_key,name\nKirkstall Forge,{forge},K1,Ann Lee\n,,K1,Bea Low\n,{works},,Cy Moss\nBrook,{forge},,Dan Ode\n"
        ));
        let report = contacts(&args(table.path(), &[]), store).await.unwrap();
        assert_eq!((report.outcome.created, report.outcome.refused.count), (3, 1), "{report}");
        for name in ["Ann Lee", "Bea Low", "Cy Moss"] {
            let found = contact::Entity::find().filter(contact::Column::Name.eq(name)).one(store.reader()).await;
            assert_eq!(found.unwrap().unwrap().organisation_id.to_string(), world.survivor.to_string(), "{name}");
        }
        let (_file, args) = notes_args(
            &format!("organisation_id,body,date\n{forge},Rang about the forge.,2021-07-05\n"),
            Some("operator@demo.mycareer.test"),
        );
        let report = notes(&args, store).await.unwrap();
        assert_eq!(report.outcome.created, 1, "{report}");
    }

    async fn a_contact_who_is_likely_known_is_told(bed: TestBed) {
        let store = bed.store().await;
        with_organisations(&store).await;
        let first = file("organisation,name,email\nAcme,Ann Lee,ann@acme.test\n");
        contacts(&args(first.path(), &[]), &store).await.unwrap();
        bed.clock().advance(TimeDelta::days(1));
        let second = file(
            "organisation,name,email\nBrook,A. Lee,ann@acme.test\nAcme,Ann Lee,lee@acme.test\nAcme,Bea Low,bea@acme.test\n",
        );
        let report = contacts(&args(second.path(), &[]), &store).await.unwrap();
        let told = report.to_string();
        assert_eq!((report.outcome.created, report.outcome.likely_duplicates.unwrap().count), (3, 2), "{told}");
        assert!(told.contains("line 2: A. Lee = Ann Lee, Acme Ltd (same e-mail address)"), "{told}");
        assert!(told.contains("line 3: Ann Lee = Ann Lee, Acme Ltd (same name)"), "{told}");
    }

    async fn a_hold_that_comes_by_a_file_is_one_of_the_address_whoever_has_it(bed: TestBed) {
        let store = bed.store().await;
        with_organisations(&store).await;
        let first = file("organisation,name,email\nAcme,Ann Lee,ann@acme.test\nAcme,Bea Low,bea@acme.test\n");
        contacts(&args(first.path(), &[]), &store).await.unwrap();
        bed.clock().advance(TimeDelta::days(1));
        // One who is there, one in the same file, and one who comes later.
        let second = file("organisation,name,email,on_hold\nBrook,A. Lee,ann@acme.test,yes\nBrook,Cy Orr,cy@brook.test,no\nAcme,Cy Orr,cy@brook.test,yes\n");
        let report = contacts(&args(second.path(), &[]), &store).await.unwrap();
        assert_eq!(report.outcome.created, 3, "{report}");
        let wrong = file("organisation,name,subscriber_type\nAcme,Eve Ray,placements\nAcme,Fay Orr,friends\n");
        let report = contacts(&args(wrong.path(), &[]), &store).await.unwrap();
        let told = report.to_string();
        assert!(told.contains("subscriber_type: \"friends\" is none of GENERAL, RECRUITMENT, PLACEMENTS, EVENTS, PARTNERSHIP."), "{told}");
        assert_eq!(all(&store).await.iter().find(|row| row.name == "Eve Ray").unwrap().subscriber_type, contact::SubscriberType::Placements);
        let third = file("organisation,name,email\nBrook,Ann,ANN@acme.test\nBrook,Dee Fay,dee@brook.test\n");
        bed.clock().advance(TimeDelta::days(1));
        contacts(&args(third.path(), &[]), &store).await.unwrap();
        let all = contact::Entity::find().order_by_asc(contact::Column::Id).all(store.reader()).await.unwrap();
        let mut held: Vec<&str> = all.iter().filter(|row| row.on_hold_at.is_some()).map(|row| row.name.as_str()).collect();
        held.sort_unstable();
        assert_eq!(held, ["A. Lee", "Ann Lee", "Cy Orr", "Cy Orr"]);
        let since: Vec<_> = all.iter().filter_map(|row| row.on_hold_at).collect();
        assert!(since.iter().all(|at| *at == since[0]), "{since:?}");
        let ann = all.iter().find(|row| row.name == "Ann Lee").unwrap();
        assert_eq!(ann.version, 2, "whoever read her before is told so");
        let lines = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("contact.update"))
            .all(store.reader()).await.unwrap();
        let [line] = lines.as_slice() else { panic!("one was there before: {}", lines.len()) };
        assert_eq!((&line.subject, line.actor_id), (&ann.id.to_string(), None));
        assert_eq!(line.after, Some(json!({ "onHold": true, "version": 2 })));
    }

    async fn a_broken_file_of_contacts_or_notes_changes_nothing(bed: TestBed) {
        let store = bed.store().await;
        with_organisations(&store).await;
        let rows = |count: usize| {
            (0..count).fold("organisation,name\n".to_owned(), |all, row| format!("{all}Acme,Contact {row}\n"))
        };
        // Long enough that rows have been written when the fault is found.
        let with = |end: &[u8]| [rows(600).as_bytes(), end].concat();
        for (broken, reason) in [
            (with(b"Acme,Bad \xff\xfe bytes\n"), "invalid utf-8"),
            (with(b"Acme,Too,many\n"), "602"),
            (with(b"Acme\n"), "602"),
            (with(b"Acme,\"no end\n1\n"), "a quote is opened and never closed"),
            (Vec::new(), "the file is empty"),
            (b"Firm,Name\nAcme,Ann\n".to_vec(), "no column is known to hold the organisation; say which with --map organisation=COLUMN"),
            (b"organisation,Who\nAcme,Ann\n".to_vec(), "--map name=COLUMN"),
        ] {
            let broken_file = file(&broken);
            let told = contacts(&args(broken_file.path(), &[]), &store).await.unwrap_err().to_string();
            assert!(told.contains(reason), "{told}");
            assert_eq!(contact::Entity::find().count(store.reader()).await.unwrap(), 0, "{told}");
        }
        let good = file("organisation,name\nAcme,Ann\n");
        for (map, reason) in [
            ("shoe_size=name", "there is no field \"shoe_size\"; the fields are organisation, "),
            ("email=Mail", "the file has no column \"Mail\"; its columns are \"organisation\", \"name\""),
        ] {
            let told = contacts(&args(good.path(), &[map]), &store).await.unwrap_err().to_string();
            assert!(told.contains(reason), "{told}");
        }
        let dry = ImportArgs { dry_run: true, ..args(good.path(), &[]) };
        assert_eq!(contacts(&dry, &store).await.unwrap().outcome.created, 1);
        assert!(all(&store).await.is_empty(), "a dry run changes nothing");
        let (_file, broken) = notes_args("organisation,body\nAcme,Rang.\n", None);
        let told = notes(&broken, &store).await.unwrap_err().to_string();
        assert!(told.contains("--map happened_at=COLUMN"), "{told}");
    }

    async fn notes_come_in_with_contact_kind_time_and_author_and_what_is_due_is_reminded_of(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let before = note::Entity::find().count(store.reader()).await.unwrap();
        let due = (store.now() + TimeDelta::days(3)).to_rfc3339();
        let content = format!(
            "organisation,contact,type,date,note,outcome,next action,due,author\n\
             Aire Valley Robotics,Erin Doyle,call,05/07/2021 14:30,Rang about the fair.,They come.,Send the plan.,{due},\n\
             Brightwater Energy,,site-visit,2021-07-05,Saw the works.,,,,\n\
             Brightwater Energy,Nobody Known,visit,2021-07-05,Saw the works.,,,,\n\
             Brightwater Energy,,guidance on contact,2021-07-05,By letter.,,,,\n\
             Brightwater Energy,,visit,5th of July,Saw the works.,,,,\n\
             Brightwater Energy,,visit,2021-01-05,Saw the works.,,,,nobody@demo.mycareer.test\n\
             Brightwater Energy,,visit,2021-01-05,Saw the works.,,,,\n"
        );
        let (_file, args) = notes_args(&content, Some("operator@demo.mycareer.test"));
        let report = notes(&args, store).await.unwrap();
        let told = report.to_string();
        assert_eq!((report.outcome.created, report.outcome.refused.count), (2, 5), "{told}");
        for line in [
            "line 3: kind: \"site-visit\" is none of MEETING, CALL, EMAIL, VISIT, EVENT, OTHER.",
            "line 4: contact: The organisation has no contact \"Nobody Known\"; import or add them first.",
            "line 5: kind: ",
            "line 6: happened_at: This is no time; one looks like",
            "line 7: author: No member of staff has this address.",
        ] {
            assert!(told.contains(line), "{line} in {told}");
        }
        let call = note::Entity::find()
            .filter(note::Column::Body.eq("Rang about the fair."))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        assert_eq!((call.kind, call.outcome.as_deref()), (NoteKind::Call, Some("They come.")));
        assert_eq!(call.happened_at.to_rfc3339(), "2021-07-05T13:30:00+00:00", "in summer, by the clocks of the university");
        assert!(call.contact_id.is_some());
        let jobs = entity::job::Entity::find()
            .filter(entity::job::Column::Kind.eq("note.remind_of_action"))
            .all(store.reader())
            .await
            .unwrap();
        assert!(jobs.iter().any(|job| job.payload.to_string().contains(&call.id.to_string())), "{jobs:?}");

        let again = notes(&args, store).await.unwrap();
        assert_eq!((again.outcome.created, again.outcome.unchanged), (0, 2), "{again}");
        assert_eq!(note::Entity::find().count(store.reader()).await.unwrap(), before + 2);
    }
}
