//! Values as they stand in JSON.

use super::line::Line;
use super::text::{self, CHUNK};
use crate::entries::{raw_id, sized, split, tag, word};
use crate::field::Schema;
use crate::{Precision, Time};

/// Writes values.
pub(super) struct Values {
    pub(super) schema: &'static Schema,
    pub(super) line: Line,
    digits: usize,
    /// The last second that was written, and `"2015-08-27T08:00:55.`.
    second: i64,
    second_text: [u8; 21],
}

impl Values {
    pub(super) fn new(schema: &'static Schema, precision: Precision) -> Self {
        let digits = precision.digits();
        Self { schema, line: Line::new(), digits, second: i64::MIN, second_text: [0; 21] }
    }

    /// Writes the first `len` bytes of `before` and the value in front of `rest`, and moves behind that. What follows it
    /// is only there to be read over. `len` < 64.
    #[inline(always)]
    pub(super) fn write<const N: usize>(
        &mut self,
        before: &[u8; N],
        len: usize,
        rest: &mut &[u8],
    ) -> Option<()> {
        let room = self.line.room()?;
        room[..N].copy_from_slice(before);
        // So that the compiler knows, and needs no checks.
        let at = len % 64;
        let [tag] = word(rest)?;
        let end = match tag {
            tag::STR => {
                let len = u32::from_le_bytes(word(rest)?) as usize;
                let end = match rest.first_chunk() {
                    Some(chunk) if len <= CHUNK => text::short(room, at, chunk, len),
                    _ => None,
                };
                let bytes = split(rest, len)?;
                match end {
                    Some(end) => end,
                    None => {
                        self.line.advance(at);
                        self.line.string(bytes);
                        return Some(());
                    }
                }
            }
            tag::UINT => text::number(room, at, u64::from_le_bytes(word(rest)?)),
            tag::IP => text::ip(room, at, u128::from_le_bytes(word(rest)?)),
            tag::TRUE => text::fixed(room, at, b"true"),
            tag::FALSE => text::fixed(room, at, b"false"),
            tag::TIME => {
                let time = Time(i64::from_le_bytes(word(rest)?));
                let (second, nanos) = time.second();
                if self.second != second {
                    self.second_text = text::second(time);
                    self.second = second;
                }
                text::time(room, at, &self.second_text, nanos, self.digits)
            }
            _ => {
                self.line.advance(at);
                return self.seldom(tag, rest);
            }
        };
        self.line.advance(end);
        Some(())
    }

    #[inline(never)]
    fn seldom(&mut self, tag: u8, rest: &mut &[u8]) -> Option<()> {
        match tag {
            tag::ARRAY => self.array(rest)?,
            tag::OBJECTS => self.objects(rest)?,
            tag::MAP => self.map(rest)?,
            tag::INT => {
                let n = i64::from_le_bytes(word(rest)?);
                if n < 0 {
                    self.line.put(b"-", 1);
                }
                let end = text::number(self.line.room()?, 0, n.unsigned_abs());
                self.line.advance(end);
            }
            tag::DOUBLE => match f64::from_le_bytes(word(rest)?) {
                v if v.is_finite() => self.line.raw(ryu::Buffer::new().format_finite(v).as_bytes()),
                _ => self.line.raw(b"null"),
            },
            _ => self.line.raw(b"null"),
        }
        Some(())
    }

    fn array(&mut self, rest: &mut &[u8]) -> Option<()> {
        let (mut inner, after) = enter(rest)?;
        let mut before = b"[";
        while inner.len() > after {
            self.write(before, 1, &mut inner)?;
            before = b",";
        }
        self.line.raw(if before == b"[" { b"[]" } else { b"]" });
        Some(())
    }

    fn objects(&mut self, rest: &mut &[u8]) -> Option<()> {
        let (mut inner, after) = enter(rest)?;
        let mut before = b"[";
        while inner.len() > after {
            self.line.put(before, 1);
            self.object(&mut inner)?;
            before = b",";
        }
        self.line.raw(if before == b"[" { b"[]" } else { b"]" });
        Some(())
    }

    fn object(&mut self, rest: &mut &[u8]) -> Option<()> {
        let (mut inner, after) = enter(rest)?;
        let mut before = b'{';
        while inner.len() > after {
            let id = raw_id(&mut inner)?;
            let key = &self.schema.slots.get(usize::from(id))?.key;
            match key.padded() {
                Some((text, len)) => {
                    let mut text = *text;
                    text[0] = before;
                    self.write(&text, len, &mut inner)?;
                }
                None => {
                    self.line.put(&[before], 1);
                    self.line.raw(key.as_bytes().get(1..)?);
                    self.write(b"", 0, &mut inner)?;
                }
            }
            before = b',';
        }
        self.line.raw(if before == b'{' { b"{}" } else { b"}" });
        Some(())
    }

    fn map(&mut self, rest: &mut &[u8]) -> Option<()> {
        let (mut inner, after) = enter(rest)?;
        let mut before = b"{";
        while inner.len() > after {
            self.line.put(before, 1);
            self.line.string(sized(&mut inner)?);
            self.write(b":", 1, &mut inner)?;
            before = b",";
        }
        self.line.raw(if before == b"{" { b"{}" } else { b"}" });
        Some(())
    }
}

/// Moves behind an array, list or map; answers its content with all that follows it, and how long that is. Values are
/// read over (never beyond the event), so that the last one is written as fast as the others.
#[inline]
fn enter<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], usize)> {
    let len = u32::from_le_bytes(word(rest)?) as usize;
    let inner = *rest;
    split(rest, len)?;
    Some((inner, rest.len()))
}
