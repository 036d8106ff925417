//! The body of an answer as it arrives: decompressed, and bounded in size as received and as decoded.

use std::io::Write as _;

use reqwest::header::HeaderMap;

use super::fault::Fault;

/// Bounds the decoded size, and decompresses as the bytes arrive.
pub(super) enum Decoder {
    /// Bytes that may still come.
    Plain(usize),
    Gzip(Box<flate2::write::MultiGzDecoder<Capped>>),
}

/// Collects bytes up to a limit.
pub(super) struct Capped {
    bytes: Vec<u8>,
    left: usize,
}

impl std::io::Write for Capped {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        if chunk.len() > self.left {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.left -= chunk.len();
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    /// What is set aside for an answer on its own word; more only when it has come.
    const ROOM: u64 = 256 * 1024;

    /// None if the answer uses an encoding that was not asked for.
    pub fn new(headers: &HeaderMap, max_bytes: usize) -> Option<Decoder> {
        let mut encodings = headers.get_all("content-encoding").iter();
        let encoding = match (encodings.next(), encodings.next()) {
            (None, _) => return Some(Decoder::Plain(max_bytes)),
            (Some(one), None) => one.to_str().ok()?.trim().to_ascii_lowercase(),
            _ => return None,
        };
        match encoding.as_str() {
            "" | "identity" => Some(Decoder::Plain(max_bytes)),
            "gzip" | "x-gzip" => {
                let sink = Capped { bytes: Vec::new(), left: max_bytes };
                Some(Decoder::Gzip(Box::new(flate2::write::MultiGzDecoder::new(sink))))
            }
            _ => None,
        }
    }

    /// How much room the body gets at once: all of a small answer, and the NUL that C wants behind it.
    pub fn room(&self, announced: Option<u64>) -> usize {
        match self {
            Decoder::Plain(_) => announced.unwrap_or(0).min(Decoder::ROOM) as usize + 1,
            Decoder::Gzip(_) => 0,
        }
    }

    /// Decodes a chunk behind what the body holds.
    pub fn write(&mut self, chunk: &[u8], body: &mut Vec<u8>) -> Option<Fault> {
        match self {
            Decoder::Plain(left) => {
                let Some(rest) = left.checked_sub(chunk.len()) else { return Some(Fault::TooLarge) };
                *left = rest;
                body.extend_from_slice(chunk);
                None
            }
            Decoder::Gzip(gz) => {
                let written = gz.write_all(chunk).and_then(|()| gz.flush());
                body.append(&mut gz.get_mut().bytes);
                written.err().map(fault_of)
            }
        }
    }

    pub fn finish(&mut self, body: &mut Vec<u8>) -> Option<Fault> {
        match self {
            Decoder::Plain(_) => None,
            Decoder::Gzip(gz) => {
                let finished = gz.try_finish();
                body.append(&mut gz.get_mut().bytes);
                finished.err().map(fault_of)
            }
        }
    }
}

fn fault_of(error: std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::FileTooLarge => Fault::TooLarge,
        _ => Fault::Encoding,
    }
}
