//! Names and the public suffix list (publicsuffix.org, built in; both its ICANN and its private part).

/// The parts of a name around its public suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// What stands before the registered domain; empty for none.
    pub(super) subdomain: &'a [u8],
    /// The public suffix and one label more; `None` when the name is itself a suffix.
    pub(super) etld_plus_one: Option<&'a [u8]>,
    /// The same; of a suffix with two labels, the name itself.
    pub(super) registered_domain: &'a [u8],
    /// What stands after the first label of the registered domain.
    pub(super) top_level_domain: &'a [u8],
}

/// Splits a name; `None` when there is nothing to split: one label, no labels, empty labels.
///
/// Case does not matter (the peer's list knows lower case only).
pub(super) fn split(name: &[u8]) -> Option<Parts<'_>> {
    let mut lower = [0; 256];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let dots = memchr::memchr_iter(b'.', name);
    let dots = dots.clone().next().map(|first| (first, dots.count()))?;
    if name.starts_with(b".") || name.ends_with(b".") {
        return None;
    }
    let suffix_len = psl::suffix(lower).map_or(0, |s| s.as_bytes().len());
    // One label and a dot must stand before the suffix.
    let before = name.len().checked_sub(suffix_len + 1).filter(|_| suffix_len > 0);
    if let Some(before) = before.filter(|b| *b > 0 && name[*b] == b'.') {
        let start = memchr::memrchr(b'.', &name[..before]).map_or(0, |i| i + 1);
        let registered = &name[start..];
        return Some(Parts {
            subdomain: &name[..start.saturating_sub(1)],
            etld_plus_one: Some(registered),
            registered_domain: registered,
            top_level_domain: &name[before + 1..],
        });
    }
    // A suffix of two labels, such as co.uk.
    let (first, count) = dots;
    (count == 1).then(|| Parts {
        subdomain: &[],
        etld_plus_one: None,
        registered_domain: name,
        top_level_domain: &name[first + 1..],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Option<(&str, Option<&str>, &str, &str)> {
        let s = |b| std::str::from_utf8(b).unwrap();
        let p = split(name.as_bytes())?;
        Some((s(p.subdomain), p.etld_plus_one.map(s), s(p.registered_domain), s(p.top_level_domain)))
    }

    #[test]
    fn splits_as_the_list_says() {
        assert_eq!(parts("google.com"), Some(("", Some("google.com"), "google.com", "com")));
        assert_eq!(parts("a.b.Example.CO.uk"), Some(("a.b", Some("Example.CO.uk"), "Example.CO.uk", "CO.uk")));
        assert_eq!(parts("co.uk"), Some(("", None, "co.uk", "uk")));
        // The private part, a wildcard with its exception, a suffix nobody listed.
        assert_eq!(parts("me.github.io"), Some(("", Some("me.github.io"), "me.github.io", "github.io")));
        assert_eq!(parts("x.www.ck"), Some(("x", Some("www.ck"), "www.ck", "ck")));
        assert_eq!(parts("x.y.z.ck"), Some(("x", Some("y.z.ck"), "y.z.ck", "z.ck")));
        assert_eq!(parts("host.contoso.local"), Some(("host", Some("contoso.local"), "contoso.local", "local")));
        assert_eq!(parts("1.0.0.127.in-addr.arpa"), Some(("1.0.0", Some("127.in-addr.arpa"), "127.in-addr.arpa", "in-addr.arpa")));
        for none in ["", ".", "localhost", ".com", "com."] {
            assert_eq!(parts(none), None, "{none}");
        }
    }
}
