//! Masks secrets in everything that an HTTP event may hold: targets, headers, forms, JSON, multipart.
//!
//! Two sets of rules: what the options name (`hide_keywords`, `redact_authorization`, `redact_headers`), and, where no
//! configuration was given, the names that secrets usually have. Masking too much is fine, too little is not.

use memchr::{memchr, memchr2, memmem};

/// Instead of a parameter's value.
const MASK: &[u8] = b"xxxxx";

/// What the options say.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Names of parameters, lower case.
    pub(super) keywords: Vec<String>,
    /// Mask `Authorization` and `Proxy-Authorization`.
    pub(super) authorization: bool,
    /// Names of headers, lower case.
    pub(super) headers: Vec<String>,
}

/// Rules in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask<'a> {
    rules: &'a Rules,
    usual: bool,
}

/// Words that make a name a secret's wherever they stand in it, once blanks, `-`, `_` and `.` are left out, by their
/// first letter: names are looked at for every parameter of every message.
fn words(first: u8) -> &'static [&'static [u8]] {
    match first {
        b'a' => &[b"apikey", b"accesskey", b"authorization", b"authkey"],
        b'b' => &[b"bearer"],
        b'c' => &[b"credential", b"csrf"],
        b'j' => &[b"jwt"],
        b'p' => &[b"passw", b"passphrase", b"passcode", b"pwd", b"privatekey"],
        b's' => &[b"secret", b"session", b"signingkey"],
        b't' => &[b"token"],
        b'x' => &[b"xsrf"],
        _ => &[],
    }
}
/// Names that are a secret's as a whole.
const WHOLE: &[&[u8]] = &[b"pass", b"pw", b"psw", b"auth", b"sid", b"sig", b"signature", b"otp", b"pin", b"cookie", b"setcookie"];

/// Whether a name, folded, usually is a secret's.
fn usual(name: &[u8]) -> bool {
    let word_at = |at: usize| {
        let rest = &name[at..];
        let found = words(rest[0]).iter().any(|w| rest.starts_with(w));
        // `max_tokens` and `tokenizer` are no secrets.
        found && !(rest[0] == b't' && matches!(rest.get(5), Some(b's' | b'i')))
    };
    (0..name.len()).any(word_at) || WHOLE.contains(&name)
}

/// A decoded name, lower case. Held on the stack: names are looked at for every parameter of every message.
struct Word {
    buf: [u8; Word::MAX],
    len: usize,
    /// It was longer than that.
    over: bool,
}

impl Word {
    const MAX: usize = 96;

    fn new() -> Self {
        Self { buf: [0; Self::MAX], len: 0, over: false }
    }

    fn push(&mut self, b: u8) {
        match self.buf.get_mut(self.len) {
            Some(free) => {
                *free = b.to_ascii_lowercase();
                self.len += 1;
            }
            None => self.over = true,
        }
    }

    fn of(text: &[u8]) -> Self {
        let mut out = Self::new();
        text.iter().for_each(|b| out.push(*b));
        out
    }

    fn bytes(&self) -> &[u8] {
        &self.buf[..self.len]
    }

    /// Leaves out what people put between words.
    fn fold(&mut self) {
        let mut to = 0;
        for from in 0..self.len {
            if !matches!(self.buf[from], b' ' | b'-' | b'_' | b'.') {
                self.buf[to] = self.buf[from];
                to += 1;
            }
        }
        self.len = to;
    }
}

fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).map(|d| d as u8)
}

/// Percent-decodes; `+` is a blank.
fn decode(text: &[u8], mut push: impl FnMut(u8)) {
    let mut i = 0;
    while let Some(&b) = text.get(i) {
        i += 1;
        push(match b {
            b'%' => match (text.get(i).copied().and_then(hex), text.get(i + 1).copied().and_then(hex)) {
                (Some(h), Some(l)) => {
                    i += 2;
                    h * 16 + l
                }
                _ => b'%',
            },
            b'+' => b' ',
            other => other,
        });
    }
}

impl<'a> Mask<'a> {
    /// The options' rules and, with `usual`, those for the usual names.
    pub(super) fn new(rules: &'a Rules, usual: bool) -> Self {
        Self { rules, usual }
    }

    /// Whether parameters may have to be masked.
    pub(super) fn params_wanted(&self) -> bool {
        self.usual || !self.rules.keywords.is_empty()
    }

    /// Whether a decoded name is a secret's.
    fn secret(&self, mut name: Word) -> bool {
        if self.rules.keywords.iter().any(|k| k.as_bytes() == name.bytes().trim_ascii()) {
            return true;
        }
        name.fold();
        // Nobody names a harmless thing at such length.
        self.usual && (name.over || usual(name.bytes()))
    }

    fn secret_param(&self, key: &[u8]) -> bool {
        let mut name = Word::new();
        decode(key, |b| name.push(b));
        self.secret(name)
    }

    /// What stands instead of this header's value, if it must not be seen.
    pub(super) fn header(&self, name: &[u8]) -> Option<&'static [u8]> {
        let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
        if (self.rules.authorization || self.usual) && (is(b"authorization") || is(b"proxy-authorization")) {
            return Some(b"*");
        }
        if self.rules.headers.iter().any(|h| is(h.as_bytes())) {
            return Some(b"REDACTED");
        }
        (self.usual && self.secret(Word::of(name))).then_some(b"*")
    }

    /// Masks parameters: `key=value` between `&`, also after `?`, `#` and `;`. Appends to `out`, answers how many
    /// values were masked.
    pub(super) fn params(&self, text: &[u8], out: &mut Vec<u8>) -> u64 {
        let mut count = 0;
        for (i, piece) in text.split(|b| *b == b'&').enumerate() {
            if i > 0 {
                out.push(b'&');
            }
            // A secret may hold any of the lesser separators, so it reaches to the end of its piece.
            let mut key = 0;
            let mut at = 0;
            let mut masked = false;
            while let Some(n) = piece[at..].iter().position(|b| matches!(b, b'=' | b'?' | b'#' | b';')) {
                let here = at + n;
                at = here + 1;
                if piece[here] == b'=' && key <= here {
                    if at < piece.len() && (self.secret_param(&piece[key..here]) || self.nested(&piece[at..])) {
                        out.extend_from_slice(&piece[..at]);
                        out.extend_from_slice(MASK);
                        (count, masked) = (count + 1, true);
                        break;
                    }
                    // Not a key any more until the next separator.
                    key = usize::MAX;
                } else if piece[here] != b'=' {
                    key = at;
                }
            }
            if !masked {
                out.extend_from_slice(piece);
            }
        }
        count
    }

    /// Whether a value itself holds a secret: parameters, percent-encoded, JSON, or a URL with a password.
    fn nested(&self, value: &[u8]) -> bool {
        if memchr::memchr3(b'%', b'"', b'@', value).is_none() {
            return false;
        }
        let mut inner = Vec::with_capacity(value.len());
        decode(value, |b| inner.push(b));
        let mut params = inner.split(|b| matches!(b, b'&' | b'?' | b'#' | b';'));
        (self.usual && user_info(&inner).is_some())
            || params.any(|p| memchr(b'=', p).is_some_and(|n| n + 1 < p.len() && self.secret(Word::of(&p[..n]))))
            || (memchr(b'"', &inner).is_some() && self.json(&inner, &mut Vec::new()) > 0)
    }

    /// Masks what a text with a URL in it may give away: a password before the host, parameters.
    pub(super) fn url(&self, text: &[u8], out: &mut Vec<u8>) -> u64 {
        // Parameters of the path (`;jsessionid=`), the query, the fragment.
        let params = text.iter().position(|b| matches!(b, b'?' | b';' | b'#'));
        let (front, params) = params.map_or((text, None), |n| (&text[..=n], Some(&text[n + 1..])));
        let mut count = 0;
        let mut rest = front;
        while let Some((from, to)) = user_info(rest).filter(|_| self.usual) {
            out.extend_from_slice(&rest[..from]);
            out.extend_from_slice(MASK);
            rest = &rest[to..];
            count += 1;
        }
        out.extend_from_slice(rest);
        count + params.map_or(0, |p| self.params(p, out))
    }

    /// Masks a header's value that is no secret as a whole.
    pub(super) fn value(&self, value: &[u8], out: &mut Vec<u8>) -> u64 {
        if self.params_wanted() && (memchr(b'=', value).is_some() || memchr(b'@', value).is_some()) {
            return self.url(value, out);
        }
        out.extend_from_slice(value);
        0
    }

    /// Masks a raw head: the target or reason, and each header.
    pub(super) fn head(&self, head: &[u8], out: &mut Vec<u8>) -> u64 {
        let mut count = 0;
        let mut hidden: Option<&[u8]> = None;
        for (i, line) in head.split_inclusive(|b| *b == b'\n').enumerate() {
            let body = line.trim_ascii_end();
            let end = &line[body.len()..];
            if i == 0 {
                let (front, version) = match memmem::rfind(body, b" HTTP/1.") {
                    Some(n) if !body.starts_with(b"HTTP/") => body.split_at(n),
                    _ => (body, &b""[..]),
                };
                count += self.value(front, out);
                out.extend_from_slice(version);
            } else if matches!(body.first(), Some(b' ' | b'\t')) {
                match hidden {
                    Some(mask) => self.fill(mask, body, out),
                    None => count += self.value(body, out),
                }
            } else if let Some(colon) = memchr(b':', body) {
                let name = body[..colon].trim_ascii_end();
                hidden = self.header(name);
                out.extend_from_slice(&body[..=colon]);
                match hidden {
                    Some(mask) => {
                        self.fill(mask, &body[colon + 1..], out);
                        count += 1;
                    }
                    None => count += self.value(&body[colon + 1..], out),
                }
            } else {
                out.extend_from_slice(body);
            }
            out.extend_from_slice(end);
        }
        count
    }

    /// Instead of a value in a raw head: a star for each byte where Packetbeat does so, else the mask alone, which
    /// does not tell how long the secret was.
    fn fill(&self, mask: &[u8], value: &[u8], out: &mut Vec<u8>) {
        if self.rules.authorization && mask == b"*" {
            out.resize(out.len() + value.len(), b'*');
        } else {
            out.push(b' ');
            out.extend_from_slice(mask);
        }
    }

    /// Masks a body. `form`: its type says that it is a form.
    pub(super) fn body(&self, body: &[u8], form: bool, out: &mut Vec<u8>) -> u64 {
        let start = body.trim_ascii_start();
        if start.starts_with(b"--") && memmem::find(body, b"name=").is_some() {
            return self.multipart(body, out);
        }
        let begins_json = matches!(start.first(), Some(b'{' | b'['));
        if !begins_json && (form || looks_like_form(start)) {
            return self.params(body, out);
        }
        self.json(body, out)
    }

    /// Masks values of JSON members by their keys, in anything that holds JSON: one text, one a line, or cut anywhere.
    pub(super) fn json(&self, text: &[u8], out: &mut Vec<u8>) -> u64 {
        let mut count = 0;
        let mut at = 0;
        while let Some(n) = memchr(b'"', &text[at..]) {
            let open = at + n;
            let close = string_end(text, open);
            out.extend_from_slice(&text[at..close]);
            at = close;
            let gap = text[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
            if text.get(at + gap) != Some(&b':') {
                continue;
            }
            let mut key = Word::new();
            unescape(&text[open + 1..close.saturating_sub(1).max(open + 1)], |b| key.push(b));
            if !self.secret(key) {
                continue;
            }
            let colon = at + gap + 1;
            let value = colon + text[colon..].iter().take_while(|b| b.is_ascii_whitespace()).count();
            let end = value_end(text, value);
            if end > value && !matches!(&text[value..end], b"\"\"" | b"null") {
                out.extend_from_slice(&text[at..value]);
                out.extend_from_slice(b"\"xxxxx\"");
                at = end;
                count += 1;
            }
        }
        out.extend_from_slice(&text[at..]);
        count
    }

    /// Masks parts of a multipart form by their names (RFC 7578).
    fn multipart(&self, body: &[u8], out: &mut Vec<u8>) -> u64 {
        let mut count = 0;
        let mut at = 0;
        while let Some(n) = memmem::find(&body[at..], b"name=") {
            let name = at + n + 5;
            let quoted = body.get(name) == Some(&b'"');
            let start = name + usize::from(quoted);
            let stop: fn(&u8) -> bool = if quoted { |b| *b == b'"' } else { |b| b";\r\n".contains(b) };
            let end = start + body[start..].iter().position(stop).unwrap_or(body.len() - start);
            let secret = self.secret(Word::of(&body[start..end]));
            // The part's head ends soon; a search to the end of the body each time would be quadratic.
            let head = &body[end..body.len().min(end + 1024)];
            let value = match (secret, memmem::find(head, b"\r\n\r\n")) {
                (true, Some(n)) => end + n + 4,
                _ => {
                    out.extend_from_slice(&body[at..end]);
                    at = end;
                    continue;
                }
            };
            out.extend_from_slice(&body[at..value]);
            out.extend_from_slice(MASK);
            count += 1;
            at = memmem::find(&body[value..], b"\r\n--").map_or(body.len(), |n| value + n);
        }
        out.extend_from_slice(&body[at..]);
        count
    }
}

/// Where the password stands in `scheme://name:password@host` or `name:password@host` (RFC 3986 3.2.1).
fn user_info(text: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = memchr(b'@', &text[from..]).map(|n| from + n) {
        let front = &text[from..at];
        let start = front.iter().rposition(|b| b"/ ,\"<=".contains(b)).map_or(from, |n| from + n + 1);
        // Passwords may hold an `@` of their own.
        let end = text[at..].iter().position(|b| b"/ ,".contains(b)).map_or(text.len(), |n| at + n);
        let last = memchr::memrchr(b'@', &text[..end]).unwrap_or(at);
        if let Some(colon) = memchr(b':', &text[start..at]).map(|n| start + n).filter(|colon| colon + 1 < last) {
            return Some((colon + 1, last));
        }
        from = last + 1;
    }
    None
}

/// Whether a body begins as forms do: a short key and `=`.
fn looks_like_form(start: &[u8]) -> bool {
    memchr2(b'=', b'\n', &start[..start.len().min(128)]).is_some_and(|n| {
        n > 0 && start[n] == b'=' && start[..n].iter().all(|b| b.is_ascii_alphanumeric() || b"_-.%[]+$:".contains(b))
    })
}

/// Where the JSON string that opens at `open` ends, its closing quote included; the end of the text when it is cut.
fn string_end(text: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(n) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if text[at + n] == b'"' {
            return at + n + 1;
        }
        at += n + 2;
    }
    text.len()
}

/// Where the JSON value that begins at `value` ends.
fn value_end(text: &[u8], value: usize) -> usize {
    match text.get(value) {
        Some(b'"') => string_end(text, value),
        Some(b'{' | b'[') => {
            let mut depth = 0usize;
            let mut at = value;
            while let Some(&b) = text.get(at) {
                match b {
                    b'"' => {
                        at = string_end(text, at);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return at + 1;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            text.len()
        }
        Some(_) => {
            let n = text[value..].iter().position(|b| b",}] \t\r\n".contains(b));
            n.map_or(text.len(), |n| value + n)
        }
        None => text.len(),
    }
}

/// Resolves the escapes of a JSON string as far as a name needs it.
fn unescape(text: &[u8], mut push: impl FnMut(u8)) {
    let mut i = 0;
    while let Some(&b) = text.get(i) {
        i += 1;
        if b != b'\\' {
            push(b);
            continue;
        }
        let escape = text.get(i).copied().unwrap_or(b'\\');
        i += 1;
        if escape == b'u' {
            let code = text.get(i..i + 4).unwrap_or_default();
            i += 4;
            let value = code.iter().try_fold(0u32, |n, d| Some(n * 16 + u32::from(hex(*d)?)));
            let c = value.and_then(char::from_u32).unwrap_or('?');
            c.encode_utf8(&mut [0; 4]).bytes().for_each(&mut push);
        } else {
            push(escape);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(rules: &Rules, usual: bool, f: impl FnOnce(&Mask<'_>, &mut Vec<u8>) -> u64) -> (String, u64) {
        let mut out = Vec::new();
        let count = f(&Mask::new(rules, usual), &mut out);
        (String::from_utf8(out).unwrap(), count)
    }

    #[test]
    fn parameters() {
        let none = Rules::default();
        for (text, masked, n) in [
            ("a=1&password=hunter2&b=2", "a=1&password=xxxxx&b=2", 1),
            ("PassWord=hunter2", "PassWord=xxxxx", 1),
            ("user%5Bp%61ssword%5D=hunter2", "user%5Bp%61ssword%5D=xxxxx", 1),
            ("access_token=hunter2;x=1&X-Api-Key=hunter2", "access_token=xxxxx&X-Api-Key=xxxxx", 2),
            ("a=1;token=hunter2", "a=1;token=xxxxx", 1),
            ("max_tokens=100&q=token", "max_tokens=100&q=token", 0),
            ("next=%2Flogin%3Ftoken%3Dhunter2", "next=xxxxx", 1),
            ("q=%7B%22token%22%3A%22hunter2%22%7D", "q=xxxxx", 1),
            ("q={\"a\":1,\"token\":\"hunter2\"}&b=1", "q=xxxxx&b=1", 1),
            ("q=100%25&m=a@b", "q=100%25&m=a@b", 0),
            ("token", "token", 0),
            ("token=", "token=", 0),
            ("a==b&&=", "a==b&&=", 0),
        ] {
            assert_eq!(with(&none, true, |m, o| m.params(text.as_bytes(), o)), (masked.to_owned(), n));
        }
        let rules = Rules { keywords: vec!["pass".into()], ..Rules::default() };
        let (text, n) = with(&rules, false, |m, o| m.params(b"PASS=a&password=b&p%61ss=c", o));
        assert_eq!((text.as_str(), n), ("PASS=xxxxx&password=b&p%61ss=xxxxx", 2));
    }

    #[test]
    fn urls_and_heads() {
        let none = Rules::default();
        let (text, n) = with(&none, true, |m, o| m.url(b"http://u:hunter2@h/a;jsessionid=hunter2?x=1#y", o));
        assert_eq!((text.as_str(), n), ("http://u:xxxxx@h/a;jsessionid=xxxxx", 2));
        let head = b"GET /?token=hunter2 HTTP/1.1\r\nAuthorization: Basic\r\n hunter2\r\nX-Api-Key:hunter2\r\nReferer: http://a/?pwd=hunter2\r\nHost: a\r\n\r\n";
        let (text, n) = with(&none, true, |m, o| m.head(head, o));
        assert_eq!(text, "GET /?token=xxxxx HTTP/1.1\r\nAuthorization: *\r\n *\r\nX-Api-Key: *\r\nReferer: http://a/?pwd=xxxxx\r\nHost: a\r\n\r\n");
        assert_eq!(n, 4);
        let rules = Rules { authorization: true, headers: vec!["x-a".into()], ..Rules::default() };
        let (text, _) = with(&rules, false, |m, o| m.head(b"GET / HTTP/1.1\r\nAuthorization: ab\r\nX-A: secret\r\n\r\n", o));
        assert_eq!(text, "GET / HTTP/1.1\r\nAuthorization:***\r\nX-A: REDACTED\r\n\r\n");
    }

    #[test]
    fn json() {
        let none = Rules::default();
        for (text, masked) in [
            (r#"{"a":1,"password":"hun\"ter2","b":[]}"#, r#"{"a":1,"password":"xxxxx","b":[]}"#),
            (r#"{"p\u0061ssword" : 12345 , "x":1}"#, r#"{"p\u0061ssword" : "xxxxx" , "x":1}"#),
            (r#"{"secret":{"a":["x}"]},"c":"password"}"#, r#"{"secret":"xxxxx","c":"password"}"#),
            (r#"{"token":"hunter"#, r#"{"token":"xxxxx""#),
            (r#"{"token":null,"pwd":""}"#, r#"{"token":null,"pwd":""}"#),
            (r#"{"a":"#, r#"{"a":"#),
            (r#"{"token":"#, r#"{"token":"#),
            ("{\"x\":1}\n{\"apiKey\":\"hunter2\"}\n", "{\"x\":1}\n{\"apiKey\":\"xxxxx\"}\n"),
            (r#"{"token\"#, r#"{"token\"#),
        ] {
            assert_eq!(with(&none, true, |m, o| m.json(text.as_bytes(), o)).0, masked);
        }
    }

    #[test]
    fn bodies() {
        let none = Rules::default();
        let part = "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b\r\nContent-Disposition: form-data; name=\"u\"\r\n\r\njoe\r\n--b--\r\n";
        let (text, n) = with(&none, true, |m, o| m.body(part.as_bytes(), false, o));
        assert_eq!((text, n), (part.replace("hunter2", "xxxxx"), 1));
        let (text, _) = with(&none, true, |m, o| m.body(b"user=a&pw=hunter2", false, o));
        assert_eq!(text, "user=a&pw=xxxxx");
        let (text, _) = with(&none, true, |m, o| m.body(b"user=\"a\"&pw=hunter2", true, o));
        assert_eq!(text, "user=\"a\"&pw=xxxxx");
        let (text, _) = with(&none, true, |m, o| m.body(b"pw=hunter2&note=\"a\"", false, o));
        assert_eq!(text, "pw=xxxxx&note=\"a\"");
        let (text, _) = with(&none, true, |m, o| m.body(b"{\"pw\":\"hunter2\"}", true, o));
        assert_eq!(text, "{\"pw\":\"xxxxx\"}");
        let (text, n) = with(&none, true, |m, o| m.body(b"<p>a = b</p>", false, o));
        assert_eq!((text.as_str(), n), ("<p>a = b</p>", 0));
    }
}
