//! Links that work for whoever has them, because nobody else can make them: what they say, with a signature.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{error::Result, suppression::AddressKey};

/// How much of the signature a link holds, in bytes.
const SIGNATURE: usize = 16;

/// The token that says `message`. A token for one purpose is none for another.
pub fn seal(key: &AddressKey, purpose: &str, message: &[u8]) -> Result<String> {
    let signature = key.sign(purpose, message)?;
    Ok(URL_SAFE_NO_PAD.encode([message, &signature[..SIGNATURE]].concat()))
}

/// What a token says; `None` when it was not made here, or was altered.
pub fn open(key: &AddressKey, purpose: &str, token: &str) -> Result<Option<Vec<u8>>> {
    let Ok(mut message) = URL_SAFE_NO_PAD.decode(token) else {
        return Ok(None);
    };
    let Some(length) = message.len().checked_sub(SIGNATURE) else {
        return Ok(None);
    };
    let signature = message.split_off(length);
    let is_ours = key.is_signed(purpose, &message, &signature)?;
    Ok(is_ours.then_some(message))
}
