//! When a batch is full: as soon as the request it belongs to can't go on without it.
//!
//! The library's own loader waits a millisecond and then fetches what was asked for until then. On a busy machine that is
//! too short for all who ask, so that one statement becomes several; on an idle one it is a millisecond lost at every
//! level of a query. Here a request and its batches are one task, and go in rounds. The request runs until nothing in it
//! can go on; then its batches are fetched, side by side; when the last of them is there, the request goes on. What two
//! fields of one level ask for is therefore one batch, however fast each of their parents was found.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::pin,
    task::{Poll, ready},
    time::Duration,
};

use async_graphql::runtime::Timer;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, ready},
    stream::FuturesUnordered,
    task::{FutureObj, Spawn, SpawnError},
};

tokio::task_local! {
    /// The batches that the request in hand has asked for and that have not begun.
    static ASKED_FOR: RefCell<Vec<FutureObj<'static, ()>>>;
}

/// Carries out a request; batches that are [spawned](Batches) meanwhile are fetched whenever it can't go on.
pub async fn together<F: Future>(request: F) -> F::Output {
    let work = async move {
        let mut request = pin!(request);
        let mut fetching = FuturesUnordered::new();
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(output) = request.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                fetching.extend(ASKED_FOR.with(RefCell::take));
                if fetching.is_empty() {
                    return Poll::Pending;
                }
                while ready!(fetching.poll_next_unpin(cx)).is_some() {}
            }
        })
        .await
    };
    ASKED_FOR.scope(RefCell::default(), work).await
}

/// Has batches fetched by the [`together`] around the request; by a task of their own where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batches;

impl Spawn for Batches {
    fn spawn_obj(&self, batch: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let mut batch = Some(batch);
        let _ = ASKED_FOR.try_with(|asked_for| asked_for.borrow_mut().extend(batch.take()));
        if let Some(batch) = batch {
            tokio::spawn(batch);
        }
        Ok(())
    }
}

impl Timer for Batches {
    fn delay(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Within `together` everybody has asked when a batch begins.
        if ASKED_FOR.try_with(|_| ()).is_ok() {
            ready(()).boxed()
        } else {
            tokio::time::sleep(duration).boxed()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        sync::{Arc, Mutex},
    };

    use async_graphql::dataloader::{DataLoader, Loader};
    use futures_util::future::join_all;

    use super::*;

    /// Doubles numbers, and keeps how many it was asked for at once.
    #[derive(Clone, Default)]
    struct Doubles(Arc<Mutex<Vec<usize>>>);

    impl Loader<u64> for Doubles {
        type Value = u64;
        type Error = ();

        async fn load(&self, keys: &[u64]) -> Result<HashMap<u64, u64>, ()> {
            self.0.lock().unwrap().push(keys.len());
            // As a database would, it lets others go first.
            tokio::task::yield_now().await;
            Ok(keys.iter().map(|key| (*key, key * 2)).collect())
        }
    }

    async fn twice_doubled(loader: &DataLoader<Doubles>, count: u64) -> Vec<u64> {
        join_all((0..count).map(|number| async move {
            let doubled = loader.load_one(number).await.unwrap().unwrap();
            loader.load_one(1_000 + doubled).await.unwrap().unwrap()
        }))
        .await
    }

    #[tokio::test]
    async fn what_a_request_asks_for_at_one_level_is_one_batch() {
        let doubles = Doubles::default();
        let loader = DataLoader::new(doubles.clone(), Batches, Batches);
        let found = together(twice_doubled(&loader, 200)).await;
        assert_eq!(found[199], 2 * (1_000 + 2 * 199));
        assert_eq!(*doubles.0.lock().unwrap(), [200, 200]);
    }

    #[tokio::test]
    async fn what_two_fields_ask_for_is_one_batch_when_one_of_their_parents_is_found_later() {
        /// Finds parents at different moments.
        struct Slowly(usize);
        impl Loader<u64> for Slowly {
            type Value = u64;
            type Error = ();

            async fn load(&self, keys: &[u64]) -> Result<HashMap<u64, u64>, ()> {
                for _ in 0..self.0 {
                    tokio::task::yield_now().await;
                }
                Ok(keys.iter().map(|key| (*key, *key)).collect())
            }
        }
        let doubles = Doubles::default();
        let children = DataLoader::new(doubles.clone(), Batches, Batches);
        let child_of = async |parents: &DataLoader<Slowly>, key: u64| {
            let parent = parents.load_one(key).await.unwrap().unwrap();
            children.load_one(parent).await.unwrap().unwrap()
        };
        let soon = DataLoader::new(Slowly(1), Batches, Batches);
        let late = DataLoader::new(Slowly(50), Batches, Batches);
        let found = together(async {
            tokio::join!(child_of(&soon, 1), child_of(&late, 2))
        })
        .await;
        assert_eq!(found, (2, 4));
        assert_eq!(*doubles.0.lock().unwrap(), [2]);
    }

    #[tokio::test]
    async fn without_a_request_around_it_a_batch_is_fetched_all_the_same() {
        let doubles = Doubles::default();
        let loader = DataLoader::new(doubles.clone(), Batches, Batches);
        assert_eq!(twice_doubled(&loader, 2).await, [2_000, 2_004]);
    }

    #[tokio::test]
    async fn requests_do_not_mix() {
        let doubles = Doubles::default();
        let loader = DataLoader::new(doubles.clone(), Batches, Batches);
        let other = DataLoader::new(Doubles::default(), Batches, Batches);
        let (first, second) = tokio::join!(
            together(twice_doubled(&loader, 2)),
            together(twice_doubled(&other, 3)),
        );
        assert_eq!((first.len(), second.len()), (2, 3));
        assert_eq!(*doubles.0.lock().unwrap(), [2, 2]);
    }
}
