//! The way of a packet allocates nothing once it is warm: at most one allocation per 1,000 packets, JSON included.
//!
//! The captures are others' and not part of the repository: without them the test says so. Both are read twice; the
//! second pass is counted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use wirebeat::collector::Collector;
use wirebeat::ingress::Ingress;
use wirebeat::shard::Shard;
use wirebeat::{config, engine};
use wirebeat_capture::file::Reader;
use wirebeat_model::{Budget, Counters, Frame, JsonWriter, LinkType, Precision, Time};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's; only a number is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A frame kept in memory.
struct Kept {
    time: Time,
    link: LinkType,
    wire_len: u32,
    data: Vec<u8>,
}

fn load(path: &Path) -> Vec<Kept> {
    let mut reader = Reader::open(path).unwrap();
    let mut frames = Vec::new();
    while let Some(f) = reader.next().unwrap() {
        frames.push(Kept { time: f.time, link: f.link, wire_len: f.wire_len, data: f.data.to_vec() });
    }
    frames
}

/// Allocations and events of the second of two passes.
fn second_pass(frames: &[Kept]) -> (u64, u64) {
    let config = config::load(None, &[], None).unwrap();
    let settings = engine::settings(&config, 1, Vec::new(), 1, true);
    let mut shard = Shard::new(settings, 0, 1, 1);
    let mut ingress = Ingress::new(None, usize::MAX, 1);
    let (mut budget, mut counters) = (Budget::new(1 << 20), Counters::default());
    let mut collector = Collector::new(1);
    let mut json = JsonWriter::new(engine::schema(), Precision::Micro);
    let mut out = Vec::with_capacity(1 << 20);
    let mut result = (0, 0);
    // The second pass comes a minute after the first, and whole ticks of the wheel: as many flows are open at a time.
    let tick = 1 << 27;
    let span = (frames.last().unwrap().time.since(frames[0].time) as i64 + 60_000_000_000) / tick * tick;
    for pass in 0..2 {
        let before = ALLOCATIONS.with(Cell::get);
        let mut events = 0;
        for (i, kept) in frames.iter().enumerate() {
            let frame = Frame {
                time: Time(kept.time.0 + pass * span),
                link: kept.link,
                device: 0,
                wire_len: kept.wire_len,
                vlan: None,
                data: &kept.data,
            };
            ingress.frame(&frame, &mut budget, &mut counters, |packet, at| shard.packet(packet, at));
            if i % 512 == 0 {
                events += written(&mut shard, &mut collector, &mut json, &mut out);
            }
        }
        // The end of the capture ends its flows.
        let clock = shard.clock();
        shard.finish(clock);
        events += written(&mut shard, &mut collector, &mut json, &mut out);
        result = (ALLOCATIONS.with(Cell::get) - before, events);
    }
    result
}

/// Writes what is complete; answers how many events.
fn written(shard: &mut Shard, collector: &mut Collector, json: &mut JsonWriter, out: &mut Vec<u8>) -> u64 {
    let clock = shard.clock();
    collector.accept(0, shard.events(), clock);
    let mut events = 0;
    for event in collector.ready().drain(..) {
        json.write(&event.fields, out);
        out.clear();
        events += 1;
        shard.pool().give(event);
    }
    events
}

#[test]
fn at_most_one_allocation_in_a_thousand_packets() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/bench");
    if !dir.exists() {
        eprintln!("skipped: no ../shared/captures/bench");
        return;
    }
    for name in ["tinyhttp", "dnss", "rediss"] {
        let frames = load(&dir.join(format!("{name}.pcap.zst")));
        let (allocations, events) = second_pass(&frames);
        let packets = frames.len() as u64;
        println!("{name}: {allocations} allocations for {packets} packets, {events} events");
        assert!(events > packets / 4, "{name}: {events} events");
        assert!(allocations * 1000 <= packets, "{name}: {allocations} allocations for {packets} packets");
    }
}
