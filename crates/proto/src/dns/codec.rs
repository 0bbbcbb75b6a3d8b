//! DNS messages as bytes (RFC 1035 §4): header, questions, records, names. Reads in place, allocates nothing.

use crate::Cursor;

/// The fixed part of a message (RFC 1035 §4.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    /// Questions, answers, authorities, additionals, as announced.
    pub(super) counts: [u16; 4],
}

impl Header {
    pub(super) const LEN: usize = 12;
    pub(super) const QR: u16 = 0x8000;
    pub(super) const AA: u16 = 0x0400;
    pub(super) const TC: u16 = 0x0200;
    pub(super) const RD: u16 = 0x0100;
    pub(super) const RA: u16 = 0x0080;
    pub(super) const AD: u16 = 0x0020;
    pub(super) const CD: u16 = 0x0010;

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut c = Cursor::new(bytes);
        Some(Self { id: c.u16()?, flags: c.u16()?, counts: [c.u16()?, c.u16()?, c.u16()?, c.u16()?] })
    }

    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    pub(super) fn is_response(&self) -> bool {
        self.has(Self::QR)
    }

    pub(super) fn opcode(&self) -> u8 {
        (self.flags >> 11) as u8 & 15
    }
}

/// A question (RFC 1035 §4.1.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// Where its name begins in the message.
    pub(super) name: usize,
    pub(super) kind: u16,
    pub(super) class: u16,
}

/// A resource record (RFC 1035 §4.1.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// Where its owner's name begins in the message.
    pub(super) name: usize,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    /// Where its data begins, and how long it is; inside the message.
    pub(super) data: usize,
    pub(super) len: usize,
}

/// A message whose header and questions are whole; records as far as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) header: Header,
    /// Where the questions end.
    questions_end: usize,
    /// Where answers, authorities and additionals begin, and how many whole records each has.
    sections: [(usize, u16); 3],
    /// The OPT record among the additionals (RFC 6891 §6.1.1).
    pub(super) opt: Option<Record>,
    /// Whether every announced record is there.
    pub(super) whole: bool,
}

/// Type of the OPT pseudo-record.
pub(super) const OPT: u16 = 41;

impl<'a> Message<'a> {
    /// Reads a message. `None` when header or questions make no sense.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let header = Header::read(bytes)?;
        let mut at = Header::LEN;
        for _ in 0..header.counts[0] {
            at = question(bytes, at)?.1;
        }
        let mut out = Self { bytes, header, questions_end: at, sections: [(at, 0); 3], opt: None, whole: true };
        for (i, section) in out.sections.iter_mut().enumerate() {
            section.0 = at;
            for _ in 0..header.counts[i + 1] {
                let Some((record, end)) = record(bytes, at) else {
                    out.whole = false;
                    return Some(out);
                };
                if i == 2 && record.kind == OPT {
                    out.opt = Some(record);
                }
                at = end;
                section.1 += 1;
            }
        }
        Some(out)
    }

    pub(super) fn questions(&self) -> impl Iterator<Item = Question> + use<'a> {
        let (bytes, mut at) = (self.bytes, Header::LEN);
        (0..self.header.counts[0]).map_while(move |_| {
            let (q, end) = question(bytes, at)?;
            at = end;
            Some(q)
        })
    }

    pub(super) fn question(&self) -> Option<Question> {
        self.questions().next()
    }

    /// The questions as they stand on the wire.
    pub(super) fn question_bytes(&self) -> &'a [u8] {
        self.bytes.get(Header::LEN..self.questions_end).unwrap_or_default()
    }

    /// How many whole records a section has: 0 answers, 1 authorities, 2 additionals.
    pub(super) fn count(&self, section: usize) -> u16 {
        self.sections[section].1
    }

    /// The whole records of a section.
    pub(super) fn records(&self, section: usize) -> impl Iterator<Item = Record> + use<'a> {
        let (mut at, count) = self.sections[section];
        let bytes = self.bytes;
        (0..count).map_while(move |_| {
            let (r, end) = record(bytes, at)?;
            at = end;
            Some(r)
        })
    }

    /// The answer's code with the upper bits that OPT holds (RFC 6891 §6.1.3).
    pub(super) fn rcode(&self) -> u16 {
        self.header.flags & 15 | self.upper_rcode()
    }

    /// Those upper bits alone, in place.
    pub(super) fn upper_rcode(&self) -> u16 {
        self.opt.map_or(0, |o| (o.ttl >> 24) as u16) << 4
    }

    pub(super) fn data(&self, r: &Record) -> &'a [u8] {
        self.bytes.get(r.data..r.data + r.len).unwrap_or_default()
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn question(bytes: &[u8], at: usize) -> Option<(Question, usize)> {
    let end = skip_name(bytes, at)?;
    Some((Question { name: at, kind: be16(bytes, end)?, class: be16(bytes, end + 2)? }, end + 4))
}

#[inline]
fn record(bytes: &[u8], at: usize) -> Option<(Record, usize)> {
    let end = skip_name(bytes, at)?;
    let fixed: [u8; 10] = bytes.get(end..end + 10)?.try_into().ok()?;
    let data = end + 10;
    let len = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
    if data + len > bytes.len() {
        return None;
    }
    let kind = u16::from_be_bytes([fixed[0], fixed[1]]);
    let class = u16::from_be_bytes([fixed[2], fixed[3]]);
    let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    Some((Record { name: at, kind, class, ttl, data, len }, data + len))
}

/// Where the name that begins at `at` ends, without following a pointer.
pub(super) fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            n @ 1..=63 => at += 1 + usize::from(n),
            // RFC 1035 §4.1.4: a pointer ends a name. 0x40 and 0x80 are reserved.
            0xc0.. => return (at + 2 <= bytes.len()).then_some(at + 2),
            _ => return None,
        }
        if at - start > 255 {
            return None;
        }
    }
}

/// The labels of a name, pointers followed. Ends early at what is not allowed.
#[derive(Clone, Debug)]
pub(super) struct Labels<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Pointers must lead before this: so no loop.
    floor: usize,
    /// Bytes of wire form a name may still have (RFC 1035 §3.1: 255).
    left: usize,
    hops: u8,
}

impl<'a> Labels<'a> {
    /// Pointers one name may have: far more than any compressor makes, and it bounds what a record costs.
    const HOPS: u8 = 32;

    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, floor: at, left: 255, hops: Self::HOPS }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let n = *self.bytes.get(self.at)?;
            match n {
                0 => return None,
                1..=63 => {
                    let n = usize::from(n);
                    let label = self.bytes.get(self.at + 1..self.at + 1 + n)?;
                    self.left = self.left.checked_sub(n + 1)?;
                    self.at += n + 1;
                    return Some(label);
                }
                0xc0.. => {
                    let low = *self.bytes.get(self.at + 1)?;
                    let to = usize::from(n & 0x3f) << 8 | usize::from(low);
                    self.hops = self.hops.checked_sub(1)?;
                    if to >= self.floor {
                        return None;
                    }
                    (self.at, self.floor) = (to, to);
                }
                _ => return None,
            }
        }
    }
}

/// How names are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As in zone files (RFC 1035 §5.1): what is special or not printable ASCII is escaped.
    Zone,
    /// Multicast DNS (RFC 6762 §16): names are UTF-8 and hold blanks; only dots and backslashes are escaped.
    Utf8,
}

/// Bytes that stand for themselves in a name.
const PLAIN: [bool; 256] = {
    let mut t = [false; 256];
    let mut i = 0x21;
    while i < 0x7f {
        t[i] = !matches!(i as u8, b'.' | b'\'' | b'@' | b';' | b'(' | b')' | b'"' | b'\\');
        i += 1;
    }
    t
};

/// Writes a name without its last dot; the root is a single dot.
#[inline]
pub(super) fn write_name(bytes: &[u8], at: usize, style: Style, out: &mut Vec<u8>) {
    let mut first = true;
    for label in Labels::new(bytes, at) {
        if !first {
            out.push(b'.');
        }
        first = false;
        // Without a branch per byte: labels are short, and nearly all are plain.
        if label.iter().fold(true, |plain, b| plain & PLAIN[usize::from(*b)]) {
            out.extend_from_slice(label);
        } else if style == Style::Utf8 && std::str::from_utf8(label).is_ok() {
            for &b in label {
                match b {
                    b'.' | b'\\' => out.extend_from_slice(&[b'\\', b]),
                    0..0x20 | 0x7f => write_decimal(b, out),
                    _ => out.push(b),
                }
            }
        } else {
            for &b in label {
                match b {
                    _ if PLAIN[usize::from(b)] => out.push(b),
                    b' '..=b'~' => out.extend_from_slice(&[b'\\', b]),
                    _ => write_decimal(b, out),
                }
            }
        }
    }
    if first {
        out.push(b'.');
    }
}

/// `\DDD` (RFC 1035 §5.1).
pub(super) fn write_decimal(b: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'\\', b'0' + b / 100, b'0' + b / 10 % 10, b'0' + b % 10]);
}

/// Whether two messages ask the same, letters compared without case: answers may spell a name as they like (RFC 4343),
/// and resolvers mix case on purpose. A message without questions agrees with any.
pub(super) fn same_question(a: &Message<'_>, b: &Message<'_>) -> bool {
    let (Some(x), Some(y)) = (a.question(), b.question()) else { return true };
    if x.kind != y.kind || x.class != y.class {
        return false;
    }
    let (p, q) = (a.question_bytes(), b.question_bytes());
    p == q || {
        let (mut p, mut q) = (Labels::new(a.bytes, x.name), Labels::new(b.bytes, y.name));
        loop {
            match (p.next(), q.next()) {
                (None, None) => return true,
                (Some(l), Some(r)) if l.eq_ignore_ascii_case(r) => {}
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(bytes: &[u8], at: usize) -> String {
        let mut out = Vec::new();
        write_name(bytes, at, Style::Zone, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_end_whatever_the_pointers_say() {
        assert_eq!(name(b"\x03www\x02ab\x00", 0), "www.ab");
        assert_eq!(name(b"\x02ab\x00\x01c\xc0\x00", 4), "c.ab");
        assert_eq!(name(b"\x00", 0), ".");
        // To itself, forward, in a circle, past the end, a reserved kind of label.
        for bad in [&b"\xc0\x00"[..], b"\xc0\x02\x01a\x00", b"\x01a\xc0\x00", b"\x01a\xcf\xff", b"\x01a\x41b"] {
            let _ = name(bad, 0);
            let _ = skip_name(bad, 0);
        }
        assert_eq!(name(b"\x01a\xc0\x00", 0), "a", "a pointer leads before its name");
        let long = [&[63; 64][..]; 5].concat();
        assert!(name(&long, 0).len() <= 255);
        assert_eq!(skip_name(&long, 0), None);
    }

    #[test]
    fn special_bytes_are_escaped() {
        assert_eq!(name(b"\x05a.b c\x03\xc3\xbc\x00\x00", 0), "a\\.b\\ c.\\195\\188\\000");
        let mut out = Vec::new();
        write_name(b"\x05a.b c\x02\xc3\xbc\x00", 0, Style::Utf8, &mut out);
        assert_eq!(out, "a\\.b c.ü".as_bytes());
    }

    #[test]
    fn cut_messages_keep_what_is_whole() {
        let m = b"\0\x07\x81\x80\0\x01\0\x01\0\0\0\0\x01a\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x01\x02\x03\x04";
        let whole = Message::read(m).unwrap();
        assert!(whole.whole && whole.count(0) == 1);
        for cut in 0..m.len() {
            match Message::read(&m[..cut]) {
                None => assert!(cut < 19),
                Some(m) => assert!(cut >= 19 && !m.whole && m.count(0) == 0),
            }
        }
    }
}
