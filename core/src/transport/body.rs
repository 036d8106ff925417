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
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::unix_time::{Millis, boot_clock};

const IDLE: u8 = 0;
const HANDED: u8 = 1;
const REVOKED: u8 = 2;
/// The deadline was over when the transport asked for the body.
const LATE: u8 = 3;

/// The caller's side of a body.
#[derive(Clone, Default)]
pub(crate) struct HandOver(Arc<AtomicU8>);

impl HandOver {
    /// True if the body was not handed over and now never will be: the request cannot have been executed.
    pub fn revoke(&self) -> bool {
        match self.0.compare_exchange(IDLE, REVOKED, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => true,
            Err(state) => state == REVOKED || state == LATE,
        }
    }

    /// Whether it was refused because the deadline was over.
    pub fn is_late(&self) -> bool {
        self.0.load(Ordering::SeqCst) == LATE
    }
}

/// The transport's side. It cannot be cloned, so no layer can send it twice.
pub(crate) struct OnceBody {
    data: Option<Bytes>,
    state: HandOver,
    deadline: Millis,
    lease_end: Option<Arc<AtomicI64>>,
}

impl OnceBody {
    /// `data` must not be empty: an empty body is never asked for, and would read as not sent. It is not handed over
    /// after `deadline`, nor after `lease_end` as it stands then, in milliseconds of [`boot_clock`].
    pub fn new(data: Bytes, deadline: Millis, lease_end: Option<Arc<AtomicI64>>) -> (OnceBody, HandOver) {
        let state = HandOver::default();
        (OnceBody { data: Some(data), state: state.clone(), deadline, lease_end }, state)
    }
}

impl Body for OnceBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.data.is_none() {
            return Poll::Ready(None);
        }
        // The last look. The runtime's timers do not count while the machine is suspended, and a process that was
        // stopped goes on where it was: by now another one may have taken the lease of the case.
        let lease_end = self.lease_end.as_ref().map_or(Millis::MAX, |end| end.load(Ordering::SeqCst));
        if boot_clock::now() > self.deadline.min(lease_end) {
            let _ = self.state.0.compare_exchange(IDLE, LATE, Ordering::SeqCst, Ordering::SeqCst);
            return Poll::Ready(Some(Err(io::Error::other("the deadline is over"))));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(body: &mut OnceBody) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(body).poll_frame(&mut Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn a_body_is_not_handed_over_after_the_deadline_and_counts_as_not_sent() {
        let (mut body, hand_over) = OnceBody::new(Bytes::from_static(b"x"), boot_clock::now() - 1, None);
        assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(_)))));
        assert!(hand_over.is_late() && hand_over.revoke());
        let (mut body, hand_over) = OnceBody::new(Bytes::from_static(b"x"), boot_clock::now() + 60_000, None);
        assert!(matches!(poll(&mut body), Poll::Ready(Some(Ok(_)))));
        assert!(!hand_over.is_late() && !hand_over.revoke());
    }

    #[test]
    fn a_body_is_handed_over_while_the_lease_is_renewed_and_not_after_it() {
        for (renewed_by, is_handed) in [(60_000, true), (0, false)] {
            let lease = Arc::new(AtomicI64::new(boot_clock::now() - 1));
            let (mut body, hand_over) =
                OnceBody::new(Bytes::from_static(b"x"), boot_clock::now() + 60_000, Some(lease.clone()));
            lease.fetch_add(renewed_by, Ordering::SeqCst);
            assert!(matches!(poll(&mut body), Poll::Ready(Some(done)) if done.is_ok() == is_handed));
            assert_eq!(hand_over.is_late(), !is_handed);
        }
    }
}
