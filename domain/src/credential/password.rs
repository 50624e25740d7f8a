//! Passwords: argon2id with the parameters that its crate takes from OWASP's advice.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier},
};
use tokio::{sync::Semaphore, task};

use crate::error::{Error, Result};

/// Each hash takes 19 MiB: this bounds the memory that a rush of sign-ins can take.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// What an unknown account is compared with, so that it costs as long as a known one.
static NOBODY: LazyLock<Option<String>> =
    LazyLock::new(|| hash_now("nobody has this password").ok());

/// The hash of `password`, in PHC form.
pub async fn hash(password: String) -> Result<String> {
    elsewhere(move || hash_now(&password)).await?
}

/// Whether `password` is the one that `stored` is the hash of. Takes as long when there is no hash.
pub async fn matches(password: String, stored: Option<String>) -> Result<bool> {
    elsewhere(move || {
        let known = stored.is_some();
        let hash = stored.or_else(|| NOBODY.clone()).unwrap_or_default();
        Argon2::default()
            .verify_password(password.as_bytes(), hash.as_str())
            .is_ok()
            && known
    })
    .await
}

fn hash_now(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Fault(format!("a password can't be hashed: {error}")))
}

/// Hashing is long work: it is done away from the threads that serve.
pub(super) async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let permit = AT_ONCE
        .acquire()
        .await
        .map_err(|error| Error::Fault(error.to_string()))?;
    // The permit goes along: whoever asked may be gone before the work is done.
    task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    })
    .await
    .map_err(|error| Error::Fault(format!("hashing a password failed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_and_no_other() {
        let stored = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(
            matches("correct horse battery".to_owned(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !matches("correct horse batterz".to_owned(), Some(stored))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        assert!(
            !matches("nobody has this password".to_owned(), None)
                .await
                .unwrap()
        );
    }
}
