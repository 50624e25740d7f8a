//! How much a request may bring, and how long it may take to bring it.

use std::{io, pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use poem::{
    Body, Endpoint, Request, Response,
    http::{
        Method,
        header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    },
};
use tokio::time::{Instant, timeout_at};

/// How long a body may be, in bytes.
pub const LONGEST_BODY: usize = 1_000_000;

/// Gives the routes a body that ends in an error when it is longer than [`LONGEST_BODY`] or isn't there after `within`.
pub async fn within_limits<E: Endpoint<Output = Response>>(
    routes: Arc<E>,
    mut req: Request,
    within: Duration,
) -> poem::Result<Response> {
    let has_body = req.method() != Method::GET
        && (req.headers().contains_key(CONTENT_LENGTH)
            || req.headers().contains_key(TRANSFER_ENCODING)
            || req.version() == poem::http::Version::HTTP_2);
    if has_body {
        let body = req.take_body().into_bytes_stream();
        req.set_body(Body::from_bytes_stream(limited(body, within)));
    }
    routes.call(req).await
}

/// The stream, until it is too long or too late.
fn limited<B: AsRef<[u8]> + Send + 'static>(
    body: impl Stream<Item = io::Result<B>> + Send + 'static,
    within: Duration,
) -> impl Stream<Item = io::Result<B>> + Send + 'static {
    type Rest<B> = Pin<Box<dyn Stream<Item = io::Result<B>> + Send>>;
    let rest: Rest<B> = Box::pin(body);
    let deadline = Instant::now() + within;
    stream::unfold(Some((rest, 0_usize)), move |state| async move {
        let (mut rest, so_far) = state?;
        match timeout_at(deadline, rest.next()).await {
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
            Ok(Some(Ok(part))) => {
                let so_far = so_far + part.as_ref().len();
                if so_far > LONGEST_BODY {
                    Some((Err(io::ErrorKind::FileTooLarge.into()), None))
                } else {
                    Some((Ok(part), Some((rest, so_far))))
                }
            }
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(parts: Vec<Vec<u8>>, pause: Duration) -> Result<usize, io::ErrorKind> {
        let body = stream::iter(parts).then(move |part| async move {
            tokio::time::sleep(pause).await;
            Ok(part)
        });
        let mut body = Box::pin(limited(body, Duration::from_secs(10)));
        let mut read = 0;
        while let Some(part) = body.next().await {
            read += part.map_err(|error| error.kind())?.len();
        }
        Ok(read)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_as_long_as_the_limit_and_take_as_long() {
        let parts = vec![vec![0; LONGEST_BODY / 4]; 4];
        assert_eq!(read(parts, Duration::from_secs(2)).await, Ok(LONGEST_BODY));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_longer_or_slower_is_not_read_to_its_end() {
        let too_long = vec![vec![0; LONGEST_BODY / 4 + 1]; 4];
        assert_eq!(
            read(too_long, Duration::ZERO).await,
            Err(io::ErrorKind::FileTooLarge)
        );
        // Each part comes in good time; all of them together don't.
        let too_slow = vec![vec![0]; 11];
        assert_eq!(
            read(too_slow, Duration::from_secs(1)).await,
            Err(io::ErrorKind::TimedOut)
        );
    }
}
