//! Every capture through decoding, flows and TCP order: nothing breaks, memory comes back, and known streams are right.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod common;

use std::collections::HashMap;

use wirebeat_model::{Budget, Counters, Dir, FlowKey, Time};
use wirebeat_net::flow::{Buffers, Segment, Sink, Tcp};

#[derive(Default)]
struct Stream {
    bytes: [Vec<u8>; 2],
    ended: [bool; 2],
}

struct Out<'a> {
    stream: &'a mut Stream,
    budget: &'a mut Budget,
    counters: &'a mut Counters,
}

impl Sink for Out<'_> {
    fn data(&mut self, dir: Dir, bytes: &[u8], _: Time) {
        self.stream.bytes[dir.index()].extend_from_slice(bytes);
    }
    fn gap(&mut self, _: Dir, _: u64, _: Time) {}
    fn end(&mut self, dir: Dir, _: Time) {
        assert!(!std::mem::replace(&mut self.stream.ended[dir.index()], true));
    }
    fn reset(&mut self, _: Dir, _: Time) {}
    fn budget(&mut self) -> &mut Budget {
        self.budget
    }
    fn counters(&mut self) -> &mut Counters {
        self.counters
    }
}

/// All connections of a capture in order, the new ones under old names too, and what was counted.
fn streams(frames: &[common::Kept]) -> (Vec<Stream>, Counters) {
    let (mut budget, mut counters, mut buffers) = (Budget::new(1 << 20), Counters::default(), Buffers::new());
    let mut flows: HashMap<FlowKey, usize> = HashMap::new();
    let mut all: Vec<(Tcp, Stream)> = Vec::new();
    let mut frame = 0;
    let mut clock = Time::MIN;
    common::packets(frames, |p, _| {
        let time = frames[frame.min(frames.len() - 1)].frame.time;
        frame += 1;
        clock = clock.max(time);
        let Some(seg) = Segment::new(p, p.dir, time) else { return };
        let known = flows.get(&p.key).copied();
        let index = known
            .filter(|i| !all[*i].0.is_new_connection(seg.dir, seg.seq, seg.flags))
            .unwrap_or_else(|| {
                all.push(Default::default());
                flows.insert(p.key, all.len() - 1);
                all.len() - 1
            });
        let (tcp, stream) = &mut all[index];
        tcp.segment(
            &seg,
            clock,
            &mut buffers,
            &mut Out { stream, budget: &mut budget, counters: &mut counters },
        );
    });
    for (tcp, stream) in &mut all {
        tcp.finish(clock, &mut buffers, &mut Out { stream, budget: &mut budget, counters: &mut counters });
    }
    assert_eq!(budget.used(), 0);
    (all.into_iter().map(|(_, s)| s).collect(), counters)
}

#[test]
fn all_captures_in_both_directions_of_time() {
    let Some(dir) = common::captures() else { return };
    let mut files = Vec::new();
    common::files(&dir, &mut files);
    for path in files {
        let mut frames = common::kept(&path);
        if frames.is_empty() {
            continue;
        }
        streams(&frames);
        frames.reverse();
        streams(&frames);
    }
}

#[test]
fn known_streams() {
    let Some(dir) = common::captures() else { return };
    let pcpp = "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples";
    let chris = "public/chrissanders__packets";
    // Connections, bytes delivered in each direction of the key, gaps and their bytes, retransmissions: worked out from
    // tshark's sequence numbers.
    for (file, connections, bytes, gaps, retransmits) in [
        (format!("{pcpp}/four_ipv6_http_streams.pcap"), 4, [3450, 31_320], (0, 0), 0),
        // Sequence numbers wrap; a keep-alive probe with a byte is no retransmission.
        (format!("{pcpp}/one_tcp_stream_max_seq.pcap"), 1, [9948, 12_444], (0, 0), 2),
        // One side only: 1420 bytes of it lost, and all 12444 of the other in five acknowledgements.
        (format!("{pcpp}/unidirectional_tcp_stream_with_missing_packet.pcap"), 1, [0, 8528], (6, 13_864), 0),
        (format!("{chris}/tcp_retransmissions.pcapng"), 1, [0, 648], (0, 0), 5),
        // Joined in the middle: a hole of which one segment is sent again, the capture ends before the rest.
        (format!("{chris}/tcp_dupack.pcapng"), 1, [0, 5472], (1, 9576), 0),
    ] {
        let (all, c) = streams(&common::kept(&dir.join(&file)));
        let sum = |d: usize| all.iter().map(|s| s.bytes[d].len()).sum::<usize>();
        let mut sums = [sum(0), sum(1)];
        sums.sort_unstable();
        assert_eq!(
            (all.len(), sums, (c.gaps, c.gap_bytes), c.retransmits),
            (connections, bytes, gaps, retransmits),
            "{file}"
        );
    }
}
