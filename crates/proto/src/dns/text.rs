//! A message in one line, for `request` and `response`, in the peer's form.

use wirebeat_model::{Entries, Scalar, Value};

use super::MAX_RECORDS;
use super::codec::{Message, OPT, Style, write_name};
use super::fields as f;
use super::names;
use super::rdata::put_record;
use super::write::{FLAGS, write_question};

/// `ID 18439; QR response; OPCODE QUERY; FLAGS rd ra; RCODE NOERROR; QUESTION …; ANSWER …`.
///
/// A record is its members in the order of their names, then its data. Only on request, so it may allocate.
pub(super) fn write_message(m: &Message<'_>, style: Style, out: &mut Vec<u8>) {
    let h = &m.header;
    let flags: Vec<_> = FLAGS.iter().filter(|(bit, _)| h.has(*bit)).map(|(_, name)| name.to_lowercase()).collect();
    let rcode = names::rcode(m.rcode()).map_or_else(|| format!("Unknown {}", m.rcode()), str::to_owned);
    let qr = if h.is_response() { "response" } else { "query" };
    let opcode = names::opcode(h.opcode());
    out.extend_from_slice(
        format!("ID {}; QR {qr}; OPCODE {opcode}; FLAGS {}; RCODE {rcode}", h.id, flags.join(" ")).as_bytes(),
    );
    let mut name = Vec::new();
    for (i, q) in m.questions().take(MAX_RECORDS).enumerate() {
        out.extend_from_slice(if i == 0 { b"; QUESTION " } else { b"; " });
        name.clear();
        write_name(m.bytes, q.name, style, &mut name);
        write_question(&q, &name, style, out);
    }
    for (section, title) in ["; ANSWER ", "; AUTHORITY ", "; ADDITIONAL "].into_iter().enumerate() {
        let records = m.records(section).filter(|r| r.kind != OPT).take(MAX_RECORDS);
        for (i, r) in records.enumerate() {
            out.extend_from_slice(if i == 0 { title.as_bytes() } else { b"; " });
            let mut record = Entries::new();
            put_record(&mut record, f::ANSWERS, m, &r, style);
            write_record(&record, out);
        }
    }
}

fn write_record(record: &Entries, out: &mut Vec<u8>) {
    let head = [f::ANSWERS.name, f::ANSWERS.kind, f::ANSWERS.class, f::ANSWERS.ttl, f::ANSWERS.data];
    let (schema, data) = (wirebeat_model::Schema::get(), f::ANSWERS.data.id());
    // Ids follow the order of names.
    let mut members: Vec<_> = record.iter().filter(|(id, _)| head.iter().all(|f| f.id() != *id)).collect();
    members.sort_by_key(|(id, _)| *id);
    let mut first = true;
    for (id, value) in members {
        let name = schema.and_then(|s| s.field(id)).map_or("", |f| f.name());
        let text = match value {
            Value::Scalar(Scalar::Str(s)) => s.to_owned(),
            Value::Scalar(Scalar::Uint(n)) => n.to_string(),
            // Lists and booleans stand in the data too, or say little.
            _ => continue,
        };
        let sep = if std::mem::take(&mut first) { "" } else { ", " };
        out.extend_from_slice(format!("{sep}{} {text}", name.rsplit('.').next().unwrap_or(name)).as_bytes());
    }
    if let Some((_, Value::Scalar(Scalar::Str(s)))) = record.iter().find(|(id, _)| *id == data) {
        out.extend_from_slice(if first { b"" } else { b", " });
        out.extend_from_slice(s.as_bytes());
    }
}
