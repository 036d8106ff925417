//! Ids of cases.

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, ErrorCode};
use crate::unix_time::Millis;

/// An id that sorts by time: 48 bits of it and 80 random bits, in Crockford's base 32 (the form of a ULID).
pub(crate) fn new_id(now: Millis) -> Result<String, Error> {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut random = [0u8; 10];
    // A generator in this process would repeat its numbers in a forked child; the system's does not.
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Error::new(ErrorCode::Internal, "the system gives no random numbers"))?;
    let mut value = u128::try_from(now.max(0)).unwrap_or(0) << 80;
    value |= random.iter().fold(0u128, |v, b| (v << 8) | u128::from(*b));
    Ok((0..26)
        .rev()
        .map(|i| char::from(DIGITS.get((value >> (5 * i)) as usize & 31).copied().unwrap_or(b'0')))
        .collect())
}
