//! URIs as `java.net.URI` reads them.

/// The parts of a URI, each a slice of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Uri<'a> {
    pub scheme: Option<&'a str>,
    pub authority: Option<&'a str>,
    pub user_info: Option<&'a str>,
    pub host: Option<&'a str>,
    pub path: Option<&'a str>,
    pub query: Option<&'a str>,
    pub fragment: Option<&'a str>,
    /// Path and query.
    pub file: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// `None` for what Java refuses.
    pub fn parse(text: &'a str) -> Option<Uri<'a>> {
        if !text.bytes().all(|b| b > b' ' && b != 0x7f) || !legal(text) {
            return None;
        }
        let mut uri = Uri::default();
        let (text, fragment) = split_once(text, '#');
        uri.fragment = fragment;
        // A scheme ends at the first colon, if no slash or question mark comes before it.
        let rest = match text.find([':', '/', '?']) {
            Some(at) if text.as_bytes()[at] == b':' => {
                let scheme = &text[..at];
                let first = scheme.bytes().next()?;
                let rest = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
                if !first.is_ascii_alphabetic() || !rest {
                    return None;
                }
                uri.scheme = Some(scheme);
                let specific = &text[at + 1..];
                if specific.is_empty() {
                    return None;
                }
                if !specific.starts_with('/') {
                    // Opaque, as `mailto:`: it has no parts.
                    return Some(uri);
                }
                specific
            }
            _ => text,
        };
        let (before_query, query) = split_once(rest, '?');
        uri.query = query;
        let path = match before_query.strip_prefix("//") {
            Some(after) => {
                let end = after.find('/').unwrap_or(after.len());
                if end > 0 {
                    uri.authority = Some(&after[..end]);
                    uri.read_server(&after[..end])?;
                } else if after.is_empty() {
                    return None;
                }
                &after[end..]
            }
            None => before_query,
        };
        uri.path = Some(path);
        let offset = before_query.len() - path.len();
        uri.file = Some(&rest[offset..]);
        Some(uri)
    }

    /// `[user@]host[:port]`. An authority of another form is let through, and has no host.
    fn read_server(&mut self, authority: &'a str) -> Option<()> {
        let (user_info, server) = match authority.rfind('@') {
            Some(at) => (Some(&authority[..at]), &authority[at + 1..]),
            None => (None, authority),
        };
        let (host, port) = match server.strip_prefix('[') {
            Some(inner) => {
                let end = inner.find(']')? + 2;
                (&server[..end], server[end..].strip_prefix(':').or(server[end..].is_empty().then_some(""))?)
            }
            None => match server.rfind(':') {
                Some(at) => (&server[..at], &server[at + 1..]),
                None => (server, ""),
            },
        };
        if port.bytes().all(|b| b.is_ascii_digit()) && (host.starts_with('[') || is_host_name(host)) {
            self.host = Some(host);
            self.user_info = user_info;
        }
        Some(())
    }
}

fn split_once(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Labels of letters, digits and hyphens within, the last beginning with a letter; or an IPv4 address.
fn is_host_name(host: &str) -> bool {
    let numbers: Vec<&str> = host.split('.').collect();
    if numbers.len() == 4 && numbers.iter().all(|n| !n.is_empty() && n.len() <= 3 && n.parse::<u8>().is_ok())
    {
        return true;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let label = |l: &str| {
        let bytes = l.as_bytes();
        matches!((bytes.first(), bytes.last()), (Some(a), Some(z)) if a.is_ascii_alphanumeric() && z.is_ascii_alphanumeric())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    let mut labels = host.split('.');
    let last_alphabetic =
        host.rsplit('.').next().and_then(|l| l.bytes().next()).is_some_and(|b| b.is_ascii_alphabetic());
    labels.all(label) && last_alphabetic
}

/// Characters that may stand in a URI, and escapes of two digits. Other alphabets are let through.
fn legal(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        let fine = match b {
            b'%' => {
                let mut digit = || bytes.next().is_some_and(|d| d.is_ascii_hexdigit());
                digit() && digit()
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80.. => true,
            b => b"_-!.~'()*,;:$&+=?/[]@#".contains(&b),
        };
        if !fine {
            return false;
        }
    }
    text.matches('#').count() <= 1
}
