//! Randomness that nobody can guess, for secrets and for names that are never made twice.

use std::fmt::Write as _;
use vonk_error::{Error, Result};

/// So many random bytes of the system's, as twice as many hexadecimal digits.
pub fn random_hex(bytes: usize) -> Result<String> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(|e| Error::io("the system gives no random numbers", e))?;
    Ok(buffer.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_another() {
        let texts: std::collections::BTreeSet<String> = (0..1000).map(|_| random_hex(8).unwrap()).collect();
        assert_eq!(texts.len(), 1000);
        assert!(texts.iter().all(|t| t.len() == 16 && t.bytes().all(|b| b.is_ascii_hexdigit())));
    }
}
