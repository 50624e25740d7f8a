//! Files that come as text within an operation.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Error, RefusalCode};

/// The file that an input field has in base 64, with or without `data:image/png;base64,` before it.
pub fn decoded(field: &'static str, text: &str) -> domain::Result<Vec<u8>> {
    let base64 = text
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','))
        .map_or(text, |(_, base64)| base64);
    STANDARD.decode(base64.trim()).map_err(|_| {
        Error::refused(
            RefusalCode::Invalid,
            field,
            "This is not a file in base 64.",
        )
    })
}
