//! A message as fields.

use wirebeat_model::{Entries, Field, ecs};

use super::codec::{Header, Message, OPT, Question, Style, write_name};
use super::fields::{self as f, RecordFields};
use super::rdata::{TOP_BIT, address, put_class, put_kind, put_record, write_kind};
use super::{MAX_RECORDS, Options, names, opt, suffix};

/// How a message is written.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) options: &'a Options,
    pub(super) style: Style,
}

/// A response code's name; the peer's wording where it has none.
pub(super) fn put_rcode(e: &mut Entries, field: &Field, rcode: u16) {
    match names::rcode(rcode) {
        Some(name) => e.put(field, name),
        None => e.put_with(field, |out| {
            out.extend_from_slice(b"Unknown ");
            out.extend_from_slice(itoa::Buffer::new().format(rcode).as_bytes());
        }),
    }
}

/// The class of a question, without what multicast DNS puts into it.
fn class_of(q: &Question, style: Style) -> u16 {
    if style == Style::Utf8 { q.class & !TOP_BIT } else { q.class }
}

fn write_class(class: u16, out: &mut Vec<u8>) {
    match names::class(class) {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => out.extend_from_slice(itoa::Buffer::new().format(class).as_bytes()),
    }
}

/// `class IN, type A, google.com`.
pub(super) fn write_question(q: &Question, name: &[u8], style: Style, out: &mut Vec<u8>) {
    out.extend_from_slice(b"class ");
    write_class(class_of(q, style), out);
    out.extend_from_slice(b", type ");
    write_kind(q.kind, out);
    out.extend_from_slice(b", ");
    out.extend_from_slice(name);
}

/// What the whole event says of who asked for what: `method`, `query`, `resource`. `name` is the question's.
pub(super) fn put_request(e: &mut Entries, m: &Message<'_>, name: &[u8], how: How<'_>) {
    e.put(&ecs::METHOD, names::opcode(m.header.opcode()));
    if let Some(q) = m.question() {
        e.put_with(&ecs::QUERY, |out| write_question(&q, name, how.style, out));
        e.put_text(&ecs::RESOURCE, name);
    }
}

/// Everything under `dns.` but what depends on the other half. `question` holds the question (a server may leave it
/// out, the query has it all the same), `name` is its name.
pub(super) fn put_message(e: &mut Entries, m: &Message<'_>, question: &Message<'_>, name: &[u8], how: How<'_>) {
    let h = &m.header;
    e.put(&f::ID, h.id);
    e.put(&f::OP_CODE, names::opcode(h.opcode()));
    e.put(&f::AUTHORITATIVE, h.has(Header::AA));
    e.put(&f::TRUNCATED, h.has(Header::TC));
    e.put(&f::RECURSION_DESIRED, h.has(Header::RD));
    e.put(&f::RECURSION_AVAILABLE, h.has(Header::RA));
    e.put(&f::AUTHENTIC_DATA, h.has(Header::AD));
    e.put(&f::CHECKING_DISABLED, h.has(Header::CD));
    e.put_array(&f::HEADER_FLAGS, |a| {
        for (flag, name) in FLAGS {
            if h.has(flag) {
                a.push(name);
            }
        }
        if m.opt.is_some_and(|o| o.ttl & opt::DO != 0) {
            a.push("DO");
        }
    });
    put_rcode(e, &f::RESPONSE_CODE, m.rcode());
    put_questions(e, question, name, how.style);
    opt::put_opt(e, m);
    e.put(&f::ANSWERS_COUNT, m.count(0));
    e.put(&f::AUTHORITIES_COUNT, m.count(1));
    e.put(&f::ADDITIONALS_COUNT, m.count(2) - u16::from(m.opt.is_some()));
    if how.options.include_authorities {
        put_records(e, f::AUTHORITIES, m, 1, how.style);
    }
    if how.options.include_additionals {
        put_records(e, f::ADDITIONALS, m, 2, how.style);
    }
}

/// Flags as they stand in `dns.header_flags`.
pub(super) const FLAGS: [(u16, &str); 6] = [
    (Header::AA, "AA"),
    (Header::TC, "TC"),
    (Header::RD, "RD"),
    (Header::RA, "RA"),
    (Header::AD, "AD"),
    (Header::CD, "CD"),
];

/// Questions one event shows.
const MAX_QUESTIONS: usize = 64;

fn put_questions(e: &mut Entries, m: &Message<'_>, name: &[u8], style: Style) {
    let Some(q) = m.question() else { return };
    e.put_text(&f::QUESTION_NAME, name);
    put_kind(e, &f::QUESTION_TYPE, q.kind);
    put_class(e, &f::QUESTION_CLASS, class_of(&q, style));
    if style == Style::Utf8 && !m.header.is_response() {
        e.put(&f::QUESTION_UNICAST, q.class & TOP_BIT != 0);
    }
    if let Some(parts) = suffix::split(name) {
        if let Some(etld) = parts.etld_plus_one {
            e.put_text(&f::QUESTION_ETLD, etld);
        }
        e.put_text(&f::QUESTION_REGISTERED, parts.registered_domain);
        e.put_text(&f::QUESTION_TLD, parts.top_level_domain);
        if !parts.subdomain.is_empty() {
            e.put_text(&f::QUESTION_SUBDOMAIN, parts.subdomain);
        }
    }
    if m.header.counts[0] > 1 {
        e.put_objects(&f::QUESTIONS, |list| {
            for q in m.questions().take(MAX_QUESTIONS) {
                list.push(|e| {
                    e.put_with(&f::QUESTIONS_NAME, |out| write_name(m.bytes, q.name, style, out));
                    put_kind(e, &f::QUESTIONS_TYPE, q.kind);
                    put_class(e, &f::QUESTIONS_CLASS, class_of(&q, style));
                });
            }
        });
    }
}

/// The owner's name that was written last: records mostly share one, all pointing to the same place.
struct Owner {
    at: usize,
    len: usize,
    text: [u8; 128],
}

impl Owner {
    fn new() -> Self {
        Self { at: usize::MAX, len: 0, text: [0; 128] }
    }

    fn put(&mut self, e: &mut Entries, field: &Field, m: &Message<'_>, at: usize, style: Style) {
        let to = match m.bytes.get(at..at + 2) {
            Some([high @ 0xc0..=0xff, low]) => usize::from(high & 0x3f) << 8 | usize::from(*low),
            _ => at,
        };
        if to == self.at {
            return e.put_text(field, &self.text[..self.len]);
        }
        e.put_with(field, |out| {
            let start = out.len();
            write_name(m.bytes, at, style, out);
            let text = &out[start..];
            if let Some(room) = self.text.get_mut(..text.len()) {
                room.copy_from_slice(text);
                (self.at, self.len) = (to, text.len());
            }
        });
    }
}

/// One section as a list of objects, OPT left out.
fn put_records(e: &mut Entries, fields: &RecordFields, m: &Message<'_>, section: usize, style: Style) {
    if m.count(section) == 0 {
        return;
    }
    let mut owner = Owner::new();
    e.put_objects(fields.list, |list| {
        for r in m.records(section).filter(|r| r.kind != OPT).take(MAX_RECORDS) {
            list.push(|e| {
                owner.put(e, fields.name, m, r.name, style);
                put_record(e, fields, m, &r, style);
            });
        }
    });
}

/// The answer sections of one or more messages as one list, and the addresses in them.
pub(super) fn put_answers<'a>(
    e: &mut Entries,
    messages: impl Iterator<Item = Message<'a>> + Clone,
    ips: &[u128],
    style: Style,
) {
    e.put_objects(f::ANSWERS.list, |list| {
        let mut left = MAX_RECORDS;
        for m in messages {
            let mut owner = Owner::new();
            for r in m.records(0).filter(|r| r.kind != OPT).take(left) {
                left -= 1;
                list.push(|e| {
                    owner.put(e, f::ANSWERS.name, &m, r.name, style);
                    put_record(e, f::ANSWERS, &m, &r, style);
                });
            }
        }
    });
    e.put_array(&f::RESOLVED_IP, |a| ips.iter().for_each(|ip| a.push(wirebeat_model::ip_addr(*ip))));
}

/// Adds the addresses in the answer section.
pub(super) fn collect_ips(m: &Message<'_>, ips: &mut Vec<u128>) {
    let room = MAX_RECORDS.saturating_sub(ips.len());
    ips.extend(m.records(0).filter_map(|r| address(m, &r)).take(room));
}
