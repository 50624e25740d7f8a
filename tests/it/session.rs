//! Signing in, below HTTP: passwords, tokens, sessions, limits.

mod revocation;

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode, Store,
    session::{self, ACCESS_TOKEN_LIFETIME, KEY_RIPENS, Keyring, Tokens},
};
use entity::{session as sessions, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use support::{TestBed, on_both_columns};

const EMAIL: &str = "ann.lee@example.test";
const PASSWORD: &str = "a long enough password";

async fn store_with_ann(bed: &TestBed) -> (Store, Keyring) {
    let store = bed.store().await;
    let keyring = Keyring::open(&store).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    session::create_administrator(&mut tx, EMAIL, "Ann Lee", PASSWORD.to_owned())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    (store, keyring)
}

async fn sign_in(store: &Store, keyring: &Keyring, password: &str) -> Result<Tokens, Error> {
    session::sign_in(
        store,
        keyring,
        EMAIL,
        password.to_owned(),
        Some([192, 0, 2, 1].into()),
    )
    .await
}

fn is_wrong_credentials(result: &Result<Tokens, Error>) -> bool {
    matches!(result, Err(Error::Refused(refusals)) if refusals[0].code == RefusalCode::WrongCredentials)
}

on_both_columns! {
    async fn the_right_password_signs_in_and_a_wrong_one_does_not(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        assert!(is_wrong_credentials(&sign_in(&store, &keyring, "a wrong password").await));
        let unknown = session::sign_in(&store, &keyring, "nobody@example.test", PASSWORD.to_owned(), None).await;
        assert!(is_wrong_credentials(&unknown));

        let tokens = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let viewer = session::authenticate(&store, &keyring, &tokens.access_token).await.unwrap();
        assert_eq!(viewer.user_id(), Some(tokens.user_id));
        assert!(viewer.is_administrator());
    }

    async fn an_access_token_expires(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let tokens = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        bed.clock().advance(ACCESS_TOKEN_LIFETIME - TimeDelta::seconds(1));
        session::authenticate(&store, &keyring, &tokens.access_token).await.unwrap();
        bed.clock().advance(TimeDelta::seconds(1));
        let error = session::authenticate(&store, &keyring, &tokens.access_token).await.unwrap_err();
        assert!(matches!(&error, Error::Unauthenticated(why) if why.contains("expired")), "{error}");
    }

    async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let first = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let second = session::refresh(&store, &keyring, &first.refresh_token).await.unwrap();
        session::authenticate(&store, &keyring, &second.access_token).await.unwrap();

        let reused = session::refresh(&store, &keyring, &first.refresh_token).await;
        assert!(matches!(reused, Err(Error::Unauthenticated(_))));
        for attempt in [
            session::authenticate(&store, &keyring, &second.access_token).await.err(),
            session::refresh(&store, &keyring, &second.refresh_token).await.err(),
        ] {
            assert!(matches!(attempt, Some(Error::Unauthenticated(_))), "{attempt:?}");
        }
        let ended = sessions::Entity::find_by_id(first.session_id).one(store.reader()).await.unwrap().unwrap();
        assert_eq!(ended.end_reason, Some(sessions::SessionEnd::RefreshReused));
    }

    async fn of_two_exchanges_at_once_one_succeeds(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let tokens = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let attempts = futures_util::future::join_all(
            (0..8).map(|_| session::refresh(&store, &keyring, &tokens.refresh_token)),
        )
        .await;
        assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1);
    }

    async fn a_session_that_was_signed_out_is_over_at_once(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let tokens = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let viewer = session::authenticate(&store, &keyring, &tokens.access_token).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        session::sign_out(&mut tx, &viewer).await.unwrap();
        tx.commit().await.unwrap();
        assert!(session::authenticate(&store, &keyring, &tokens.access_token).await.is_err());
        assert!(session::still_signed_in(&store, &viewer).await.is_err());
    }

    async fn revoking_all_sessions_ends_every_token(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let tokens = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        session::revoke_all(&mut tx, tokens.user_id).await.unwrap();
        tx.commit().await.unwrap();
        assert!(session::authenticate(&store, &keyring, &tokens.access_token).await.is_err());
        assert!(session::refresh(&store, &keyring, &tokens.refresh_token).await.is_err());
        sign_in(&store, &keyring, PASSWORD).await.unwrap();
    }

    async fn a_suspended_account_is_closed_at_the_next_request(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let tokens = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let mut account = user::Entity::find_by_id(tokens.user_id)
            .one(store.reader()).await.unwrap().unwrap().into_active_model();
        account.state = Set(user::UserState::Suspended);
        account.update(store.reader()).await.unwrap();
        assert!(session::authenticate(&store, &keyring, &tokens.access_token).await.is_err());
        assert!(is_wrong_credentials(&sign_in(&store, &keyring, PASSWORD).await));
    }

    async fn ten_wrong_passwords_close_an_account_for_a_while_even_all_at_once(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let tries = futures_util::future::join_all((0..14).map(|_| sign_in(&store, &keyring, "wrong"))).await;
        let wrong = tries.iter().filter(|attempt| is_wrong_credentials(attempt)).count();
        let refused = tries.iter().filter(|attempt| matches!(attempt, Err(Error::TooMany { .. }))).count();
        assert_eq!((wrong, refused), (10, 4));

        let Err(Error::TooMany { retry_after_seconds }) = sign_in(&store, &keyring, PASSWORD).await else {
            panic!("the right password must wait too");
        };
        assert!((1..=900).contains(&retry_after_seconds), "{retry_after_seconds}");
        bed.clock().advance(TimeDelta::seconds(retry_after_seconds));
        sign_in(&store, &keyring, PASSWORD).await.unwrap();
    }

    async fn good_sign_ins_do_not_count_towards_the_limit(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        for _ in 0..12 {
            sign_in(&store, &keyring, PASSWORD).await.unwrap();
        }
    }

    async fn a_new_key_is_taken_up_by_every_process_and_nobody_is_signed_out(bed: TestBed) {
        let (store, keyring) = store_with_ann(&bed).await;
        let old = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let key_of = |tokens: &Tokens| jsonwebtoken::decode_header(&tokens.access_token).unwrap().kid;
        bed.clock().advance(TimeDelta::seconds(1));
        Keyring::rotate(&store).await.unwrap();
        let started = Keyring::open(&store).await.unwrap();
        // Not every process knows the new key yet, so nobody signs with it.
        assert_eq!(key_of(&sign_in(&store, &started, PASSWORD).await.unwrap()), key_of(&old));
        bed.clock().advance(KEY_RIPENS);
        let new = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        assert_ne!(key_of(&new), key_of(&old));
        assert_eq!(key_of(&sign_in(&store, &started, PASSWORD).await.unwrap()), key_of(&new));
        let late = Keyring::open(&store).await.unwrap();
        for keys in [&keyring, &started, &late] {
            for token in [&old, &new] {
                session::authenticate(&store, keys, &token.access_token).await.unwrap();
            }
        }
        // A token with a key that nobody has makes no process forget those it knows.
        let odd = old.access_token.replacen("eyJ", "eyK", 1);
        assert!(session::authenticate(&store, &keyring, &odd).await.is_err());
        session::authenticate(&store, &keyring, &new.access_token).await.unwrap();
    }
}
