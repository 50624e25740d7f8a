//! Waiting for a condition: the one place in the tests where time passes by itself.

use std::{fmt::Debug, panic::Location, time::Duration};

use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Looks at `condition` every few milliseconds until it answers `Some`.
///
/// `what` names the condition as a clause, such as "the waiter has the place".
///
/// # Panics
/// When the condition hasn't come true within `limit`. The sentence names it and the line that waited.
#[track_caller]
pub fn until<T, C>(limit: Duration, what: &str, condition: C) -> impl Future<Output = T>
where
    C: AsyncFnMut() -> Option<T>,
{
    let caller = Location::caller();
    async move {
        timeout(limit, first_answer(condition))
            .await
            .unwrap_or_else(|_| panic!("{caller}: waited {limit:?}, and it is not so that {what}"))
    }
}

/// As [`until`], for a value that has to become equal to `expected`; the failure shows the last value seen.
///
/// # Panics
/// When the value isn't equal to `expected` within `limit`.
#[track_caller]
pub fn until_equal<T, C>(
    limit: Duration,
    what: &str,
    expected: T,
    mut value: C,
) -> impl Future<Output = ()>
where
    T: PartialEq + Debug,
    C: AsyncFnMut() -> T,
{
    let caller = Location::caller();
    async move {
        let mut last = None;
        let reached = timeout(
            limit,
            first_answer(async || {
                let seen = value().await;
                let reached = seen == expected;
                last = Some(seen);
                reached.then_some(())
            }),
        )
        .await;
        assert!(
            reached.is_ok(),
            "{caller}: waited {limit:?} for {what} to be {expected:?}; last seen: {last:?}"
        );
    }
}

async fn first_answer<T>(mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(answer) = condition().await {
            return answer;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{until, until_equal};

    #[tokio::test]
    async fn a_condition_that_comes_true_gives_its_value() {
        let mut looks = 0;
        let value = until(
            Duration::from_secs(5),
            "it was looked at thrice",
            async || {
                looks += 1;
                (looks == 3).then_some("seen")
            },
        )
        .await;
        assert_eq!(value, "seen");
    }

    #[tokio::test]
    #[should_panic(expected = "it is not so that the door is open")]
    async fn a_condition_that_never_answers_fails_with_its_words() {
        until(Duration::from_millis(20), "the door is open", async || {
            std::future::pending::<Option<()>>().await
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "the count to be 2; last seen: Some(1)")]
    async fn a_value_that_stays_wrong_is_shown() {
        until_equal(Duration::from_millis(20), "the count", 2, async || 1).await;
    }
}
