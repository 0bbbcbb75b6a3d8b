//! What a record says, as fields: typed members where people ask for them, and always `data`.

use std::io::Write as _;
use std::net::Ipv6Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use wirebeat_model::{Endpoint, Entries, Field};

use super::codec::{Message, Record, Style, skip_name, write_decimal, write_name};
use super::fields::RecordFields;
use super::{names, service};
use crate::Cursor;

/// Puts one record's members into an object, but for its name.
pub(super) fn put_record(e: &mut Entries, f: &RecordFields, m: &Message<'_>, r: &Record, style: Style) {
    put_kind(e, f.kind, r.kind);
    let mut class = r.class;
    if style == Style::Utf8 && class & TOP_BIT != 0 {
        // RFC 6762 §10.2: the cache-flush bit.
        class &= !TOP_BIT;
        e.put(f.cache_flush, true);
    }
    put_class(e, f.class, class);
    put_number(e, f.ttl, r.ttl);
    // An update that deletes says nothing (RFC 2136 §2.5).
    if r.len > 0 && put_data(e, f, m, r, style).is_none() {
        e.put_with(f.data, |out| write_unknown(m.data(r), out));
    }
}

/// In multicast DNS the class is 15 bits wide; the first bit means something else.
pub(super) const TOP_BIT: u16 = 0x8000;

/// A record type's name, or its number.
pub(super) fn put_kind(e: &mut Entries, field: &Field, kind: u16) {
    match names::kind(kind) {
        Some(name) => e.put(field, name),
        None => put_number(e, field, kind),
    }
}

/// A class's name, or its number.
pub(super) fn put_class(e: &mut Entries, field: &Field, class: u16) {
    match names::class(class) {
        Some(name) => e.put(field, name),
        None => put_number(e, field, class),
    }
}

/// A number as text.
pub(super) fn put_number(e: &mut Entries, field: &Field, n: impl Into<u32>) {
    e.put(field, itoa::Buffer::new().format(n.into()));
}

fn put_name_or_number(e: &mut Entries, field: &Field, name: Option<&'static str>, n: u8) {
    match name {
        Some(name) => e.put(field, name),
        None => put_number(e, field, n),
    }
}

/// Data that has no form of its own (RFC 3597 §5).
fn write_unknown(data: &[u8], out: &mut Vec<u8>) {
    let _ = write!(out, "\\# {}", data.len());
    if !data.is_empty() {
        out.push(b' ');
        write_hex(data, HEX_LOWER, out);
    }
}

pub(super) const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";
const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";

pub(super) fn write_hex(data: &[u8], digits: &[u8; 16], out: &mut Vec<u8>) {
    out.extend(data.iter().flat_map(|b| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]));
}

/// Base64 straight into the buffer.
pub(super) fn write_base64(data: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + data.len().div_ceil(3) * 4, 0);
    let n = BASE64.encode_slice(data, &mut out[start..]).unwrap_or(0);
    out.truncate(start + n);
}

/// Base32 with the extended hex alphabet, without padding (RFC 5155 §3.3).
fn write_base32hex(data: &[u8], out: &mut Vec<u8>) {
    for chunk in data.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |acc, b| acc << 8 | u64::from(*b)) << (8 * (5 - chunk.len()));
        for i in 0..(chunk.len() * 8).div_ceil(5) {
            out.push(b"0123456789ABCDEFGHIJKLMNOPQRSTUV"[(bits >> (35 - 5 * i)) as usize & 31]);
        }
    }
}

/// The content of a character string (RFC 1035 §5.1): quotes and backslashes escaped, the rest of what is not printable
/// as `\DDD`.
pub(super) fn write_string(text: &[u8], style: Style, out: &mut Vec<u8>) {
    if style == Style::Utf8 && std::str::from_utf8(text).is_ok() && !text.iter().any(|b| b.is_ascii_control()) {
        for &b in text {
            if matches!(b, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(b);
        }
        return;
    }
    for &b in text {
        match b {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            b' '..=b'~' => out.push(b),
            _ => write_decimal(b, out),
        }
    }
}

fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    write_string(text, Style::Zone, out);
    out.push(b'"');
}

/// Types in a bit map (RFC 4034 §4.1.2), separated by blanks.
fn write_type_bits(data: &[u8], out: &mut Vec<u8>) {
    let mut c = Cursor::new(data);
    let mut first = true;
    while let (Some(window), Some(len)) = (c.u8(), c.u8()) {
        let Some(map) = c.take(usize::from(len.min(32))) else { return };
        for (i, byte) in map.iter().enumerate() {
            for bit in 0..8_u16 {
                if byte & 0x80 >> bit == 0 {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(b' ');
                }
                write_kind(u16::from(window) << 8 | (i as u16) << 3 | bit, out);
            }
        }
    }
}

pub(super) fn write_kind(kind: u16, out: &mut Vec<u8>) {
    match names::kind(kind) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => out.extend_from_slice(itoa::Buffer::new().format(kind).as_bytes()),
    }
}

pub(super) fn write_v4(ip: [u8; 4], out: &mut Vec<u8>) {
    for (i, octet) in ip.into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
    }
}

/// Seconds since 1970 as YYYYMMDDHHMMSS (RFC 4034 §3.2; until 2106, without serial arithmetic: a file read later must
/// give the same text).
fn write_date(seconds: u32, out: &mut Vec<u8>) {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Civil date from days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z % 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u32::from(month <= 2);
    let _ = write!(out, "{year:04}{month:02}{day:02}{:02}{:02}{:02}", second / 3600, second / 60 % 60, second % 60);
}

/// Reads names inside record data, which may point to anywhere before in the message.
struct Names<'m> {
    bytes: &'m [u8],
    at: usize,
    end: usize,
    style: Style,
}

impl Names<'_> {
    /// Where the next name begins; goes past it.
    fn next(&mut self) -> Option<usize> {
        let at = self.at;
        self.at = skip_name(self.bytes, at).filter(|end| *end <= self.end)?;
        Some(at)
    }

    fn put(&mut self, e: &mut Entries, field: &Field) -> Option<()> {
        let at = self.next()?;
        e.put_with(field, |out| write_name(self.bytes, at, self.style, out));
        Some(())
    }

    fn write(&self, at: usize, out: &mut Vec<u8>) {
        write_name(self.bytes, at, self.style, out);
    }
}

/// Puts the data of a record; `None` when it is not what its type says.
fn put_data(e: &mut Entries, f: &RecordFields, m: &Message<'_>, r: &Record, style: Style) -> Option<()> {
    let data = m.data(r);
    let mut c = Cursor::new(data);
    // Names after a fixed part of `n` bytes.
    let names_at = |n: usize| Names { bytes: m.bytes, at: r.data + n, end: r.data + r.len, style };
    match r.kind {
        // A, AAAA
        1 => {
            let ip: [u8; 4] = data.try_into().ok()?;
            e.put_with(f.data, |out| write_v4(ip, out));
        }
        28 => {
            let ip: [u8; 16] = data.try_into().ok()?;
            e.put_with(f.data, |out| drop(write!(out, "{}", Ipv6Addr::from(ip))));
        }
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, NSAP-PTR, DNAME
        2..=5 | 7..=9 | 12 | 23 | 39 => names_at(0).put(e, f.data)?,
        // SOA
        6 => {
            let mut names = names_at(0);
            let mname = names.next()?;
            let rname = names.next()?;
            let mut c = Cursor::new(m.bytes.get(names.at..names.end)?);
            let numbers = [c.u32()?, c.u32()?, c.u32()?, c.u32()?, c.u32()?];
            e.put_with(f.rname, |out| names.write(rname, out));
            for (field, n) in [f.serial, f.refresh, f.retry, f.expire, f.minimum].into_iter().zip(numbers) {
                e.put(field, n);
            }
            e.put_with(f.data, |out| names.write(mname, out));
        }
        // HINFO: two strings
        13 => {
            let (cpu, os) = (string(&mut c)?, string(&mut c)?);
            e.put_with(f.data, |out| {
                write_quoted(cpu, out);
                out.push(b' ');
                write_quoted(os, out);
            });
        }
        // MINFO, RP: two names
        14 | 17 => {
            let mut names = names_at(0);
            let (a, b) = (names.next()?, names.next()?);
            e.put_with(f.data, |out| {
                names.write(a, out);
                out.push(b' ');
                names.write(b, out);
            });
        }
        // MX, AFSDB, RT, KX: a preference and a name
        15 | 18 | 21 | 36 => {
            let preference = c.u16()?;
            names_at(2).put(e, f.data)?;
            e.put(f.preference, preference);
        }
        // TXT, NINFO, SPF, AVC, RESINFO: strings
        16 | 56 | 99 | 258 | 261 => {
            // Checked first: half a text is not put.
            let mut check = c;
            while !check.is_empty() {
                string(&mut check)?;
            }
            e.put_with(f.data, |out| {
                let start = out.len();
                while let Some(text) = string(&mut c) {
                    if out.len() > start {
                        out.push(b' ');
                    }
                    write_string(text, style, out);
                }
            });
        }
        // SIG, RRSIG (RFC 4034 §3.1)
        24 | 46 => {
            let (covered, algorithm, labels) = (c.u16()?, c.u8()?, c.u8()?);
            let (ttl, expiration, inception, tag) = (c.u32()?, c.u32()?, c.u32()?, c.u16()?);
            let mut names = names_at(c.at());
            let signer = names.next()?;
            let signature = m.bytes.get(names.at..names.end)?;
            put_kind(e, f.type_covered, covered);
            put_name_or_number(e, f.algorithm, names::algorithm(algorithm), algorithm);
            put_number(e, f.labels, labels);
            put_number(e, f.original_ttl, ttl);
            e.put_with(f.expiration, |out| write_date(expiration, out));
            e.put_with(f.inception, |out| write_date(inception, out));
            put_number(e, f.key_tag, tag);
            e.put_with(f.signer_name, |out| names.write(signer, out));
            e.put_with(f.data, |out| write_base64(signature, out));
        }
        // KEY, DNSKEY, RKEY, CDNSKEY (RFC 4034 §2.1)
        25 | 48 | 57 | 60 => {
            let (flags, protocol, algorithm) = (c.u16()?, c.u8()?, c.u8()?);
            put_number(e, f.flags, flags);
            put_number(e, f.protocol, protocol);
            put_name_or_number(e, f.algorithm, names::algorithm(algorithm), algorithm);
            e.put_with(f.data, |out| write_base64(c.rest(), out));
        }
        // LOC
        29 => {
            let text = service::location(data)?;
            e.put(f.data, text.as_str());
        }
        // SRV (RFC 2782)
        33 => {
            let (priority, weight, port) = (c.u16()?, c.u16()?, c.u16()?);
            names_at(6).put(e, f.data)?;
            e.put(f.priority, priority);
            e.put(f.weight, weight);
            e.put(f.port, port);
        }
        // NAPTR (RFC 3403 §4.1)
        35 => {
            let (order, preference) = (c.u16()?, c.u16()?);
            let texts = [string(&mut c)?, string(&mut c)?, string(&mut c)?];
            let mut names = names_at(c.at());
            let replacement = names.next()?;
            e.put(f.preference, preference);
            e.put_with(f.flags, |out| write_string(texts[0], style, out));
            e.put_with(f.data, |out| {
                let _ = write!(out, "{order} {preference} ");
                for text in texts {
                    write_quoted(text, out);
                    out.push(b' ');
                }
                names.write(replacement, out);
            });
        }
        // CERT (RFC 4398 §2)
        37 => {
            let (kind, tag, algorithm) = (c.u16()?, c.u16()?, c.u8()?);
            put_number(e, f.key_tag, tag);
            put_name_or_number(e, f.algorithm, names::algorithm(algorithm), algorithm);
            e.put_with(f.data, |out| {
                let _ = write!(out, "{kind} {tag} {algorithm} ");
                write_base64(c.rest(), out);
            });
        }
        // DS, CDS, TA, DLV (RFC 4034 §5.1)
        43 | 59 | 32768 | 32769 => {
            let (tag, algorithm, digest) = (c.u16()?, c.u8()?, c.u8()?);
            put_number(e, f.key_tag, tag);
            put_name_or_number(e, f.algorithm, names::algorithm(algorithm), algorithm);
            put_name_or_number(e, f.digest_type, names::digest(digest), digest);
            e.put_with(f.data, |out| write_hex(c.rest(), HEX_UPPER, out));
        }
        // SSHFP (RFC 4255 §3.1)
        44 => {
            let (algorithm, kind) = (c.u8()?, c.u8()?);
            e.put_with(f.data, |out| {
                let _ = write!(out, "{algorithm} {kind} ");
                write_hex(c.rest(), HEX_UPPER, out);
            });
        }
        // NSEC (RFC 4034 §4.1)
        47 => {
            let mut names = names_at(0);
            names.put(e, f.data)?;
            let bits = m.bytes.get(names.at..names.end)?;
            e.put_with(f.type_bits, |out| write_type_bits(bits, out));
        }
        // DHCID, OPENPGPKEY
        49 | 61 => e.put_with(f.data, |out| write_base64(data, out)),
        // NSEC3, NSEC3PARAM (RFC 5155 §3.2, §4.2)
        50 | 51 => {
            let (hash, flags, iterations) = (c.u8()?, c.u8()?, c.u16()?);
            let salt = string(&mut c)?;
            let next = if r.kind == 50 { Some(string(&mut c)?) } else { None };
            put_name_or_number(e, f.hash, names::digest(hash), hash);
            put_number(e, f.flags, flags);
            put_number(e, f.iterations, iterations);
            let write_salt =
                |out: &mut Vec<u8>| if salt.is_empty() { out.push(b'-') } else { write_hex(salt, HEX_UPPER, out) };
            match next {
                Some(next) => {
                    e.put_with(f.salt, write_salt);
                    e.put_with(f.type_bits, |out| write_type_bits(c.rest(), out));
                    e.put_with(f.data, |out| write_base32hex(next, out));
                }
                None => e.put_with(f.data, write_salt),
            }
        }
        // TLSA, SMIMEA (RFC 6698 §2.1); ZONEMD (RFC 8976 §2.2) is built alike
        52 | 53 | 63 => {
            let serial = if r.kind == 63 { Some(c.u32()?) } else { None };
            let numbers = [Some(c.u8()?), Some(c.u8()?), if r.kind == 63 { None } else { Some(c.u8()?) }];
            if let Some(serial) = serial {
                e.put(f.serial, serial);
            }
            e.put_with(f.data, |out| {
                if let Some(serial) = serial {
                    let _ = write!(out, "{serial} ");
                }
                for n in numbers.into_iter().flatten() {
                    let _ = write!(out, "{n} ");
                }
                write_hex(c.rest(), HEX_UPPER, out);
            });
        }
        // CSYNC (RFC 7477 §2.1)
        62 => {
            let (serial, flags) = (c.u32()?, c.u16()?);
            e.put(f.serial, serial);
            put_number(e, f.flags, flags);
            e.put_with(f.type_bits, |out| write_type_bits(c.rest(), out));
            e.put_with(f.data, |out| {
                let _ = write!(out, "{serial} {flags} ");
                write_type_bits(c.rest(), out);
            });
        }
        // SVCB, HTTPS
        64 | 65 => {
            let priority = c.u16()?;
            let mut names = names_at(2);
            let target = names.next()?;
            let params = m.bytes.get(names.at..names.end)?;
            service::check(params)?;
            e.put(f.priority, priority);
            e.put_with(f.target, |out| names.write(target, out));
            service::put_params(e, f, params);
            e.put_with(f.data, |out| {
                let _ = write!(out, "{priority} ");
                names.write(target, out);
                service::write_params(params, out);
            });
        }
        // EUI48, EUI64
        108 | 109 if matches!(data.len(), 6 | 8) => e.put_with(f.data, |out| {
            for (i, b) in data.iter().enumerate() {
                let _ = write!(out, "{}{b:02x}", if i > 0 { "-" } else { "" });
            }
        }),
        // TSIG (RFC 8945 §4.2)
        250 => {
            let mut names = names_at(0);
            let algorithm = names.next()?;
            let mut c = Cursor::new(m.bytes.get(names.at..names.end)?);
            let time = u64::from(c.u16()?) << 32 | u64::from(c.u32()?);
            let (fudge, len) = (c.u16()?, c.u16()?);
            let mac = c.take(usize::from(len))?;
            let (id, error) = (c.u16()?, c.u16()?);
            e.put_with(f.algorithm, |out| names.write(algorithm, out));
            e.put_with(f.data, |out| {
                names.write(algorithm, out);
                let _ = write!(out, " {time} {fudge} {len} ");
                write_base64(mac, out);
                let _ = write!(out, " {id} {error}");
            });
        }
        // URI (RFC 7553 §4.5)
        256 => {
            let (priority, weight) = (c.u16()?, c.u16()?);
            e.put(f.priority, priority);
            e.put(f.weight, weight);
            e.put_with(f.data, |out| {
                let _ = write!(out, "{priority} {weight} ");
                write_quoted(c.rest(), out);
            });
        }
        // CAA (RFC 8659 §4.1)
        257 => {
            let flags = c.u8()?;
            let tag = string(&mut c)?;
            put_number(e, f.flags, flags);
            e.put_with(f.tag, |out| write_string(tag, Style::Zone, out));
            e.put_with(f.data, |out| {
                let _ = write!(out, "{flags} ");
                write_string(tag, Style::Zone, out);
                out.push(b' ');
                write_quoted(c.rest(), out);
            });
        }
        _ => return None,
    }
    Some(())
}

/// A string with its length before it (RFC 1035 §3.3).
pub(super) fn string<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let n = c.u8()?;
    c.take(usize::from(n))
}

/// The address that a record holds, if it is of type A or AAAA.
pub(super) fn address(m: &Message<'_>, r: &Record) -> Option<u128> {
    match r.kind {
        1 => Some(Endpoint::v4(m.data(r).try_into().ok()?, 0).ip),
        28 => Some(Endpoint::v6(m.data(r).try_into().ok()?, 0).ip),
        _ => None,
    }
}
