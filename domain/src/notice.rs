//! Notices: mail that people shape to their liking, by topic and channel (policy 1).
//!
//! Whoever has something to tell writes one [`Letter`] and names its topic. What becomes of it is the reader's choice: a
//! mail at once, a line in the one digest that they get a day, or nothing. Mail that somebody waits for (a ticket, an
//! offer of a place, a link to verify an address, what was decided of one's own registration) is no notice: that is
//! [`mail::post`]ed.
//!
//! | topic | by itself | at least |
//! | --- | --- | --- |
//! | `SECURITY`: the account, its sessions, its password | at once | at once: whoever got hold of an account must not be able to silence it |
//! | `ACCESS`: training, agreements, access that lapses | at once | digest: nobody loses a right without having been told |
//! | `POLICY_CHANGE`: announcements of that kind | at once | digest: everybody has to know the policy |
//! | `LIAISON`: requests to a key account operator | at once | digest: a colleague waits for the answer |
//! | `BULK_EMAIL`: bulk e-mails that one sends | at once | digest: one that was paused waits for its sender |
//! | `ANNOUNCEMENT`: other announcements | digest | nothing |
//! | `ENGAGEMENT`: notes and what is due next | digest | nothing |
//! | `SUGGESTION`, `SUPER_USER_GROUP`, `EVENT`, `VACANCY` | at once | nothing |
//! | `COMING_EVENTS`: what is coming, once a week | nothing | nothing |

mod circular;
mod digest;

use std::collections::HashMap;

use entity::{
    delivery,
    ids::{KeptNoticeId, UserId},
    kept_notice, notice_choice,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, Iterable, PaginatorTrait,
    QueryFilter, QueryOrder, sea_query::OnConflict,
};

pub use entity::notice_choice::{NoticeChannel as Channel, NoticeTopic as Topic};

pub use self::{
    circular::{Circular, tell_all, tell_each},
    digest::{DigestNotices, post_digests},
};
use crate::{
    error::{Error, RefusalCode, Result},
    mail::{self, Letter},
    store::Tx,
};

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It goes out as a mail of its own.
    AtOnce,
    /// It is kept for the digest.
    Kept,
    /// They don't want it, or one for the same purpose was written before.
    Nothing,
}

/// The channel of a topic for whoever hasn't chosen one.
#[must_use]
pub const fn by_itself(topic: Topic) -> Channel {
    match topic {
        Topic::Announcement | Topic::Engagement => Channel::DailyDigest,
        Topic::Security
        | Topic::Access
        | Topic::PolicyChange
        | Topic::Liaison
        | Topic::Suggestion
        | Topic::SuperUserGroup
        | Topic::Event
        | Topic::Vacancy
        | Topic::BulkEmail => Channel::MailAtOnce,
        // It comes to those who ask for it.
        Topic::ComingEvents => Channel::None,
    }
}

/// The least that anybody gets of a topic.
#[must_use]
pub const fn at_least(topic: Topic) -> Channel {
    match topic {
        Topic::Security => Channel::MailAtOnce,
        Topic::Access | Topic::PolicyChange | Topic::Liaison | Topic::BulkEmail => {
            Channel::DailyDigest
        }
        Topic::Announcement
        | Topic::Suggestion
        | Topic::SuperUserGroup
        | Topic::Engagement
        | Topic::Event
        | Topic::Vacancy
        | Topic::ComingEvents => Channel::None,
    }
}

/// The channel of every topic for each of these people.
pub async fn choices(
    db: &impl ConnectionTrait,
    people: &[UserId],
) -> Result<HashMap<UserId, Vec<(Topic, Channel)>>> {
    let chosen = notice_choice::Entity::find()
        .filter(notice_choice::Column::UserId.is_in(people.iter().copied()))
        .order_by_asc(notice_choice::Column::UserId)
        .all(db)
        .await?;
    let chosen: HashMap<(UserId, Topic), Channel> = chosen
        .into_iter()
        .map(|row| ((row.user_id, row.topic), row.channel))
        .collect();
    let channel = |person, topic| settled(topic, chosen.get(&(person, topic)).copied());
    Ok(people
        .iter()
        .map(|person| {
            let topics = Topic::iter().map(|topic| (topic, channel(*person, topic)));
            (*person, topics.collect())
        })
        .collect())
}

/// Keeps the choices of `user_id`. What the topic doesn't allow is refused.
pub async fn choose(tx: &Tx, user_id: UserId, given: &[(Topic, Channel)]) -> Result<()> {
    for (topic, channel) in given {
        if *channel < at_least(*topic) {
            let least = match at_least(*topic) {
                Channel::MailAtOnce => "it always comes at once",
                _ => "it comes in the daily digest at least",
            };
            let name = sea_orm::ActiveEnum::to_value(topic);
            return Err(Error::refused(
                RefusalCode::Invalid,
                "notices",
                format!("{name} can't be switched off: {least}."),
            ));
        }
    }
    // The last one counts where a topic is given twice: one statement must not write a row twice.
    let rows: HashMap<Topic, Channel> = given.iter().copied().collect();
    if rows.is_empty() {
        return Ok(());
    }
    notice_choice::Entity::insert_many(rows.into_iter().map(|(topic, channel)| {
        notice_choice::ActiveModel {
            user_id: Set(user_id),
            topic: Set(topic),
            channel: Set(channel),
            chosen_at: Set(tx.now()),
        }
    }))
    .on_conflict(
        OnConflict::columns([notice_choice::Column::UserId, notice_choice::Column::Topic])
            .update_columns([
                notice_choice::Column::Channel,
                notice_choice::Column::ChosenAt,
            ])
            .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Tells `user_id` in the way they chose for `topic`: posts `letter`, keeps it for the digest, or lets it go. A second one
/// for the same purpose is let go.
pub async fn tell(tx: &mut Tx, user_id: UserId, topic: Topic, letter: Letter) -> Result<Told> {
    let chosen = notice_choice::Entity::find_by_id((user_id, topic))
        .one(tx.conn())
        .await?;
    match settled(topic, chosen.map(|row| row.channel)) {
        Channel::None => Ok(Told::Nothing),
        Channel::MailAtOnce => {
            let was_kept = kept_notice::Entity::find()
                .filter(kept_notice::Column::PurposeKey.eq(&letter.purpose_key))
                .count(tx.conn())
                .await?;
            if was_kept > 0 {
                return Ok(Told::Nothing);
            }
            let posted = mail::post(tx, letter).await?;
            Ok(posted.map_or(Told::Nothing, |_| Told::AtOnce))
        }
        Channel::DailyDigest => {
            let was_posted = delivery::Entity::find()
                .filter(delivery::Column::PurposeKey.eq(&letter.purpose_key))
                .count(tx.conn())
                .await?;
            if was_posted > 0 {
                return Ok(Told::Nothing);
            }
            let written = keep(tx, vec![kept(tx, user_id, topic, letter)]).await?;
            Ok(if written == 0 {
                Told::Nothing
            } else {
                Told::Kept
            })
        }
    }
}

/// What was chosen, as far as the topic allows it, or what the topic does by itself.
fn settled(topic: Topic, chosen: Option<Channel>) -> Channel {
    chosen.map_or(by_itself(topic), |channel| channel.max(at_least(topic)))
}

fn kept(tx: &Tx, user_id: UserId, topic: Topic, letter: Letter) -> kept_notice::ActiveModel {
    kept_notice::ActiveModel {
        id: Set(KeptNoticeId::new_at(tx.now())),
        user_id: Set(user_id),
        topic: Set(topic),
        purpose_key: Set(letter.purpose_key),
        template: Set(letter.template.to_owned()),
        fields: Set(letter.fields),
        kept_at: Set(tx.now()),
        digested_on: Set(None),
    }
}

async fn keep(tx: &Tx, rows: Vec<kept_notice::ActiveModel>) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    Ok(kept_notice::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(kept_notice::Column::PurposeKey)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_topic_comes_by_itself_with_less_than_it_must() {
        for topic in Topic::iter() {
            assert!(by_itself(topic) >= at_least(topic), "{topic:?}");
        }
    }

    #[test]
    fn a_choice_below_the_least_counts_as_the_least() {
        assert_eq!(
            settled(Topic::Security, Some(Channel::None)),
            Channel::MailAtOnce
        );
        assert_eq!(
            settled(Topic::Access, Some(Channel::None)),
            Channel::DailyDigest
        );
        assert_eq!(settled(Topic::Event, Some(Channel::None)), Channel::None);
        assert_eq!(settled(Topic::Event, None), Channel::MailAtOnce);
    }
}
