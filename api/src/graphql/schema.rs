//! The schema: what all aggregates give it, and what every request is given.

use async_graphql::{MergedObject, MergedSubscription, Schema, SchemaBuilder};
use domain::{Store, session::Keyring};
use entity::ids::{
    AgreementId, AnnouncementId, AuditEntryId, BookingId, CampaignId, ContactId, EventId,
    EventSharingRequestId, KeyAccountId, LiaisonRequestId, MailTopicId, NoteId, OrganisationId,
    ProfileFieldId, RecordImportId, SegmentId, SuggestionId, TagId, TrainingCourseId, VacancyId,
    VenueId,
};

use super::{
    account::AccountMutation,
    activity::{ActivityQuery, ActivitySubscription},
    agreement::{self, Agreement, AgreementMutation, AgreementQuery},
    announcement::{self, Announcement, AnnouncementMutation, AnnouncementQuery},
    attendance::{AttendanceMutation, AttendanceQuery},
    audit::{self, AuditEntry, AuditMutation, AuditQuery},
    booking::{self, Booking, BookingMutation, BookingQuery, BookingSubscription},
    calendar::CalendarMutation,
    campaign::{self, Campaign, CampaignMutation, CampaignQuery, CampaignSubscription},
    clash::ClashQuery,
    communication::CommunicationQuery,
    contact::{
        self, Contact, ContactMutation, ContactQuery,
        duplicates::{ContactDuplicateMutation, ContactDuplicateQuery},
    },
    credential::CredentialMutation,
    cursor::Cursors,
    data_protection::DataProtectionMutation,
    endpoint::{Endpoint, StartError},
    event::{self, Event, EventMutation, EventQuery},
    event_sharing::{self, EventSharingMutation, EventSharingQuery, EventSharingRequest},
    export::ExportMutation,
    feedback::FeedbackMutation,
    group_booking::GroupBookingMutation,
    job::{JobMutation, JobQuery, JobSubscription},
    key_account::{self, KeyAccount, KeyAccountMutation, KeyAccountQuery},
    liaison::{self, LiaisonMutation, LiaisonQuery, LiaisonRequest},
    mail_rules::{MailRulesMutation, MailRulesQuery},
    mail_topic::{self, MailTopic, MailTopicMutation, MailTopicQuery},
    merge::{MergeMutation, MergeQuery},
    node::nodes,
    note::{self, Note, NoteMutation, NoteQuery},
    operator_access::{OperatorAccessMutation, OperatorAccessQuery},
    organisation::{
        self, Organisation, OrganisationMutation, OrganisationQuery,
        duplicates::{DuplicateMutation, DuplicateQuery},
    },
    profile::ProfileMutation,
    profile_field::{self, ProfileField, ProfileFieldMutation, ProfileFieldQuery},
    record_import::{self, RecordImport, RecordImportMutation, RecordImportSubscription},
    registration::{RegistrationMutation, RegistrationQuery},
    report::ReportQuery,
    search::SearchQuery,
    segment::{self, Segment, SegmentMutation, SegmentQuery},
    session::{SessionMutation, SessionQuery},
    suggestion::{self, Suggestion, SuggestionMutation, SuggestionQuery},
    super_user_group::{SuperUserGroupMutation, SuperUserGroupQuery},
    tag::{self, Tag, TagMutation, TagQuery},
    training_course::{self, TrainingCourse, TrainingCourseMutation, TrainingCourseQuery},
    university::UniversityQuery,
    vacancy::{self, Vacancy, VacancyMutation, VacancyQuery},
    venue::{self, Venue, VenueMutation, VenueQuery},
    viewer::ViewerQuery,
};

nodes! {
    Organisation(OrganisationId) by organisation::find;
    Contact(ContactId) by contact::find;
    Tag(TagId) by tag::find;
    Note(NoteId) by note::find;
    Event(EventId) by event::event;
    EventSharingRequest(EventSharingRequestId) by event_sharing::find;
    Booking(BookingId) by booking::booking;
    Campaign(CampaignId) by campaign::find;
    MailTopic(MailTopicId) by mail_topic::find;
    Agreement(AgreementId) by agreement::find;
    TrainingCourse(TrainingCourseId) by training_course::find;
    KeyAccount(KeyAccountId) by key_account::find;
    LiaisonRequest(LiaisonRequestId) by liaison::find;
    Announcement(AnnouncementId) by announcement::find;
    Suggestion(SuggestionId) by suggestion::find;
    AuditEntry(AuditEntryId) by audit::find;
    Vacancy(VacancyId) by vacancy::find;
    Segment(SegmentId) by segment::find;
    Venue(VenueId) by venue::find;
    ProfileField(ProfileFieldId) by profile_field::find;
    RecordImport(RecordImportId) by record_import::find;
}

/// What can be asked about bulk mail. Merged by itself, because every member of a merged object takes some of the stack.
#[derive(Debug, Default, MergedObject)]
pub struct BulkMailQuery(
    CampaignQuery,
    MailTopicQuery,
    MailRulesQuery,
    CommunicationQuery,
);

/// What can be changed about bulk mail.
#[derive(Debug, Default, MergedObject)]
pub struct BulkMailMutation(CampaignMutation, MailTopicMutation, MailRulesMutation);

/// What can be asked about the records of organisations.
#[derive(Debug, Default, MergedObject)]
pub struct RecordQuery(OrganisationQuery, ProfileFieldQuery);

/// What can be changed about the records of organisations.
#[derive(Debug, Default, MergedObject)]
pub struct RecordMutation(OrganisationMutation, ProfileFieldMutation);

/// What can be asked about records that are likely the same.
#[derive(Debug, Default, MergedObject)]
pub struct DuplicatesQuery(DuplicateQuery, ContactDuplicateQuery);

/// What can be said of records that are likely the same.
#[derive(Debug, Default, MergedObject)]
pub struct DuplicatesMutation(DuplicateMutation, ContactDuplicateMutation);

/// What can be changed about who has a place at an event, and what they say of it; and
/// about rooms.
#[derive(Debug, Default, MergedObject)]
pub struct PlacesMutation(
    AttendanceMutation,
    GroupBookingMutation,
    FeedbackMutation,
    VenueMutation,
);

/// What can be done with files of records.
#[derive(Debug, Default, MergedObject)]
pub struct FilesMutation(ExportMutation, RecordImportMutation);

/// What can be asked.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    NodeQuery,
    ViewerQuery,
    SessionQuery,
    RecordQuery,
    DuplicatesQuery,
    ContactQuery,
    MergeQuery,
    RegistrationQuery,
    TagQuery,
    NoteQuery,
    UniversityQuery,
    EventQuery,
    VenueQuery,
    ClashQuery,
    EventSharingQuery,
    BookingQuery,
    AttendanceQuery,
    ReportQuery,
    BulkMailQuery,
    AgreementQuery,
    TrainingCourseQuery,
    OperatorAccessQuery,
    SuperUserGroupQuery,
    AnnouncementQuery,
    SuggestionQuery,
    JobQuery,
    AuditQuery,
    KeyAccountQuery,
    LiaisonQuery,
    VacancyQuery,
    SegmentQuery,
    SearchQuery,
    ActivityQuery,
);

/// What can be changed.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    SessionMutation,
    CredentialMutation,
    RecordMutation,
    DuplicatesMutation,
    ContactMutation,
    MergeMutation,
    RegistrationMutation,
    TagMutation,
    NoteMutation,
    EventMutation,
    EventSharingMutation,
    BookingMutation,
    PlacesMutation,
    CalendarMutation,
    BulkMailMutation,
    AgreementMutation,
    TrainingCourseMutation,
    OperatorAccessMutation,
    AccountMutation,
    ProfileMutation,
    SuperUserGroupMutation,
    AnnouncementMutation,
    SuggestionMutation,
    JobMutation,
    AuditMutation,
    FilesMutation,
    DataProtectionMutation,
    KeyAccountMutation,
    LiaisonMutation,
    VacancyMutation,
    SegmentMutation,
);

/// What can be watched.
#[derive(Debug, Default, MergedSubscription)]
pub struct Subscription(
    BookingSubscription,
    CampaignSubscription,
    JobSubscription,
    ActivitySubscription,
    RecordImportSubscription,
);

/// The schema behind its policy and its limits.
pub type ApiEndpoint = Endpoint<Query, Mutation, Subscription>;

/// The schema as it is served: on this database, with these keys.
pub fn serve(
    store: &Store,
    keyring: &Keyring,
    cursors: &Cursors,
) -> Result<ApiEndpoint, StartError> {
    Endpoint::build(|| {
        builder()
            .data(store.clone())
            .data(keyring.clone())
            .data(cursors.clone())
    })
    .map(|endpoint| endpoint.recording(store.clone()))
}

/// The schema alone, to be looked at.
pub fn endpoint() -> Result<ApiEndpoint, StartError> {
    Endpoint::build(builder)
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(
        Query::default(),
        Mutation::default(),
        Subscription::default(),
    )
}
