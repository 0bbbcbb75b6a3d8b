//! Request targets (RFC 9112 3.2) and the `url` fields made of them. Percent-encoding stays as sent.

use std::net::IpAddr;

/// A request target taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Of an absolute form.
    pub(super) scheme: Option<&'a [u8]>,
    /// Of an absolute or authority form: it counts instead of the `Host` header.
    pub(super) authority: Option<&'a [u8]>,
    /// Empty in an authority form, `*` in an asterisk form.
    pub(super) path: &'a [u8],
    /// What follows the first `?`.
    pub(super) query: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Takes a target apart. `connect`: it is CONNECT's, an authority.
    pub(super) fn of(target: &'a [u8], connect: bool) -> Self {
        let mut out = Self { scheme: None, authority: None, path: target, query: None };
        if connect {
            (out.authority, out.path) = (Some(target), b"");
            return out;
        }
        if !target.starts_with(b"/")
            && let Some((scheme, rest)) = split_scheme(target)
        {
            let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#')).unwrap_or(rest.len());
            (out.scheme, out.authority, out.path) = (Some(scheme), Some(&rest[..end]), &rest[end..]);
        }
        if let Some(n) = memchr::memchr(b'?', out.path) {
            (out.path, out.query) = (&out.path[..n], Some(&out.path[n + 1..]));
        }
        out
    }

    /// What stands behind the last dot of the last part of the path.
    pub(super) fn extension(&self) -> Option<&'a [u8]> {
        let dot = memchr::memrchr2(b'.', b'/', self.path)?;
        let out = &self.path[dot + 1..];
        (self.path[dot] == b'.' && !out.is_empty()).then_some(out)
    }
}

fn split_scheme(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let n = memchr::memmem::find(target, b"://").filter(|n| (1..=16).contains(n))?;
    let scheme = &target[..n];
    let fits = scheme.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b));
    fits.then_some((scheme, &target[n + 3..]))
}

/// Host and port of an authority (RFC 3986 3.2), user information and the brackets of an IPv6 address left out.
pub(super) fn host_port(authority: &[u8]) -> (&[u8], Option<u16>) {
    let at = memchr::memrchr(b'@', authority).map_or(0, |n| n + 1);
    let host = &authority[at..];
    if let Some(inner) = host.strip_prefix(b"[") {
        let Some(end) = memchr::memchr(b']', inner) else { return (inner, None) };
        let port = inner[end + 1..].strip_prefix(b":").and_then(port);
        return (&inner[..end], port);
    }
    match memchr::memrchr(b':', host) {
        // More than one colon: an IPv6 address without brackets.
        Some(n) if memchr::memchr(b':', &host[..n]).is_none() => match port(&host[n + 1..]) {
            Some(p) => (&host[..n], Some(p)),
            None if n + 1 == host.len() => (&host[..n], None),
            None => (host, None),
        },
        _ => (host, None),
    }
}

fn port(text: &[u8]) -> Option<u16> {
    super::codec::decimal(text).and_then(|n| u16::try_from(n).ok()).filter(|p| *p > 0)
}

/// The address that a host is, if it is one.
pub(super) fn ip(host: &[u8]) -> Option<IpAddr> {
    let v6 = memchr::memchr(b':', host).is_some();
    let v4 = host.first().is_some_and(u8::is_ascii_digit) && host.last().is_some_and(u8::is_ascii_digit);
    if !(v4 || v6) || host.len() > 45 {
        return None;
    }
    std::str::from_utf8(host).ok()?.parse().ok()
}

/// Appends `url.full`.
pub(super) fn write_full(scheme: &[u8], host: &[u8], port: Option<u16>, path: &[u8], query: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(scheme);
    out.extend_from_slice(b"://");
    if host.contains(&b':') {
        out.push(b'[');
        out.extend_from_slice(host);
        out.push(b']');
    } else {
        out.extend_from_slice(host);
    }
    if let Some(port) = port {
        out.push(b':');
        let mut digits = [0; 5];
        let mut at = 5;
        let mut n = port;
        loop {
            at -= 1;
            digits[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
    out.extend_from_slice(path);
    if let Some(query) = query {
        out.push(b'?');
        out.extend_from_slice(query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let t = Target::of(b"/a.b/c.tar.gz?x=1?y", false);
        assert_eq!((t.path, t.query, t.extension()), (&b"/a.b/c.tar.gz"[..], Some(&b"x=1?y"[..]), Some(&b"gz"[..])));
        assert_eq!(Target::of(b"/a.b/c", false).extension(), None);
        assert_eq!(Target::of(b"*", false).path, b"*");
        let t = Target::of(b"http://u:p@h:81/p?q", false);
        assert_eq!((t.scheme, t.authority, t.path, t.query), (Some(&b"http"[..]), Some(&b"u:p@h:81"[..]), &b"/p"[..], Some(&b"q"[..])));
        let t = Target::of(b"example.com:443", true);
        assert_eq!((t.authority, t.path), (Some(&b"example.com:443"[..]), &b""[..]));
        assert_eq!(Target::of(b"/redirect?to=http://x", false).scheme, None);
    }

    #[test]
    fn hosts() {
        assert_eq!(host_port(b"a.example:8080"), (&b"a.example"[..], Some(8080)));
        assert_eq!(host_port(b"a.example:50000"), (&b"a.example"[..], Some(50_000)));
        assert_eq!(host_port(b"u:p@a:1"), (&b"a"[..], Some(1)));
        assert_eq!(host_port(b"[2001:db8::1]:81"), (&b"2001:db8::1"[..], Some(81)));
        assert_eq!(host_port(b"[::1]"), (&b"::1"[..], None));
        assert_eq!(host_port(b"::1"), (&b"::1"[..], None));
        assert_eq!(host_port(b"a:"), (&b"a"[..], None));
        assert_eq!(host_port(b"a:99999"), (&b"a:99999"[..], None));
        assert!(ip(b"192.0.2.1").is_some() && ip(b"::1").is_some());
        assert!(ip(b"1.example").is_none() && ip(b"a").is_none() && ip(b"").is_none());
    }

    #[test]
    fn full() {
        let text = |h: &[u8], p| {
            let mut out = Vec::new();
            write_full(b"http", h, p, b"/x", Some(b"a=b"), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(b"a", None), "http://a/x?a=b");
        assert_eq!(text(b"::1", Some(65535)), "http://[::1]:65535/x?a=b");
    }
}
