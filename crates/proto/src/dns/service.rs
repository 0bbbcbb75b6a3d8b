//! Record data with a form of its own: service parameters (RFC 9460) and locations (RFC 1876).

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use wirebeat_model::Entries;

use super::codec::Style;
use super::fields::RecordFields;
use super::names;
use super::rdata::{string, write_base64, write_string, write_v4};
use crate::Cursor;

/// Service parameters one after the other: key and value (RFC 9460 §2.2).
struct Params<'a>(Cursor<'a>);

impl<'a> Iterator for Params<'a> {
    type Item = (u16, &'a [u8]);
    fn next(&mut self) -> Option<Self::Item> {
        let (key, len) = (self.0.u16()?, self.0.u16()?);
        Some((key, self.0.take(usize::from(len))?))
    }
}

/// Whether the parameters fill their place exactly.
pub(super) fn check(params: &[u8]) -> Option<()> {
    let mut all = Params(Cursor::new(params));
    let used: usize = all.by_ref().map(|(_, v)| 4 + v.len()).sum();
    (used == params.len()).then_some(())
}

fn write_key(key: u16, out: &mut Vec<u8>) {
    match names::service_key(key) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => drop(write!(out, "key{key}")),
    }
}

/// Puts those that people ask for as members.
pub(super) fn put_params(e: &mut Entries, f: &RecordFields, params: &[u8]) {
    for (key, value) in Params(Cursor::new(params)) {
        match key {
            0 => e.put_array(f.mandatory, |a| {
                for key in value.as_chunks().0 {
                    let mut name = Vec::new();
                    write_key(u16::from_be_bytes(*key), &mut name);
                    a.push_text(&name);
                }
            }),
            1 => e.put_array(f.alpn, |a| {
                let mut c = Cursor::new(value);
                while let Some(id) = string(&mut c) {
                    a.push_text(id);
                }
            }),
            3 => {
                if let Ok(port) = value.try_into() {
                    e.put(f.port, u16::from_be_bytes(port));
                }
            }
            4 => e.put_array(f.ipv4hint, |a| {
                for ip in value.as_chunks::<4>().0 {
                    a.push(std::net::IpAddr::V4(Ipv4Addr::from(*ip)));
                }
            }),
            5 => e.put_with(f.ech, |out| write_base64(value, out)),
            6 => e.put_array(f.ipv6hint, |a| {
                for ip in value.as_chunks::<16>().0 {
                    a.push(std::net::IpAddr::V6(Ipv6Addr::from(*ip)));
                }
            }),
            _ => {}
        }
    }
}

/// Writes them as a zone file does (RFC 9460 §2.1), each after a blank.
pub(super) fn write_params(params: &[u8], out: &mut Vec<u8>) {
    for (key, value) in Params(Cursor::new(params)) {
        out.push(b' ');
        write_key(key, out);
        if value.is_empty() {
            continue;
        }
        out.push(b'=');
        match key {
            0 => list(value.as_chunks::<2>().0.iter(), out, |key, out| write_key(u16::from_be_bytes(*key), out)),
            1 => {
                out.push(b'"');
                let mut c = Cursor::new(value);
                list(std::iter::from_fn(|| string(&mut c)), out, |id, out| {
                    // Commas and backslashes within a list's item are escaped, then quotes and backslashes once more
                    // (RFC 9460 appendix A.1).
                    let mut item = Vec::with_capacity(id.len());
                    for &b in id {
                        if matches!(b, b',' | b'\\') {
                            item.push(b'\\');
                        }
                        item.push(b);
                    }
                    write_string(&item, Style::Zone, out);
                });
                out.push(b'"');
            }
            3 if value.len() == 2 => drop(write!(out, "{}", u16::from_be_bytes([value[0], value[1]]))),
            4 => list(value.as_chunks::<4>().0.iter(), out, |ip, out| write_v4(*ip, out)),
            5 => write_base64(value, out),
            6 => list(value.as_chunks::<16>().0.iter(), out, |ip, out| drop(write!(out, "{}", Ipv6Addr::from(*ip)))),
            9 => list(value.as_chunks::<2>().0.iter(), out, |g, out| drop(write!(out, "{}", u16::from_be_bytes(*g)))),
            _ => {
                out.push(b'"');
                write_string(value, Style::Zone, out);
                out.push(b'"');
            }
        }
    }
}

fn list<T>(items: impl Iterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

/// A location as a zone file writes it (RFC 1876 §3); `None` when it is of another version.
pub(super) fn location(data: &[u8]) -> Option<String> {
    let mut c = Cursor::new(data);
    let (version, size, horizontal, vertical) = (c.u8()?, c.u8()?, c.u8()?, c.u8()?);
    let (latitude, longitude, altitude) = (c.u32()?, c.u32()?, c.u32()?);
    // Sizes are a digit and a power of ten, in centimetres.
    let metres = |b: u8| {
        let (base, exponent) = (u64::from(b >> 4), u32::from(b & 15));
        (base < 10 && exponent < 10).then(|| base * 10_u64.pow(exponent))
    };
    if version != 0 || !c.is_empty() {
        return None;
    }
    let size_text = |cm: u64| if cm < 100 { format!("0.{cm:02}m") } else { format!("{}m", cm / 100) };
    let angle = |raw: u32, plus: char, minus: char| {
        let offset = i64::from(raw) - (1 << 31);
        let (ms, side) = (offset.unsigned_abs(), if offset < 0 { minus } else { plus });
        let (d, m) = (ms / 3_600_000, ms / 60_000 % 60);
        format!("{d} {m} {}.{:03} {side}", ms / 1000 % 60, ms % 1000)
    };
    let above = i64::from(altitude) - 10_000_000;
    let sign = if above < 0 { "-" } else { "" };
    let above = above.unsigned_abs();
    Some(format!(
        "{} {} {sign}{}.{:02}m {} {} {}",
        angle(latitude, 'N', 'S'),
        angle(longitude, 'E', 'W'),
        above / 100,
        above % 100,
        size_text(metres(size)?),
        size_text(metres(horizontal)?),
        size_text(metres(vertical)?),
    ))
}
