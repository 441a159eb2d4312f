//! Numbers of columns that do not depend on what a session did before.

use std::collections::HashMap;
use std::fmt::Write;

/// `#17` becomes `#1` if it is the first id of the text, and so on: ids that other rules took do not show.
pub fn renumbered(text: &str) -> String {
    let (mut out, mut numbers) = (String::with_capacity(text.len()), HashMap::new());
    let mut parts = text.split('#');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            let _ = write!(out, "#{part}");
            continue;
        }
        let next = numbers.len() + 1;
        let number = numbers.entry(&part[..digits]).or_insert(next);
        let _ = write!(out, "#{number}{}", &part[digits..]);
    }
    out
}
