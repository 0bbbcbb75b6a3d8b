//! What a protocol is.

use std::sync::Arc;
use std::time::Duration;

use wirebeat_model::config::Section;
use wirebeat_model::{Dir, Field, Transport};

use crate::Cx;

/// What a parser answers: how much it used and what it wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes used up, from the first one shown.
    pub used: usize,
    /// What next.
    pub then: Then,
}

/// What a parser wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Call again when at least this many bytes, counted from the first unused one, are there (at least 1).
    ///
    /// Be honest: an answer of one more byte each time makes quadratic work. A parser that searches for an end it has
    /// not seen remembers how far it searched.
    Need(usize),
    /// The next so many bytes do not matter: they are counted, not shown and not kept, and may be lost. The parser is
    /// called again as soon as they have passed, with what follows, which may be nothing yet.
    Skip(u64),
    /// What follows, in both directions, is another protocol: its name, or `None` to recognise it by its first bytes.
    Become(Option<&'static str>),
    /// Nothing of this flow matters any more.
    Enough,
    /// This cannot be understood: give the flow up.
    Lost,
}

impl Step {
    /// `used` bytes are used up; call again with `need` more.
    pub fn need(used: usize, need: usize) -> Self {
        Self { used, then: Then::Need(need) }
    }

    /// `used` bytes are used up, the next `skip` do not matter.
    pub fn skip(used: usize, skip: u64) -> Self {
        Self { used, then: Then::Skip(skip) }
    }

    /// Gives up.
    pub fn lost() -> Self {
        Self { used: 0, then: Then::Lost }
    }
}

/// Whether first bytes look like a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// No.
    No,
    /// It may become one: show me more (up to [`Spec::GUESS_BYTES`]).
    More,
    /// Yes, and a client sends them.
    Client,
    /// Yes, and a server sends them.
    Server,
}

/// What is known of a protocol before any traffic.
pub struct Spec {
    /// Its name: `type` of its events, its key in the configuration.
    pub name: &'static str,
    /// What it runs on.
    pub transports: &'static [Transport],
    /// Its well-known ports: hints when it is recognised by content, rules when a configuration names none.
    pub ports: &'static [u16],
    /// The fields it declares (those of `wirebeat_model::ecs` need no mention).
    pub fields: &'static [&'static Field],
    /// Whether first bytes of one direction look like it. They may be cut anywhere.
    pub guess: fn(&[u8]) -> Guess,
    /// `event.type`.
    pub event_type: &'static [&'static str],
    /// The most bytes an incomplete message may hold back in one direction before the flow is given up.
    pub max_held: usize,
    /// Whether it posts expectations, so that several shards could see them in different order (see [`crate::Expectation`]).
    pub expects: bool,
}

impl Spec {
    /// How many first bytes a guess may ask for.
    pub const GUESS_BYTES: usize = 64;
    /// `event.type` of most.
    pub const PROTOCOL: &'static [&'static str] = &["connection", "protocol"];
}

/// The bytes of one conversation.
pub trait Parser: Send {
    /// Bytes from one side, in order, each once. On UDP and ICMP one whole datagram per call, whose `used` is ignored.
    fn data(&mut self, dir: Dir, bytes: &[u8], cx: &mut Cx<'_>) -> Step;

    /// What flow records call the flow, where that is not [`Spec::name`]; agrees with what its events say.
    fn name(&self) -> Option<&'static str> {
        None
    }

    /// Bytes from one side were lost, before what comes next. `lost` is how many; inside a [`Then::Skip`] (`skipped`)
    /// they did not matter, and the answer is ignored.
    fn gap(&mut self, _dir: Dir, _lost: u64, _skipped: bool, _cx: &mut Cx<'_>) -> Then {
        Then::Lost
    }

    /// Bytes that were shown and not used, and that do not go on: what follows was `lost` and [`Parser::gap`] is called
    /// next, or the side has ended and [`Parser::end`] or [`Parser::close`] is. What they hold by themselves can still be
    /// told.
    fn torn(&mut self, _dir: Dir, _held: &[u8], _lost: bool, _cx: &mut Cx<'_>) {}

    /// One side ends inside a [`Then::Skip`]: so many bytes of it never came. [`Parser::end`] or [`Parser::close`] follows.
    fn cut(&mut self, _dir: Dir, _missing: u64) {}

    /// One side has said all it had to say (FIN), and all of it was shown.
    fn end(&mut self, _dir: Dir, _cx: &mut Cx<'_>) {}

    /// The conversation is over: emit what is open, as unanswered.
    fn close(&mut self, cx: &mut Cx<'_>);

    /// The time set by [`Cx::wake_at`] has come: emit what waited too long.
    fn expire(&mut self, _cx: &mut Cx<'_>) {}

    /// Forget everything but memory: this parser is going to serve another flow.
    fn reset(&mut self);
}

/// A parser with its options. Its module holds what is known of it before any traffic as `pub static SPEC: Spec`.
pub trait Protocol: Parser + Sized + 'static {
    /// Its own section of the configuration.
    type Options: Options;
    /// A parser for one flow.
    fn new(setup: Arc<Setup<Self::Options>>) -> Self;
}

/// Options that a section of the configuration holds.
pub trait Options: Send + Sync + 'static {
    /// Reads them, each key by a getter that also documents it.
    fn read(section: &mut Section<'_>) -> Self;
}

/// For a protocol with none of its own.
pub struct NoOptions;

impl Options for NoOptions {
    fn read(_: &mut Section<'_>) -> Self {
        Self
    }
}

/// Options that every protocol has.
#[derive(Clone, Debug)]
pub struct Common {
    /// Whether it runs.
    pub enabled: bool,
    /// The ports it runs on, when ports rule.
    pub ports: Vec<u16>,
    /// Whether the request stands in the event as text.
    pub send_request: bool,
    /// Whether the answer does.
    pub send_response: bool,
    /// How long a request waits for its answer.
    pub transaction_timeout: Duration,
    /// Labels of its events.
    pub tags: Vec<String>,
}

impl Common {
    /// Reads them for the protocol `spec`.
    pub fn read(section: &mut Section<'_>, spec: &Spec) -> Self {
        Self {
            enabled: section.bool("enabled", true, "Whether the protocol is decoded."),
            ports: section.ports("ports", spec.ports, "Ports it is expected on."),
            send_request: section.bool("send_request", false, "Put the request into the event as text."),
            send_response: section.bool("send_response", false, "Put the answer into the event as text."),
            transaction_timeout: section.duration(
                "transaction_timeout",
                Duration::from_secs(10),
                "How long a request waits for its answer before it is published without.",
            ),
            tags: section.strings("tags", &[], "Labels put into `tags` of each event."),
        }
    }
}

/// A protocol's options, its own and the common ones.
pub struct Setup<O> {
    /// The common ones.
    pub common: Common,
    /// Its own.
    pub own: O,
    /// Whether secrets are masked even where no option says so.
    pub redact: bool,
}

/// Makes parsers of one protocol with one configuration.
pub trait Factory: Send + Sync {
    /// The protocol.
    fn spec(&self) -> &'static Spec;
    /// Its common options.
    fn common(&self) -> &Common;
    /// A parser for one flow.
    fn make(&self) -> Box<dyn Parser>;
    /// What a parser and its stream take from the memory budget while a flow has them, beside what they keep of the
    /// traffic: their own size and room for small buffers.
    fn cost(&self) -> usize;
}

struct Maker<P: Protocol> {
    spec: &'static Spec,
    setup: Arc<Setup<P::Options>>,
}

impl<P: Protocol> Factory for Maker<P> {
    fn spec(&self) -> &'static Spec {
        self.spec
    }
    fn common(&self) -> &Common {
        &self.setup.common
    }
    fn make(&self) -> Box<dyn Parser> {
        Box::new(P::new(Arc::clone(&self.setup)))
    }
    fn cost(&self) -> usize {
        size_of::<P>() + size_of::<crate::Stream>() + 512
    }
}

/// A protocol in the list of protocols.
pub struct Entry {
    /// What is known of it.
    pub spec: &'static Spec,
    configure: fn(&'static Spec, &mut Section<'_>, bool) -> Arc<dyn Factory>,
}

impl Entry {
    /// The entry of `P`.
    pub const fn of<P: Protocol>(spec: &'static Spec) -> Self {
        Self {
            spec,
            configure: |spec, section, redact| {
                let common = Common::read(section, spec);
                let own = P::Options::read(section);
                Arc::new(Maker::<P> { spec, setup: Arc::new(Setup { common, own, redact }) })
            },
        }
    }

    /// Reads the protocol's section. `redact`: mask secrets even where no option says so.
    pub fn configure(&self, section: &mut Section<'_>, redact: bool) -> Arc<dyn Factory> {
        (self.configure)(self.spec, section, redact)
    }
}
