//! Typed identifiers.
//!
//! Every row is known by a `UUIDv7` (RFC 9562), which sorts by the time it was made. Outside the database it is written as
//! a `TypeID` (<https://github.com/jetify-com/typeid>): a prefix that names the kind of thing, then the UUID in Crockford's
//! base 32, as in `org_01h455vb4pex5vsknk084sn02q`. In Rust every kind has a type of its own, so that a booking can't be
//! asked for by the id of an event.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use type_safe_id::{DynamicType, TypeSafeId};
use uuid::Uuid;

/// Why a text is not the id that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is no `TypeID` at all.
    #[error("{given:?} is not an id; an id here looks like {prefix}_01h455vb4pex5vsknk084sn02q")]
    Malformed {
        /// What was given.
        given: String,
        /// The prefix that was expected.
        prefix: &'static str,
    },
    /// It is the id of another kind of thing.
    #[error("{given:?} is the id of another kind of thing; this one begins with {prefix}_")]
    OtherKind {
        /// What was given.
        given: String,
        /// The prefix that was expected.
        prefix: &'static str,
    },
}

/// What all typed ids have in common.
pub trait TypedId: Copy + Eq + fmt::Display + FromStr<Err = IdError> + Into<Uuid> {
    /// The prefix of its written form, without the underscore.
    const PREFIX: &'static str;

    /// The id whose row has this UUID.
    fn from_uuid(uuid: Uuid) -> Self;
}

/// A `UUIDv7` for something made at `now`.
fn uuid_v7(now: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid()
}

fn write_id(f: &mut fmt::Formatter<'_>, prefix: &str, uuid: Uuid) -> fmt::Result {
    let kind = DynamicType::new(prefix).map_err(|_| fmt::Error)?;
    fmt::Display::fmt(&TypeSafeId::from_type_and_uuid(kind, uuid), f)
}

fn read_id(given: &str, prefix: &'static str) -> Result<Uuid, IdError> {
    let malformed = || IdError::Malformed {
        given: given.chars().take(64).collect(),
        prefix,
    };
    let (kind, _) = given.rsplit_once('_').ok_or_else(malformed)?;
    // The written form is 26 characters of base 32 behind a short prefix: longer texts are not worth a look.
    if given.len() > 64 || !given.is_ascii() {
        return Err(malformed());
    }
    let id: TypeSafeId<DynamicType> = given.parse().map_err(|_| malformed())?;
    if kind != prefix {
        return Err(IdError::OtherKind {
            given: given.to_owned(),
            prefix,
        });
    }
    Ok(id.uuid())
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeriveValueType)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id for something made at `now`.
            #[must_use]
            pub fn new_at(now: DateTime<Utc>) -> Self {
                Self(uuid_v7(now))
            }

            /// The id before all of those that were made at `moment` or later.
            #[must_use]
            pub fn earliest_at(moment: DateTime<Utc>) -> Self {
                let millis = u64::try_from(moment.timestamp_millis()).unwrap_or(0);
                Self(Uuid::from_u128(u128::from(millis) << 80))
            }

            /// The UUID that the database knows.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;

            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_id(f, $prefix, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(given: &str) -> Result<Self, IdError> {
                read_id(given, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

typed_ids! {
    /// An account: somebody who can sign in.
    UserId = "usr";
    /// A signed-in session, the family of its refresh tokens.
    SessionId = "ses";
    /// Something an account signs in with.
    CredentialId = "crd";
    /// A faculty.
    FacultyId = "fac";
    /// A school within a faculty.
    SchoolId = "sch";
    /// A degree programme within a school.
    ProgrammeId = "prg";
    /// An organisation.
    OrganisationId = "org";
    /// A contact at an organisation.
    ContactId = "con";
    /// A registration of an employer.
    RegistrationId = "reg";
    /// Changes that wait for an operator.
    HeldChangeId = "hch";
    /// A merge of two records.
    MergeId = "mrg";
    /// A change that a merge made.
    MergeChangeId = "mch";
    /// A tag.
    TagId = "tag";
    /// A note: an engagement record.
    NoteId = "not";
    /// A key account: an operator's claim on an organisation.
    KeyAccountId = "kac";
    /// A contact of a key account.
    KeyAccountContactId = "kcn";
    /// A liaison request about a key account contact.
    LiaisonRequestId = "lia";
    /// An event.
    EventId = "evt";
    /// Events that are alike and come one after the other.
    EventSeriesId = "ser";
    /// A booking of one person for one event.
    BookingId = "bkg";
    /// Places for a class at an event.
    GroupBookingId = "grb";
    /// A bulk e-mail campaign.
    CampaignId = "cmp";
    /// A file that a campaign's mails bring along.
    CampaignAttachmentId = "cat";
    /// One mail to one recipient.
    DeliveryId = "dlv";
    /// A topic of bulk mail.
    MailTopicId = "mtp";
    /// A background job.
    JobId = "job";
    /// A permission given to somebody.
    GrantId = "grt";
    /// A training course.
    TrainingCourseId = "trn";
    /// A course that somebody attended.
    TrainingRecordId = "trr";
    /// An agreement.
    AgreementId = "agr";
    /// A version of an agreement.
    AgreementVersionId = "agv";
    /// A line of the audit log.
    AuditEntryId = "aud";
    /// Everything about a person, for them.
    SubjectAccessId = "sax";
    /// A file of records that somebody imports.
    RecordImportId = "imp";
    /// An address that gets no mail.
    SuppressionId = "sup";
    /// A row of an event's audience.
    EventAudienceId = "aue";
    /// Two organisations that are likely the same.
    DuplicatePairId = "dup";
    /// A notice that is kept for somebody's daily digest.
    KeptNoticeId = "ntc";
    /// An announcement to staff.
    AnnouncementId = "ann";
    /// A fault or an improvement that somebody put forward.
    SuggestionId = "sug";
    /// What somebody says of a suggestion.
    SuggestionCommentId = "scm";
    /// A clash that was acknowledged.
    ClashAcknowledgementId = "cla";
    /// What somebody says of an event.
    EventFeedbackId = "fbk";
    /// A request to share an event with another faculty.
    EventSharingRequestId = "esr";
    /// A vacancy of an organisation.
    VacancyId = "vac";
    /// That an organisation's vacancies are published at once.
    VacancyRuleId = "vrl";
    /// A filter of organisations that somebody keeps.
    SegmentId = "seg";
    /// A room or hall in which events take place.
    VenueId = "ven";
    /// A field of an organisation's profile that administrators defined.
    ProfileFieldId = "fld";
    /// The logo of an organisation.
    OrganisationLogoId = "lgo";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn an_id_reads_back_what_it_writes() {
        let id = OrganisationId::new_at(at(1_700_000_000));
        assert!(id.to_string().starts_with("org_01"), "{id}");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        assert!(EventId::new_at(at(1)) < EventId::new_at(at(2)));
    }

    #[test]
    fn the_id_of_another_kind_is_refused_by_name() {
        let event = EventId::new_at(at(1)).to_string();
        let error = event.parse::<BookingId>().unwrap_err();
        assert_eq!(
            error,
            IdError::OtherKind {
                given: event,
                prefix: "bkg"
            }
        );
    }

    #[test]
    fn malformed_ids_are_refused() {
        for given in [
            "",
            "evt",
            "evt_",
            "_",
            "evt_!",
            "evt_01h455vb4pex5vsknk084sn02",
            "é_é",
            "evt_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert!(given.parse::<EventId>().is_err(), "{given}");
        }
    }
}
