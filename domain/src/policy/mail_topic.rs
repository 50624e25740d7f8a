//! Topics of bulk mail: kept by super users, used by those who send (policy 2.5).

use super::table::table;

table! {
    type Query {
        mailTopics: read(SEND_BULK_EMAIL | SUPER_USER | ADMINISTRATOR);
        mailTopics(archived): filter(SEND_BULK_EMAIL | SUPER_USER | ADMINISTRATOR);
    }
    type Mutation {
        createMailTopic, archiveMailTopic: read(SUPER_USER | ADMINISTRATOR);
        createMailTopic(input), archiveMailTopic(input): give(SUPER_USER | ADMINISTRATOR);
    }
    type MailTopic {
        id: read(EVERYONE);
        name, description, archivedAt, createdAt: read(SEND_BULK_EMAIL | SUPER_USER | ADMINISTRATOR);
    }
    input CreateMailTopicInput { name, description: give(SUPER_USER | ADMINISTRATOR); }
    input ArchiveMailTopicInput { id: give(SUPER_USER | ADMINISTRATOR); }
    type CreateMailTopicPayload { topic, userErrors: read(EVERYONE); }
    type ArchiveMailTopicPayload { topic, userErrors: read(EVERYONE); }
}
