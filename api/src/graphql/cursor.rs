//! Cursors: where a page of a list ends, sealed so that nobody can read or make one.
//!
//! A cursor holds the key of a row, which may be something that the viewer can sort by and yet not read. It is encrypted
//! and authenticated with AES-SIV (RFC 5297), which needs no random number: the same row has the same cursor in the same
//! list, from whichever process. A cursor of another list, an altered one and one that was made up are refused alike.

use std::fmt;

use aes_siv::{KeyInit, siv::Aes128Siv};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// The longest cursor that is worth a look, in characters.
const LONGEST: usize = 2_048;

/// Seals and opens cursors.
#[derive(Clone)]
pub struct Cursors {
    key: [u8; 32],
}

impl Cursors {
    /// Cursors under a key that is derived from `secret`, which all processes share. It must be too long to be guessed.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let key = Sha256::new()
            .chain_update(b"mycareer cursor\0")
            .chain_update(secret)
            .finalize();
        Self { key: key.into() }
    }

    /// The cursor of the row with this key in the list of this name.
    pub fn seal<K: Serialize>(&self, list: &str, key: &K) -> domain::Result<String> {
        let key = serde_json::to_vec(key)?;
        Aes128Siv::new(&self.key.into())
            .encrypt([list.as_bytes()], &key)
            .map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
            .map_err(|_| domain::Error::Fault("a cursor can't be sealed".to_owned()))
    }

    /// The key of the row that the cursor stands for; none when the cursor was not made for this list.
    #[must_use]
    pub fn open<K: DeserializeOwned>(&self, list: &str, cursor: &str) -> Option<K> {
        if cursor.len() > LONGEST {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let key = Aes128Siv::new(&self.key.into())
            .decrypt([list.as_bytes()], &sealed)
            .ok()?;
        serde_json::from_slice(&key).ok()
    }
}

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursors").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (String, u32) {
        ("Alphabet".to_owned(), 7)
    }

    #[test]
    fn a_cursor_opens_to_the_key_it_was_made_of() {
        let cursors = Cursors::new(b"secret");
        let cursor = cursors.seal("organisations", &key()).unwrap();
        assert_eq!(cursors.open("organisations", &cursor), Some(key()));
        assert_eq!(
            cursor,
            Cursors::new(b"secret")
                .seal("organisations", &key())
                .unwrap()
        );
    }

    #[test]
    fn a_cursor_carries_nothing_readable() {
        let cursor = Cursors::new(b"secret")
            .seal("organisations", &key())
            .unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"Alphabet"));
    }

    #[test]
    fn a_cursor_that_was_not_made_for_the_list_is_refused() {
        let cursors = Cursors::new(b"secret");
        let cursor = cursors.seal("organisations", &key()).unwrap();
        let mut altered = cursor.clone().into_bytes();
        altered[5] ^= 1;
        let altered = String::from_utf8(altered).unwrap();
        for (list, cursor) in [
            ("events", cursor.as_str()),
            ("organisations", &altered),
            ("organisations", ""),
            ("organisations", "MQ"),
            ("organisations", "é"),
        ] {
            assert_eq!(
                cursors.open::<(String, u32)>(list, cursor),
                None,
                "{list} {cursor}"
            );
        }
        assert_eq!(
            Cursors::new(b"other").open::<(String, u32)>("organisations", &cursor),
            None
        );
    }
}
