//! Profiles: everybody's own is theirs to read and to shape (policy 1).

use super::table::table;

table! {
    type Mutation {
        updateProfile: read(SIGNED_IN);
        updateProfile(input): give(SIGNED_IN);
    }
    type Profile {
        version, name, post, faculty, jobTitle, telephone, interests, photo, notices: read(EVERYONE);
    }
    type ProfilePhoto { url, width, height: read(EVERYONE); }
    type NoticeChoice { topic, channel, atLeast, byItself: read(EVERYONE); }
    enum NoticeTopic {
        SECURITY, ACCESS, POLICY_CHANGE, ANNOUNCEMENT, SUGGESTION, SUPER_USER_GROUP, LIAISON, ENGAGEMENT, EVENT,
        VACANCY, BULK_EMAIL, COMING_EVENTS: both(EVERYONE);
    }
    enum NoticeChannel { NONE, DAILY_DIGEST, MAIL_AT_ONCE: both(EVERYONE); }
    input NoticeChoiceInput { topic, channel: give(SIGNED_IN); }
    input UpdateProfileInput {
        version, photo, interests, notices: give(SIGNED_IN);
        name: give(STAFF | EMPLOYER);
        post, facultyId: give(STAFF);
        jobTitle, telephone: give(EMPLOYER);
    }
    type UpdateProfilePayload { profile, userErrors: read(EVERYONE); }
}
