//! The code on a ticket, which is read out or typed at the door.

/// Crockford's base 32: no letter looks like a digit, and none spells words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 60 random bits: a code can't be guessed, and no two meet.
pub(crate) const LENGTH: usize = 12;

/// A new code, as it is stored.
#[must_use]
pub fn new_code() -> String {
    let bytes: [u8; LENGTH] = rand::random();
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect()
}

/// A code as people read it, in groups: `7K3M-9QTX-04BD`.
#[must_use]
pub fn shown(code: &str) -> String {
    let mut shown = String::with_capacity(LENGTH + 2);
    for (at, sign) in code.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            shown.push('-');
        }
        shown.push(sign);
    }
    shown
}

/// A code as it is stored, however it was typed: in small letters, with blanks or hyphens, with O for 0, I or L for 1.
#[must_use]
pub(crate) fn read(given: &str) -> String {
    given
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|sign| match sign.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let code = new_code();
        assert_eq!(code.len(), LENGTH);
        assert_eq!(read(&shown(&code)), code);
        assert_eq!(read(&shown(&code).to_lowercase()), code);
        assert_eq!(read(" oiL1-7k3m "), "01117K3M");
    }

    #[test]
    fn codes_differ() {
        assert_ne!(new_code(), new_code());
    }
}
