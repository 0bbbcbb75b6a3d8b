//! One side of a connection: where it is, and the message it is in.

use wirebeat_model::{Entries, NumberSlot, Time};

use super::body::Body;
use super::codec::{Framing, Head};
use super::half::{Asked, Notes};

/// Where one side is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Between messages.
    #[default]
    Start,
    /// In a head.
    Head,
    /// In a head longer than [`super::codec::MAX_HEAD`], whose kept part was used.
    LongHead,
    /// After the head of a request that asks first whether it may send its body (RFC 9110 10.1.1). `answered`: a
    /// final answer came instead of the permission.
    Expecting { answered: bool },
    /// Before a `Content-Length` body of this size that nobody wants.
    Skip(u64),
    /// In it: it passes unseen.
    Skipping,
    /// In a `Content-Length` body that is kept: so many bytes are left.
    Body(u64),
    /// Before a chunk's size.
    ChunkSize,
    /// In a chunk: so many bytes are left, its line end not counted.
    Chunk(u64),
    /// In a chunk that passes unseen.
    SkippingChunk,
    /// Before a chunk's line end.
    ChunkEnd,
    /// In the trailer section.
    Trailer,
    /// In a body that ends with the connection. `asked`: the other side has sent another request since, so that a
    /// status line would begin its answer all the same.
    UntilClose { asked: bool },
    /// After CONNECT or an Upgrade: what follows may be another protocol.
    Held,
    /// In bytes that make no sense. `open`: they may still belong to a body in chunks. `stuck`: the first of them were
    /// tried as a message and are none.
    Lost { open: bool, stuck: bool },
}

/// One message.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// When its first byte came, and its last one so far.
    pub(super) start: Time,
    pub(super) last: Time,
    /// Bytes on the wire; bytes of the body without the framing of chunks.
    pub(super) wire: u64,
    pub(super) length: u64,
    /// Whether its head was read, so that it is worth telling.
    pub(super) open: bool,
    /// Its half of the event, and where the body's length stands there when the head did not tell it.
    pub(super) fields: Entries,
    pub(super) slot: Option<NumberSlot>,
    pub(super) framing: Framing,
    pub(super) notes: Notes,
    /// Of a request; of an answer that came late, what it answers.
    pub(super) asked: Asked,
    /// Of an answer: its status code, whether no request waits for it, the protocol that it changes to.
    pub(super) code: u16,
    pub(super) orphan: bool,
    pub(super) becomes: Option<&'static str>,
    /// Whether the body shall be in the event; whether it is a form.
    pub(super) wanted: bool,
    pub(super) form: bool,
    /// The head as text, for `send_request` and `send_response`.
    pub(super) raw: Vec<u8>,
    pub(super) body: Body,
}

impl Message {
    /// Whether its body has to be looked at.
    pub(super) fn keeps(&self) -> bool {
        (self.wanted || self.form) && !self.body.cut
    }

    /// Counts bytes of the body.
    pub(super) fn count(&mut self, n: u64) {
        self.wire += n;
        self.length += n;
    }

    /// Does not hold on to the memory of a message that was large.
    pub(super) fn shrink(&mut self) {
        const KEEP: usize = 16 * 1024;
        self.raw.clear();
        self.raw.shrink_to(KEEP);
        if self.fields.capacity() > KEEP {
            self.fields = Entries::new();
        }
        self.fields.clear();
    }
}

/// One side.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub(super) state: State,
    pub(super) head: Head,
    pub(super) message: Message,
    /// How far a line was searched for its end.
    pub(super) searched: usize,
    /// Bytes since the last message that made no sense.
    pub(super) lost: u64,
}

impl Side {
    /// A message begins.
    pub(super) fn begin(&mut self, now: Time) {
        self.head.reset();
        self.state = State::Head;
        let m = &mut self.message;
        (m.start, m.last) = (now, now);
        (m.wire, m.length, m.open, m.slot) = (0, 0, false, None);
        (m.code, m.orphan, m.becomes) = (0, false, None);
        m.asked = Asked::default();
        m.notes = Notes::default();
    }

    /// Forgets all but memory.
    pub(super) fn reset(&mut self) {
        self.begin(Time::default());
        self.message.shrink();
        (self.state, self.searched, self.lost) = (State::Start, 0, 0);
    }
}
