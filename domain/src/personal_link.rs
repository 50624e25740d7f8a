//! Links to something for one person and a while, so that a browser, a spreadsheet program or a printer can fetch it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::UserId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{error::Result, signed_link, store::Store, suppression::AddressKey, viewer::Viewer};

/// A link, for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalLink<T> {
    /// Whose it is.
    pub user_id: UserId,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
    /// What it leads to.
    pub to: T,
}

impl<T: Serialize + DeserializeOwned> PersonalLink<T> {
    /// A link for `viewer`, and the token that says it. Whether they may have what it leads to is asked by whoever makes it,
    /// and again when it is followed.
    pub(crate) async fn make(
        store: &Store,
        viewer: &Viewer,
        purpose: &str,
        works_for: TimeDelta,
        to: T,
    ) -> Result<(String, Self)> {
        let link = Self {
            user_id: viewer.signed_in()?.id,
            expires_at: store.now() + works_for,
            to,
        };
        let key = AddressKey::load(store.reader(), store.now()).await?;
        let token = signed_link::seal(&key, purpose, &serde_json::to_vec(&link)?)?;
        Ok((token, link))
    }

    /// Reads a token: the link, and whose it is with the rights that they have now. None when it was not made here, its time
    /// is over, or the account may not be used any more.
    pub(crate) async fn open(
        store: &Store,
        purpose: &str,
        token: &str,
    ) -> Result<Option<(Self, Viewer)>> {
        let key = AddressKey::load(store.reader(), store.now()).await?;
        let Some(signed) = signed_link::open(&key, purpose, token)? else {
            return Ok(None);
        };
        let link: Self = serde_json::from_slice(&signed)?;
        if link.expires_at <= store.now() {
            return Ok(None);
        }
        let viewer = Viewer::load(store.reader(), link.user_id, None, store.now()).await?;
        Ok(viewer.map(|viewer| (link, viewer)))
    }
}
