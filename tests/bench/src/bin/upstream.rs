//! A server for many connections at once, on one thread: every request is answered with the quotation, after a pause.
//!
//! `upstream MILLISECONDS` prints its port.
#![allow(clippy::print_stdout, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use atlas_bench::request;
use tokio::net::{TcpListener, TcpStream};

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

async fn serve(stream: TcpStream, answer: Arc<Vec<u8>>, pause: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    loop {
        stream.readable().await?;
        let mut chunk = [0; 4096];
        match stream.try_read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => bytes.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(e) => return Err(e),
        }
        while let Some((whole, _)) = request(&bytes) {
            bytes.drain(..whole);
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            write(&stream, &answer).await?;
        }
    }
}

fn main() {
    let pause = std::env::args().nth(1).and_then(|ms| ms.parse().ok()).expect("milliseconds");
    let body = atlas_bench::quote();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = Arc::new((head + &body).into_bytes());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let listener: TcpListener = socket.listen(16_384).expect("a listener");
        println!("{}", listener.local_addr().expect("an address").port());
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), Duration::from_millis(pause)));
            }
        }
    });
}
