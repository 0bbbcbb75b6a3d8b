//! Flow table, timing wheel and duplicate filter.

#![allow(clippy::unwrap_used, clippy::too_many_arguments, reason = "helpers of tests are tests too")]

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use wirebeat_model::{Dir, Endpoint, FlowKey, Frame, LinkType, Time, Transport};
use wirebeat_net::decode;
use wirebeat_net::flow::{Dedup, Seen, Slot, Table, Wheel, boundary, twin_flips};

const SEC: i64 = 1_000_000_000;

fn key(n: u32) -> FlowKey {
    FlowKey::new(Endpoint::v4(n.to_be_bytes(), 1), Endpoint::v4([250, 0, 0, 1], 2), Transport::UDP, 0).0
}

#[test]
fn old_names_find_nothing() {
    let mut t = Table::new(10, 1);
    let a = t.insert(key(1), Time(0), "a").unwrap();
    assert_eq!(t.insert(key(1), Time(0), "twice"), Err("twice"));
    assert_eq!((t.find(&key(1)), t.key(a)), (Some((a, false)), Some(key(1))));
    assert_eq!(t.remove(a), Some("a"));
    let b = t.insert(key(1), Time(0), "b").unwrap();
    assert_ne!(a, b);
    assert_eq!((t.get(a), t.get(b)), (None, Some(&"b")));
    assert_eq!((t.remove(a), t.touch(a, Time(1)).is_none()), (None, true));
}

#[test]
fn second_names_go_with_the_flow() {
    let mut t = Table::new(10, 1);
    let a = t.insert(key(1), Time(0), 'a').unwrap();
    let b = t.insert(key(2), Time(0), 'b').unwrap();
    assert!(t.alias(a, key(9), true));
    assert!(!t.alias(b, key(9), false) && !t.alias(b, key(1), false));
    assert_eq!(t.find(&key(9)), Some((a, true)));
    for n in 10..13 {
        assert!(t.alias(a, key(n), false));
    }
    assert!(!t.alias(a, key(13), false), "enough");
    t.remove(a);
    for n in 9..14 {
        assert_eq!(t.find(&key(n)), None);
    }
    assert!(t.alias(b, key(9), false) && !t.alias(a, key(10), false));
}

#[test]
fn the_stalest_gives_way() {
    let mut t = Table::new(3, 1);
    let slots: Vec<_> = (0..3).map(|n| t.insert(key(n), Time(n.into()), n).unwrap()).collect();
    assert!(t.is_full() && t.insert(key(9), Time(9), 9).is_err());
    assert_eq!(t.stalest(), Some(slots[0]));
    t.touch(slots[0], Time(10));
    assert_eq!(t.stalest(), Some(slots[1]));
    t.touch(slots[2], Time(4 * SEC));
    t.touch(slots[1], Time(5 * SEC));
    assert_eq!(t.stalest(), Some(slots[0]));
    t.remove(slots[0]);
    assert_eq!(t.stalest(), Some(slots[2]));
    assert_eq!(t.slots().collect::<Vec<_>>(), slots[1..]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_is_a_map(steps in prop::collection::vec((0u8..4, 0u32..40), 1..600)) {
        let mut t = Table::new(24, 7);
        let mut map: HashMap<u32, Slot> = HashMap::new();
        for (i, (what, n)) in steps.into_iter().enumerate() {
            let now = Time(i as i64 * SEC / 3);
            match what {
                0 | 1 => {
                    if t.is_full() && !map.contains_key(&n) {
                        let s = t.stalest().unwrap();
                        let gone = t.remove(s).unwrap();
                        prop_assert_eq!(map.remove(&gone), Some(s));
                    }
                    if let Ok(s) = t.insert(key(n), now, n) {
                        prop_assert!(map.insert(n, s).is_none());
                    }
                }
                2 => {
                    let removed = map.remove(&n).and_then(|s| t.remove(s));
                    prop_assert!(removed.is_none_or(|v| v == n));
                }
                _ => if let Some(s) = map.get(&n) {
                    t.touch(*s, now);
                },
            }
            prop_assert_eq!(t.len(), map.len());
            for n in [n, (n + 1) % 40, i as u32 % 40] {
                prop_assert_eq!(t.find(&key(n)).map(|f| f.0), map.get(&n).copied());
            }
        }
        prop_assert_eq!(t.slots().count(), map.len());
    }

    /// Whenever and however often the wheel is turned, deadlines fire at the same boundaries, in order.
    #[test]
    fn deadlines_fire_at_their_boundary(
        deadlines in prop::collection::vec(prop_oneof![0i64..100 * SEC, 0i64..i64::MAX, i64::MIN..0], 1..60),
        turns in prop::collection::vec(prop_oneof![0i64..100 * SEC, any::<i64>()], 0..60),
        begin in prop_oneof![Just(0i64), any::<i64>()],
    ) {
        let mut table = Table::new(100, 1);
        let mut wheel = Wheel::new();
        let mut clock = Time(begin);
        while wheel.pop(clock).is_some() {}
        let mut due: BTreeMap<Time, usize> = BTreeMap::new();
        for (n, d) in deadlines.iter().enumerate() {
            let slot = table.insert(key(n as u32), Time(0), n).unwrap();
            wheel.schedule(slot, Time(*d));
            let at = boundary(Time(*d)).max(boundary(Time(begin.saturating_add(1))));
            *due.entry(at).or_default() += 1;
        }
        let mut fired: BTreeMap<Time, usize> = BTreeMap::new();
        let mut last = Time::MIN;
        for t in turns.into_iter().map(Time).chain([Time::MAX]) {
            clock = clock.max(t);
            prop_assert!(wheel.next().is_none_or(|n| n <= *due.keys().find(|d| !fired.contains_key(d)).unwrap()));
            while let Some((_, at)) = wheel.pop(t) {
                prop_assert!(at >= last && at <= t);
                last = at;
                *fired.entry(at).or_default() += 1;
            }
        }
        // The very last tick of time ends after it.
        due.retain(|at, _| *at < Time::MAX);
        fired.retain(|at, _| *at < Time::MAX);
        prop_assert_eq!(fired, due);
    }
}

#[test]
fn a_packet_a_day_for_five_thousand_days() {
    let mut table = Table::new(4, 1);
    let slot = table.insert(key(1), Time(0), ()).unwrap();
    let far = table.insert(key(2), Time(0), ()).unwrap();
    let mut wheel = Wheel::new();
    let (mut fired, mut far_fired) = (0, 0);
    wheel.schedule(far, Time(4_000 * 86_400 * SEC));
    let start = std::time::Instant::now();
    for day in 0..5_000 {
        let now = Time(day * 86_400 * SEC);
        while let Some((s, at)) = wheel.pop(now) {
            if s == slot {
                assert_eq!(at, boundary(Time((day - 1) * 86_400 * SEC + 30 * SEC)));
                fired += 1;
            } else {
                far_fired += 1;
            }
        }
        wheel.schedule(slot, Time(now.0 + 30 * SEC));
    }
    assert_eq!((fired, far_fired, wheel.len()), (4_999, 1, 1));
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
}

// The duplicate filter.

fn v4(from: [u8; 4], to: [u8; 4], id: u16, protocol: u8, body: &[u8]) -> Vec<u8> {
    let mut p = vec![0x45, 0, 0, 20 + body.len() as u8, (id >> 8) as u8, id as u8, 0, 0, 64, protocol, 0, 0];
    p.extend(from);
    p.extend(to);
    p.extend(body);
    p
}

fn tcp(sport: u16, dport: u16, seq: u32, ack: u32) -> Vec<u8> {
    let mut t = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
    t.extend(seq.to_be_bytes());
    t.extend(ack.to_be_bytes());
    t.extend([0x50, 0x18, 1, 0, 0, 0, 0, 0, b'x']);
    t
}

fn udp(sport: u16, dport: u16, payload: &[u8]) -> Vec<u8> {
    let mut u = [sport.to_be_bytes(), dport.to_be_bytes(), (8 + payload.len() as u16).to_be_bytes()].concat();
    u.extend([0, 0]);
    u.extend(payload);
    u
}

/// Shows packets to the filter at milliseconds.
struct Look(Dedup);

impl Look {
    fn at(&mut self, ms: i64, device: u32, data: &[u8]) -> Seen {
        let frame = Frame {
            time: Time(0),
            link: LinkType::Raw,
            device,
            wire_len: data.len() as u32,
            vlan: None,
            data,
        };
        self.0.check(&decode(&frame).unwrap(), device, Time(ms * 1_000_000))
    }
}

const C: [u8; 4] = [198, 51, 100, 7];
const HOST: [u8; 4] = [192, 0, 2, 2];
const BOX: [u8; 4] = [172, 17, 0, 2];

#[test]
fn copies_and_retransmissions() {
    let mut l = Look(Dedup::new(1));
    let p = v4(C, HOST, 5, 6, &tcp(4000, 80, 1, 1));
    assert_eq!(l.at(100, 1, &p), Seen::New);
    assert_eq!(l.at(101, 2, &p), Seen::Duplicate);
    assert_eq!(l.at(95, 3, &p), Seen::Duplicate, "devices are read in turn");
    assert_eq!(l.at(102, 1, &p), Seen::New, "retransmitted");
    assert_eq!(l.at(102, 2, &p), Seen::Duplicate);
    assert_eq!(l.at(102, 2, &p), Seen::New, "again");
    assert_eq!(l.at(130, 4, &p), Seen::New, "too late");
    // Retransmitted before the copies come.
    let q = v4(C, HOST, 6, 6, &tcp(4000, 80, 2, 1));
    assert_eq!([l.at(200, 1, &q), l.at(200, 1, &q)], [Seen::New; 2]);
    assert_eq!([l.at(200, 2, &q), l.at(200, 2, &q)], [Seen::Duplicate; 2]);
    assert_eq!(l.at(200, 2, &q), Seen::New);
    // Another id, another number, the other way: other packets.
    for other in [
        v4(C, HOST, 7, 6, &tcp(4000, 80, 2, 1)),
        v4(C, HOST, 6, 6, &tcp(4000, 80, 3, 1)),
        v4(HOST, C, 6, 6, &tcp(80, 4000, 2, 1)),
    ] {
        assert_eq!(l.at(201, 3, &other), Seen::New);
    }
    let ping = v4(C, HOST, 0, 1, &[8, 0, 1, 2, 0, 1, 0, 1]);
    let pong = v4(C, HOST, 0, 1, &[8, 0, 1, 3, 0, 1, 0, 2]);
    assert_eq!(
        [l.at(1, 1, &ping), l.at(1, 2, &ping), l.at(1, 2, &pong)],
        [Seen::New, Seen::Duplicate, Seen::New]
    );
}

#[test]
fn both_sides_of_a_published_port() {
    let mut l = Look(Dedup::new(1));
    let outside = v4(C, HOST, 5, 6, &tcp(4000, 8080, 1, 1));
    let mut inside = v4(C, BOX, 5, 6, &tcp(4000, 80, 1, 1));
    inside[8] = 63;
    let key = |d: &[u8]| {
        let f = Frame {
            time: Time(0),
            link: LinkType::Raw,
            device: 0,
            wire_len: d.len() as u32,
            vlan: None,
            data: d,
        };
        let p = decode(&f).unwrap();
        (p.key, p.dir)
    };
    let (first, dir) = key(&outside);
    let (second, other) = key(&inside);
    assert_eq!(l.at(1, 1, &outside), Seen::New);
    assert_eq!(l.at(1, 2, &inside), Seen::TwinOf(first));
    assert_eq!(l.at(2, 3, &inside), Seen::TwinOf(first));
    assert_eq!(twin_flips(&first, &second), Some(dir != other));
    assert_eq!((twin_flips(&first, &first), twin_flips(&first, &key_of_nobody())), (None, None));
    // The answer, container side first.
    let inside = v4(BOX, C, 9, 6, &tcp(80, 4000, 7, 2));
    let outside = v4(HOST, C, 9, 6, &tcp(8080, 4000, 7, 2));
    assert_eq!(l.at(3, 3, &inside), Seen::New);
    assert_eq!(l.at(3, 2, &inside), Seen::Duplicate);
    assert_eq!(l.at(3, 1, &outside), Seen::TwinOf(second));
    // UDP.
    let a = v4(C, HOST, 0, 17, &udp(4000, 53, b"question"));
    let b = v4(C, BOX, 0, 17, &udp(4000, 53, b"question"));
    assert_eq!([l.at(5, 1, &a), l.at(5, 2, &b)], [Seen::New, Seen::TwinOf(key(&a).0)]);
    // Another client's, or the same on one device, is no twin.
    let c = v4(HOST, BOX, 0, 17, &udp(4000, 53, b"question"));
    assert_eq!(
        [l.at(5, 3, &c), l.at(5, 2, &v4(C, [9; 4], 0, 17, &udp(4000, 53, b"question")))][0],
        Seen::New
    );
}

fn key_of_nobody() -> FlowKey {
    FlowKey::new(Endpoint::v4([9; 4], 9), Endpoint::v4([8; 4], 8), Transport::TCP, 0).0
}

#[test]
fn directions_of_twins() {
    let client = Endpoint::v4([100, 0, 0, 1], 4000);
    let k = |ip: [u8; 4]| FlowKey::new(client, Endpoint::v4(ip, 80), Transport::TCP, 0);
    let (low, low_dir) = k([10, 0, 0, 1]);
    let (high, high_dir) = k([200, 0, 0, 1]);
    assert_eq!((low_dir, high_dir), (Dir::BtoA, Dir::AtoB));
    assert_eq!(twin_flips(&low, &high), Some(true));
}
