//! Makes a descriptor of the host's loop readable: a socket pair with at most one byte in it.
//!
//! The end that the host reads is lent as a duplicate. A host that closes it, or whose stream reads the byte, breaks
//! nothing: the library's own two ends stay, and every descriptor is compared with what it was before it is used, since
//! a host may close numbers that are not its own, and get them back for something else.

#[cfg(unix)]
pub(super) use unix::Readable;

#[cfg(not(unix))]
pub(super) use elsewhere::Readable;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
    use std::os::unix::net::UnixStream;
    use std::sync::Mutex;

    use nix::sys::socket::{MsgFlags, Shutdown, recv, send, shutdown};
    use nix::sys::stat::fstat;

    /// A descriptor and the socket that it is.
    struct Own {
        stream: Mutex<Option<UnixStream>>,
        number: RawFd,
        inode: u64,
        device: u64,
    }

    impl Own {
        fn new(stream: UnixStream) -> io::Result<Own> {
            let stat = fstat(&stream)?;
            let number = stream.as_raw_fd();
            Ok(Own { stream: Mutex::new(Some(stream)), number, inode: stat.st_ino, device: stat.st_dev })
        }

        fn is_still(&self, stream: &UnixStream) -> bool {
            fstat(stream).is_ok_and(|stat| stat.st_ino == self.inode && stat.st_dev == self.device)
        }

        /// Uses the descriptor, if it still is that socket.
        fn with(&self, use_it: impl FnOnce(RawFd)) {
            // Held by nobody but in a child that was forked while it was: nothing is done there.
            let Ok(guard) = self.stream.try_lock() else { return };
            if let Some(stream) = guard.as_ref().filter(|stream| self.is_still(stream)) {
                use_it(stream.as_raw_fd());
            }
        }

        fn close(&self) {
            let Ok(mut guard) = self.stream.try_lock() else { return };
            if let Some(stream) = guard.take()
                && !self.is_still(&stream)
            {
                // The number is not ours any more, or nobody's.
                let _ = stream.into_raw_fd();
            }
        }
    }

    /// See the module.
    pub(in super::super) struct Readable {
        write: Own,
        read: Own,
        lent: Own,
    }

    impl Readable {
        pub fn new() -> io::Result<Readable> {
            let (write, read) = UnixStream::pair()?;
            write.set_nonblocking(true)?;
            read.set_nonblocking(true)?;
            let lent = read.try_clone()?;
            Ok(Readable { write: Own::new(write)?, read: Own::new(read)?, lent: Own::new(lent)? })
        }

        /// What the host's loop watches; the same for the life of the queue.
        pub fn lent(&self) -> i32 {
            self.lent.number
        }

        /// Makes it readable.
        pub fn set(&self) {
            self.write.with(|fd| {
                let _ = send(fd, &[1], MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT);
            });
        }

        /// Takes back what [`Readable::set`] wrote, unless the host has read it.
        pub fn clear(&self) {
            // There is never more than one byte.
            self.read.with(|fd| {
                let _ = recv(fd, &mut [0; 16], MsgFlags::MSG_DONTWAIT);
            });
        }

        /// Makes it readable for ever: a byte, and the end of the stream behind it.
        pub fn set_for_ever(&self) {
            self.set();
            self.write.with(|fd| {
                let _ = shutdown(fd, Shutdown::Write);
            });
        }

        /// Closes all three ends; those of a forked child are its own.
        pub fn close(&self) {
            [&self.write, &self.read, &self.lent].into_iter().for_each(Own::close);
        }
    }

    impl Drop for Readable {
        fn drop(&mut self) {
            self.close();
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    /// There is no descriptor for a loop here; one thread waits in `next` instead.
    pub(in super::super) struct Readable;

    impl Readable {
        pub fn new() -> std::io::Result<Readable> {
            Ok(Readable)
        }

        pub fn lent(&self) -> i32 {
            -1
        }

        pub fn set(&self) {}

        pub fn clear(&self) {}

        pub fn set_for_ever(&self) {}

        pub fn close(&self) {}
    }
}
