//! Events as nested JSON objects, written straight from the flat form, and back.

mod line;
mod read;
mod step;
mod text;
mod values;

pub use self::read::{NotAnEvent, read_event};
use self::step::Step;
pub use self::text::write_str;
use self::values::Values;
use crate::Precision;
use crate::entries::{Entries, end_of, raw_id, tag};
use crate::field::Schema;

/// Writes events as JSON. Reuse one: it keeps its working memory.
pub struct JsonWriter {
    /// By field id: where its value stands in the event, 64 fields together.
    found: Vec<Found>,
    /// By field id: what stands between the value before it and its own.
    steps: Vec<Step>,
    values: Values,
}

#[derive(Clone)]
struct Found {
    present: u64,
    /// Valid where `present` has its bit.
    at: [u32; 64],
}

impl JsonWriter {
    /// For events of this schema.
    pub fn new(schema: &'static Schema, precision: Precision) -> Self {
        let found = vec![Found { present: 0, at: [0; 64] }; schema.slots.len().div_ceil(64)];
        let steps = schema.slots.iter().map(Step::new).collect();
        Self { found, steps, values: Values::new(schema, precision) }
    }

    /// Appends one event as a JSON object, fields in schema order, without a line end.
    pub fn write(&mut self, entries: &Entries, out: &mut Vec<u8>) {
        let bytes = entries.as_bytes();
        self.find(bytes);
        let Self { found, steps, values } = self;
        values.line.clear();
        let mut object = step::START;
        for (found, steps) in found.iter_mut().zip(steps.chunks_mut(64)) {
            let mut bits = std::mem::take(&mut found.present);
            while bits != 0 {
                let i = bits.trailing_zeros() as usize % 64;
                bits &= bits - 1;
                let step = &mut steps[i];
                if step.from != object {
                    step.find(values.schema, object);
                }
                object = step.object;
                let mut value = bytes.get(found.at[i] as usize..).unwrap_or_default();
                if step.len > 0 {
                    values.write(&step.text, step.len.into(), &mut value);
                } else {
                    values.schema.step(step.from, step.id, |part| values.line.raw(part));
                    values.write(b"", 0, &mut value);
                }
            }
        }
        if object == step::START {
            values.line.put(b"{", 1);
        } else {
            (0..values.schema.objects[usize::from(object)].depth).for_each(|_| values.line.put(b"}", 1));
        }
        values.line.put(b"}", 1);
        out.extend_from_slice(values.line.text());
    }

    /// Notes where each field stands. Values are not looked at: these entries were written by this crate.
    fn find(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(id) = raw_id(&mut rest) {
            let at = bytes.len() - rest.len();
            let Some(end) = end_of(rest) else { break };
            if let Some(found) = self.found.get_mut(usize::from(id / 64)) {
                found.at[usize::from(id % 64)] = at as u32;
                let bit = 1 << (id % 64);
                if rest[0] == tag::ABSENT { found.present &= !bit } else { found.present |= bit }
            }
            rest = &rest[end..];
        }
    }
}
