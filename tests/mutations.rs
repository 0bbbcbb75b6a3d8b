//! What a network, a tap or a broken stack does to segments changes no transaction: order, repetition, overlap, sequence
//! numbers about to wrap, a handshake that was not seen, acknowledgements before their data.
//!
//! Each capture is changed in memory and read again; transactions are compared whole, with times and bytes, and where
//! packets only changed places, flow records too. Timestamps travel with their packets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reading::pipeline::{Kept, Pipeline, load};
use reading::segments::{ACK, RST, SYN, Segment, segment};
use reading::{files, others, own};
use serde_json::Value;
use wirebeat_net::{L4, decode};

/// What of the events is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Compare {
    /// Everything but the counters of disorder.
    All,
    /// Transactions and flows, which began with another packet: their ids and that time are not the same, either.
    AllButBeginning,
    /// Transactions.
    Transactions,
    /// Transactions of flows that began with another packet: their ids are not the same.
    TransactionsButIds,
}

fn remove(object: &mut Value, names: &[&str]) {
    if let Some(map) = object.as_object_mut() {
        map.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// The events in a form that can be compared, in an order that does not depend on when they were made.
fn shown(events: &[String], compare: Compare) -> Vec<String> {
    let mut all: Vec<String> = events
        .iter()
        .filter_map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            let flow = event["type"] == "flow";
            if flow && matches!(compare, Compare::Transactions | Compare::TransactionsButIds) {
                return None;
            }
            let another_beginning = matches!(compare, Compare::AllButBeginning | Compare::TransactionsButIds);
            if another_beginning {
                remove(&mut event["event"], &["id"]);
            }
            if flow {
                remove(&mut event["flow"]["tcp"], &["out_of_order", "retransmits"]);
                if another_beginning {
                    remove(&mut event["flow"], &["id"]);
                    remove(&mut event["event"], &["start", "duration"]);
                }
            }
            Some(event.to_string())
        })
        .collect();
    all.sort();
    all
}

/// How far apart packets are that may change places: queues differ by milliseconds, and timers must not tell.
const MOST_SKEW: Duration = Duration::from_millis(500);
/// How many segments of one side may come before the data that they acknowledge, however much that is: with a fourth,
/// three have followed the first, and what it acknowledges is lost. (Queues of a tap keep the order of one side.)
const MOST_EARLY: usize = 3;
/// And within how much time: after 20 ms it is lost, too.
const PATIENCE: Duration = Duration::from_millis(20);

struct Case<'a> {
    name: &'a str,
    packets: &'a [Kept],
    segments: Vec<Option<Segment>>,
    original: Vec<String>,
    pipeline: &'a Pipeline,
    wrong: Vec<String>,
}

impl<'a> Case<'a> {
    fn new(name: &'a str, packets: &'a [Kept], pipeline: &'a Pipeline) -> Self {
        let segments = packets.iter().map(segment).collect();
        let original = pipeline.events(packets);
        Self { name, packets, segments, original, pipeline, wrong: Vec::new() }
    }

    /// Packets by connection, as places in the capture.
    fn connections(&self) -> Vec<Vec<usize>> {
        let mut all: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, segment) in self.segments.iter().enumerate() {
            if let Some(segment) = segment {
                all.entry(&segment.connection).or_default().push(at);
            }
        }
        all.into_values().collect()
    }

    fn seg(&self, at: usize) -> &Segment {
        self.segments[at].as_ref().unwrap()
    }

    fn expect_same<'b>(&mut self, what: &str, packets: impl IntoIterator<Item = &'b Kept>, compare: Compare) {
        let changed = shown(&self.pipeline.events(packets), compare);
        let original = shown(&self.original, compare);
        if changed == original {
            return;
        }
        let lost = original.iter().filter(|e| !changed.contains(e)).map(|e| format!("\n- {e}"));
        let new = changed.iter().filter(|e| !original.contains(e)).map(|e| format!("\n+ {e}"));
        let events: String = lost.chain(new).take(4).collect();
        self.wrong.push(format!("{}: {what}{events}", self.name));
    }

    /// Each two neighbours of a connection change places.
    fn neighbours(&mut self) {
        for connection in self.connections() {
            let begins_with_syn =
                self.seg(connection[0]).flags(&self.packets[connection[0]]) & (SYN | ACK) == SYN;
            for (n, pair) in connection.windows(2).enumerate() {
                let [a, b] = pair else { unreachable!() };
                let (first, second) = (&self.packets[*a], &self.packets[*b]);
                let number =
                    |at: usize, p: &Kept| (self.seg(at).forward, self.seg(at).seq(p), self.seg(at).len());
                if number(*a, first) == number(*b, second) && self.seg(*a).len() > 0 {
                    // The same segment captured twice: whichever comes first gives its time.
                    continue;
                }
                if second.time - MOST_SKEW > first.time {
                    // Nothing holds a packet back for so long; timers have long fired in between.
                    continue;
                }
                let mut order: Vec<&Kept> = self.packets.iter().collect();
                order.swap(*a, *b);
                let refused = self.seg(*b).flags(second) & RST != 0;
                let compare = match n {
                    // Who speaks first is the source of a flow that nothing decodes, where there is no SYN to tell.
                    0 if !begins_with_syn || refused => Compare::TransactionsButIds,
                    0 => Compare::AllButBeginning,
                    _ => Compare::All,
                };
                self.expect_same(&format!("packets {} and {} swapped", a + 1, b + 1), order, compare);
            }
        }
    }

    /// Neighbours of different flows change places: nobody notices. Not so ICMP, which speaks of other flows, nor
    /// fragments, of which the last makes the datagram. (Datagrams of one flow are left alone: an answer before its
    /// query is no answer.)
    fn strangers(&mut self) {
        let key = |kept: &Kept| {
            let packet = decode(&kept.frame()).ok()?;
            let alone = packet.fragment.is_none() && !matches!(packet.l4, L4::Icmp { .. });
            alone.then_some(packet.key)
        };
        let keys: Vec<_> = self.packets.iter().map(key).collect();
        for at in 1..self.packets.len() {
            let (Some(one), Some(other)) = (keys[at - 1], keys[at]) else { continue };
            if one == other || self.packets[at].time - MOST_SKEW > self.packets[at - 1].time {
                continue;
            }
            let mut order: Vec<&Kept> = self.packets.iter().collect();
            order.swap(at - 1, at);
            self.expect_same(
                &format!("packets {at} and {} of two flows swapped", at + 1),
                order,
                Compare::All,
            );
        }
    }

    /// Each segment with data comes twice: at once, and again three packets later.
    fn repeated(&mut self) {
        let twice: Vec<&Kept> = self.packets.iter().flat_map(|p| [p, p]).collect();
        // Datagrams that come twice are two.
        let only_tcp = self.segments.iter().all(Option::is_some);
        if only_tcp {
            self.expect_same("each segment twice", twice, Compare::Transactions);
        }
        for connection in self.connections() {
            for (n, at) in connection.iter().enumerate() {
                let Some(later) = connection.get(n + 3).filter(|_| self.seg(*at).len() > 0) else { continue };
                let mut again = self.packets[*at].clone();
                again.time = self.packets[*later].time;
                let (head, tail) = self.packets.split_at(later + 1);
                let packets = head.iter().chain([&again]).chain(tail);
                self.expect_same(&format!("packet {} sent again", at + 1), packets, Compare::Transactions);
            }
        }
    }

    /// What was sent is sent again with other bytes, whole and in part: who comes first wins.
    fn overlapped(&mut self) {
        let mut packets = Vec::new();
        for (packet, segment) in self.packets.iter().zip(&self.segments) {
            packets.push(packet.clone());
            if let Some(segment) = segment.as_ref().filter(|s| s.len() > 0) {
                let other = segment.other(packet);
                packets.push(segment.part(&other, segment.len() / 2, segment.len()));
                packets.push(segment.part(&other, 0, segment.len()));
                packets.push(segment.part(&other, 0, segment.len().div_ceil(2)));
            }
        }
        self.expect_same("each segment overlapped", &packets, Compare::Transactions);
    }

    /// Sequence numbers wrap at the beginning, in the middle and at the end of each stream.
    fn wrapped(&mut self) {
        for connection in self.connections() {
            let mut first = [None; 2];
            let mut length = [1; 2];
            for at in &connection {
                let segment = self.seg(*at);
                let side = usize::from(segment.forward);
                first[side].get_or_insert(segment.seq(&self.packets[*at]));
                length[side] += segment.len() as u32;
            }
            for share in [0, 2, 4] {
                let mut packets = self.packets.to_vec();
                let moved = [0, 1].map(|side: usize| {
                    let before = length[side].checked_div(share).map_or(0, |n| n * 2);
                    let start = 0_u32.wrapping_sub(before).wrapping_sub(u32::from(share == 0));
                    // How far the numbers of this side are moved.
                    start.wrapping_sub(first[side].unwrap_or(0))
                });
                for at in &connection {
                    let segment = self.seg(*at);
                    let packet = &mut packets[*at];
                    let side = usize::from(segment.forward);
                    let seq = segment.seq(packet).wrapping_add(moved[side]);
                    segment.set_seq(packet, seq);
                    if segment.flags(packet) & ACK != 0 {
                        let ack = segment.ack(packet).wrapping_add(moved[1 - side]);
                        segment.set_ack(packet, ack);
                    }
                }
                let what = format!("sequence numbers of the connection of packet {} wrap", connection[0] + 1);
                self.expect_same(&what, &packets, Compare::All);
            }
        }
    }

    /// Parts of the handshake were not captured.
    fn beheaded(&mut self) {
        for connection in self.connections() {
            let flags = |at: &usize| self.seg(*at).flags(&self.packets[*at]);
            let syns: Vec<usize> = connection.iter().copied().filter(|at| flags(at) & SYN != 0).collect();
            if syns.is_empty() {
                continue;
            }
            let last = *syns.last().unwrap();
            let pure_ack = connection.iter().copied().find(|at| *at > last && self.seg(*at).len() == 0);
            let all: Vec<usize> = syns.iter().copied().chain(pure_ack).collect();
            for gone in [&syns[..1], &syns[1..], &syns[..], &all[..]] {
                let kept =
                    self.packets.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, p)| p);
                let numbers: Vec<usize> = gone.iter().map(|at| at + 1).collect();
                let packets: Vec<&Kept> = kept.collect();
                self.expect_same(
                    &format!("without packets {numbers:?}"),
                    packets,
                    Compare::TransactionsButIds,
                );
            }
        }
    }

    /// Acknowledgements without data, one to three in a row, come before all the data that they acknowledge.
    fn acknowledged_early(&mut self) {
        for connection in self.connections() {
            let begins = connection[0];
            for (n, at) in connection.iter().enumerate() {
                let last = self.seg(*at);
                let is_ack = |at: usize| {
                    let segment = self.seg(at);
                    segment.forward == last.forward
                        && segment.len() == 0
                        && segment.flags(&self.packets[at]) == ACK
                };
                if !is_ack(*at) {
                    continue;
                }
                let number = last.ack(&self.packets[*at]);
                let is_acknowledged = |at: usize| {
                    let segment = self.seg(at);
                    segment.forward != last.forward
                        && segment.len() > 0
                        && number.wrapping_sub(segment.next(&self.packets[at])) < 1 << 31
                };
                let orders: Vec<_> = (1..=MOST_EARLY)
                    .filter_map(|most| {
                        let mut acks = 0;
                        let run = connection[..=n].iter().rev().copied().take_while(|at| {
                            acks += usize::from(is_ack(*at));
                            acks <= most && (is_ack(*at) || is_acknowledged(*at))
                        });
                        let run: Vec<usize> = run.collect();
                        let first = run.iter().copied().rfind(|at| is_acknowledged(*at))?;
                        let early: Vec<usize> =
                            run.into_iter().rev().filter(|at| is_ack(*at) && *at > first).collect();
                        let time = |at: Option<&usize>| at.map(|at| self.packets[*at].time);
                        let soon = time(early.last())? - PATIENCE < time(early.first())?;
                        (soon && early.len() == most).then_some((first, early))
                    })
                    .collect();
                for (first, early) in orders {
                    let order = (0..first).chain(early.iter().copied());
                    let order = order.chain((first..self.packets.len()).filter(|at| !early.contains(at)));
                    let order: Vec<&Kept> = order.map(|at| &self.packets[at]).collect();
                    let numbers: Vec<usize> = early.iter().map(|at| at + 1).collect();
                    let what = format!("acknowledgements {numbers:?} before packet {}", first + 1);
                    // Before the first packet of all, they make another beginning.
                    let compare = if first == begins { Compare::TransactionsButIds } else { Compare::All };
                    self.expect_same(&what, order, compare);
                }
            }
        }
    }
}

fn check(captures: &[PathBuf], base: &Path, change: fn(&mut Case<'_>)) {
    let pipeline = Pipeline::new();
    let mut wrong = Vec::new();
    for path in captures {
        let name = path.strip_prefix(base).unwrap().display().to_string();
        let packets = load(path);
        let mut case = Case::new(&name, &packets, &pipeline);
        change(&mut case);
        wrong.append(&mut case.wrong);
    }
    let shown: Vec<&str> = wrong.iter().take(40).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} changes made a difference\n{}", wrong.len(), shown.join("\n"));
}

/// Our recordings, and the peer's captures of what is decoded where they are.
fn all(change: fn(&mut Case<'_>)) {
    check(&own(), &reading::here("tests/captures"), change);
    let Some(folder) = others("packetbeat") else { return };
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        ["http", "dns", "redis", "icmp", "hide", "wsgi"].iter().any(|p| name.starts_with(p))
    };
    let captures: Vec<_> = files(&folder, Some(&["pcap"])).into_iter().filter(ours).collect();
    check(&captures, &folder, change);
}

#[test]
fn neighbours_swapped() {
    all(|case| case.neighbours());
}

#[test]
fn neighbours_of_different_flows_swapped() {
    all(|case| case.strangers());
}

#[test]
fn segments_repeated() {
    all(|case| case.repeated());
}

#[test]
fn segments_overlapped_with_other_data() {
    all(|case| case.overlapped());
}

#[test]
fn sequence_numbers_that_wrap() {
    all(|case| case.wrapped());
}

#[test]
fn handshakes_not_seen() {
    all(|case| case.beheaded());
}

#[test]
fn acknowledgements_before_their_data() {
    all(|case| case.acknowledged_early());
}
