//! Which passwords may be chosen: long ones that are hard to guess, also for somebody who knows whose they are.

use zxcvbn::{Score, zxcvbn};

use super::password;
use crate::error::{Error, Refusal, RefusalCode, Result};

/// The shortest password that can be chosen, in characters.
pub const MINIMUM_LENGTH: usize = 12;

/// The longest one, in characters.
pub const LONGEST: usize = 200;

/// A guesser who can try as often as they like needs at least ten thousand million tries.
const ENOUGH: Score = Score::Three;

/// So hard to guess must be what is left of a password without the words that are known of its owner: a million tries.
const ENOUGH_WITHOUT: Score = Score::Two;

/// What a guesser knows of somebody: name, address, organisation. Their words count against a password.
#[derive(Clone, Debug, Default)]
pub struct About(Vec<String>);

impl About {
    /// Somebody of whom these texts are known.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = Vec::new();
        for text in texts {
            words.push(text.to_lowercase());
            words.extend(
                text.split(|c: char| !c.is_alphanumeric())
                    .filter(|word| word.chars().count() > 2)
                    .map(str::to_lowercase),
            );
        }
        // The longest first, so that no word is taken apart by a shorter one.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self(words)
    }

    /// What is left of a password without what is known.
    fn rest_of(&self, chosen: &str) -> String {
        self.0
            .iter()
            .filter(|word| !word.is_empty())
            .fold(chosen.to_lowercase(), |rest, word| rest.replace(word, ""))
    }
}

/// The hash of `chosen`, or why it may not be chosen. `field` is where it was given.
pub async fn acceptable_hash(about: About, field: &'static str, chosen: String) -> Result<String> {
    if let Some(refusal) = too_short_or_long(field, &chosen) {
        return Err(Error::Refused(vec![refusal]));
    }
    let (refusal, chosen) =
        password::elsewhere(move || (weakness(&about, field, &chosen), chosen)).await?;
    match refusal {
        Some(refusal) => Err(Error::Refused(vec![refusal])),
        None => password::hash(chosen).await,
    }
}

fn too_short_or_long(field: &'static str, chosen: &str) -> Option<Refusal> {
    let length = chosen.chars().count();
    let (code, message) = if length == 0 {
        (RefusalCode::Required, "Choose a password.".to_owned())
    } else if length < MINIMUM_LENGTH {
        (
            RefusalCode::Invalid,
            format!("Choose a password of at least {MINIMUM_LENGTH} characters."),
        )
    } else if length > LONGEST {
        (
            RefusalCode::TooLong,
            format!("Choose a password of at most {LONGEST} characters."),
        )
    } else {
        return None;
    };
    Some(Refusal {
        code,
        field: Some(field),
        message,
    })
}

fn weakness(about: &About, field: &'static str, chosen: &str) -> Option<Refusal> {
    let known: Vec<&str> = about.0.iter().map(String::as_str).collect();
    let strength = zxcvbn(chosen, &known);
    let is_known = zxcvbn(&about.rest_of(chosen), &[]).score() < ENOUGH_WITHOUT;
    if strength.score() >= ENOUGH && !is_known {
        return None;
    }
    let mut message = "This password is too easy to guess.".to_owned();
    if let Some(feedback) = strength.feedback() {
        if let Some(warning) = feedback.warning() {
            message.push_str(&format!(" {warning}"));
        }
        for suggestion in feedback.suggestions() {
            message.push_str(&format!(" {suggestion}"));
        }
    }
    if is_known && strength.score() >= ENOUGH {
        message.push_str(
            " Most of it is your name, your address or your organisation: add other words.",
        );
    }
    Some(Refusal {
        code: RefusalCode::WeakPassword,
        field: Some(field),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refusal(about: &[&str], chosen: &str) -> Option<(RefusalCode, String)> {
        let about = About::of(about.iter().copied());
        match acceptable_hash(about, "newPassword", chosen.to_owned()).await {
            Ok(_) => None,
            Err(Error::Refused(refusals)) => Some((refusals[0].code, refusals[0].message.clone())),
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn a_password_has_twelve_to_two_hundred_characters() {
        let long = "Wq7-kettle-Orbit ".repeat(12);
        for (chosen, code) in [
            ("", RefusalCode::Required),
            ("kT9 vq3-Zsh", RefusalCode::Invalid),
            (long.as_str(), RefusalCode::TooLong),
        ] {
            assert_eq!(refusal(&[], chosen).await.unwrap().0, code, "{chosen:?}");
        }
        assert_eq!(refusal(&[], &long[..200]).await, None);
    }

    #[tokio::test]
    async fn a_common_password_is_refused_with_advice() {
        let (code, message) = refusal(&[], "password1234").await.unwrap();
        assert_eq!(code, RefusalCode::WeakPassword);
        assert!(
            message.len() > "This password is too easy to guess.".len(),
            "{message}"
        );
    }

    #[tokio::test]
    async fn what_is_known_of_somebody_counts_against_their_password() {
        let chosen = "quillfeather.okonkwo";
        assert_eq!(refusal(&[], chosen).await, None);
        let about = ["Ada Okonkwo", "ada@quillfeather.example"];
        assert_eq!(
            refusal(&about, chosen).await.unwrap().0,
            RefusalCode::WeakPassword
        );
        // A word of theirs among others does no harm.
        assert_eq!(
            refusal(&about, "okonkwo sings under seven lanterns").await,
            None
        );
    }
}
