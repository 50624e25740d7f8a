//! Links in mails that work without signing in: some bytes and a signature, in one word of an address.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{error::Result, suppression::AddressKey};

/// How much of the signature a link holds, in bytes.
const SIGNATURE: usize = 16;

/// The word for these bytes. The purpose keeps a link of one kind from passing for another.
pub fn token(key: &AddressKey, purpose: &str, mut bytes: Vec<u8>) -> Result<String> {
    let signature = key.sign(purpose, &bytes)?;
    bytes.extend_from_slice(&signature[..SIGNATURE]);
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The bytes of a word that was made here for this purpose; `None` for every other.
pub fn opened<const N: usize>(
    key: &AddressKey,
    purpose: &str,
    token: &str,
) -> Result<Option<[u8; N]>> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else {
        return Ok(None);
    };
    let Some((signed, signature)) = bytes.split_at_checked(N) else {
        return Ok(None);
    };
    let expected = key.sign(purpose, signed)?;
    // Every byte is looked at, so that the time it takes tells nothing.
    let differs = signature.len() != SIGNATURE
        || expected
            .iter()
            .zip(signature)
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            != 0;
    if differs {
        return Ok(None);
    }
    Ok(signed.try_into().ok())
}
