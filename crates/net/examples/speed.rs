//! What each step costs on a capture: `cargo run --release -p wirebeat-net --example speed -- FILE...`
//!
//! The whole capture is read into memory first; figures are nanoseconds of CPU a packet.

use std::hint::black_box;

use wirebeat_capture::file::Reader;
use wirebeat_model::{Budget, Counters, Dir, FlowKey, Frame, Time};
use wirebeat_net::flow::{Buffers, Dedup, Segment, Sink, Slot, Table, Tcp, Wheel};
use wirebeat_net::{L4, Packet, decode};

struct Count {
    bytes: u64,
    budget: Budget,
    counters: Counters,
}

impl Sink for Count {
    fn data(&mut self, _: Dir, bytes: &[u8], _: Time) {
        self.bytes += bytes.len() as u64;
    }
    fn gap(&mut self, _: Dir, _: u64, _: Time) {}
    fn end(&mut self, _: Dir, _: Time) {}
    fn reset(&mut self, _: Dir, _: Time) {}
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
    fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }
}

/// Nanoseconds of CPU per item, over as many runs as make half a second: other processes do not count.
fn best(items: usize, mut run: impl FnMut()) -> f64 {
    run();
    let start = cpu_time();
    for runs in 1.. {
        run();
        let spent = cpu_time() - start;
        if spent >= 500_000_000 || runs == 500 {
            return spent as f64 / (f64::from(runs) * items.max(1) as f64);
        }
    }
    0.0
}

/// Nanoseconds that this thread ran, as the scheduler counts them (Linux).
fn cpu_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        measure(&path)?;
    }
    million();
    Ok(())
}

fn measure(path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut reader = Reader::open(path)?;
    let (mut bytes, mut heads) = (Vec::new(), Vec::new());
    while let Some(f) = reader.next()? {
        heads.push((Frame { data: &[], ..f }, bytes.len(), f.data.len()));
        bytes.extend_from_slice(f.data);
    }
    let frames: Vec<Frame<'_>> = heads
        .iter()
        .map(|(f, at, len)| Frame { data: bytes.get(*at..at + len).unwrap_or_default(), ..*f })
        .collect();
    let n = frames.len();
    let read = best(n, || frames.iter().for_each(|f| _ = black_box(f.data.get(30).copied())));
    let decoding = best(n, || {
        for f in &frames {
            let _ = black_box(decode(f));
        }
    });
    let some = frames.get(..1000).unwrap_or(&frames);
    let cached = best(some.len() * 100, || {
        for f in std::iter::repeat_n(some, 100).flatten() {
            let _ = black_box(decode(f).map(|p| (p.key, p.dir, p.payload_len)));
        }
    });
    let packets: Vec<(Packet<'_>, Time)> =
        frames.iter().filter_map(|f| Some((decode(f).ok()?, f.time))).collect();
    let mut flows: Table<(Tcp, u64)> = Table::new(1 << 21, 5);
    for (p, t) in &packets {
        if flows.find(&p.key).is_none() {
            let _ = flows.insert(p.key, *t, (Tcp::default(), 0));
        }
    }
    let lookup = best(n, || {
        for (p, _) in &packets {
            black_box(flows.find(&p.key));
        }
    });
    let slots: Vec<Slot> = packets.iter().filter_map(|(p, _)| Some(flows.find(&p.key)?.0)).collect();
    let segments: Vec<(Slot, Segment<'_>)> = slots
        .iter()
        .zip(&packets)
        .filter(|(_, (p, _))| matches!(p.l4, L4::Tcp(_)))
        .filter_map(|(s, (p, t))| Some((*s, Segment::new(p, p.dir, *t)?)))
        .collect();
    let touch = best(n, || {
        for (s, (_, t)) in slots.iter().zip(&packets) {
            black_box(flows.touch(*s, *t).is_some());
        }
    });
    let mut out = Count { bytes: 0, budget: Budget::new(64 << 20), counters: Counters::default() };
    let mut buffers = Buffers::new();
    let ordering = best(segments.len(), || {
        out.bytes = 0;
        out.counters = Counters::default();
        let all: Vec<Slot> = flows.slots().collect();
        for s in all {
            if let Some(f) = flows.get_mut(s) {
                f.0.finish(Time::MAX, &mut buffers, &mut out);
                f.0 = Tcp::default();
            }
        }
        let mut clock = Time::MIN;
        for (slot, s) in &segments {
            clock = clock.max(s.time);
            if let Some(f) = flows.get_mut(*slot) {
                f.0.segment(s, clock, &mut buffers, &mut out);
            }
        }
    });
    let mut dedup = Dedup::new(1);
    let duplicates = best(n, || {
        for (p, t) in &packets {
            black_box(dedup.check(p, p.device, *t));
        }
    });
    println!(
        "{path}: {n} packets, {} flows, {} segments, {} bytes delivered, {} gaps of {} bytes, {} retransmits, {} late",
        flows.len(),
        segments.len(),
        out.bytes,
        out.counters.gaps,
        out.counters.gap_bytes,
        out.counters.retransmits,
        out.counters.out_of_order,
    );
    println!(
        "  touch bytes {read:.1}, decode {decoding:.1} ({cached:.1} in cache), find {lookup:.1}, touch flow {touch:.1}, \
         order {ordering:.1} a segment, duplicate filter {duplicates:.1}; peak held {} bytes",
        out.budget.peak()
    );
    Ok(())
}

/// A table of a million flows, looked up at random; a million deadlines.
fn million() {
    const N: u32 = 1 << 20;
    let key = |n: u32| {
        let e = |ip: u32, port| wirebeat_model::Endpoint::v4(ip.to_be_bytes(), port);
        FlowKey::new(e(n, 1), e(!n, 2), wirebeat_model::Transport::TCP, 0).0
    };
    let mut table: Table<[u64; 20]> = Table::new(N as usize, 1);
    let start = cpu_time();
    let slots: Vec<Slot> = (0..N).filter_map(|n| table.insert(key(n), Time(0), [0; 20]).ok()).collect();
    let insert = (cpu_time() - start) as f64 / f64::from(N);
    let find = best(N as usize, || {
        let mut n = 1u32;
        for _ in 0..N {
            n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            black_box(table.find(&key(n % N)));
        }
    });
    let mut wheel = Wheel::new();
    let start = cpu_time();
    for (n, s) in (0i64..).zip(&slots) {
        wheel.schedule(*s, Time(n * 100_000));
    }
    let schedule = (cpu_time() - start) as f64 / f64::from(N);
    let start = cpu_time();
    let mut fired = 0u32;
    while wheel.pop(Time(1 << 50)).is_some() {
        fired += 1;
    }
    let fire = (cpu_time() - start) as f64 / f64::from(N);
    println!(
        "a million flows: insert {insert:.0}, find {find:.0}; deadlines: schedule {schedule:.0}, fire {fire:.0} ({fired})"
    );
}
