//! What recipients of bulk mail say of it: the page behind a link in every one of them.
//!
//! `GET` only shows what holds; the form's `POST` changes it. It works without scripts, and nobody has to sign in: the link
//! is signed, and opens what concerns the address that the mail went to.

use domain::{
    Error, Store,
    campaign::{
        preferences::{self, Bulk, Preferences, Wishes},
        unsubscribe,
    },
};
use entity::ids::MailTopicId;
use minijinja::context;
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};
use url::form_urlencoded;

use super::pages;

/// The routes below `/preferences`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new()
        .at("/test", get(test))
        .at("/:token", get(show).post(change))
        .data(store)
}

#[handler]
async fn show(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match shown(store, &token).await {
        Ok(Some(found)) => page(&token, &found, false),
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn change(Data(store): Data<&Store>, Path(token): Path<String>, body: Vec<u8>) -> Response {
    match changed(store, &token, &body).await {
        Ok(Some(found)) => page(&token, &found, true),
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

#[handler]
fn test() -> Response {
    pages::message(
        StatusCode::OK,
        "This was a test",
        "The link in a test mail opens nobody's preferences. In the real one it opens the recipient's.",
    )
}

async fn shown(store: &Store, token: &str) -> Result<Option<Preferences>, Error> {
    let Some(link) = unsubscribe::read(store, token).await? else {
        return Ok(None);
    };
    preferences::read(store, link).await.map(Some)
}

async fn changed(store: &Store, token: &str, form: &[u8]) -> Result<Option<Preferences>, Error> {
    let Some(link) = unsubscribe::read(store, token).await? else {
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    let now = preferences::change(&mut tx, link, &wishes(form)).await?;
    tx.commit().await?;
    Ok(Some(now))
}

/// What a form says: a box that is not ticked isn't sent.
fn wishes(form: &[u8]) -> Wishes {
    let mut wishes = Wishes {
        bulk: None,
        topics: std::collections::BTreeSet::new(),
        visible_to_students: false,
    };
    for (name, value) in form_urlencoded::parse(form) {
        match name.as_ref() {
            "bulk" => wishes.bulk = Some(value == "yes"),
            "students" => wishes.visible_to_students = value == "yes",
            "topic" => wishes.topics.extend(value.parse::<MailTopicId>().ok()),
            _ => {}
        }
    }
    wishes
}

fn page(token: &str, found: &Preferences, saved: bool) -> Response {
    let topics: Vec<_> = found
        .topics
        .iter()
        .map(|(topic, wanted)| {
            context! {
                id => topic.id.to_string(), name => &topic.name, description => &topic.description, wanted,
            }
        })
        .collect();
    pages::page(
        StatusCode::OK,
        "preferences.html",
        context! {
            token, saved, topics,
            is_known => found.is_known,
            wanted => found.bulk == Bulk::Wanted,
            suppressed => matches!(found.bulk, Bulk::Suppressed(_)),
            students => found.visible_to_students,
        },
    )
}

fn unknown() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "This link is not complete",
        "It may have been cut off. Copy the whole link from the mail, or answer the mail.",
    )
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "somebody's preferences can't be shown or changed");
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side",
        "Nothing was changed. Try again in a while, or answer the mail.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_that_is_not_ticked_is_a_no() {
        let given = wishes(b"bulk=yes&topic=mtp_01h455vb4pex5vsknk084sn02q&topic=nonsense&other=1");
        assert!(given.bulk == Some(true) && !given.visible_to_students);
        assert_eq!(given.topics.len(), 1);
        assert_eq!(wishes(b"").bulk, None);
    }
}
