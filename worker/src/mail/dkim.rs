//! Signatures on mails (DKIM, RFC 6376), where the relay doesn't make them.
//!
//! What recipients' programs act on is signed: with the sender and the subject also the two headers of one-click unsubscribing,
//! which RFC 8058 asks for.

use std::fmt;

use lettre::message::{
    Message,
    dkim::{
        DkimCanonicalization, DkimCanonicalizationType, DkimConfig, DkimSigningAlgorithm,
        DkimSigningKey,
    },
    header::HeaderName,
};

/// What is signed besides the text.
const HEADERS: [&str; 10] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// How the file of an RSA key begins.
const PEM: &str = "-----BEGIN";

/// Signs mails for a domain.
pub struct Signature(DkimConfig);

/// A key that can't be used. Never repeats it.
#[derive(Debug, thiserror::Error)]
#[error("it is neither an RSA key in PEM (PKCS #1) nor the 32 bytes of an Ed25519 key in base 64")]
pub struct KeyError;

impl Signature {
    /// Signs for `domain` with this key, which is published under `selector`.
    pub fn new(domain: &str, selector: &str, key: &str) -> Result<Self, KeyError> {
        let key = key.trim();
        let algorithm = if key.starts_with(PEM) {
            DkimSigningAlgorithm::Rsa
        } else {
            DkimSigningAlgorithm::Ed25519
        };
        let key = DkimSigningKey::new(key, algorithm).map_err(|_| KeyError)?;
        // Relays fold headers anew, and a signature has to outlive that.
        let relaxed = DkimCanonicalization {
            header: DkimCanonicalizationType::Relaxed,
            body: DkimCanonicalizationType::Relaxed,
        };
        let headers = HEADERS.map(HeaderName::new_from_ascii_str).to_vec();
        let (domain, selector) = (domain.to_owned(), selector.to_owned());
        Ok(Self(DkimConfig::new(
            selector, domain, key, headers, relaxed,
        )))
    }

    /// Signs a mail.
    pub(super) fn sign(&self, message: &mut Message) {
        message.sign(&self.0);
    }
}

/// Without the key.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use ed25519_dalek::{Signature as Bytes, SigningKey, Verifier};
    use sha2::{Digest, Sha256};

    use super::*;

    const SEED: [u8; 32] = [7; 32];

    fn mail() -> Message {
        lettre::Message::builder()
            .from("Careers Centre <careers@university.test>".parse().unwrap())
            .to("Rosa Martin <rosa@employer.test>".parse().unwrap())
            .subject("A subject that is so long that it is folded somewhere on its way to the recipient, or even twice")
            .body("Dear  Rosa,\r\n\r\ncome to our fair. \r\n\r\n\r\n".to_owned())
            .unwrap()
    }

    /// Headers and body of a mail as it goes out; each header on one line, with its name in lower case.
    fn taken_apart(raw: &str) -> (Vec<(String, String)>, &str) {
        let (head, body) = raw.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers = unfolded
            .split("\r\n")
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
                (name.to_lowercase(), value)
            })
            .collect();
        (headers, body)
    }

    /// The body as RFC 6376, 3.4.4 has it.
    fn relaxed(body: &str) -> String {
        let lines: Vec<String> = body
            .split("\r\n")
            .map(|line| {
                let words: Vec<&str> = line
                    .split([' ', '\t'])
                    .filter(|word| !word.is_empty())
                    .collect();
                words.join(" ")
            })
            .collect();
        format!("{}\r\n", lines.join("\r\n").trim_end_matches("\r\n"))
    }

    /// Whether the signature of a mail holds, by the steps of RFC 6376, 6.1.3.
    fn holds(raw: &str) -> bool {
        let (headers, body) = taken_apart(raw);
        let value = |name: &str| {
            headers
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let signature = value("dkim-signature").unwrap();
        let tag = |name: &str| {
            signature
                .split(';')
                .filter_map(|tag| tag.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.replace(' ', ""))
                .unwrap()
        };
        if tag("bh") != STANDARD.encode(Sha256::digest(relaxed(body))) {
            return false;
        }
        let mut signed = String::new();
        for name in tag("h").split(':') {
            if let Some(value) = value(name) {
                signed += &format!("{name}:{value}\r\n");
            }
        }
        let (without, _) = signature.rsplit_once("b=").unwrap();
        signed += &format!("dkim-signature:{without}b=");
        let bytes = Bytes::from_slice(&STANDARD.decode(tag("b")).unwrap()).unwrap();
        let key = SigningKey::from_bytes(&SEED).verifying_key();
        key.verify(&Sha256::digest(signed), &bytes).is_ok()
    }

    fn signed() -> String {
        let signature =
            Signature::new("university.test", "careers", &STANDARD.encode(SEED)).unwrap();
        let mut mail = mail();
        signature.sign(&mut mail);
        String::from_utf8(mail.formatted()).unwrap()
    }

    #[test]
    fn the_signature_of_a_mail_holds_and_that_of_another_does_not() {
        let raw = signed();
        assert!(raw.contains("d=university.test; s=careers;"), "{raw}");
        assert!(holds(&raw), "{raw}");
        assert!(
            !holds(&raw.replace("our fair", "your fair")),
            "the text is signed"
        );
        assert!(
            !holds(&raw.replace("careers@university.test", "carers@university.test")),
            "and the sender"
        );
    }

    #[test]
    fn what_unsubscribes_by_one_click_is_signed() {
        let raw = signed().to_lowercase().replace("\r\n ", " ");
        for header in ["list-unsubscribe:", "list-unsubscribe-post;"] {
            assert!(raw.contains(header), "{raw}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_repeating_it() {
        for wrong in [
            "",
            "secret",
            "c2VjcmV0",
            "-----BEGIN RSA PRIVATE KEY-----\nsecret\n-----END RSA PRIVATE KEY-----",
        ] {
            let error = Signature::new("university.test", "careers", wrong).unwrap_err();
            assert!(!error.to_string().contains("secret"));
        }
    }
}
