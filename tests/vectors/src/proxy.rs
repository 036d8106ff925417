//! Proxies between the caller and the scripted server: HTTP CONNECT and SOCKS5, and broken ones.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::server::read_request;
use crate::vector::Proxy;

/// A running proxy. Dropping it stops it.
pub struct ProxyServer {
    pub port: u16,
    stopped: Arc<AtomicBool>,
}

impl ProxyServer {
    /// Starts a proxy with the given behaviour.
    pub fn start(kind: Proxy) -> io::Result<ProxyServer> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let stopped = Arc::new(AtomicBool::new(false));
        if kind != Proxy::Dead {
            let thread_state = stopped.clone();
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let Ok(stream) = stream else { continue };
                    if thread_state.load(Ordering::SeqCst) {
                        return;
                    }
                    let stopped = thread_state.clone();
                    std::thread::spawn(move || {
                        let _ = serve(stream, kind, &stopped);
                    });
                }
            });
        }
        Ok(ProxyServer { port, stopped })
    }
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut client: TcpStream, kind: Proxy, stopped: &AtomicBool) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(30)))?;
    if matches!(kind, Proxy::Socks5 | Proxy::Socks5Refuses) {
        return socks(client, kind);
    }
    let mut buffer = Vec::new();
    let Some(request) = read_request(&mut client, &mut buffer)? else { return Ok(()) };
    let authorised = request.headers.iter().any(|(k, v)| k == "proxy-authorization" && v == "Basic dXNlcjpwYXNz");
    match kind {
        Proxy::Tunnel => tunnel(client, &request.path, b"HTTP/1.1 200 Established\r\n\r\n"),
        Proxy::TunnelAuth if authorised => tunnel(client, &request.path, b"HTTP/1.1 200 Established\r\n\r\n"),
        Proxy::Answers407 | Proxy::TunnelAuth => client.write_all(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
        ),
        Proxy::Answers502 => client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        Proxy::Garbage => client.write_all(b"\x00\x01\x02 no HTTP\r\n\r\n"),
        Proxy::Stalls => {
            while !stopped.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Proxy::Closes | Proxy::Dead | Proxy::Socks5 | Proxy::Socks5Refuses => Ok(()),
    }
}

/// Greeting without authentication, then CONNECT to an IPv4 address.
fn socks(mut client: TcpStream, kind: Proxy) -> io::Result<()> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting)?;
    client.read_exact(&mut vec![0; usize::from(greeting[1])])?;
    client.write_all(&[5, 0])?;
    let mut request = [0; 4];
    client.read_exact(&mut request)?;
    let host = match request[3] {
        1 => {
            let mut ip = [0; 4];
            client.read_exact(&mut ip)?;
            std::net::Ipv4Addr::from(ip).to_string()
        }
        _ => {
            let mut length = [0; 1];
            client.read_exact(&mut length)?;
            let mut name = vec![0; usize::from(length[0])];
            client.read_exact(&mut name)?;
            String::from_utf8_lossy(&name).into_owned()
        }
    };
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    if kind == Proxy::Socks5Refuses {
        return client.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]);
    }
    let target = format!("{host}:{}", u16::from_be_bytes(port));
    tunnel(client, &target, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])
}

fn tunnel(mut client: TcpStream, target: &str, answer: &[u8]) -> io::Result<()> {
    let mut server = TcpStream::connect(target)?;
    client.write_all(answer)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut server, &mut client);
    client.shutdown(Shutdown::Write)
}
