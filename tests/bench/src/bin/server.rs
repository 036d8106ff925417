//! A server with little overhead: one thread for each connection, fixed responses.
//!
//! `server` prints its port; `server small|quote|list` prints that body.
//!
//! After a response the connection is polled for five milliseconds before it blocks, so that the measured
//! time does not contain the wake-up of this process.
#![allow(clippy::print_stdout, clippy::expect_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use atlas_bench::request;

const POLL_TIME: Duration = Duration::from_millis(5);

struct Answers {
    quote: Vec<u8>,
    small: Vec<u8>,
    list: Vec<u8>,
}

fn answer(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn read(stream: &mut TcpStream, into: &mut [u8]) -> std::io::Result<usize> {
    let start = Instant::now();
    loop {
        match stream.read(into) {
            Err(e) if e.kind() == ErrorKind::WouldBlock && start.elapsed() < POLL_TIME => std::hint::spin_loop(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                stream.set_nonblocking(false)?;
                let read = stream.read(into);
                stream.set_nonblocking(true)?;
                return read;
            }
            other => return other,
        }
    }
}

fn write(stream: &mut TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn serve(mut stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let read = read(&mut stream, &mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        while let Some((whole, path)) = request(&bytes) {
            let answer = match path {
                "/orderList.do" => &answers.list,
                "/refundQuotation.do" => &answers.quote,
                _ => &answers.small,
            };
            write(&mut stream, answer)?;
            bytes.drain(..whole);
        }
    }
}

fn main() {
    let (quote, small, list) = (atlas_bench::quote(), atlas_bench::small(), atlas_bench::list(13_000));
    match std::env::args().nth(1).as_deref() {
        Some("quote") => return println!("{quote}"),
        Some("small") => return println!("{small}"),
        Some("list") => return println!("{list}"),
        _ => {}
    }
    let answers = Arc::new(Answers { quote: answer(&quote), small: answer(&small), list: answer(&list) });
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address").port());
    for stream in listener.incoming().flatten() {
        let answers = answers.clone();
        std::thread::spawn(move || serve(stream, &answers));
    }
}
