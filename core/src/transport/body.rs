//! A request body that knows whether it was handed over, and that can be called back.
//!
//! hyper asks for the body only on an established connection, and takes it whole before the first
//! byte is written. So "never handed over" proves that the vendor cannot hold a complete request,
//! and "handed over" means that it may. A plain flag is not enough: a cancelled call's body may
//! still be polled by the connection's task afterwards. Hence one compare-exchange decides the race
//! between the hand-over and the caller who revokes it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

const IDLE: u8 = 0;
const HANDED: u8 = 1;
const REVOKED: u8 = 2;

/// The caller's side of a body.
#[derive(Clone, Default)]
pub(crate) struct HandOver(Arc<AtomicU8>);

impl HandOver {
    /// True if the body was not handed over and now never will be: the request cannot have been executed.
    pub fn revoke(&self) -> bool {
        match self.0.compare_exchange(IDLE, REVOKED, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => true,
            Err(state) => state == REVOKED,
        }
    }
}

/// The transport's side. It cannot be cloned, so no layer can send it twice.
pub(crate) struct OnceBody {
    data: Option<Bytes>,
    state: HandOver,
}

impl OnceBody {
    /// `data` must not be empty: an empty body is never asked for, and would read as not sent.
    pub fn new(data: Bytes) -> (OnceBody, HandOver) {
        let state = HandOver::default();
        (OnceBody { data: Some(data), state: state.clone() }, state)
    }
}

impl Body for OnceBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.data.is_none() {
            return Poll::Ready(None);
        }
        if self.state.0.compare_exchange(IDLE, HANDED, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            // hyper aborts the connection; a Content-Length was announced, so the server has no whole request.
            return Poll::Ready(Some(Err(io::Error::other("revoked"))));
        }
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |d| d.len() as u64))
    }
}
