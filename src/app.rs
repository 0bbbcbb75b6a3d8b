//! What a flow carries: recognised, decoded, or left alone.

use std::collections::HashMap;
use std::sync::Arc;

use wirebeat_model::{Budget, Counters, Dir, FlowInfo, Time, Transport};
use wirebeat_proto::{Cx, Expectation, Factory, Guess, Sink, Spec, Stream, Verdict, guess_name};

use crate::tally::{Parsed, Why};

/// Which protocols run, and how they are told apart.
pub struct Protocols {
    /// Those that run, in the order in which first bytes are shown to them.
    pub all: Vec<Arc<dyn Factory>>,
    /// Whether first bytes decide (ports are hints), or ports alone.
    pub detect: bool,
    by_port: HashMap<(Transport, u16), usize>,
}

impl Protocols {
    /// Sorts `all` by port too.
    pub fn new(all: Vec<Arc<dyn Factory>>, detect: bool) -> Self {
        let mut by_port = HashMap::new();
        for (i, p) in all.iter().enumerate() {
            for transport in p.spec().transports {
                for port in &p.common().ports {
                    by_port.entry((*transport, *port)).or_insert(i);
                }
            }
        }
        Self { all, detect, by_port }
    }

    /// The protocol whose port this flow uses: the source's is looked up first, as the peer does.
    fn by_port(&self, info: &FlowInfo) -> Option<usize> {
        let t = info.key.transport();
        if !t.has_ports() {
            return self.all.iter().position(|p| p.spec().transports.contains(&t));
        }
        let port = |dir| self.by_port.get(&(t, info.key.sender(dir).port)).copied();
        port(info.source).or_else(|| port(info.source.flip()))
    }

    fn by_name(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|p| p.spec().name == name)
    }
}

/// What decoding needs of the shard.
pub struct Env<'a> {
    /// Which protocols run.
    pub protocols: &'a Protocols,
    /// Memory to borrow from.
    pub budget: &'a mut Budget,
    /// The shard's counters.
    pub counters: &'a mut Counters,
    /// Where events go.
    pub sink: &'a mut Sink,
    /// Flows to come.
    pub expected: &'a mut Vec<Expectation>,
    /// What each protocol's parsers did.
    pub parsed: &'a mut [Parsed],
    /// Streams to reuse, by protocol.
    pub spare: &'a mut [Vec<Box<Stream>>],
    /// The stream's clock.
    pub clock: Time,
}

/// First bytes of both directions.
#[derive(Default)]
struct First {
    bytes: [Vec<u8>; 2],
    /// When the first of them came.
    since: [Time; 2],
    /// Whether they are all that was said.
    whole: [bool; 2],
    /// Whether a protocol may begin with them, so that what follows belongs to them.
    open: [bool; 2],
}

/// Bytes of one side of which the first may have come earlier.
struct Said<'a> {
    bytes: &'a [u8],
    /// So many came at `since` or later.
    kept: usize,
    since: Time,
}

/// A flow's application layer.
#[derive(Default)]
pub struct App {
    state: State,
    /// When the parser wants to be woken.
    pub wake: Option<Time>,
    /// How often one protocol has given way to another.
    turns: u8,
}

#[derive(Default)]
enum State {
    /// Nothing was said yet.
    #[default]
    Silent,
    /// First bytes, not recognised yet; so many more pieces may be tried.
    Guessing(Box<First>, u8),
    /// Decoded by the protocol of this number.
    Stream(usize, Box<Stream>),
    /// Not decoded (any more); the name it had.
    Decoded(&'static str),
    /// Never decoded: live capture could not keep up.
    Skipped,
}

/// How often one protocol may give way to another: by upgrade, CONNECT or STARTTLS. Each time goes one call deeper.
const MAX_TURNS: u8 = 8;
/// Pieces of data that recognition may look at: where the beginning was seen, and where it was not.
const TRIES: u8 = 4;
const TRIES_MIDWAY: u8 = 32;

impl App {
    /// The protocol's name: decoded, or guessed from first bytes.
    pub fn name(&self, protocols: &Protocols, info: &FlowInfo) -> Option<&'static str> {
        match &self.state {
            State::Silent | State::Skipped => None,
            State::Guessing(first, _) => {
                let side = |dir: Dir| first.bytes[dir.index()].as_slice();
                guess_name(info.key.transport(), side(info.source), side(info.source.flip()))
            }
            State::Stream(n, stream) => {
                stream.name().or_else(|| protocols.all.get(*n).map(|p| p.spec().name))
            }
            State::Decoded(name) => Some(name),
        }
    }

    /// The name of a flow that nothing decodes, if it has one, and why nothing does; `None` for one that was decoded, or
    /// that said nothing.
    pub fn undecoded(&self, protocols: &Protocols, info: &FlowInfo) -> Option<(Option<&'static str>, Why)> {
        let named = |name: &'static str| {
            let decodable = wirebeat_proto::PROTOCOLS.iter().any(|p| p.spec.name == name);
            (Some(name), if decodable { Why::NotEnabled } else { Why::NoParser })
        };
        match &self.state {
            State::Silent | State::Stream(..) => None,
            State::Guessing(..) => Some(self.name(protocols, info).map_or((None, Why::Unrecognised), named)),
            State::Decoded(name) => Some(named(name)).filter(|_| protocols.by_name(name).is_none()),
            State::Skipped => Some((None, Why::Behind)),
        }
    }

    /// Whether anything is still looked at.
    pub fn wants_data(&self) -> bool {
        match &self.state {
            State::Silent | State::Stream(..) => true,
            State::Guessing(_, tries) => *tries > 0,
            State::Decoded(_) | State::Skipped => false,
        }
    }

    /// A flow that will not be decoded.
    pub fn skipped() -> Self {
        Self { state: State::Skipped, ..Self::default() }
    }

    /// Whether a parser is at work.
    pub fn is_decoding(&self) -> bool {
        matches!(self.state, State::Stream(..))
    }

    /// Starts with this protocol whatever the bytes: a flow that another one announced.
    pub fn announce(&mut self, name: &str, env: &mut Env<'_>) {
        if let Some(n) = env.protocols.by_name(name)
            && let Some(stream) = stream(n, env)
        {
            self.state = State::Stream(n, stream);
        }
    }

    /// Bytes of one side, in order; a whole datagram where there are datagrams. `midway`: the beginning was not seen.
    pub fn data(
        &mut self,
        info: &mut FlowInfo,
        dir: Dir,
        bytes: &[u8],
        now: Time,
        midway: bool,
        env: &mut Env<'_>,
    ) {
        match &mut self.state {
            State::Stream(n, stream) => {
                let n = *n;
                let tcp = info.key.transport() == Transport::TCP;
                let verdict = with(n, info, &mut self.wake, now, env, |cx| {
                    if tcp { stream.data(dir, bytes, cx) } else { stream.datagram(dir, bytes, cx) }
                });
                if verdict != Verdict::Go {
                    self.turn(info, dir, verdict, now, env);
                }
            }
            State::Silent | State::Guessing(..) => self.recognise(info, dir, bytes, now, midway, env),
            State::Decoded(_) | State::Skipped => {}
        }
    }

    /// Bytes of one side were lost.
    pub fn gap(&mut self, info: &mut FlowInfo, dir: Dir, lost: u64, now: Time, env: &mut Env<'_>) {
        if let State::Stream(n, stream) = &mut self.state {
            let n = *n;
            let verdict = with(n, info, &mut self.wake, now, env, |cx| stream.gap(dir, lost, cx));
            if verdict != Verdict::Go {
                self.turn(info, dir, verdict, now, env);
            }
        }
    }

    /// One side has ended.
    pub fn end(&mut self, info: &mut FlowInfo, dir: Dir, now: Time, env: &mut Env<'_>) {
        if let State::Stream(n, stream) = &mut self.state {
            with(*n, info, &mut self.wake, now, env, |cx| stream.end(dir, cx));
        }
    }

    /// The time the parser asked for has come.
    pub fn expire(&mut self, info: &mut FlowInfo, env: &mut Env<'_>) {
        self.wake = None;
        if let State::Stream(n, stream) = &mut self.state {
            with(*n, info, &mut self.wake, env.clock, env, |cx| stream.expire(cx));
        }
    }

    /// The flow is over.
    pub fn close(&mut self, info: &mut FlowInfo, now: Time, env: &mut Env<'_>) {
        self.state = match std::mem::take(&mut self.state) {
            State::Stream(n, mut stream) => {
                let name = stream.name().unwrap_or(env.protocols.all[n].spec().name);
                with(n, info, &mut self.wake, now, env, |cx| stream.close(cx));
                give_back(n, stream, env);
                State::Decoded(name)
            }
            // The flow's last record still wants first bytes, to name it by.
            other => other,
        };
        self.wake = None;
    }

    /// Ports or first bytes decide who decodes.
    fn recognise(
        &mut self,
        info: &mut FlowInfo,
        dir: Dir,
        bytes: &[u8],
        now: Time,
        midway: bool,
        env: &mut Env<'_>,
    ) {
        let tries = match &self.state {
            State::Silent if midway => TRIES_MIDWAY,
            State::Silent => TRIES,
            State::Guessing(_, tries) => *tries,
            State::Stream(..) | State::Decoded(_) | State::Skipped => return,
        };
        let hint = env.protocols.by_port(info);
        if let Some(n) = hint.filter(|_| !env.protocols.detect || !info.key.transport().has_ports()) {
            self.start(n, env);
            return self.data(info, dir, bytes, now, false, env);
        }
        if tries == 0 {
            return;
        }
        // What this side said before, if recognition waits for more of it.
        let mut joined = Vec::new();
        let mut since = now;
        if let State::Guessing(first, _) = &self.state
            && is_tcp(info)
            && (!midway || first.open[dir.index()])
        {
            joined.extend_from_slice(&first.bytes[dir.index()]);
            since = first.since[dir.index()];
        }
        let kept = joined.len();
        let waited = kept > 0;
        if waited {
            joined.extend_from_slice(bytes);
        }
        let shown = if waited { &joined[..] } else { bytes };
        let mut more = false;
        if env.protocols.detect {
            let said = Said { bytes: shown, kept, since };
            if self.show(said, &mut more, info, dir, hint, now, midway, env) {
                return;
            }
            // Where the beginning was not seen, each piece may be one.
            if waited && midway && !more {
                self.first_of(dir);
                let said = Said { bytes, kept: 0, since: now };
                if self.show(said, &mut more, info, dir, hint, now, midway, env) {
                    return;
                }
            }
            // A datagram that looks like nothing is its port's: the parser is less picky than the guess has to be.
            if let Some(n) = hint.filter(|_| !more && !is_tcp(info)) {
                self.start(n, env);
                return self.data(info, dir, bytes, now, false, env);
            }
            more &= shown.len() < Spec::GUESS_BYTES;
        }
        self.remember(dir, bytes, now, if more { tries } else { tries - 1 }, more, midway);
    }

    /// Asks each protocol whether it begins like that, its port's first. Starts the one that does, and answers whether.
    #[expect(clippy::too_many_arguments, reason = "a part of `recognise`")]
    fn show(
        &mut self,
        said: Said<'_>,
        more: &mut bool,
        info: &mut FlowInfo,
        dir: Dir,
        hint: Option<usize>,
        now: Time,
        midway: bool,
        env: &mut Env<'_>,
    ) -> bool {
        let others = (0..env.protocols.all.len()).filter(|n| Some(*n) != hint);
        for n in hint.into_iter().chain(others) {
            let spec: &'static Spec = env.protocols.all[n].spec();
            if !spec.transports.contains(&info.key.transport()) {
                continue;
            }
            match (spec.guess)(said.bytes) {
                Guess::No => {}
                Guess::More => *more = true,
                side @ (Guess::Client | Guess::Server) => {
                    if !info.source_known {
                        info.source = if side == Guess::Client { dir } else { dir.flip() };
                        info.source_known = true;
                    }
                    // The other side spoke first, so it is heard first; what was not kept whole is lost.
                    let (other, began) =
                        if is_tcp(info) { self.first_of(dir.flip()) } else { Default::default() };
                    self.start(n, env);
                    if !other.is_empty() {
                        self.data(info, dir.flip(), &other, began, midway, env);
                    }
                    let (kept, new) = said.bytes.split_at(said.kept);
                    if !kept.is_empty() {
                        self.data(info, dir, kept, said.since, midway, env);
                    }
                    self.data(info, dir, new, now, midway, env);
                    return true;
                }
            }
        }
        false
    }

    /// Keeps a side's first bytes; `open`: more of them is wanted.
    fn remember(&mut self, dir: Dir, bytes: &[u8], now: Time, tries: u8, open: bool, midway: bool) {
        let mut first = match std::mem::take(&mut self.state) {
            State::Guessing(first, _) => first,
            _ => Box::default(),
        };
        let was_open = std::mem::replace(&mut first.open[dir.index()], open);
        let side = &mut first.bytes[dir.index()];
        if midway && open && !was_open {
            side.clear();
        }
        if side.is_empty() {
            first.since[dir.index()] = now;
        }
        let room = Spec::GUESS_BYTES.saturating_sub(side.len());
        first.whole[dir.index()] = bytes.len() <= room && (side.is_empty() || first.whole[dir.index()]);
        side.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.state = State::Guessing(first, tries);
    }

    /// A side's first bytes and when they came, if they were kept whole.
    fn first_of(&mut self, dir: Dir) -> (Vec<u8>, Time) {
        match &mut self.state {
            State::Guessing(first, _) if first.whole[dir.index()] => {
                (std::mem::take(&mut first.bytes[dir.index()]), first.since[dir.index()])
            }
            _ => Default::default(),
        }
    }

    /// From now on this protocol decodes, if there is memory for it.
    fn start(&mut self, n: usize, env: &mut Env<'_>) {
        self.state = match stream(n, env) {
            Some(stream) => State::Stream(n, stream),
            None => State::Decoded(env.protocols.all[n].spec().name),
        };
    }

    /// The parser does not want to go on as it was.
    fn turn(&mut self, info: &mut FlowInfo, dir: Dir, verdict: Verdict, now: Time, env: &mut Env<'_>) {
        let State::Stream(n, mut old) = std::mem::take(&mut self.state) else { return };
        let name = old.name().unwrap_or(env.protocols.all[n].spec().name);
        let mut rest = [Vec::new(), Vec::new()];
        with(n, info, &mut self.wake, now, env, |cx| {
            if matches!(verdict, Verdict::Become(_)) {
                rest = [old.take_rest(Dir::AtoB, cx), old.take_rest(Dir::BtoA, cx)];
            }
            old.close(cx);
        });
        self.wake = None;
        give_back(n, old, env);
        match verdict {
            Verdict::Lost => {
                env.counters.parsers_lost += 1;
                env.parsed[n].lost += 1;
                self.state = State::Decoded(name);
            }
            Verdict::Enough | Verdict::Go => self.state = State::Decoded(name),
            Verdict::Become(_) if self.turns == MAX_TURNS => {
                env.counters.parsers_lost += 1;
                env.parsed[n].lost += 1;
                self.state = State::Decoded(name);
            }
            Verdict::Become(name) => {
                self.turns += 1;
                self.state = match name.and_then(|name| env.protocols.by_name(name)) {
                    Some(next) => match stream(next, env) {
                        Some(stream) => State::Stream(next, stream),
                        None => State::Decoded(env.protocols.all[next].spec().name),
                    },
                    // A protocol we know by name alone, or first bytes decide.
                    None => name.map_or(State::Silent, State::Decoded),
                };
                // The side that spoke last speaks last again.
                for side in [dir.flip(), dir] {
                    let bytes = std::mem::take(&mut rest[side.index()]);
                    if !bytes.is_empty() {
                        self.data(info, side, &bytes, now, false, env);
                    }
                }
            }
        }
    }
}

fn is_tcp(info: &FlowInfo) -> bool {
    info.key.transport() == Transport::TCP
}

/// A stream around a parser of protocol `n`, used before if there is one; `None` when the memory budget is spent.
fn stream(n: usize, env: &mut Env<'_>) -> Option<Box<Stream>> {
    let factory = &env.protocols.all[n];
    if !env.budget.take(factory.cost()) {
        env.counters.parsers_refused += 1;
        env.parsed[n].refused += 1;
        return None;
    }
    env.parsed[n].flows += 1;
    Some(env.spare[n].pop().unwrap_or_else(|| Box::new(Stream::new(factory.make()))))
}

/// Streams of one protocol kept for reuse.
const KEEP_STREAMS: usize = 1024;

fn give_back(n: usize, stream: Box<Stream>, env: &mut Env<'_>) {
    env.budget.give(env.protocols.all[n].cost());
    if env.spare[n].len() < KEEP_STREAMS {
        env.spare[n].push(stream);
    }
}

fn with<T>(
    n: usize,
    info: &mut FlowInfo,
    wake: &mut Option<Time>,
    now: Time,
    env: &mut Env<'_>,
    f: impl FnOnce(&mut Cx<'_>) -> T,
) -> T {
    let factory = &env.protocols.all[n];
    let before = (env.counters.events, env.counters.unparsed);
    let mut cx = Cx {
        now,
        clock: env.clock,
        flow: info,
        budget: env.budget,
        counters: env.counters,
        spec: factory.spec(),
        common: factory.common(),
        sink: env.sink,
        expected: env.expected,
        wake: *wake,
    };
    let out = f(&mut cx);
    *wake = cx.wake;
    let parsed = &mut env.parsed[n];
    parsed.transactions += env.counters.events - before.0;
    parsed.unparsed += env.counters.unparsed - before.1;
    out
}
