//! Between the ordered stream and a parser: keeps what was not used, skips what does not matter.

use wirebeat_model::Dir;

use crate::{Cx, Parser, Step, Then};

/// One side's state.
#[derive(Debug, Default)]
struct Side {
    /// Bytes shown and not used.
    left: Vec<u8>,
    /// Bytes, with `left`, before the parser wants to be called again.
    need: usize,
    /// Bytes still to let pass.
    skip: u64,
    /// Bytes of `left` borrowed from the budget.
    borrowed: usize,
}

/// What becomes of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On it goes.
    Go,
    /// Another protocol follows, by name or to be recognised. [`Stream::take_rest`] has the bytes.
    Become(Option<&'static str>),
    /// Nothing of this flow matters any more.
    Enough,
    /// The parser cannot go on.
    Lost,
}

/// A parser with what it has not used yet. Reused for one flow after the other.
pub struct Stream {
    parser: Box<dyn Parser>,
    sides: [Side; 2],
}

impl Stream {
    /// Around a fresh parser.
    pub fn new(parser: Box<dyn Parser>) -> Self {
        Self { parser, sides: Default::default() }
    }

    /// The parser's own name for the flow ([`Parser::name`]).
    pub fn name(&self) -> Option<&'static str> {
        self.parser.name()
    }

    /// Ordered bytes of a stream (TCP).
    pub fn data(&mut self, dir: Dir, mut bytes: &[u8], cx: &mut Cx<'_>) -> Verdict {
        let side = &mut self.sides[dir.index()];
        if side.skip > 0 {
            let n = side.skip.min(bytes.len() as u64);
            side.skip -= n;
            bytes = &bytes[n as usize..];
            if side.skip > 0 {
                return Verdict::Go;
            }
        } else if bytes.is_empty() {
            return Verdict::Go;
        }
        if side.left.is_empty() {
            let (at, verdict) = self.run(dir, bytes, cx);
            return if self.keep(dir, &bytes[at..], cx) { verdict } else { Verdict::Lost };
        }
        if !self.keep(dir, bytes, cx) {
            return Verdict::Lost;
        }
        let side = &mut self.sides[dir.index()];
        if side.left.len() < side.need {
            return Verdict::Go;
        }
        let mut left = std::mem::take(&mut side.left);
        let (at, verdict) = self.run(dir, &left, cx);
        left.drain(..at);
        let side = &mut self.sides[dir.index()];
        let unused = side.borrowed - left.len();
        side.borrowed = left.len();
        side.left = left;
        cx.budget.give(unused);
        verdict
    }

    /// One datagram (UDP, ICMP).
    pub fn datagram(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Verdict {
        match self.parser.data(dir, bytes, cx).then {
            Then::Enough => Verdict::Enough,
            Then::Lost => Verdict::Lost,
            Then::Become(name) => Verdict::Become(name),
            Then::Need(_) | Then::Skip(_) => Verdict::Go,
        }
    }

    /// Shows bytes to the parser until it has used what it can; answers how many were used.
    fn run(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> (usize, Verdict) {
        let mut at = 0;
        loop {
            let shown = bytes.len() - at;
            let Step { used, then } = self.parser.data(dir, &bytes[at..], cx);
            debug_assert!(used <= shown, "{} used more than it was shown", cx.spec.name);
            let used = used.min(shown);
            at += used;
            let rest = bytes.len() - at;
            let side = &mut self.sides[dir.index()];
            match then {
                Then::Need(n) if used > 0 && rest > 0 && n <= rest => {}
                Then::Need(n) => {
                    // A parser that asks for what it already has would loop: it gets one byte more.
                    side.need = n.max(rest + 1);
                    return (at, Verdict::Go);
                }
                Then::Skip(n) if n <= rest as u64 => at += n as usize,
                Then::Skip(n) => {
                    side.skip = n - rest as u64;
                    return (bytes.len(), Verdict::Go);
                }
                Then::Become(name) => return (at, Verdict::Become(name)),
                Then::Enough => return (bytes.len(), Verdict::Enough),
                Then::Lost => return (bytes.len(), Verdict::Lost),
            }
        }
    }

    /// Keeps bytes for later; `false` when a limit or the budget forbids it.
    fn keep(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> bool {
        if bytes.is_empty() {
            return true;
        }
        let side = &mut self.sides[dir.index()];
        if side.left.len() + bytes.len() > cx.spec.max_held {
            return false;
        }
        if !cx.budget.take(bytes.len()) {
            cx.counters.parsers_refused += 1;
            return false;
        }
        side.borrowed += bytes.len();
        side.left.extend_from_slice(bytes);
        true
    }

    /// Bytes were lost in one direction.
    pub fn gap(&mut self, dir: Dir, lost: u64, cx: &mut Cx<'_>) -> Verdict {
        if lost == 0 {
            return Verdict::Go;
        }
        let side = &mut self.sides[dir.index()];
        let inside = side.skip >= lost;
        if inside {
            side.skip -= lost;
        } else {
            side.skip = 0;
            self.tear(dir, true, cx);
        }
        let then = self.parser.gap(dir, lost, inside, cx);
        if inside {
            if self.sides[dir.index()].skip == 0 {
                let (_, verdict) = self.run(dir, &[], cx);
                return verdict;
            }
            return Verdict::Go;
        }
        match then {
            Then::Need(n) => {
                self.sides[dir.index()].need = n;
                Verdict::Go
            }
            Then::Skip(n) => {
                self.sides[dir.index()].skip = n;
                Verdict::Go
            }
            Then::Become(name) => Verdict::Become(name),
            Then::Enough => Verdict::Enough,
            Then::Lost => Verdict::Lost,
        }
    }

    /// What was shown and not used goes on no more: bytes are `lost`, or the side has ended.
    fn tear(&mut self, dir: Dir, lost: bool, cx: &mut Cx<'_>) {
        let side = &mut self.sides[dir.index()];
        side.need = 1;
        if side.left.is_empty() {
            return;
        }
        let mut held = std::mem::take(&mut side.left);
        self.parser.torn(dir, &held, lost, cx);
        held.clear();
        let side = &mut self.sides[dir.index()];
        side.left = held;
        cx.budget.give(std::mem::take(&mut side.borrowed));
    }

    /// One side has ended.
    pub fn end(&mut self, dir: Dir, cx: &mut Cx<'_>) {
        self.cut(dir);
        self.tear(dir, false, cx);
        self.parser.end(dir, cx);
    }

    /// The time the parser asked for has come.
    pub fn expire(&mut self, cx: &mut Cx<'_>) {
        self.parser.expire(cx);
    }

    /// The conversation is over: the parser tells what is open and forgets all.
    pub fn close(&mut self, cx: &mut Cx<'_>) {
        // What was asked comes before what answers it.
        for dir in [cx.flow.source, cx.flow.source.flip()] {
            self.cut(dir);
            self.tear(dir, false, cx);
        }
        self.parser.close(cx);
        self.parser.reset();
        for side in &mut self.sides {
            side.left.shrink_to(4 * 1024);
            (side.need, side.skip) = (0, 0);
        }
    }

    /// Tells the parser what of a skip did not come.
    fn cut(&mut self, dir: Dir) {
        let missing = std::mem::take(&mut self.sides[dir.index()].skip);
        if missing > 0 {
            self.parser.cut(dir, missing);
        }
    }

    /// After [`Verdict::Become`]: what one side sent and the old parser did not use.
    pub fn take_rest(&mut self, dir: Dir, cx: &mut Cx<'_>) -> Vec<u8> {
        let side = &mut self.sides[dir.index()];
        cx.budget.give(std::mem::take(&mut side.borrowed));
        std::mem::take(&mut side.left)
    }
}
