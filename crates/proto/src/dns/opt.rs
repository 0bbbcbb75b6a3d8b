//! EDNS: the OPT record and its options (RFC 6891).

use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use wirebeat_model::{Entries, Field};

use super::codec::Message;
use super::fields as f;
use super::names;
use super::rdata::{HEX_LOWER, write_hex};
use super::write::put_rcode;
use crate::Cursor;

/// The bit in OPT's flags that asks for DNSSEC records (RFC 3225).
pub(super) const DO: u32 = 0x8000;

/// Options one after the other: code and value (RFC 6891 §6.1.2).
struct Options<'a>(Cursor<'a>);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);
    fn next(&mut self) -> Option<Self::Item> {
        let (code, len) = (self.0.u16()?, self.0.u16()?);
        Some((code, self.0.take(usize::from(len))?))
    }
}

/// Extended errors one event shows.
const MAX_ERRORS: usize = 16;

/// Puts `dns.opt.*`, if there is an OPT record.
pub(super) fn put_opt(e: &mut Entries, m: &Message<'_>) {
    let Some(opt) = m.opt else { return };
    e.put(&f::OPT_DO, opt.ttl & DO != 0);
    e.put(&f::OPT_VERSION, itoa::Buffer::new().format((opt.ttl >> 16) as u8));
    e.put(&f::OPT_UDP_SIZE, opt.class);
    put_rcode(e, &f::OPT_EXT_RCODE, m.upper_rcode());
    if opt.len == 0 {
        return;
    }
    let options = || Options(Cursor::new(m.data(&opt)));
    let (mut errors, mut others) = (false, false);
    for (code, value) in options() {
        match code {
            1 => put_llq(e, value),
            2 => put_lease(e, value),
            3 => put_hex(e, &f::OPT_NSID, value),
            5 => put_list(e, &f::OPT_DAU, value, names::algorithm),
            6 => put_list(e, &f::OPT_DHU, value, names::digest),
            7 => put_list(e, &f::OPT_N3U, value, names::digest),
            8 => put_subnet(e, value),
            9 => {
                // Empty in a query.
                if let Ok(seconds) = value.try_into() {
                    e.put(&f::OPT_EXPIRE, u32::from_be_bytes(seconds));
                }
            }
            10 => put_hex(e, &f::OPT_COOKIE, value),
            11 => {
                // In units of 100 ms; empty in a query.
                if let Ok(tenths) = value.try_into() {
                    e.put(&f::OPT_KEEPALIVE, f64::from(u16::from_be_bytes(tenths)) / 10.0);
                }
            }
            12 => e.put(&f::OPT_PADDING, value.len() as u64),
            15 => errors = true,
            _ => others = true,
        }
    }
    if errors {
        e.put_objects(&f::OPT_EDE, |list| {
            for (_, value) in options().filter(|(code, _)| *code == 15).take(MAX_ERRORS) {
                let mut c = Cursor::new(value);
                let Some(code) = c.u16() else { continue };
                list.push(|e| {
                    e.put(&f::OPT_EDE_CODE, code);
                    if let Some(purpose) = names::extended_error(code) {
                        e.put(&f::OPT_EDE_PURPOSE, purpose);
                    }
                    // RFC 8914 §2: UTF-8, perhaps with a terminating null that counts for nothing.
                    let text = c.rest().strip_suffix(&[0]).unwrap_or(c.rest());
                    if !text.is_empty() {
                        e.put_text(&f::OPT_EDE_TEXT, text);
                    }
                });
            }
        });
    }
    if others {
        e.put_with(&f::OPT_LOCAL, |out| {
            let start = out.len();
            for (code, value) in options().filter(|(code, _)| !matches!(code, 1..=3 | 5..=12 | 15)) {
                if out.len() > start {
                    out.push(b' ');
                }
                let _ = write!(out, "{code}:0x");
                write_hex(value, HEX_LOWER, out);
            }
        });
    }
}

fn put_hex(e: &mut Entries, field: &Field, value: &[u8]) {
    if !value.is_empty() {
        e.put_with(field, |out| write_hex(value, HEX_LOWER, out));
    }
}

fn put_list(e: &mut Entries, field: &Field, value: &[u8], name: fn(u8) -> Option<&'static str>) {
    e.put_with(field, |out| {
        for (i, n) in value.iter().enumerate() {
            if i > 0 {
                out.push(b' ');
            }
            match name(*n) {
                Some(name) => out.extend_from_slice(name.as_bytes()),
                None => drop(write!(out, "{n}")),
            }
        }
    });
}

/// RFC 7871 §6: family, source prefix, scope prefix, as much of the address as the prefix needs.
fn put_subnet(e: &mut Entries, value: &[u8]) {
    let mut c = Cursor::new(value);
    let (Some(family), Some(source), Some(scope)) = (c.u16(), c.u8(), c.u8()) else { return };
    let mut ip = [0; 16];
    let Some(room) = ip.get_mut(..c.len()) else { return };
    room.copy_from_slice(c.rest());
    e.put_with(&f::OPT_SUBNET, |out| {
        let _ = match family {
            1 => write!(out, "{}/{source}/{scope}", Ipv4Addr::new(ip[0], ip[1], ip[2], ip[3])),
            2 => write!(out, "[{}]/{source}/{scope}", Ipv6Addr::from(ip)),
            _ => write!(out, "<nil>/{source}/{scope}"),
        };
    });
}

/// RFC 8764 §3.2.
fn put_llq(e: &mut Entries, value: &[u8]) {
    let mut c = Cursor::new(value);
    let (Some(version), Some(opcode), Some(error)) = (c.u16(), c.u16(), c.u16()) else { return };
    let (Some(id), Some(lease)) = (c.u64(), c.u32()) else { return };
    e.put_with(&f::OPT_LLQ, |out| drop(write!(out, "{version} {opcode} {error} {id} {lease}")));
}

/// RFC 9664 §4: the lease, and in the longer form the lease of KEY records.
fn put_lease(e: &mut Entries, value: &[u8]) {
    let mut c = Cursor::new(value);
    let Some(lease) = c.u32() else { return };
    e.put_with(&f::OPT_UL, |out| {
        let _ = write!(out, "{lease}");
        if let Some(key_lease) = c.u32() {
            let _ = write!(out, " {key_lease}");
        }
    });
}
