//! What stands between two values of an event.

use crate::field::{NO_ID, Schema, Slot};

/// In place of an object: nothing was written yet.
pub(super) const START: u16 = NO_ID;

/// From the end of the last value to the beginning of this field's, e.g. `}},"event":{"kind":`. It depends on the object
/// of the last value; the last answer is kept, since events resemble each other. One line of the cache.
#[repr(align(64))]
pub(super) struct Step {
    /// The object of the last value.
    pub(super) from: u16,
    /// The field's own.
    pub(super) object: u16,
    pub(super) id: u16,
    /// 0: too long to be kept.
    pub(super) len: u8,
    pub(super) text: [u8; Step::ROOM],
}

impl Step {
    const ROOM: usize = 57;

    pub(super) fn new(slot: &Slot) -> Self {
        // No object has this number, so the first use finds the text.
        Self { from: NO_ID - 1, object: slot.object, id: slot.field.id(), len: 0, text: [0; Self::ROOM] }
    }

    #[cold]
    pub(super) fn find(&mut self, schema: &Schema, from: u16) {
        let mut len = 0;
        schema.step(from, self.id, |part| {
            if let Some(room) = self.text.get_mut(len..len + part.len()) {
                room.copy_from_slice(part);
            }
            len += part.len();
        });
        self.from = from;
        self.len = if len <= Self::ROOM { len as u8 } else { 0 };
    }
}

impl Schema {
    /// The parts of what stands between a value in the object `from` and the field `id`.
    pub(super) fn step(&self, mut from: u16, id: u16, mut write: impl FnMut(&[u8])) {
        let slot = &self.slots[usize::from(id)];
        if from == START {
            write(b"{");
            from = Self::ROOT;
        } else {
            // Ids of one object are neighbours, and come in order.
            while self.objects[usize::from(from)].end <= id {
                write(b"}");
                from = self.objects[usize::from(from)].parent;
            }
            write(b",");
        }
        let open = usize::from(self.objects[usize::from(from)].depth);
        for &object in slot.parents.get(open..).unwrap_or_default() {
            write(self.objects[usize::from(object)].key.as_bytes());
        }
        // Without its comma.
        write(&slot.key.as_bytes()[1..]);
    }
}
