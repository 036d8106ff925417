//! The world outside of the programs. In an example, nobody wants to wait 21 days for a refund: this moves the clock
//! of the simulated Atlas. It is not part of the API; in a real program, `pass_time` is your scheduler.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Lets so many minutes pass. `base_url` is `http://HOST:PORT`.
pub fn pass_time(base_url: &str, minutes: u32) -> std::io::Result<()> {
    let address = base_url.trim_start_matches("http://").trim_end_matches('/');
    let body = format!(r#"{{"advance":"{minutes}m"}}"#);
    let mut line = TcpStream::connect(address)?;
    write!(
        line,
        "POST /_sim/clock HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    line.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other("the clock does not move")) }
}
