//! The pipeline for the wire: a ring per shard, hand-over between shards, one collector. Live capture never waits.
//!
//! ```text
//! ring 0 ─► shard 0 ─┐      ┌─► collector ─► output
//! ring n ─► shard n ─┴──────┘
//!      shard ◄─► shard: packets of flows that another one owns, in batches
//! ```

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use thiserror::Error;
use wirebeat_capture::device::{Selection, SelectionError};
use wirebeat_capture::filter::{Filter, FilterError};
use wirebeat_capture::live::{DeviceNames, Live, LiveError, Options, RingReader, Wait};
use wirebeat_model::{Budget, Counters, Event, Time};

use crate::collector::Collector;
use crate::config::Config;
use crate::destination::Destination;
use crate::engine;
use crate::health::{Capture, Published};
use crate::ingress::Ingress;
use crate::measure::Measuring;
use crate::parcel::{Batch, Content};
use crate::pressure::Pressure;
use crate::shard::{Note, Shard};
use crate::summary::Summary;

/// Why live capture did not begin or ended early.
#[derive(Debug, Error)]
pub enum RunError {
    /// The devices asked for make no sense.
    #[error("{0}")]
    Selection(#[from] SelectionError),
    /// The filter is not understood.
    #[error("bpf_filter: {0}")]
    Filter(#[from] FilterError),
    /// Capture does not work.
    #[error("{0}")]
    Live(#[from] LiveError),
    /// The host cannot be measured.
    #[error("measuring the host: {0}")]
    Measure(io::Error),
    /// Events could not be written.
    #[error("writing events: {0}")]
    Output(#[from] io::Error),
    /// It was told already; this is the exit code.
    #[error("exit code {0}")]
    Reported(u8),
}

/// Events in a batch to the collector at most.
const BATCH: usize = 256;
/// Batches on their way to the collector, and bytes of events until they are written; what is more is given up and
/// counted.
const QUEUE: usize = 256;
const QUEUE_BYTES: usize = 16 << 20;
/// How long the collector waits for a shard that has fallen behind.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long events wait for their batch to fill.
const FLUSH: Duration = Duration::from_millis(50);
/// How far behind the wall clock a shard without packets is: a block of packets may still be on its way.
const IDLE_LAG: Duration = Duration::from_millis(200);
/// Batches on their way from one shard to another.
const HAND_OVER: usize = 8;
/// How often losses are looked at.
const WATCH: Duration = Duration::from_secs(10);

/// Captures until `duration` is over or the program is told to stop. `destination` is opened after capture has begun to work.
///
/// # Errors
/// [`RunError`]; what was counted is in `summary` all the same.
pub fn run(
    config: &Config,
    shards: Option<usize>,
    duration: Option<Duration>,
    destination: impl FnOnce() -> Result<Destination, u8>,
    summary: &mut Summary,
) -> Result<(), RunError> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let shards = shards.unwrap_or(cores).clamp(1, 256);
    let options = options(config, shards)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let (live, rings) = Live::open(options)?;
    let live = Arc::new(live);
    let destination = destination().map_err(RunError::Reported)?;
    if !config.capture_self {
        live.set_exclusions(destination.listeners())?;
    }
    let choices = live.choices();
    let chosen: Vec<_> = choices.iter().filter(|c| c.captured).map(|c| c.device.name.as_str()).collect();
    eprintln!(
        "capturing on {} with {shards} {}",
        list(&chosen),
        if shards == 1 { "shard" } else { "shards" }
    );
    let local: Vec<IpAddr> = choices.iter().flat_map(|c| c.device.addresses.iter().map(|a| a.0)).collect();
    // Without a lasting name a number of this run: ids are then unique by time and number.
    let source = destination.source().unwrap_or(Time::now().0 as u64);
    let settings = engine::settings(config, shards, local, source, true);

    let (events_tx, events_rx) = bounded::<Events>(QUEUE);
    let (inboxes, receivers): (Vec<_>, Vec<_>) = (0..shards).map(|_| bounded::<Batch>(HAND_OVER)).unzip();
    let under_way = Arc::new(AtomicUsize::new(0));
    let measured = Arc::new(Mutex::new(Counters::default()));
    let mut returns = Vec::new();
    let mut workers = Vec::new();
    let published: Vec<_> = (0..shards).map(|_| Arc::new(Mutex::new(Published::default()))).collect();
    for (ring, inbox) in rings.into_iter().zip(receivers) {
        let id = ring.shard();
        let (back_tx, back) = bounded(QUEUE);
        returns.push((id, back_tx));
        let worker = Worker {
            shard: Shard::new(Arc::clone(&settings), id, shards, source),
            ingress: Ingress::new(None, usize::MAX, source),
            budget: Budget::new(settings.memory / 8),
            counters: Counters::default(),
            inbox,
            outboxes: inboxes.clone(),
            outgoing: (0..shards).map(|_| Batch::default()).collect(),
            events: events_tx.clone(),
            back,
            names: live.names(),
            published: Arc::clone(&published[id]),
            under_way: Arc::clone(&under_way),
            last_flush: Instant::now(),
            pressure: Pressure::None,
        };
        workers.push(thread::spawn(move || worker.run(ring)));
    }
    let measuring = match &config.system {
        Some(options) => {
            let options = wirebeat_system::Options { source, ..options.clone() };
            let (back_tx, back) = bounded(QUEUE);
            returns.push((shards, back_tx));
            let send =
                send_measured(shards, events_tx.clone(), back, Arc::clone(&under_way), Arc::clone(&measured));
            Some(Measuring::start(&options, send).map_err(RunError::Measure)?)
        }
        None => None,
    };
    if let Some(serving) = &destination.serving {
        if let Some(measuring) = &measuring {
            serving.health.set_host(measuring.losses());
        }
        serving.health.set_capture(Capture {
            live: Arc::clone(&live),
            shards: published.clone(),
            protocols: settings.protocols.all.iter().map(|p| p.spec().name).collect(),
            measured: Arc::clone(&measured),
            budget: settings.memory * shards,
        });
    }
    drop((events_tx, inboxes));
    returns.sort_by_key(|(id, _)| *id);
    let returns: Vec<_> = returns.into_iter().map(|(_, tx)| tx).collect();
    let failed = Arc::new(AtomicBool::new(false));
    let collector = {
        let failed = Arc::clone(&failed);
        thread::spawn(move || {
            let result = collect(shards, &events_rx, &returns, &under_way, destination);
            failed.store(result.is_err(), Ordering::Relaxed);
            result
        })
    };

    watch(&live, &published, duration, &stop, &failed);
    live.stop();
    summary.measured = measuring.map(Measuring::stop);
    let mut broken = false;
    for worker in workers {
        broken |= worker.join().is_err();
    }
    let written = collector.join();
    summary.counters.add(&measured.lock().unwrap_or_else(PoisonError::into_inner));
    for shard in &published {
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        summary.counters.add(&shard.counters);
        summary.peak = summary.peak.max(shard.peak);
    }
    summary.counters.kernel_drops += live.stats().iter().map(|s| s.drops).sum::<u64>();
    match written {
        Ok(result) => {
            let Destination { keeper, serving, .. } = result?;
            drop(serving);
            if let Some(keeper) = keeper {
                summary.counters.events_refused += keeper.close();
            }
        }
        Err(_) => broken = true,
    }
    if broken { Err(io::Error::other("a worker has ended early").into()) } else { Ok(()) }
}

fn options(config: &Config, shards: usize) -> Result<Options, RunError> {
    let filter = match (&config.bpf_filter, config.ports()) {
        (Some(text), _) => Some(Filter::parse(text)?),
        (None, Some(ports)) => Some(Filter::ports(&ports)?),
        (None, None) => None,
    };
    let buffer: Option<usize> = config.interfaces.iter().filter_map(|i| i.buffer).max();
    let defaults = Options::default();
    Ok(Options {
        selection: Selection::parse(&config.devices())?,
        shards,
        buffer: buffer.unwrap_or(defaults.buffer),
        snaplen: config.interfaces.iter().map(|i| i.snaplen).max().unwrap_or(defaults.snaplen),
        promiscuous: config.interfaces.iter().find_map(|i| i.promiscuous).unwrap_or(defaults.promiscuous),
        filter,
        ..defaults
    })
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "no device yet".into() } else { names.join(", ") }
}

/// Waits for the end, and says when something was lost or changed meanwhile.
fn watch(
    live: &Live,
    published: &[Arc<Mutex<Published>>],
    duration: Option<Duration>,
    stop: &AtomicBool,
    failed: &AtomicBool,
) {
    let begun = Instant::now();
    let (mut changes, mut looked, mut told) = (live.changes(), Instant::now(), 0);
    while !stop.load(Ordering::Relaxed)
        && !failed.load(Ordering::Relaxed)
        && duration.is_none_or(|d| begun.elapsed() < d)
    {
        let left = duration.map_or(FLUSH, |d| d.saturating_sub(begun.elapsed()));
        thread::sleep(left.min(FLUSH));
        if live.changes() != changes {
            changes = live.changes();
            let choices = live.choices();
            let chosen: Vec<_> =
                choices.iter().filter(|c| c.captured).map(|c| c.device.name.as_str()).collect();
            eprintln!("capturing on {}", list(&chosen));
        }
        if looked.elapsed() >= WATCH {
            looked = Instant::now();
            let kernel: u64 = live.stats().iter().map(|s| s.drops).sum();
            let own: u64 = published
                .iter()
                .map(|p| {
                    let p = p.lock().unwrap_or_else(PoisonError::into_inner);
                    p.counters.events_dropped + p.counters.hand_over_drops
                })
                .sum();
            if kernel + own > told {
                told = kernel + own;
                eprintln!(
                    "lost so far: {kernel} packets in the kernel, {own} events or packets in our queues"
                );
            }
        }
    }
}

/// A shard's events on their way to the collector, with its watermark.
struct Events {
    shard: usize,
    events: Vec<Event>,
    watermark: Time,
}

/// A shard's thread.
struct Worker {
    shard: Shard,
    ingress: Ingress,
    /// For fragments.
    budget: Budget,
    counters: Counters,
    inbox: Receiver<Batch>,
    outboxes: Vec<Sender<Batch>>,
    outgoing: Vec<Batch>,
    events: Sender<Events>,
    back: Receiver<Vec<Event>>,
    names: DeviceNames,
    published: Arc<Mutex<Published>>,
    /// Bytes of events of all shards that are not written yet.
    under_way: Arc<AtomicUsize>,
    last_flush: Instant,
    pressure: Pressure,
}

impl Worker {
    fn run(mut self, mut ring: RingReader) {
        loop {
            self.press(ring.fill());
            let busy = match ring.wait(FLUSH) {
                Ok(Wait::Block(block)) => {
                    for frame in block.frames() {
                        self.frame(&frame);
                    }
                    true
                }
                Ok(Wait::Timeout) => false,
                Ok(Wait::Stopped) | Err(_) => break,
            };
            self.receive();
            if !busy {
                self.ingress.tick(Time::now() - IDLE_LAG);
                self.shard.advance(self.ingress.clock());
            }
            self.hand_over();
            if self.shard.events().len() >= BATCH || self.last_flush.elapsed() >= FLUSH {
                self.flush(self.shard.clock());
            }
        }
        // What others handed over last; nobody waits for anybody at the end.
        self.hand_over();
        self.outboxes.clear();
        while let Ok(batch) = self.inbox.recv_timeout(FLUSH) {
            self.take(batch);
        }
        self.ingress.finish(&mut self.budget, &mut self.counters);
        self.shard.finish(self.ingress.clock());
        self.finish();
    }

    /// Gives something up when a queue, the ring or the way to the collector, is filling.
    fn press(&mut self, ring: u8) {
        let under_way = (self.under_way.load(Ordering::Relaxed) * 8 / QUEUE_BYTES).min(8) as u8;
        self.pressure = self.pressure.next(ring.max(under_way));
        self.shard.press(self.pressure);
    }

    fn frame(&mut self, frame: &wirebeat_model::Frame<'_>) {
        if !self.shard.knows_device(frame.device)
            && let Some(name) = self.names.get(frame.device)
        {
            self.shard.name_device(frame.device, &name);
        }
        let (shard, outgoing) = (&mut self.shard, &mut self.outgoing);
        self.ingress.frame(frame, &mut self.budget, &mut self.counters, |packet, at| {
            let owner = packet.key.shard_hash() as usize % outgoing.len();
            if owner == shard.id() { shard.packet(packet, at) } else { outgoing[owner].push(packet, at) }
        });
    }

    fn receive(&mut self) {
        while let Ok(batch) = self.inbox.try_recv() {
            self.take(batch);
        }
    }

    fn take(&mut self, mut batch: Batch) {
        let shard = &mut self.shard;
        batch.drain(|content| match content {
            Content::Packet(packet, at) => shard.packet(&packet, at),
            Content::Note(note) => shard.note(note),
        });
    }

    /// Gives other shards what is theirs. A full queue refuses, and that is counted.
    fn hand_over(&mut self) {
        let own = self.shard.id();
        for (to, note) in self.shard.outbox().drain(..) {
            match to {
                Some(to) => self.outgoing[to].push_note(note),
                None => {
                    let others = self.outgoing.iter_mut().enumerate().filter(|(to, _)| *to != own);
                    others.for_each(|(_, batch)| batch.push_note(Note::clone(&note)));
                }
            }
        }
        for (to, batch) in self.outgoing.iter_mut().enumerate() {
            if to == own || batch.is_empty() {
                continue;
            }
            let packets = batch.packets() as u64;
            let Some(outbox) = self.outboxes.get(to) else { continue };
            match outbox.try_send(std::mem::take(batch)) {
                Ok(()) => self.counters.handed_over += packets,
                Err(_) => self.counters.hand_over_drops += packets,
            }
        }
    }

    /// Gives the collector what is complete, and learns which events can be used again.
    fn flush(&mut self, watermark: Time) {
        self.last_flush = Instant::now();
        let mut spent = self.back.try_recv().unwrap_or_default();
        for event in spent.drain(..) {
            self.shard.pool().give(event);
        }
        std::mem::swap(&mut spent, self.shard.events());
        let bytes: usize = spent.iter().map(size).sum();
        let events = Events { shard: self.shard.id(), events: spent, watermark };
        let refused = if self.under_way.load(Ordering::Relaxed) + bytes > QUEUE_BYTES {
            Some(events)
        } else {
            self.under_way.fetch_add(bytes, Ordering::Relaxed);
            self.events.try_send(events).err().map(|refused| {
                self.under_way.fetch_sub(bytes, Ordering::Relaxed);
                refused.into_inner()
            })
        };
        if let Some(mut refused) = refused {
            self.counters.events_dropped += refused.events.len() as u64;
            for event in refused.events.drain(..) {
                self.shard.pool().give(event);
            }
        }
        self.publish();
    }

    fn publish(&mut self) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.counters = self.counters.clone();
        published.counters.add(self.shard.counters());
        published.used = self.shard.budget().used();
        published.peak = self.shard.budget().peak();
        published.open_flows = self.shard.open_flows();
        published.pressure = self.shard.pressure();
        published.parsed.clear();
        published.parsed.extend_from_slice(self.shard.parsed());
        published.undecoded.clone_from(self.shard.undecoded());
    }

    /// The last events wait for room: nothing more comes.
    fn finish(&mut self) {
        let events = std::mem::take(self.shard.events());
        self.under_way.fetch_add(events.iter().map(size).sum(), Ordering::Relaxed);
        let left = events.len() as u64;
        let last = Events { shard: self.shard.id(), events, watermark: Time::MAX };
        if self.events.send(last).is_err() {
            self.counters.events_dropped += left;
        }
        self.publish();
    }
}

/// Hands each period's events to the collector; a full queue refuses them, counted.
fn send_measured(
    source: usize,
    to: Sender<Events>,
    back: Receiver<Vec<Event>>,
    under_way: Arc<AtomicUsize>,
    counters: Arc<Mutex<Counters>>,
) -> impl FnMut(&mut Vec<Event>) -> bool {
    move |events| {
        // What was written is used again.
        let events = std::mem::replace(events, back.try_recv().unwrap_or_default());
        let (n, bytes) = (events.len() as u64, events.iter().map(size).sum());
        let mut counters = counters.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = under_way.fetch_add(bytes, Ordering::Relaxed) + bytes <= QUEUE_BYTES;
        let sent = fits && to.try_send(Events { shard: source, events, watermark: Time::MIN }).is_ok();
        if sent {
            counters.events += n;
        } else {
            under_way.fetch_sub(bytes, Ordering::Relaxed);
            counters.events_dropped += n;
        }
        true
    }
}

/// What an event takes while it is under way.
fn size(event: &Event) -> usize {
    size_of::<Event>() + event.fields.capacity()
}

/// The collector's thread.
fn collect(
    shards: usize,
    events: &Receiver<Events>,
    back: &[Sender<Vec<Event>>],
    under_way: &AtomicUsize,
    mut destination: Destination,
) -> io::Result<Destination> {
    let mut collector = Collector::new(shards).with_patience(PATIENCE);
    loop {
        let mut batch = match events.recv_timeout(FLUSH) {
            Ok(batch) => batch,
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {
                destination.flush()?;
                continue;
            }
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => break,
        };
        if batch.shard < shards {
            collector.accept(batch.shard, &mut batch.events, batch.watermark);
        } else {
            collector.add(&mut batch.events);
        }
        let ready = collector.ready();
        destination.write(ready)?;
        under_way.fetch_sub(ready.iter().map(size).sum(), Ordering::Relaxed);
        batch.events.append(ready);
        let _ = back[batch.shard].try_send(batch.events);
        if events.is_empty() {
            destination.flush()?;
        }
    }
    destination.flush()?;
    Ok(destination)
}
