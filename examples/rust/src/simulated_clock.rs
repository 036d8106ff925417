//! Moves the clock of the simulator, so that an example does not take the 21 days of a refund. It is not part of the
//! API: a real program waits, by its scheduler, until the next query.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Moves the clock forward. `base_url` is `http://HOST:PORT`.
pub fn advance_clock(base_url: &str, minutes: u32) -> std::io::Result<()> {
    let address = base_url.trim_start_matches("http://").trim_end_matches('/');
    let body = format!(r#"{{"advance":"{minutes}m"}}"#);
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /_sim/clock HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other("the clock was not moved")) }
}
