//! Zone transfers: one query, many answers (RFC 5936, RFC 1995), told as one transaction.

use wirebeat_model::{Time, Budget};

use super::codec::{Message, Record, skip_name};
use super::{Key, MAX_RECORDS, Query};

/// Question types whose answer may come in several messages.
pub(super) const IXFR: u16 = 251;
pub(super) const AXFR: u16 = 252;
const SOA: u16 = 6;

/// A transfer under way.
pub(super) struct Transfer {
    pub(super) key: Key,
    pub(super) query: Query,
    pub(super) start: Time,
    pub(super) query_bytes: u64,
    /// Last byte so far.
    pub(super) last: Time,
    pub(super) bytes: u64,
    pub(super) messages: u64,
    pub(super) answers: u64,
    /// Bytes of the answer were lost.
    pub(super) lossy: bool,
    /// The first messages, one after the other, as many as the event can show, and where each ends.
    pub(super) raw: Vec<u8>,
    pub(super) ends: Vec<usize>,
    borrowed: usize,
    kept_answers: usize,
    /// Serial of the first record, and how often it stood in an SOA record.
    serial: Option<u32>,
    seen: u8,
    /// Serial that the client has (IXFR).
    client_serial: Option<u32>,
    kind: u16,
    /// IXFR whose second record is an SOA too: differences, in which the serial comes a third time at the end.
    differences: bool,
}

impl Transfer {
    pub(super) fn new(key: Key, query: Query, start: Time, query_bytes: u64, kind: u16) -> Self {
        let asked = Message::read(&query.raw);
        let client_serial = asked.and_then(|m| m.records(1).find(|r| r.kind == SOA).and_then(|r| serial(&m, &r)));
        Self {
            key,
            query,
            start,
            query_bytes,
            last: start,
            bytes: 0,
            messages: 0,
            answers: 0,
            lossy: false,
            raw: Vec::new(),
            ends: Vec::new(),
            borrowed: 0,
            kept_answers: 0,
            serial: None,
            seen: 0,
            client_serial,
            kind,
            differences: false,
        }
    }

    /// One more message. Answers whether it was the last.
    pub(super) fn add(&mut self, m: &Message<'_>, now: Time, bytes: u64, budget: &mut Budget) -> bool {
        let before = self.answers;
        self.last = now;
        self.bytes += bytes;
        self.messages += 1;
        self.answers += u64::from(m.count(0));
        if self.messages == 1 || self.kept_answers < MAX_RECORDS {
            // The first is kept in any case: without it there is no event.
            let fits = budget.take(m.bytes.len());
            if fits || self.messages == 1 {
                self.borrowed += if fits { m.bytes.len() } else { 0 };
                self.raw.extend_from_slice(m.bytes);
                self.ends.push(self.raw.len());
                self.kept_answers += usize::from(m.count(0));
            }
        }
        if m.rcode() != 0 || m.count(0) == 0 {
            return true;
        }
        for (i, r) in m.records(0).enumerate() {
            let at = before + i as u64;
            if r.kind != SOA {
                continue;
            }
            let serial = serial(m, &r);
            if at == 0 {
                self.serial = serial;
                if self.kind == IXFR && serial.is_some() && serial == self.client_serial {
                    return true;
                }
            }
            if at == 1 && self.kind == IXFR && serial != self.serial {
                self.differences = true;
            }
            if serial == self.serial {
                self.seen += 1;
            }
            if self.seen == if self.differences { 3 } else { 2 } {
                return true;
            }
        }
        // Anything but a zone first is no transfer.
        self.serial.is_none()
    }

    /// Whether the closing record was seen, or an error said that none comes.
    pub(super) fn messages_kept(&self) -> impl Iterator<Item = Message<'_>> + Clone {
        let mut start = 0;
        self.ends.iter().filter_map(move |end| {
            let raw = self.raw.get(start..*end)?;
            start = *end;
            Message::read(raw)
        })
    }

    /// Gives its memory back.
    pub(super) fn release(&mut self, budget: &mut Budget) {
        budget.give(std::mem::take(&mut self.borrowed));
    }
}

/// The serial of an SOA record: after two names.
fn serial(m: &Message<'_>, r: &Record) -> Option<u32> {
    let at = skip_name(m.bytes, skip_name(m.bytes, r.data)?)?;
    Some(u32::from_be_bytes(m.bytes.get(at..at + 4)?.try_into().ok()?))
}
