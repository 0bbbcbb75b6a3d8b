//! One worker: packet → flow → order → protocol → event. Nothing here waits, reads a clock or knows another thread.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use wirebeat_model::{
    Budget, Counters, Dir, Endpoint, Event, FlowInfo, FlowKey, Pool, Time, Transport, community_id,
};
use wirebeat_net::flow::{Buffers, Dedup, Seen, Segment, Slot, Table, Tcp, TcpState, Wheel};
use wirebeat_net::wire::TcpFlags;
use wirebeat_net::{L4, Packet};
use wirebeat_proto::{Expectation, Sink, Stream};

use crate::app::{App, Env, Protocols};
use crate::flows::{self, IcmpKind, Record, Tally, TcpRecord};
use crate::pressure::{Loudest, Pressure, SAMPLE};
use crate::tally::{Parsed, Undecoded};

/// How flows are told.
#[derive(Clone, Debug)]
pub struct FlowSettings {
    /// Whether there are flow records.
    pub enabled: bool,
    /// A flow without a packet for so long has ended.
    pub timeout: Duration,
    /// How often an open flow is told; `None` for only at its end.
    pub period: Option<Duration>,
    /// Whether records tell the change since the last one rather than totals.
    pub delta: bool,
    /// Labels of flow records.
    pub tags: Vec<String>,
}

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            timeout: Duration::from_secs(30),
            period: Some(Duration::from_secs(10)),
            delta: true,
            tags: Vec::new(),
        }
    }
}

/// `network.direction` of a flow from its source's to its destination's address.
pub type Direction = Box<dyn Fn(IpAddr, IpAddr) -> &'static str + Send + Sync>;

/// What all shards share and none changes.
pub struct Settings {
    /// Which protocols run.
    pub protocols: Protocols,
    /// How flows are told.
    pub flows: FlowSettings,
    /// Decides `network.direction`.
    pub direction: Direction,
    /// Bytes each shard may lend to what waits.
    pub memory: usize,
    /// Flows each shard keeps open at most.
    pub max_flows: usize,
    /// The sensor's uuid or the capture's digest.
    pub source: u64,
    /// Whether frames may come from several devices, so that one packet may be seen twice.
    pub several_devices: bool,
    /// Whether events that this host's own side began are dropped (`ignore_outgoing`).
    pub ignore_outgoing: bool,
}

/// When and as what a packet came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Its own time.
    pub time: Time,
    /// The latest time of any packet so far.
    pub clock: Time,
    /// How many frames it stands for (fragments), at least 1.
    pub frames: u32,
}

/// What one shard tells another.
#[derive(Clone, Debug)]
pub enum Note {
    /// An ICMP error quoted a packet of this flow.
    IcmpError(FlowKey, IcmpKind),
    /// A flow will come.
    Expect(Expectation),
    /// A device has this name.
    Device(u32, Arc<str>),
}

/// How long a closed connection stays, for late segments and the last acknowledgement.
const LINGER: Duration = Duration::from_secs(2);
/// TCP states kept for reuse at most.
const KEEP_TCP: usize = 16 * 1024;
/// Announced flows kept at most.
const MAX_EXPECTED: usize = 1024;
/// Kinds of ICMP error a record names at most.
const MAX_ICMP: usize = 4;

struct Flow {
    info: FlowInfo,
    app: App,
    tcp: Option<Box<Tcp>>,
    total: Tally,
    told: Tally,
    last: Time,
    /// When it is told next.
    report: Time,
    /// When the wheel has it; the earliest of several.
    scheduled: Time,
    /// Set when the connection has ended: when it goes.
    gone_at: Option<Time>,
    icmp: Vec<IcmpKind>,
}

impl Flow {
    /// Why it ended, if its own ends have ended it.
    fn how_it_closed(&self) -> Option<&'static str> {
        match self.tcp.as_ref()?.state() {
            TcpState::Reset => Some("rst"),
            TcpState::Closed => Some("fin"),
            _ => None,
        }
    }
}

/// Memory, counters and ways out: what packet handling needs beside the table.
struct Work {
    settings: Arc<Settings>,
    budget: Budget,
    counters: Counters,
    sink: Sink,
    expected: Vec<Expectation>,
    parsed: Vec<Parsed>,
    undecoded: Undecoded,
    #[expect(clippy::vec_box, reason = "flows hold boxes: a stream moves between them without being copied")]
    spare: Vec<Vec<Box<Stream>>>,
    clock: Time,
}

impl Work {
    fn env(&mut self) -> Env<'_> {
        Env {
            protocols: &self.settings.protocols,
            budget: &mut self.budget,
            counters: &mut self.counters,
            sink: &mut self.sink,
            expected: &mut self.expected,
            parsed: &mut self.parsed,
            spare: &mut self.spare,
            clock: self.clock,
        }
    }
}

/// One worker.
pub struct Shard {
    id: usize,
    shards: usize,
    table: Table<Flow>,
    wheel: Wheel,
    dedup: Option<Dedup>,
    buffers: Buffers,
    /// TCP states to reuse.
    #[expect(clippy::vec_box, reason = "flows hold boxes: what is not TCP has none")]
    spare_tcp: Vec<Box<Tcp>>,
    work: Work,
    announced: Vec<Expectation>,
    pressure: Pressure,
    loudest: Loudest,
    /// Notes for other shards: which shard, or all others.
    outbox: Vec<(Option<usize>, Note)>,
}

/// Ordered bytes of a connection on their way to its parser.
struct Order<'a> {
    info: &'a mut FlowInfo,
    app: &'a mut App,
    work: &'a mut Work,
    midway: bool,
}

impl wirebeat_net::flow::Sink for Order<'_> {
    fn data(&mut self, dir: Dir, bytes: &[u8], time: Time) {
        if self.app.wants_data() {
            self.app.data(self.info, dir, bytes, time, self.midway, &mut self.work.env());
        }
    }
    fn gap(&mut self, dir: Dir, lost: u64, time: Time) {
        self.app.gap(self.info, dir, lost, time, &mut self.work.env());
    }
    fn end(&mut self, dir: Dir, time: Time) {
        self.app.end(self.info, dir, time, &mut self.work.env());
    }
    fn reset(&mut self, _dir: Dir, _time: Time) {}
    fn budget(&mut self) -> &mut Budget {
        &mut self.work.budget
    }
    fn counters(&mut self) -> &mut Counters {
        &mut self.work.counters
    }
}

impl Shard {
    /// Shard `id` of `shards`. `seed` keys its hash tables.
    pub fn new(settings: Arc<Settings>, id: usize, shards: usize, seed: u64) -> Self {
        let spare = settings.protocols.all.iter().map(|_| Vec::new()).collect();
        Self {
            id,
            shards,
            table: Table::new(settings.max_flows, seed),
            wheel: Wheel::new(),
            dedup: settings.several_devices.then(|| Dedup::new(seed)),
            buffers: Buffers::new(),
            spare_tcp: Vec::new(),
            work: Work {
                budget: Budget::new(settings.memory),
                counters: Counters::default(),
                sink: Sink {
                    events: Vec::new(),
                    pool: Pool::default(),
                    source: settings.source,
                    device_names: Vec::new(),
                    ignore_outgoing: settings.ignore_outgoing,
                },
                expected: Vec::new(),
                parsed: vec![Parsed::default(); settings.protocols.all.len()],
                undecoded: Undecoded::default(),
                spare,
                clock: Time::MIN,
                settings,
            },
            announced: Vec::new(),
            pressure: Pressure::None,
            loudest: Loudest::default(),
            outbox: Vec::new(),
        }
    }

    /// Its number.
    pub fn id(&self) -> usize {
        self.id
    }

    /// The events made so far; drain them.
    pub fn events(&mut self) -> &mut Vec<Event> {
        &mut self.work.sink.events
    }

    /// Where written events go back to.
    pub fn pool(&mut self) -> &mut Pool {
        &mut self.work.sink.pool
    }

    /// Its counters.
    pub fn counters(&mut self) -> &mut Counters {
        &mut self.work.counters
    }

    /// What each protocol's parsers did, in the order of [`Protocols::all`](crate::app::Protocols::all).
    pub fn parsed(&self) -> &[Parsed] {
        &self.work.parsed
    }

    /// Flows that ended without having been decoded.
    pub fn undecoded(&self) -> &Undecoded {
        &self.work.undecoded
    }

    /// How much is given up now.
    pub fn pressure(&self) -> Pressure {
        self.pressure
    }

    /// The latest time it has been told of.
    pub fn clock(&self) -> Time {
        self.work.clock
    }

    /// Its memory.
    pub fn budget(&mut self) -> &mut Budget {
        &mut self.work.budget
    }

    /// Budget and counters at once.
    pub fn meters(&mut self) -> (&mut Budget, &mut Counters) {
        (&mut self.work.budget, &mut self.work.counters)
    }

    /// Says how much to give up from now on; called for each block of packets. Each call under pressure ends the decoding
    /// of one more flow, the noisiest since the last.
    pub fn press(&mut self, pressure: Pressure) {
        if pressure != self.pressure {
            self.pressure = pressure;
            self.work.budget.set_scarce(pressure >= Pressure::Bodies);
            self.loudest = Loudest::default();
        } else if pressure >= Pressure::Noisiest
            && let Some(slot) = self.loudest.take()
            && let Some(flow) = self.table.get_mut(slot)
            && flow.app.is_decoding()
        {
            self.work.counters.flows_given_up += 1;
            flow.app.close(&mut flow.info, flow.last, &mut self.work.env());
        }
    }

    /// Open flows.
    pub fn open_flows(&self) -> usize {
        self.table.len()
    }

    /// Tells the name of a device, for events.
    pub fn name_device(&mut self, device: u32, name: &str) {
        let names = &mut self.work.sink.device_names;
        match names.iter_mut().find(|(d, _)| *d == device) {
            Some((_, old)) => old.replace_range(.., name),
            None => names.push((device, name.to_owned())),
        }
    }

    /// Whether a device's name is known.
    pub fn knows_device(&self, device: u32) -> bool {
        self.work.sink.device_names.iter().any(|(d, _)| *d == device)
    }

    /// Notes for other shards, to be delivered; drain them.
    pub fn outbox(&mut self) -> &mut Vec<(Option<usize>, Note)> {
        &mut self.outbox
    }

    /// Takes a note from another shard.
    pub fn note(&mut self, note: Note) {
        match note {
            Note::IcmpError(key, kind) => {
                if let Some((slot, _)) = self.table.find(&key)
                    && let Some(flow) = self.table.get_mut(slot)
                    && flow.icmp.len() < MAX_ICMP
                    && !flow.icmp.contains(&kind)
                {
                    flow.icmp.push(kind);
                }
            }
            Note::Expect(expectation) => self.announce(expectation),
            Note::Device(device, name) => self.name_device(device, &name),
        }
    }

    /// Time passes: fires what is due. Call before each packet, and when none comes.
    #[inline]
    pub fn advance(&mut self, clock: Time) {
        if clock <= self.work.clock {
            return;
        }
        // The clock of what is done at a deadline is the deadline's boundary, not the packet's time.
        while let Some((slot, boundary)) = self.wheel.pop(clock) {
            self.work.clock = boundary;
            self.fire(slot, boundary);
        }
        self.work.clock = clock;
    }

    /// Takes a packet that belongs to this shard, not a fragment.
    #[inline]
    pub fn packet(&mut self, p: &Packet<'_>, at: Arrival) {
        self.advance(at.clock);
        // A packet handed over may be older than what this shard has seen.
        let at = Arrival { clock: self.work.clock, ..at };
        // Device 0 is a capture that does not tell devices apart.
        if p.device != 0
            && let Some(dedup) = &mut self.dedup
        {
            match dedup.check(p, p.device, at.time) {
                Seen::New => {}
                Seen::Duplicate => {
                    self.work.counters.duplicates += 1;
                    return;
                }
                Seen::TwinOf(first) => {
                    self.work.counters.duplicates += 1;
                    self.twin(p, first);
                    return;
                }
            }
        }
        let (mut slot, mut dir) = match self.table.find(&p.key) {
            Some((slot, flipped)) => (slot, if flipped { p.dir.flip() } else { p.dir }),
            None => match self.begin(p, at) {
                Some(slot) => (slot, p.dir),
                None => return,
            },
        };
        if let L4::Tcp(tcp) = p.l4
            && tcp.flags.any(TcpFlags::SYN)
            && self
                .table
                .get(slot)
                .is_some_and(|f| f.tcp.as_ref().is_some_and(|t| t.is_new_connection(dir, tcp.seq, tcp.flags)))
        {
            self.finish_flow(slot, "new_connection");
            let Some(new) = self.begin(p, at) else { return };
            (slot, dir) = (new, p.dir);
        }
        self.flow_packet(slot, dir, p, at);
    }

    fn flow_packet(&mut self, slot: Slot, dir: Dir, p: &Packet<'_>, at: Arrival) {
        let Some(flow) = self.table.touch(slot, at.clock) else { return };
        flow.total.packets[dir.index()] += u64::from(at.frames);
        flow.total.bytes[dir.index()] += u64::from(p.wire_len);
        flow.last = flow.last.max(at.time);
        if self.pressure >= Pressure::Noisiest && flow.app.is_decoding() {
            self.loudest.add(slot, u64::from(p.wire_len));
        }
        if flow.info.mac[dir.index()].is_none()
            && let Some((from, _)) = p.mac
        {
            flow.info.mac[dir.index()] = Some(from);
        }
        let mut due = Time::MAX;
        match p.l4 {
            L4::Tcp(header) => {
                let Some(tcp) = &mut flow.tcp else { return };
                let midway = tcp.opener().is_none() && !header.flags.any(TcpFlags::SYN);
                let Some(segment) = Segment::new(p, dir, at.time) else { return };
                let mut order =
                    Order { info: &mut flow.info, app: &mut flow.app, work: &mut self.work, midway };
                tcp.segment(&segment, at.clock, &mut self.buffers, &mut order);
                if let Some(deadline) = tcp.deadline() {
                    due = deadline;
                }
                if flow.gone_at.is_none() && tcp.is_over() {
                    let gone = at.clock + LINGER;
                    flow.gone_at = Some(gone);
                    due = due.min(gone);
                }
            }
            L4::Udp | L4::Icmp { .. } => {
                if flow.app.wants_data() && !p.payload.is_empty() {
                    flow.app.data(&mut flow.info, dir, p.payload, at.time, false, &mut self.work.env());
                }
            }
            L4::Other => {}
        }
        if let Some(wake) = flow.app.wake {
            due = due.min(wake);
        }
        if due < flow.scheduled {
            flow.scheduled = due;
            self.wheel.schedule(slot, due);
        }
        if let L4::Icmp { kind, code } = p.l4 {
            self.icmp_error(p, kind, code);
        }
        if !self.work.expected.is_empty() {
            self.spread_expected();
        }
    }

    /// A packet of a flow that is not open yet. Answers with its slot.
    #[cold]
    #[inline(never)]
    fn begin(&mut self, p: &Packet<'_>, at: Arrival) -> Option<Slot> {
        while self.table.is_full() {
            let Some(stalest) = self.table.stalest() else { break };
            self.work.counters.flows_evicted += 1;
            self.finish_flow(stalest, "evicted");
        }
        self.work.counters.flows += 1;
        let settings = &self.work.settings;
        let (mut source, mut known) = (p.dir, false);
        let mut icmp = None;
        match p.l4 {
            L4::Tcp(tcp) if tcp.flags.any(TcpFlags::SYN) => {
                known = true;
                if tcp.flags.any(TcpFlags::ACK) {
                    source = p.dir.flip();
                }
            }
            L4::Icmp { kind, code } => icmp = Some((kind, code)),
            _ => {}
        }
        let (from, to) = (p.key.sender(p.dir), p.key.receiver(p.dir));
        let mut mac = [None; 2];
        if let Some((s, d)) = p.mac {
            mac[p.dir.index()] = Some(s);
            // A group address is nobody's: the receiver's own address is learnt from its answers.
            mac[p.dir.flip().index()] = Some(d);
        }
        let direction = |from| (settings.direction)(p.key.sender(from).addr(), p.key.receiver(from).addr());
        let info = FlowInfo {
            key: p.key,
            source,
            source_known: known,
            start: at.time,
            events: 0,
            community_id: community_id(from, to, p.key.transport(), icmp),
            device: p.device,
            mac,
            vlan: p.vlan,
            nat: None,
            network_direction: [direction(Dir::AtoB), direction(Dir::BtoA)],
        };
        let report = match settings.flows.period {
            Some(period) if settings.flows.enabled => at.clock + period,
            _ => Time::MAX,
        };
        let scheduled = (at.clock + settings.flows.timeout).min(report);
        // A shard's flows agree in the hash modulo the shards: the sample is taken from the rest of it.
        let sampled = (p.key.shard_hash() / self.shards as u32).is_multiple_of(SAMPLE);
        let app = if self.pressure == Pressure::Sampled && !sampled {
            self.work.counters.flows_not_decoded += 1;
            App::skipped()
        } else {
            App::default()
        };
        let mut flow = Flow {
            info,
            app,
            tcp: (p.key.transport() == Transport::TCP).then(|| self.spare_tcp.pop().unwrap_or_default()),
            total: Tally::default(),
            told: Tally::default(),
            last: at.time,
            report,
            scheduled,
            gone_at: None,
            icmp: Vec::new(),
        };
        if !self.announced.is_empty() {
            self.meet(p, &mut flow);
        }
        match self.table.insert(p.key, at.clock, flow) {
            Ok(slot) => {
                self.wheel.schedule(slot, scheduled);
                Some(slot)
            }
            // Room was made and the key was not there: cannot happen; the packet is then nobody's.
            Err(_) => None,
        }
    }

    /// Whether this new flow was announced.
    fn meet(&mut self, p: &Packet<'_>, flow: &mut Flow) {
        let clock = self.work.clock;
        self.announced.retain(|e| e.until >= clock);
        let hit = self
            .announced
            .iter()
            .position(|e| e.transport == p.key.transport() && [p.key.a(), p.key.b()].contains(&e.server));
        if let Some(at) = hit {
            let expectation = self.announced.swap_remove(at);
            flow.app.announce(expectation.protocol, &mut self.work.env());
        }
    }

    fn announce(&mut self, expectation: Expectation) {
        if self.announced.len() >= MAX_EXPECTED {
            self.announced.swap_remove(0);
        }
        self.announced.push(expectation);
    }

    fn spread_expected(&mut self) {
        let expected = std::mem::take(&mut self.work.expected);
        for expectation in expected {
            if self.shards > 1 {
                self.outbox.push((None, Note::Expect(expectation.clone())));
            }
            self.announce(expectation);
        }
    }

    /// The same packet under another name of one endpoint: both names are one flow from now on.
    fn twin(&mut self, p: &Packet<'_>, first: FlowKey) {
        let Some((slot, _)) = self.table.find(&first) else { return };
        if self.table.find(&p.key).is_some() {
            return;
        }
        let Some(flow) = self.table.get_mut(slot) else { return };
        let (key, names) = (flow.info.key, [p.key.a(), p.key.b()]);
        // The endpoint both keys share keeps its direction; the other one is what was translated.
        let shared = if names.contains(&key.a()) { Dir::AtoB } else { Dir::BtoA };
        let other: Endpoint = if names[0] == key.sender(shared) { names[1] } else { names[0] };
        if flow.info.nat.is_none() {
            flow.info.nat = Some((shared.flip(), other));
        }
        let flipped = p.key.sender(shared) != key.sender(shared);
        self.table.alias(slot, p.key, flipped);
    }

    /// An ICMP error tells something about the flow it quotes.
    fn icmp_error(&mut self, p: &Packet<'_>, kind: u8, code: u8) {
        let Some((key, note)) = icmp_note(p, kind, code) else { return };
        let owner = key.shard_hash() as usize % self.shards;
        if owner == self.id { self.note(note) } else { self.outbox.push((Some(owner), note)) }
    }

    /// A deadline of a flow has come.
    fn fire(&mut self, slot: Slot, clock: Time) {
        let Some(flow) = self.table.get_mut(slot) else { return };
        if wirebeat_net::flow::boundary(flow.scheduled) > clock {
            // An earlier deadline was meant, which has been served; the later one is still in the wheel.
            return;
        }
        let settings = Arc::clone(&self.work.settings);
        if let Some(tcp) = &mut flow.tcp
            && tcp.deadline().is_some_and(|d| d <= clock)
        {
            let midway = tcp.opener().is_none();
            let mut order = Order { info: &mut flow.info, app: &mut flow.app, work: &mut self.work, midway };
            tcp.poll(clock, &mut self.buffers, &mut order);
        }
        if flow.app.wake.is_some_and(|w| w <= clock) {
            flow.app.expire(&mut flow.info, &mut self.work.env());
        }
        let gone = flow.gone_at.is_some_and(|g| g <= clock);
        let idle_at = flow.last + settings.flows.timeout;
        if gone || idle_at <= clock {
            let reason = flow.how_it_closed().unwrap_or("timeout");
            return self.finish_flow(slot, reason);
        }
        if flow.report <= clock {
            if flow.total != flow.told {
                record(flow, None, &settings, &mut self.work);
            }
            if let Some(period) = settings.flows.period {
                flow.report = clock + period;
            }
        }
        let mut due = idle_at.min(flow.report);
        for other in
            [flow.app.wake, flow.gone_at, flow.tcp.as_ref().and_then(|t| t.deadline())].into_iter().flatten()
        {
            due = due.min(other);
        }
        flow.scheduled = due;
        self.wheel.schedule(slot, due);
    }

    /// A flow ends: what waits is delivered, what is open is told, the last record is written.
    fn finish_flow(&mut self, slot: Slot, reason: &'static str) {
        let Some(mut flow) = self.table.remove(slot) else { return };
        let clock = self.work.clock;
        if let Some(tcp) = &mut flow.tcp {
            let midway = tcp.opener().is_none();
            let mut order = Order { info: &mut flow.info, app: &mut flow.app, work: &mut self.work, midway };
            tcp.finish(clock, &mut self.buffers, &mut order);
        }
        flow.app.close(&mut flow.info, flow.last, &mut self.work.env());
        let settings = Arc::clone(&self.work.settings);
        if let Some((guess, why)) = flow.app.undecoded(&settings.protocols, &flow.info) {
            let bytes = flow.total.bytes.iter().sum();
            self.work.undecoded.add(&flow.info, guess, why, bytes);
        }
        if settings.flows.enabled {
            record(&mut flow, Some(reason), &settings, &mut self.work);
        }
        if let Some(mut tcp) = flow.tcp.take()
            && self.spare_tcp.len() < KEEP_TCP
        {
            *tcp = Tcp::default();
            self.spare_tcp.push(tcp);
        }
        if !self.work.expected.is_empty() {
            self.spread_expected();
        }
    }

    /// No packet will come any more: every flow ends now.
    pub fn finish(&mut self, clock: Time) {
        self.advance(clock);
        let slots: Vec<Slot> = self.table.slots().collect();
        for slot in slots {
            let closed = self.table.get_mut(slot).and_then(|f| f.how_it_closed());
            self.finish_flow(slot, closed.unwrap_or("shutdown"));
        }
    }
}

/// What an ICMP error says about the flow that it quotes a packet of.
pub fn icmp_note(p: &Packet<'_>, kind: u8, code: u8) -> Option<(FlowKey, Note)> {
    let transport = p.key.transport();
    let (from, to, quoted) = wirebeat_proto::icmp::quoted_flow(p.payload, transport)?;
    let (key, _) = FlowKey::new(from, to, quoted, p.key.tunnel());
    Some((key, Note::IcmpError(key, IcmpKind { transport, kind, code })))
}

fn record(flow: &mut Flow, end: Option<&'static str>, settings: &Settings, work: &mut Work) {
    let tcp = flow.tcp.as_ref().map(|t| TcpRecord {
        state: t.state().name(),
        flags: [t.flags(Dir::AtoB).0, t.flags(Dir::BtoA).0],
        retransmits: t.retransmits(Dir::AtoB) + t.retransmits(Dir::BtoA),
        out_of_order: t.out_of_order(Dir::AtoB) + t.out_of_order(Dir::BtoA),
        lost: t.gaps(Dir::AtoB).1 + t.gaps(Dir::BtoA).1,
        rtt: t.handshake().1,
    });
    let record = Record {
        total: flow.total,
        told: flow.told,
        delta: settings.flows.delta,
        last: flow.last,
        end,
        protocol: flow.app.name(&settings.protocols, &flow.info),
        tcp,
        icmp: &flow.icmp,
        tags: &settings.flows.tags,
    };
    flows::emit(&mut flow.info, &record, work.clock, &mut work.sink, &mut work.counters);
    flow.told = flow.total;
}
