//! The schema, one file a change. Every change goes up and down on `SQLite` and on `PostgreSQL`.
//!
//! Migrations stand by themselves: they name tables and states as they were when they were written, and so don't use
//! `entity`, which moves on.

mod columns;

mod m20261123_000001_university;
mod m20261123_000002_organisations;
mod m20261123_000003_accounts;
mod m20261123_000004_engagement;
mod m20261123_000005_events;
mod m20261123_000006_bulk_mail;
mod m20261123_000007_jobs;
mod m20261123_000008_audit;
mod m20261123_000009_secrets;
mod m20261124_000010_access;
mod m20261124_000011_sign_in;
mod m20261124_000012_notices;
mod m20261124_000013_audit_seals;
mod m20261124_000016_key_accounts;
mod m20261124_000017_duplicates;
mod m20261124_000019_profiles;
mod m20261124_000020_super_user_group;
mod m20261124_000021_clashes;
mod m20261124_000022_event_sharing;
mod m20261127_000001_audit_numbers;
mod m20261127_000002_subject_access;
mod m20261127_000010_calendar_files;
mod m20261127_000011_attachments;
mod m20261127_000030_organisation_standing;
mod m20261127_000031_merges;
mod m20261127_000032_registrations;
mod m20261127_000040_mail_pace;
mod m20261127_000041_cross_promotion;
mod m20261127_000050_bounces;
mod m20261127_000050_next_actions;
mod m20261127_000051_mail_topics;
mod m20261127_000051_note_participants;
mod m20261127_000052_mail_rules;
mod m20261127_000053_vacancies;
mod m20261127_000054_segments;
mod m20261127_000070_grants;
mod m20261127_000112_reminders_and_feedback;
mod m20261127_000130_series;
mod m20261127_000131_group_bookings;
mod m20261127_000132_coming_events;
mod m20261128_000100_audit_heads;
mod m20261128_000120_class_attendance;
mod m20261128_000121_released_words;
mod m20261128_000140_search;
mod m20261128_000170_campaign_attachments;
mod m20261129_000170_venues;
mod m20261129_000200_ledger_in_place;
mod m20261130_000100_campaign_segment;
mod m20261130_000101_held_addresses;
mod m20261130_000120_told_of_move;
mod m20261130_000140_record_imports;
mod m20261130_000160_profile_fields;
mod m20261130_000161_logos;
mod m20261130_000162_contact_posts;
mod m20261130_000163_subscriber_types;
mod m20261130_000164_note_visibility;
mod m20261130_000180_search_stored;
mod m20261130_000181_notes_of_faculties;
mod m20261201_000100_contact_duplicates;
mod m20261201_000120_fields_of_segments;
mod m20261201_000121_subscribers_of_campaigns;

pub use sea_orm_migration::prelude::MigratorTrait;
use sea_orm_migration::prelude::{MigrationTrait, async_trait};

/// Brings a database to the current schema, or back.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_university::Migration),
            Box::new(m20261123_000002_organisations::Migration),
            Box::new(m20261123_000003_accounts::Migration),
            Box::new(m20261123_000004_engagement::Migration),
            Box::new(m20261123_000005_events::Migration),
            Box::new(m20261123_000006_bulk_mail::Migration),
            Box::new(m20261123_000007_jobs::Migration),
            Box::new(m20261123_000008_audit::Migration),
            Box::new(m20261123_000009_secrets::Migration),
            Box::new(m20261124_000010_access::Migration),
            Box::new(m20261124_000011_sign_in::Migration),
            Box::new(m20261124_000012_notices::Migration),
            Box::new(m20261124_000013_audit_seals::Migration),
            Box::new(m20261124_000016_key_accounts::Migration),
            Box::new(m20261124_000017_duplicates::Migration),
            Box::new(m20261124_000019_profiles::Migration),
            Box::new(m20261124_000020_super_user_group::Migration),
            Box::new(m20261124_000021_clashes::Migration),
            Box::new(m20261124_000022_event_sharing::Migration),
            Box::new(m20261127_000001_audit_numbers::Migration),
            Box::new(m20261127_000002_subject_access::Migration),
            Box::new(m20261127_000010_calendar_files::Migration),
            Box::new(m20261127_000011_attachments::Migration),
            Box::new(m20261127_000030_organisation_standing::Migration),
            Box::new(m20261127_000031_merges::Migration),
            Box::new(m20261127_000032_registrations::Migration),
            Box::new(m20261127_000050_bounces::Migration),
            Box::new(m20261127_000051_mail_topics::Migration),
            Box::new(m20261127_000052_mail_rules::Migration),
            Box::new(m20261127_000053_vacancies::Migration),
            Box::new(m20261127_000054_segments::Migration),
            Box::new(m20261127_000050_next_actions::Migration),
            Box::new(m20261127_000051_note_participants::Migration),
            Box::new(m20261127_000070_grants::Migration),
            Box::new(m20261127_000112_reminders_and_feedback::Migration),
            Box::new(m20261127_000130_series::Migration),
            Box::new(m20261127_000131_group_bookings::Migration),
            Box::new(m20261127_000132_coming_events::Migration),
            Box::new(m20261128_000170_campaign_attachments::Migration),
            // After the tables that they change.
            Box::new(m20261127_000040_mail_pace::Migration),
            Box::new(m20261127_000041_cross_promotion::Migration),
            Box::new(m20261128_000100_audit_heads::Migration),
            Box::new(m20261128_000120_class_attendance::Migration),
            Box::new(m20261128_000121_released_words::Migration),
            Box::new(m20261128_000140_search::Migration),
            Box::new(m20261129_000200_ledger_in_place::Migration),
            Box::new(m20261129_000170_venues::Migration),
            Box::new(m20261130_000180_search_stored::Migration),
            Box::new(m20261130_000120_told_of_move::Migration),
            Box::new(m20261130_000100_campaign_segment::Migration),
            Box::new(m20261130_000101_held_addresses::Migration),
            Box::new(m20261130_000160_profile_fields::Migration),
            Box::new(m20261130_000161_logos::Migration),
            Box::new(m20261130_000162_contact_posts::Migration),
            Box::new(m20261130_000163_subscriber_types::Migration),
            Box::new(m20261130_000164_note_visibility::Migration),
            Box::new(m20261130_000140_record_imports::Migration),
            Box::new(m20261130_000181_notes_of_faculties::Migration),
            Box::new(m20261201_000100_contact_duplicates::Migration),
            Box::new(m20261201_000120_fields_of_segments::Migration),
            Box::new(m20261201_000121_subscribers_of_campaigns::Migration),
        ]
    }
}
