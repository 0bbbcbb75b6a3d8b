//! Signatures that hold over TCP and UDP, and helpers.

/// Two bytes at `at`, most significant first.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Four bytes at `at`, most significant first.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Four bytes at `at`, least significant first.
pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Whether one of these words stands at the beginning, in this case.
pub(super) fn begins(bytes: &[u8], words: &[&str]) -> bool {
    words.iter().any(|w| bytes.starts_with(w.as_bytes()))
}

/// The same in any case.
pub(super) fn begins_nocase(bytes: &[u8], words: &[&str]) -> bool {
    words.iter().any(|w| bytes.get(..w.len()).is_some_and(|b| b.eq_ignore_ascii_case(w.as_bytes())))
}

/// Whether a word stands anywhere.
pub(super) fn holds(bytes: &[u8], word: &str) -> bool {
    memchr::memmem::find(bytes, word.as_bytes()).is_some()
}

/// Whether all is printable ASCII, blanks and line ends.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// The methods whose request line may begin like HTTP's (RFC 9110 §9, RFC 4918).
pub(super) fn is_http_request(bytes: &[u8]) -> bool {
    let target = begins(
        bytes,
        &[
            "GET /",
            "HEAD /",
            "POST /",
            "PUT /",
            "DELETE /",
            "PATCH /",
            "OPTIONS /",
            "OPTIONS * HTTP/",
            "TRACE /",
            "PROPFIND /",
            "PROPPATCH /",
            "MKCOL /",
            "COPY /",
            "MOVE /",
            "LOCK /",
            "UNLOCK /",
            "REPORT /",
            "GET http://",
            "HEAD http://",
            "POST http://",
            "PUT http://",
        ],
    );
    target || bytes.starts_with(b"CONNECT ") && holds(bytes, " HTTP/1.")
}

/// SIP (RFC 3261 §7) by its request line or status line.
pub(super) fn is_sip(bytes: &[u8]) -> bool {
    const METHODS: [&str; 14] = [
        "INVITE ",
        "ACK ",
        "BYE ",
        "CANCEL ",
        "REGISTER ",
        "OPTIONS ",
        "PRACK ",
        "SUBSCRIBE ",
        "NOTIFY ",
        "PUBLISH ",
        "INFO ",
        "REFER ",
        "MESSAGE ",
        "UPDATE ",
    ];
    let uri = |m: &&str| {
        bytes.strip_prefix(m.as_bytes()).is_some_and(|rest| begins_nocase(rest, &["sip:", "sips:", "tel:"]))
    };
    bytes.starts_with(b"SIP/2.0 ") || METHODS.iter().any(uri)
}

/// STUN and TURN (RFC 8489 §5): two zero bits, a length in words, the magic cookie.
pub(super) fn is_stun(bytes: &[u8]) -> bool {
    be32(bytes, 4) == Some(0x2112_a442) && bytes[0] & 0xc0 == 0 && bytes[3] & 3 == 0
}

/// A call of ONC RPC (RFC 5531 §9): what program it is for.
pub(super) fn rpc_call(bytes: &[u8]) -> Option<&'static str> {
    let word = |i: usize| be32(bytes, i * 4);
    // Call, RPC version 2; versions and procedures are small numbers.
    if word(1)? != 0 || word(2)? != 2 || word(4)? > 20 || word(5)? > 1000 {
        return None;
    }
    Some(match word(3)? {
        100_000 => "portmap",
        100_003 => "nfs",
        100_005 => "mount",
        100_021 => "nlm",
        100_000..400_000 | 0x2000_0000..0x6000_0000 => "rpc",
        _ => return None,
    })
}

/// Length of a BER element (X.690 §8.1.3) after its tag, and how many bytes that took.
pub(super) fn ber_length(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.first()? {
        n @ 0..=0x7f => Some((usize::from(n), 1)),
        n @ 0x81..=0x84 => {
            let count = usize::from(n & 0x7f);
            let digits = bytes.get(1..=count)?;
            Some((digits.iter().fold(0, |acc, b| acc << 8 | usize::from(*b)), 1 + count))
        }
        _ => None,
    }
}

/// What follows `SEQUENCE, INTEGER` at the beginning: the integer and the rest.
pub(super) fn ber_sequence(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let rest = bytes.strip_prefix(&[0x30])?;
    let (len, used) = ber_length(rest)?;
    let rest = rest.get(used..).filter(|_| len >= 3)?.strip_prefix(&[0x02])?;
    let n = usize::from(*rest.first()?);
    let digits = rest.get(1..=n).filter(|_| (1..=4).contains(&n))?;
    Some((digits.iter().fold(0, |acc, b| acc << 8 | u32::from(*b)), &rest[1 + n..]))
}

/// LDAP (RFC 4511 §4.1.1): a message id and a bind, search or extended request, or the answers to them.
pub(super) fn is_ldap(bytes: &[u8]) -> bool {
    let Some((id, rest)) = ber_sequence(bytes) else { return false };
    let [tag, len @ ..] = rest else { return false };
    if id == 0 || ber_length(len).is_none() {
        return false;
    }
    let (_, used) = ber_length(len).unwrap_or_default();
    match (tag, len.get(used..)) {
        // Bind: version 2 or 3 first. Search: the base's name. Extended: the name of what is asked, [0].
        (0x60, Some([2, 1, 2 | 3, 4, ..])) | (0x63, Some([4, ..])) | (0x77, Some([0x80, ..])) => true,
        // Bind, search done, extended: a result code of one byte. Search entry: a name.
        (0x61 | 0x65 | 0x78, Some([0x0a, 1, ..])) | (0x64, Some([4, ..])) => true,
        _ => false,
    }
}

/// Kerberos (RFC 4120 §5): an application tag, a sequence, and the protocol's version, 5.
pub(super) fn is_kerberos(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.first().filter(|t| matches!(t, 0x6a..=0x6d | 0x7e)).map(|_| &bytes[1..]) else {
        return false;
    };
    let Some((_, used)) = ber_length(rest) else { return false };
    let Some(rest) = rest.get(used..).and_then(|r| r.strip_prefix(&[0x30])) else { return false };
    let Some((_, used)) = ber_length(rest) else { return false };
    matches!(rest.get(used..), Some([0xa0 | 0xa1, 3, 2, 1, 5, ..]))
}

/// Syslog: `<PRI>` up to 191, then a version (RFC 5424 §6.2) or a month (RFC 3164 §4.1.2).
pub(super) fn is_syslog(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(b"<") else { return false };
    let digits = rest.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    let value = rest[..digits].iter().fold(0_u32, |acc, b| acc * 10 + u32::from(b - b'0'));
    let Some(rest) = rest[digits..].strip_prefix(b">").filter(|_| digits > 0 && value <= 191) else {
        return false;
    };
    const MONTHS: [&str; 12] =
        ["Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec "];
    begins(rest, &MONTHS)
        || rest.starts_with(b"1 ") && rest.get(2).is_some_and(|b| b.is_ascii_digit() || *b == b'-')
}
