//! How many connections each network address has.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use domain::session::subscriber;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The connections that are open, by where they come from.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    most: Option<u32>,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl Crowd {
    /// With so many places for each address.
    pub(super) fn new(most: Option<u32>) -> Self {
        Self {
            most,
            open: Arc::default(),
        }
    }

    /// A place for one more connection, if there is one.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Place> {
        let address = subscriber(address);
        if let Some(most) = self.most {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let connections = open.entry(address).or_default();
            if *connections >= most {
                return None;
            }
            *connections += 1;
        }
        Some(Place {
            crowd: self.clone(),
            address,
        })
    }

    fn leave(&self, address: IpAddr) {
        if self.most.is_none() {
            return;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = open.get_mut(&address) {
            *connections -= 1;
            if *connections == 0 {
                open.remove(&address);
            }
        }
    }
}

/// The place of one connection, free again when this goes.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Crowd,
    address: IpAddr,
}

impl Place {
    /// Ties the place to its connection, whatever becomes of that: a WebSocket keeps it too.
    pub(super) fn with<T>(self, inner: T) -> Placed<T> {
        Placed {
            inner,
            _place: self,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.leave(self.address);
    }
}

/// A connection with its place.
#[derive(Debug)]
pub(super) struct Placed<T> {
    inner: T,
    _place: Place,
}

impl<T> Placed<T> {
    /// The connection itself.
    pub(super) fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Placed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Placed<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_number_of_places_and_no_more_and_gets_them_back() {
        let crowd = Crowd::new(Some(2));
        let here: IpAddr = [127, 0, 0, 1].into();
        let first = crowd.enter(here).unwrap();
        let _second = crowd.enter("::ffff:127.0.0.1".parse().unwrap()).unwrap();
        assert!(crowd.enter(here).is_none());
        assert!(crowd.enter([127, 0, 0, 2].into()).is_some());
        drop(first);
        assert!(crowd.enter(here).is_some());
        assert_eq!(crowd.open.lock().unwrap().len(), 1, "who left is forgotten");
    }

    #[test]
    fn without_a_number_there_is_room_for_all() {
        let crowd = Crowd::new(None);
        let places: Vec<_> = (0..1_000)
            .filter_map(|_| crowd.enter([127, 0, 0, 1].into()))
            .collect();
        assert_eq!(places.len(), 1_000);
    }
}
