//! The pipeline for captures: one reader, the shards, one collector. Reading waits, nothing is dropped.
//!
//! ```text
//! file ─► ingress ─► shard 0 … n ─► collector ─► output
//! ```
//!
//! With one shard all of it runs in one thread, without a queue. With more, packets travel in batches; a shard that was
//! given a batch has also been told how far the clock is, so that the collector knows what can still come.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use thiserror::Error;
use wirebeat_capture::file::{FileError, Reader};
use wirebeat_capture::filter::{Filter, FilterError};
use wirebeat_model::{Budget, Counters, Event, Frame, Time};
use wirebeat_net::{L4, Packet};

use crate::collector::Collector;
use crate::config::Config;
use crate::destination::Destination;
use crate::engine;
use crate::ingress::Ingress;
use crate::keep::KeepError;
use crate::parcel::{Batch, Content};
use crate::serving::ServingError;
use crate::shard::{Arrival, Note, Settings, Shard};
use crate::summary::Summary;

/// Why reading ended early.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A capture could not be opened, or is damaged from some offset on.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: FileError,
    },
    /// The filter is not understood.
    #[error("bpf_filter: {0}")]
    Filter(#[from] FilterError),
    /// Events could not be written.
    #[error("writing events: {0}")]
    Output(#[from] io::Error),
    /// Events could not be kept.
    #[error("keeping events: {0}")]
    Keep(#[from] KeepError),
    /// The pages could not be shown.
    #[error("{0}")]
    Serve(#[from] ServingError),
}

/// Packets between two looks of the collector, and in a batch.
const BATCH: usize = 512;
/// Bytes in a batch, at which it is sent too.
const BATCH_BYTES: usize = 512 * 1024;
/// Batches under way to one shard.
const QUEUE: usize = 4;

/// Reads captures one after the other and writes their events. Of a damaged capture all whole packets are used, the
/// remaining captures are read, and then the first error is answered.
///
/// # Errors
/// [`ReadError`]; what was counted is in `summary` all the same.
pub fn read(
    config: &Config,
    files: &[PathBuf],
    shards: usize,
    destination: Destination,
    summary: &mut Summary,
) -> Result<(), ReadError> {
    let filter = config.bpf_filter.as_deref().map(Filter::parse).transpose()?;
    let snaplen = config.interfaces.iter().map(|i| i.snaplen as usize).min().unwrap_or(usize::MAX);
    // Announced flows would reach two shards at different times.
    let shards = if config.protocols.iter().any(|p| p.spec().expects) { 1 } else { shards.max(1) };
    let mut destination = Some(destination);
    let mut engine: Option<Engine> = None;
    let mut first_error = None;
    for path in files {
        let result = open(path).and_then(|mut reader| {
            let source = reader.digest() as u64;
            let mut first = true;
            while let Some((frame, interfaces)) =
                reader.next_with_interfaces().map_err(|e| file_error(path, e))?
            {
                // A capture older than the last one is another story, not its continuation.
                if std::mem::take(&mut first)
                    && engine.as_ref().is_some_and(|e| frame.time < e.ingress.clock())
                    && let Some(done) = engine.take()
                {
                    destination = Some(done.finish(summary)?);
                }
                if engine.is_none() {
                    let Some(destination) = destination.take() else { break };
                    let settings = engine::settings(config, shards, Vec::new(), source, true);
                    let ingress = Ingress::new(filter.clone(), snaplen, source);
                    engine = Some(Engine::start(settings, shards, ingress, destination, source));
                }
                let Some(engine) = &mut engine else { break };
                if frame.device != 0 && !engine.knows(frame.device) {
                    let interface = interfaces.get(frame.device as usize - 1);
                    engine.name_device(frame.device, interface.and_then(|i| i.name.as_deref()))?;
                }
                engine.frame(&frame)?;
            }
            Ok(())
        });
        match result {
            Ok(()) => {}
            Err(error @ ReadError::File { .. }) => drop(first_error.get_or_insert(error)),
            Err(fatal) => return Err(fatal),
        }
    }
    if let Some(done) = engine {
        destination = Some(done.finish(summary)?);
    }
    if let Some(mut destination) = destination {
        destination.flush()?;
        if let Some(keeper) = destination.keeper {
            summary.counters.events_refused += keeper.finish_import()?;
        }
    }
    first_error.map_or(Ok(()), Err)
}

fn open(path: &Path) -> Result<Reader, ReadError> {
    Reader::open(path).map_err(|e| file_error(path, e))
}

fn file_error(path: &Path, source: FileError) -> ReadError {
    ReadError::File { path: path.display().to_string(), source }
}

/// The reader's side of the pipeline.
struct Engine {
    ingress: Ingress,
    /// Budget and counters of the reader: fragments.
    budget: Budget,
    counters: Counters,
    devices: Vec<u32>,
    workers: Workers,
}

/// One shard in this thread, or several in their own.
enum Workers {
    Here(Box<Here>),
    There(There),
}

struct Here {
    shard: Shard,
    collector: Collector,
    destination: Destination,
    packets: usize,
}

impl Engine {
    fn start(
        settings: Arc<Settings>,
        shards: usize,
        ingress: Ingress,
        destination: Destination,
        seed: u64,
    ) -> Self {
        // A share for fragments; what shards lend is theirs.
        let budget = Budget::new(settings.memory / 8);
        let workers = if shards == 1 {
            let shard = Shard::new(settings, 0, 1, seed);
            Workers::Here(Box::new(Here { shard, collector: Collector::new(1), destination, packets: 0 }))
        } else {
            Workers::There(There::start(&settings, shards, destination, seed))
        };
        Self { ingress, budget, counters: Counters::default(), devices: Vec::new(), workers }
    }

    fn knows(&self, device: u32) -> bool {
        self.devices.contains(&device)
    }

    fn name_device(&mut self, device: u32, name: Option<&str>) -> Result<(), ReadError> {
        self.devices.push(device);
        let Some(name) = name else { return Ok(()) };
        match &mut self.workers {
            Workers::Here(here) => here.shard.name_device(device, name),
            Workers::There(there) => {
                let name: Arc<str> = name.into();
                there.batches.iter_mut().for_each(|b| b.push_note(Note::Device(device, Arc::clone(&name))));
            }
        }
        Ok(())
    }

    #[inline]
    fn frame(&mut self, frame: &Frame<'_>) -> Result<(), ReadError> {
        let workers = &mut self.workers;
        self.ingress.frame(frame, &mut self.budget, &mut self.counters, |packet, at| match workers {
            Workers::Here(here) => here.shard.packet(packet, at),
            Workers::There(there) => there.push(packet, at),
        });
        match workers {
            Workers::Here(here) => {
                here.packets += 1;
                if here.packets % BATCH == 0 { here.collect() } else { Ok(()) }
            }
            Workers::There(there) => there.send_if_full(self.ingress.clock()),
        }
    }

    /// No more frames: ends all flows, writes what is left, adds up what was counted.
    fn finish(mut self, summary: &mut Summary) -> Result<Destination, ReadError> {
        self.ingress.finish(&mut self.budget, &mut self.counters);
        summary.counters.add(&self.counters);
        let clock = self.ingress.clock();
        match self.workers {
            Workers::Here(mut here) => {
                here.shard.finish(clock);
                here.collector.accept(0, here.shard.events(), Time::MAX);
                here.write()?;
                summary.counters.add(here.shard.counters());
                summary.peak = summary.peak.max(here.shard.budget().peak());
                Ok(here.destination)
            }
            Workers::There(there) => there.finish(clock, summary),
        }
    }
}

impl Here {
    fn collect(&mut self) -> Result<(), ReadError> {
        let watermark = more_to_come(self.shard.clock());
        self.collector.accept(0, self.shard.events(), watermark);
        self.write()
    }

    fn write(&mut self) -> Result<(), ReadError> {
        let ready = self.collector.ready();
        self.destination.write(ready)?;
        for event in ready.drain(..) {
            self.shard.pool().give(event);
        }
        Ok(())
    }
}

/// Shards and collector in their own threads.
struct There {
    batches: Vec<Batch>,
    to_shards: Vec<Sender<Batch>>,
    /// Emptied batches, to be filled again.
    empty: Receiver<Batch>,
    shards: Vec<thread::JoinHandle<(Counters, usize)>>,
    collector: thread::JoinHandle<io::Result<Destination>>,
}

/// A shard's events on their way to the collector, with its watermark.
struct Events {
    shard: usize,
    events: Vec<Event>,
    watermark: Time,
}

impl There {
    fn start(settings: &Arc<Settings>, shards: usize, destination: Destination, seed: u64) -> Self {
        let (empty_tx, empty) = bounded(QUEUE * shards * 2);
        let (events_tx, events_rx) = bounded::<Events>(QUEUE * shards);
        let mut to_shards = Vec::new();
        let mut returns = Vec::new();
        let mut handles = Vec::new();
        for id in 0..shards {
            let (tx, rx) = bounded::<Batch>(QUEUE);
            let (back_tx, back) = bounded::<Vec<Event>>(QUEUE * 2);
            let (settings, events_tx, empty_tx) = (Arc::clone(settings), events_tx.clone(), empty_tx.clone());
            to_shards.push(tx);
            returns.push(back_tx);
            handles.push(thread::spawn(move || {
                work(Shard::new(settings, id, shards, seed), &rx, &empty_tx, &events_tx, &back)
            }));
        }
        let collector = thread::spawn(move || collect(shards, &events_rx, &returns, destination));
        let batches = (0..shards).map(|_| Batch::default()).collect();
        Self { batches, to_shards, empty, shards: handles, collector }
    }

    /// To the shard that owns the flow; an ICMP error also leaves a note with the owner of the flow it quotes.
    fn push(&mut self, packet: &Packet<'_>, at: Arrival) {
        let shards = self.batches.len();
        let owner = packet.key.shard_hash() as usize % shards;
        self.batches[owner].push(packet, at);
        if let L4::Icmp { kind, code } = packet.l4
            && let Some((key, note)) = crate::shard::icmp_note(packet, kind, code)
        {
            let quoted = key.shard_hash() as usize % shards;
            if quoted != owner {
                self.batches[quoted].push_note(note);
            }
        }
    }

    fn send_if_full(&mut self, clock: Time) -> Result<(), ReadError> {
        let full = |b: &Batch| b.len() >= BATCH || b.byte_len() >= BATCH_BYTES;
        if self.batches.iter().any(full) { self.send(clock) } else { Ok(()) }
    }

    /// All shards get their batch, be it empty: its clock moves them on.
    fn send(&mut self, clock: Time) -> Result<(), ReadError> {
        for (batch, to) in self.batches.iter_mut().zip(&self.to_shards) {
            let mut full = std::mem::replace(batch, self.empty.try_recv().unwrap_or_default());
            full.clock = Some(clock);
            if to.send(full).is_err() {
                // The shard ends early only when the collector could not write: its error is told by finish.
                return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
            }
        }
        Ok(())
    }

    fn finish(mut self, clock: Time, summary: &mut Summary) -> Result<Destination, ReadError> {
        let sent = self.send(clock);
        self.to_shards.clear();
        for handle in self.shards {
            if let Ok((counters, peak)) = handle.join() {
                summary.counters.add(&counters);
                summary.peak = summary.peak.max(peak);
            }
        }
        let destination = match self.collector.join() {
            Ok(destination) => destination?,
            Err(_) => return Err(io::Error::other("the collector has ended").into()),
        };
        sent.map(|()| destination)
    }
}

/// A clock as watermark. The end of time says that a shard has ended, and a capture may claim to be from there.
fn more_to_come(clock: Time) -> Time {
    clock.min(Time(Time::MAX.0 - 1))
}

/// A shard's thread.
fn work(
    mut shard: Shard,
    batches: &Receiver<Batch>,
    empty: &Sender<Batch>,
    events: &Sender<Events>,
    back: &Receiver<Vec<Event>>,
) -> (Counters, usize) {
    let mut last = Time::MIN;
    for mut batch in batches {
        let clock = batch.clock.unwrap_or(last);
        batch.drain(|content| match content {
            Content::Packet(packet, at) => shard.packet(&packet, at),
            Content::Note(note) => shard.note(note),
        });
        // Notes to other shards were delivered by the reader, in their place.
        shard.outbox().clear();
        shard.advance(clock);
        last = last.max(clock);
        let _ = empty.try_send(batch);
        let mut spent = back.try_recv().unwrap_or_default();
        for event in spent.drain(..) {
            shard.pool().give(event);
        }
        std::mem::swap(&mut spent, shard.events());
        let watermark = more_to_come(clock);
        if events.send(Events { shard: shard.id(), events: spent, watermark }).is_err() {
            return (shard.counters().clone(), shard.budget().peak());
        }
    }
    shard.finish(last);
    let rest = std::mem::take(shard.events());
    let _ = events.send(Events { shard: shard.id(), events: rest, watermark: Time::MAX });
    (shard.counters().clone(), shard.budget().peak())
}

/// The collector's thread.
fn collect(
    shards: usize,
    events: &Receiver<Events>,
    back: &[Sender<Vec<Event>>],
    mut destination: Destination,
) -> io::Result<Destination> {
    let mut collector = Collector::new(shards);
    for mut batch in events {
        collector.accept(batch.shard, &mut batch.events, batch.watermark);
        let ready = collector.ready();
        destination.write(ready)?;
        // Any shard may reuse any event.
        batch.events.append(ready);
        let _ = back[batch.shard].try_send(batch.events);
    }
    Ok(destination)
}
