//! A proxy between a host and a server, whose fault strikes at a counted message.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Result, lock};

/// What happens to the connections of a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// They end, and new ones are ended at once.
    Closed,
    /// Nothing passes in these directions; nobody is told.
    Swallowed { requests: bool, replies: bool },
    /// What is sent arrives late, in both directions.
    Delayed(Duration),
}

/// When, counted from [`Gate::arm`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// Before the nth message of the host is passed on.
    Before(usize),
    /// After it was passed on.
    After(usize),
    /// Before the reply to it is passed on.
    Reply(usize),
}

type Strike = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    /// Messages of the host since the last [`Gate::arm`].
    seen: AtomicUsize,
    armed: Mutex<Option<(Moment, Strike)>>,
    cut: Mutex<Option<(Cut, Instant)>>,
    stopped: AtomicBool,
}

/// A listener that passes connections on.
pub struct Gate {
    address: SocketAddr,
    state: Arc<State>,
}

/// Opens and closes the connections of a [`Gate`].
#[derive(Clone)]
pub struct Barrier(Arc<State>);

impl Barrier {
    /// Cuts what passes for so long.
    pub fn cut(&self, cut: Cut, lasts: Duration) {
        *lock(&self.0.cut) = Some((cut, Instant::now() + lasts));
    }
}

impl Gate {
    /// A proxy before a port of the loopback interface.
    pub fn start(port: u16) -> Result<Gate> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, state) = (listener.local_addr()?, Arc::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::Acquire) {
                    return;
                }
                let state = shared.clone();
                thread::spawn(move || state.serve(client, port));
            }
        });
        Ok(Gate { address, state })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The connections, for a fault that is not counted.
    pub fn barrier(&self) -> Barrier {
        Barrier(self.state.clone())
    }

    /// Waits until the connections pass again.
    pub fn wait_until_open(&self) {
        while self.state.now().is_some() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Counts anew, and calls `strike` at that moment.
    pub fn arm(&self, moment: Moment, strike: impl FnOnce() + Send + 'static) {
        let mut armed = lock(&self.state.armed);
        self.state.seen.store(0, Ordering::SeqCst);
        *armed = Some((moment, Box::new(strike)));
    }

    /// Forgets a fault that did not strike.
    pub fn disarm(&self) {
        lock(&self.state.armed).take();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Release);
        TcpStream::connect(self.address).ok();
    }
}

impl State {
    fn serve(self: Arc<State>, client: TcpStream, port: u16) {
        // Nobody answers, or the connection ends, as long as nothing passes.
        if !matches!(self.now(), None | Some(Cut::Delayed(_))) {
            self.wait_for_end();
            return;
        }
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return };
        client.set_nodelay(true).ok();
        server.set_nodelay(true).ok();
        let (Ok(back), Ok(forth)) = (server.try_clone(), client.try_clone()) else { return };
        let is_whole = Arc::new(AtomicBool::new(true));
        let (state, whole) = (self.clone(), is_whole.clone());
        thread::spawn(move || state.pump(back, forth, false, &whole));
        self.pump(client, server, true, &is_whole);
    }

    /// Passes one direction on until it ends. A connection that has lost something ends with the cut.
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, is_request: bool, is_whole: &AtomicBool) {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let number = match is_request {
                true => self.seen.fetch_add(1, Ordering::SeqCst) + 1,
                false => self.seen.load(Ordering::SeqCst),
            };
            self.strike(if is_request { Moment::Before(number) } else { Moment::Reply(number) });
            match self.now() {
                Some(Cut::Closed) => break,
                Some(Cut::Swallowed { requests, replies }) if if is_request { requests } else { replies } => {
                    is_whole.store(false, Ordering::SeqCst);
                    continue;
                }
                Some(Cut::Delayed(time)) => thread::sleep(time),
                _ => {}
            }
            if !is_whole.load(Ordering::SeqCst) || to.write_all(buffer.get(..read).unwrap_or_default()).is_err() {
                break;
            }
            if is_request {
                self.strike(Moment::After(number));
            }
        }
        // The other side learns of the end as late as of anything else.
        if matches!(self.now(), Some(Cut::Swallowed { .. })) {
            self.wait_for_end();
        }
        to.shutdown(Shutdown::Both).ok();
        from.shutdown(Shutdown::Both).ok();
    }

    fn strike(&self, now: Moment) {
        let strike = {
            let mut armed = lock(&self.armed);
            if armed.as_ref().is_none_or(|(moment, _)| *moment != now) {
                return;
            }
            armed.take()
        };
        if let Some((_, strike)) = strike {
            strike();
        }
    }

    fn now(&self) -> Option<Cut> {
        let mut cut = lock(&self.cut);
        if cut.is_some_and(|(_, end)| end <= Instant::now()) {
            *cut = None;
        }
        cut.map(|(cut, _)| cut)
    }

    fn wait_for_end(&self) {
        while matches!(self.now(), Some(Cut::Swallowed { .. })) && !self.stopped.load(Ordering::Acquire) {
            thread::sleep(Duration::from_millis(20));
        }
    }
}
