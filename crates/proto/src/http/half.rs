//! What an event says of a request and of an answer: the fields, filled from a head.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use wirebeat_model::{Class, Entries, Field, Kind, NumberSlot, Unit, ecs, fields};

use super::codec::{First, Head, Line, Name};
use super::redact::Mask;
use super::url::{Target, host_port, ip, write_full};
use super::{Headers, HttpOptions};

fields! {
    pub FIELDS:
    HTTP_VERSION = Field::new("http.version", Kind::Keyword, "The request's version: 1.0, 1.1.");
    REQUEST_METHOD = Field::new("http.request.method", Kind::Keyword, "The method as sent.");
    REQUEST_BYTES = Field::new("http.request.bytes", Kind::Long, "Bytes of the request, head and body with its framing.").unit(Unit::Bytes);
    REQUEST_BODY_BYTES = Field::new("http.request.body.bytes", Kind::Long, "Bytes of the request's body as sent, without the framing of chunks.").unit(Unit::Bytes);
    REQUEST_BODY_CONTENT = Field::new("http.request.body.content", Kind::Text, "The request's body (`include_body_for`).").class(Class::Payload);
    REQUEST_REFERRER = Field::new("http.request.referrer", Kind::Keyword, "The page that led here.");
    REQUEST_MIME_TYPE = Field::new("http.request.mime_type", Kind::Keyword, "What the request's body is by its first bytes.");
    REQUEST_HEADERS = Field::new("http.request.headers", Kind::Map, "Headers of the request, names in lower case; `content-length` is what was observed. A cookie split by `split_cookie` stands under `cookie.NAME`.").class(Class::Payload);
    RESPONSE_STATUS_CODE = Field::new("http.response.status_code", Kind::Long, "The status code.").aliases(&["http.code"]);
    RESPONSE_STATUS_PHRASE = Field::new("http.response.status_phrase", Kind::Keyword, "The reason phrase, in lower case.");
    RESPONSE_BYTES = Field::new("http.response.bytes", Kind::Long, "Bytes of the answer, head and body with its framing.").unit(Unit::Bytes);
    RESPONSE_BODY_BYTES = Field::new("http.response.body.bytes", Kind::Long, "Bytes of the answer's body as sent, without the framing of chunks.").unit(Unit::Bytes);
    RESPONSE_BODY_CONTENT = Field::new("http.response.body.content", Kind::Text, "The answer's body, decoded (`include_body_for`, `decode_body`).").class(Class::Payload);
    RESPONSE_MIME_TYPE = Field::new("http.response.mime_type", Kind::Keyword, "What the answer's body is by its first bytes.");
    RESPONSE_HEADERS = Field::new("http.response.headers", Kind::Map, "Headers of the answer, names in lower case; `content-length` is what was observed. A cookie split by `split_cookie` stands under `set-cookie.NAME`.").class(Class::Payload);
    RESPONSE_DURATION = Field::new("http.response.duration", Kind::Long, "From the first to the last packet of the answer, where it took several.").unit(Unit::Nanos);
    URL_ORIGINAL = Field::new("url.original", Kind::Keyword, "The request target as sent.").class(Class::Payload);
    URL_SCHEME = Field::new("url.scheme", Kind::Keyword, "http, or what an absolute target says.");
    URL_DOMAIN = Field::new("url.domain", Kind::Keyword, "Host name or address of the Host header or an absolute target.");
    URL_PORT = Field::new("url.port", Kind::Long, "Its port, where it is not the usual one.");
    URL_PATH = Field::new("url.path", Kind::Keyword, "The path as sent.");
    URL_EXTENSION = Field::new("url.extension", Kind::Keyword, "What stands behind the last dot of the path.");
    URL_QUERY = Field::new("url.query", Kind::Keyword, "What stands behind the question mark, as sent.").class(Class::Payload);
    URL_FULL = Field::new("url.full", Kind::Keyword, "Scheme, host, path and query together.").class(Class::Payload);
    USER_AGENT = Field::new("user_agent.original", Kind::Keyword, "The User-Agent header.");
}

/// What is the matter with a transaction, as a set; told in this order in `error.message`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes(u16);

macro_rules! notes {
    ($($name:ident = $bit:literal: $text:literal,)+) => {
        impl Notes {
            $(pub(super) const $name: Self = Self(1 << $bit);)+
            const TEXTS: &[(Self, &str)] = &[$((Self::$name, $text)),+];
        }
    };
}

notes! {
    HOST_PORT = 0: "Host header port number mismatch",
    REQUEST_LENGTHS = 1: "Conflicting lengths of the request",
    RESPONSE_LENGTHS = 2: "Conflicting lengths of the response",
    REQUEST_LOSS = 3: "Packet loss while capturing the request",
    RESPONSE_LOSS = 4: "Packet loss while capturing the response",
    REQUEST_CUT = 5: "Connection closed before the request was complete",
    RESPONSE_CUT = 6: "Connection closed before the response was complete",
    GZIP = 7: "unable to decode body using gzip encoding",
    DEFLATE = 8: "unable to decode body using deflate encoding",
    BROTLI = 9: "unable to decode body using br encoding",
    ZSTD = 10: "unable to decode body using zstd encoding",
    CODING = 11: "unable to decode body using an unknown encoding",
    UNMATCHED_REQUEST = 12: "Unmatched request",
    UNMATCHED_RESPONSE = 13: "Unmatched response",
}

impl Notes {
    /// Adds others.
    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Their texts, written into `out`.
    pub(super) fn texts<'a>(self, out: &'a mut [&'static str; Self::TEXTS.len()]) -> &'a [&'static str] {
        let mut n = 0;
        if self.0 != 0 {
            for (_, text) in Self::TEXTS.iter().filter(|(bit, _)| self.0 & bit.0 != 0) {
                out[n] = text;
                n += 1;
            }
        }
        &out[..n]
    }

    /// As many texts as there are.
    pub(super) fn none() -> [&'static str; Self::TEXTS.len()] {
        [""; Self::TEXTS.len()]
    }
}

/// Which methods change how an answer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verb {
    /// Its answer has no body (RFC 9112 6.3).
    Head,
    /// Its good answer opens a tunnel (RFC 9110 9.3.6).
    Connect,
    #[default]
    Other,
}

/// What is remembered of a request beside its fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) verb: Verb,
    /// It asks to change the protocol.
    pub(super) upgrade: bool,
    /// It asks whether it may send its body.
    pub(super) expects: bool,
    pub(super) notes: Notes,
    /// Addresses it names: host, forwarded client. 0 for none.
    pub(super) ips: [u128; 2],
}

/// What filling needs beside a head.
pub(super) struct Fill<'a> {
    pub(super) own: &'a HttpOptions,
    pub(super) mask: Mask<'a>,
    /// Working memory.
    pub(super) scratch: &'a mut Vec<u8>,
    /// Working memory for the masked target.
    pub(super) target: &'a mut Vec<u8>,
    /// Values masked so far.
    pub(super) redacted: u64,
    /// The port that was addressed.
    pub(super) port: u16,
}

const BASIC: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Fill<'_> {
    /// The request's half. Answers where its observed length must be set.
    pub(super) fn request(&mut self, f: &mut Entries, bytes: &[u8], head: &Head, asked: &mut Asked) -> Option<NumberSlot> {
        let Some(First::Request { method, target, minor }) = head.first() else { return None };
        let (method, target) = (&bytes[..method], &bytes[target.0..target.1]);
        f.put_text(&ecs::METHOD, method);
        f.put_text(&REQUEST_METHOD, method);
        match minor {
            0 => f.put(&HTTP_VERSION, "1.0"),
            1 => f.put(&HTTP_VERSION, "1.1"),
            n => f.put_with(&HTTP_VERSION, |out| out.extend_from_slice(&[b'1', b'.', b'0' + n])),
        }
        asked.verb = match method {
            b"HEAD" => Verb::Head,
            b"CONNECT" => Verb::Connect,
            _ => Verb::Other,
        };
        let mut masked = std::mem::take(self.target);
        masked.clear();
        let special = |b: &u8| matches!(b, b'?' | b';' | b'@' | b'#');
        let target = if self.mask.params_wanted() && target.iter().any(special) {
            self.redacted += self.mask.url(target, &mut masked);
            &masked[..]
        } else {
            target
        };
        let domain = self.url(f, method, target, head.get(Name::Host, bytes).unwrap_or_default(), asked);
        let mut referrer = None;
        for line in &head.lines {
            let value = line.value(bytes);
            match line.kind {
                Name::UserAgent => self.text(f, &USER_AGENT, value),
                Name::Referer if !value.is_empty() => {
                    self.text(f, &REQUEST_REFERRER, value);
                    referrer = Some(value);
                }
                Name::Authorization => self.user(f, value),
                Name::Upgrade => asked.upgrade = true,
                Name::Expect => asked.expects = value.eq_ignore_ascii_case(b"100-continue"),
                Name::Other => {
                    if let Some(header) = &self.own.real_ip_header
                        && line.name(bytes).eq_ignore_ascii_case(header.as_bytes())
                    {
                        forwarded(f, value, asked);
                    }
                }
                _ => {}
            }
        }
        let counted = self.redacted;
        let referrer = referrer.map(|r| if self.mask_value(r) { &self.scratch[..] } else { r });
        f.put_array(&ecs::RELATED_HOSTS, |a| domain.into_iter().chain(referrer).for_each(|name| a.push_text(name)));
        self.redacted = counted;
        *self.target = masked;
        self.headers(f, &REQUEST_HEADERS, bytes, head)
    }

    /// The `url` fields, `query` and the domains. Answers the host when it is a name.
    fn url<'b>(&self, f: &mut Entries, method: &[u8], target: &'b [u8], host: &'b [u8], asked: &mut Asked) -> Option<&'b [u8]> {
        let connect = asked.verb == Verb::Connect;
        let t = Target::of(target, connect);
        let (named, port) = host_port(t.authority.unwrap_or(host));
        let https = t.scheme.is_some_and(|s| s.eq_ignore_ascii_case(b"https"));
        let usual = if https { 443 } else { 80 };
        let port = match t.authority {
            Some(_) => port.unwrap_or(usual),
            None => {
                if port.is_some_and(|p| p != self.port) {
                    asked.notes.add(Notes::HOST_PORT);
                }
                port.unwrap_or(self.port)
            }
        };
        let shown_port = (port != usual).then_some(port);
        let scheme = t.scheme.unwrap_or(b"http");
        f.put_text(&URL_ORIGINAL, target);
        if !connect {
            f.put_text(&URL_SCHEME, scheme);
        }
        if let Some(port) = shown_port {
            f.put(&URL_PORT, port);
        }
        if !t.path.is_empty() {
            f.put_text(&URL_PATH, t.path);
        }
        if let Some(extension) = t.extension() {
            f.put_text(&URL_EXTENSION, extension);
        }
        if let Some(query) = t.query.filter(|q| !q.is_empty()) {
            f.put_text(&URL_QUERY, query);
            f.put_text(&ecs::PARAMS, query);
        }
        f.put_with(&ecs::QUERY, |out| {
            out.extend_from_slice(method);
            out.push(b' ');
            out.extend_from_slice(if connect { target } else { t.path });
        });
        if named.is_empty() {
            return None;
        }
        f.put_text(&URL_DOMAIN, named);
        if !connect && t.path != b"*" {
            f.put_with(&URL_FULL, |out| write_full(scheme, named, shown_port, t.path, t.query, out));
        }
        if let Some(address) = ip(named) {
            asked.ips[0] = wirebeat_model::Endpoint::new(address, 0).ip;
            return None;
        }
        f.put_text(&ecs::DESTINATION_DOMAIN, named);
        f.put_text(&ecs::SERVER_DOMAIN, named);
        Some(named)
    }

    /// The answer's half, as [`Fill::request`].
    pub(super) fn response(&mut self, f: &mut Entries, bytes: &[u8], head: &Head) -> Option<NumberSlot> {
        let Some(First::Status { code, phrase }) = head.first() else { return None };
        f.put(&RESPONSE_STATUS_CODE, code);
        let phrase = bytes[phrase.0..phrase.1].trim_ascii();
        if !phrase.is_empty() {
            f.put_with(&RESPONSE_STATUS_PHRASE, |out| out.extend(phrase.iter().map(u8::to_ascii_lowercase)));
        }
        self.headers(f, &RESPONSE_HEADERS, bytes, head)
    }

    /// Puts a header's value, masked where it holds parameters.
    fn text(&mut self, f: &mut Entries, field: &Field, value: &[u8]) {
        if self.mask_value(value) {
            f.put_text(field, self.scratch);
        } else {
            f.put_text(field, value);
        }
    }

    /// Writes the value into the working memory if it has to be masked or unfolded.
    fn mask_value(&mut self, value: &[u8]) -> bool {
        let folded = memchr::memchr(b'\n', value).is_some();
        let masked = self.mask.params_wanted() && memchr::memchr2(b'=', b'@', value).is_some();
        if !folded && !masked {
            return false;
        }
        self.scratch.clear();
        if !folded {
            self.redacted += self.mask.value(value, self.scratch);
            return true;
        }
        let mut flat = Vec::with_capacity(value.len());
        unfold(value, &mut flat);
        if masked {
            self.redacted += self.mask.value(&flat, self.scratch);
        } else {
            self.scratch.extend_from_slice(&flat);
        }
        true
    }

    /// The name in Basic credentials (RFC 7617).
    fn user(&mut self, f: &mut Entries, value: &[u8]) {
        let Some((scheme, credentials)) = value.split_at_checked(6) else { return };
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return;
        }
        self.scratch.clear();
        if BASIC.decode_vec(credentials.trim_ascii(), self.scratch).is_err() {
            return;
        }
        if let Some(colon) = memchr::memchr(b':', self.scratch).filter(|n| *n > 0) {
            let name = &self.scratch[..colon];
            f.put_text(&ecs::USER_NAME, name);
            f.put_array(&ecs::RELATED_USER, |a| a.push_text(name));
        }
        self.scratch.clear();
    }

    /// The map of headers: observed length and type always, others as the options say.
    fn headers(&mut self, f: &mut Entries, field: &Field, bytes: &[u8], head: &Head) -> Option<NumberSlot> {
        let mut slot = None;
        f.put_map(field, |map| {
            slot = Some(map.put_slot(b"content-length"));
            if let Some(value) = head.get(Name::ContentType, bytes).filter(|v| !v.is_empty()) {
                map.put_text(b"content-type", value);
            }
            if self.own.headers == Headers::None {
                return;
            }
            for (i, line) in head.lines.iter().enumerate() {
                if matches!(line.kind, Name::ContentLength | Name::ContentType) {
                    continue;
                }
                let name = line.name(bytes);
                let same = |l: &&Line| l.name(bytes).eq_ignore_ascii_case(name);
                if !self.own.headers.want(name) || head.lines[..i].iter().any(|l| same(&l)) {
                    continue;
                }
                let hidden = self.mask.header(name);
                let key = name.to_ascii_lowercase();
                if self.own.split_cookie && matches!(&key[..], b"cookie" | b"set-cookie") {
                    let all = head.lines[i..].iter().filter(same).map(|l| l.value(bytes));
                    self.redacted += cookies(map, &key, all, hidden);
                    continue;
                }
                let mut rest = head.lines[i + 1..].iter().filter(same).peekable();
                if let Some(mask) = hidden {
                    map.put_text(&key, mask);
                    self.redacted += 1 + rest.count() as u64;
                } else if rest.peek().is_none() {
                    let value = line.value(bytes);
                    map.put_text(&key, if self.mask_value(value) { self.scratch } else { value });
                } else {
                    map.put_array(&key, |a| {
                        for line in std::iter::once(line).chain(rest) {
                            let value = line.value(bytes);
                            a.push_text(if self.mask_value(value) { self.scratch } else { value });
                        }
                    });
                }
            }
        });
        slot
    }
}

/// Folded lines become one (RFC 9112 5.2).
fn unfold(value: &[u8], out: &mut Vec<u8>) {
    for (i, line) in value.split(|b| *b == b'\n').enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(line.trim_ascii());
    }
}

/// The first address that a proxy names.
fn forwarded(f: &mut Entries, value: &[u8], asked: &mut Asked) {
    let first = value.split(|b| *b == b',').next().unwrap_or_default().trim_ascii();
    let address = ip(first).or_else(|| ip(host_port(first).0));
    if let Some(address) = address {
        f.put(&ecs::NETWORK_FORWARDED_IP, address);
        asked.ips[1] = wirebeat_model::Endpoint::new(address, 0).ip;
    }
}

/// Cookies one by one under `key.NAME`; a name that repeats has several values. Answers how many were masked.
fn cookies<'b>(
    map: &mut wirebeat_model::MapBuilder<'_>,
    key: &[u8],
    values: impl Iterator<Item = &'b [u8]>,
    hidden: Option<&'static [u8]>,
) -> u64 {
    /// More are left out: comparing names is quadratic.
    const MAX: usize = 256;
    let mut pairs: Vec<(Vec<u8>, &[u8])> = Vec::new();
    for part in values.flat_map(|v| v.split(|b| *b == b';')) {
        let Some(eq) = memchr::memchr(b'=', part) else { continue };
        let value = part[eq + 1..].trim_ascii();
        let bare = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
        let name = [key, b".", part[..eq].trim_ascii().to_ascii_lowercase().as_slice()].concat();
        pairs.push((name, hidden.unwrap_or(bare)));
        if pairs.len() == MAX {
            break;
        }
    }
    for (i, (name, value)) in pairs.iter().enumerate() {
        if pairs[..i].iter().any(|(n, _)| n == name) {
            continue;
        }
        let mut more = pairs[i + 1..].iter().filter(|(n, _)| n == name).peekable();
        if more.peek().is_none() {
            map.put_text(name, value);
        } else {
            map.put_array(name, |a| {
                a.push_text(value);
                more.for_each(|(_, v)| a.push_text(v));
            });
        }
    }
    if hidden.is_some() { pairs.len() as u64 } else { 0 }
}
