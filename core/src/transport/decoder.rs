//! The body of an answer as it arrived, decompressed: by what it is, which the headers of some proxies do not say.

use std::io::{self, BufRead, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use reqwest::header::HeaderMap;

use super::fault::Fault;
use crate::tolerance::Tolerance;

/// What is set aside for an answer on its own word; more only when it has come.
const ROOM: u64 = 256 * 1024;

/// Bodies that were compressed twice, by the server and by a proxy, are decompressed twice; not more often.
const MAX_LAYERS: usize = 2;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
    Zlib,
    /// Deflate without a header: only if it was announced, since nothing shows it.
    Deflate,
}

/// What the headers say about the body.
pub(super) struct Announced {
    /// Names of `Content-Encoding`, in lower case, `identity` left out.
    codings: Vec<String>,
}

impl Announced {
    pub fn of(headers: &HeaderMap) -> Announced {
        let values = headers.get_all("content-encoding").iter().filter_map(|value| value.to_str().ok());
        let names = values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase());
        Announced { codings: names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect() }
    }

    /// How much room the body gets at once: all of a small answer, and the NUL that C wants behind it.
    pub fn room(&self, length: Option<u64>) -> usize {
        length.unwrap_or(0).min(ROOM) as usize + 1
    }

    fn says(&self, coding: Coding) -> bool {
        let says = |names: &[&str]| self.codings.iter().any(|name| names.contains(&name.as_str()));
        match coding {
            Coding::Plain => self.codings.is_empty(),
            Coding::Gzip => says(&["gzip", "x-gzip"]),
            Coding::Zlib | Coding::Deflate => says(&["deflate"]),
        }
    }

    /// How these bytes are compressed: by their first ones.
    fn coding(&self, bytes: &[u8]) -> Coding {
        match bytes {
            [0x1f, 0x8b, 8, ..] => Coding::Gzip,
            // RFC 1950: method 8, a window that exists, and a checksum of the two bytes. No JSON begins like this.
            [first, second, ..]
                if first & 0x0f == 8
                    && first >> 4 <= 7
                    && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31) =>
            {
                Coding::Zlib
            }
            [first, ..] if self.says(Coding::Deflate) && !is_text(*first) => Coding::Deflate,
            _ => Coding::Plain,
        }
    }

    /// Decompresses a body in place, as far as that goes: at a fault, what came out before it stays.
    pub fn decode(&self, body: &mut Vec<u8>, max_bytes: usize, tolerated: &mut Vec<Tolerance>) -> Option<Fault> {
        for layer in 0..MAX_LAYERS {
            let coding = self.coding(body);
            if layer == 0 && !body.is_empty() && !self.says(coding) {
                tolerated.push(Tolerance::ContentCoding);
            }
            if coding == Coding::Plain {
                return None;
            }
            let (decoded, result) = decompress(coding, body, max_bytes);
            *body = decoded;
            match result {
                Ok(false) => {}
                Ok(true) => tolerated.push(Tolerance::BytesAfterBody),
                Err(fault) => return Some(fault),
            }
        }
        None
    }
}

/// Whether JSON, a page or another text may begin with this byte.
fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0xef | 0xfe | 0xff)
}

/// What came out, and whether bytes were left that belong to nothing.
fn decompress(coding: Coding, bytes: &[u8], max_bytes: usize) -> (Vec<u8>, Result<bool, Fault>) {
    let mut out = Vec::new();
    let mut rest = bytes;
    loop {
        let result = match coding {
            Coding::Plain => Ok(()),
            Coding::Gzip => drain(GzDecoder::new(&mut rest), &mut out, max_bytes),
            Coding::Zlib => drain(ZlibDecoder::new(&mut rest), &mut out, max_bytes),
            Coding::Deflate => drain(DeflateDecoder::new(&mut rest), &mut out, max_bytes),
        };
        match result {
            Err(fault) => return (out, Err(fault)),
            // A gzip body may have several members (RFC 1952).
            Ok(()) if coding == Coding::Gzip && matches!(rest, [0x1f, 0x8b, 8, ..]) => {}
            Ok(()) => return (out, Ok(!rest.is_empty())),
        }
    }
}

fn drain(decoder: impl Read, out: &mut Vec<u8>, max_bytes: usize) -> Result<(), Fault> {
    let mut reader = io::BufReader::new(decoder);
    loop {
        let chunk = reader.fill_buf().map_err(|_| Fault::Encoding)?;
        if chunk.is_empty() {
            return Ok(());
        }
        if chunk.len() > max_bytes - out.len() {
            return Err(Fault::TooLarge);
        }
        out.try_reserve(chunk.len()).map_err(|_| Fault::NoMemory)?;
        out.extend_from_slice(chunk);
        let length = chunk.len();
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"status":0,"msg":"success"}"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(announced: &str, bytes: &[u8]) -> (Vec<u8>, Option<Fault>, Vec<Tolerance>) {
        let mut headers = HeaderMap::new();
        if !announced.is_empty() {
            headers.insert("content-encoding", announced.parse().unwrap());
        }
        let (mut body, mut tolerated) = (bytes.to_vec(), Vec::new());
        let fault = Announced::of(&headers).decode(&mut body, 1000, &mut tolerated);
        (body, fault, tolerated)
    }

    #[test]
    fn the_body_is_read_by_what_it_is() {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(BODY).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(BODY).unwrap();
        let (deflate, zlib, gz) = (deflate.finish().unwrap(), zlib.finish().unwrap(), gzip(BODY));
        let other = vec![Tolerance::ContentCoding];
        for (announced, bytes, tolerated) in [
            ("", BODY, vec![]),
            ("identity", BODY, vec![]),
            ("gzip", &gz, vec![]),
            ("X-GZIP", &gz, vec![]),
            ("gzip, gzip", &gzip(&gz), vec![]),
            ("deflate", &zlib, vec![]),
            ("deflate", &deflate, vec![]),
            ("utf-8", BODY, other.clone()),
            ("none", BODY, other.clone()),
            ("aws-chunked", BODY, other.clone()),
            ("application/json", BODY, other.clone()),
            ("gzip", BODY, other.clone()),
            ("deflate", BODY, other.clone()),
            ("br", BODY, other.clone()),
            ("", &gz, other.clone()),
            ("utf-8", &gz, other.clone()),
            ("", &zlib, other),
        ] {
            assert_eq!(decoded(announced, bytes), (BODY.to_vec(), None, tolerated), "{announced}");
        }
    }

    #[test]
    fn what_follows_a_whole_member_is_ignored_and_members_are_joined() {
        for junk in [&b"\0\0\0"[..], b"\r\n", b"\x1f", b"\x1f\x8b", b"junk"] {
            let bytes = [&gzip(BODY), junk].concat();
            assert_eq!(decoded("gzip", &bytes), (BODY.to_vec(), None, vec![Tolerance::BytesAfterBody]), "{junk:?}");
        }
        let (first, second) = BODY.split_at(10);
        assert_eq!(decoded("gzip", &[gzip(first), gzip(second)].concat()), (BODY.to_vec(), None, vec![]));
        let cut = [gzip(first), gzip(second)[..12].to_vec()].concat();
        assert_eq!(decoded("gzip", &cut).1, Some(Fault::Encoding), "the second member is cut");
    }

    #[test]
    fn a_wrong_checksum_or_a_missing_one_is_a_fault_and_keeps_what_came() {
        let whole = gzip(BODY);
        let mut wrong = whole.clone();
        let at = wrong.len() - 8;
        wrong[at] ^= 1;
        let missing = &whole[..whole.len() - 8];
        for bytes in [&wrong[..], missing] {
            assert_eq!(decoded("gzip", bytes).1, Some(Fault::Encoding));
        }
        let bomb = gzip(&[b' '; 5000]);
        assert_eq!(decoded("gzip", &bomb).1, Some(Fault::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(announced in "[a-z]{0,7}|gzip|deflate", bytes in any::<Vec<u8>>()) {
            decoded(&announced, &bytes);
        }
    }
}
