//! Fragments: captures in both directions of time, drafts of every rule, and bounds.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod common;

use proptest::prelude::*;
use wirebeat_model::{Budget, Counters, Dir, Endpoint, FlowKey, Time, Transport};
use wirebeat_net::{Defrag, Fragment, L4, Packet};

#[test]
fn captures_forward_and_backward() {
    let Some(dir) = common::captures() else { return };
    let dpp = "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples";
    let chris = "public/chrissanders__packets";
    // File, datagrams put together, frames in them, bytes of the first datagram's payload.
    for (file, whole, frames, first) in [
        ("packetbeat/decoder/udp_edns0_resp.pcap".to_owned(), 1, 3, 3398),
        (format!("{dpp}/ip4_fragments.pcap"), 6, 50, 8312),
        (format!("{dpp}/ip6_fragments.pcap"), 4, 36, 0),
        (format!("{chris}/ipv6_fragments.pcapng"), 10, 20, 0),
        (format!("{chris}/ip_frag_source.pcapng"), 2, 6, 0),
    ] {
        let path = dir.join(&file);
        let mut kept = common::kept(&path);
        for reversed in [false, true] {
            if reversed {
                kept.reverse();
            }
            let (mut n, mut of, mut length) = (0, 0, None);
            let c = common::packets(&kept, |p, f| {
                if f > 1 {
                    (n, of) = (n + 1, of + f);
                    length.get_or_insert(p.payload.len());
                    assert_ne!(p.l4, L4::Other);
                    assert!(!p.is_cut() && p.mac.is_some());
                }
            });
            assert_eq!(n, whole, "{file}");
            // Copies that come when the datagram is already whole are given up.
            assert_eq!(u64::from(of) + c.fragments_dropped, frames, "{file}");
            assert!(c.fragments_dropped <= 2 || reversed, "{file}: {c:?}");
            if first > 0 && !reversed {
                assert_eq!(length, Some(first), "{file}");
            }
        }
    }
}

/// A fragment of a datagram whose byte at offset n is `n % 251`, or of zeros.
fn piece<'a>(v6: bool, offset: u32, more: bool, data: &'a [u8]) -> Packet<'a> {
    let end = |n| if v6 { Endpoint::v6([n; 16], 0) } else { Endpoint::v4([n; 4], 0) };
    let (key, dir) = FlowKey::new(end(1), end(2), Transport::UDP, 0);
    Packet {
        key,
        dir,
        l4: L4::Other,
        payload: data,
        payload_len: data.len() as u32,
        vlan: [0; 2],
        mac: None,
        ip_id: (!v6).then_some(7),
        ttl: 64,
        fragment: Some(Fragment { id: 7, offset, more }),
        wire_len: data.len() as u32 + 34,
        device: 1,
    }
}

struct Rig {
    defrag: Defrag,
    budget: Budget,
    counters: Counters,
}

impl Rig {
    fn new(budget: usize) -> Self {
        Self { defrag: Defrag::new(1), budget: Budget::new(budget), counters: Counters::default() }
    }

    fn push(&mut self, p: &Packet<'_>, time: i64) -> Option<(Vec<u8>, u32, u32)> {
        let whole = self.defrag.push(p, Time(time), Time(time), &mut self.budget, &mut self.counters)?;
        Some((whole.packet.payload.to_vec(), whole.frames, whole.packet.wire_len))
    }
}

/// A UDP datagram: 4000 -> 53, `len` bytes with the header.
fn datagram(len: usize) -> Vec<u8> {
    let mut d: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
    d[..8].copy_from_slice(&[0x0f, 0xa0, 0, 53, (len >> 8) as u8, len as u8, 0, 0]);
    d
}

#[test]
fn copies_overlaps_and_contradictions() {
    let d = datagram(40);
    for v6 in [false, true] {
        // An exact copy is ignored and counted as a frame.
        let mut r = Rig::new(1 << 16);
        assert_eq!(r.push(&piece(v6, 16, true, &d[16..32]), 0), None);
        assert_eq!(r.push(&piece(v6, 16, true, &d[16..32]), 0), None);
        assert_eq!(r.push(&piece(v6, 32, false, &d[32..]), 0), None);
        assert_eq!(r.push(&piece(v6, 0, true, &d[..16]), 0), Some((d[8..].to_vec(), 4, 40 + 16 + 4 * 34)));
        assert_eq!((r.budget.used(), r.counters.fragments, r.counters.fragments_dropped), (0, 4, 0));
        // An overlap with the same bytes: fine in IPv4, refused in IPv6.
        let mut r = Rig::new(1 << 16);
        r.push(&piece(v6, 16, true, &d[16..32]), 0);
        r.push(&piece(v6, 8, true, &d[8..24]), 0);
        r.push(&piece(v6, 24, false, &d[24..]), 0);
        let whole = r.push(&piece(v6, 0, true, &d[..8]), 0);
        assert_eq!(whole.is_some(), !v6);
        r.defrag.finish(&mut r.budget, &mut r.counters);
        assert_eq!((r.budget.used(), r.counters.fragments_dropped), (0, if v6 { 4 } else { 0 }));
        // With other bytes: refused, and the rest of it too.
        let mut r = Rig::new(1 << 16);
        r.push(&piece(v6, 16, true, &d[16..32]), 0);
        r.push(&piece(v6, 8, true, &[0xee; 16]), 0);
        r.push(&piece(v6, 0, true, &d[..16]), 0);
        assert_eq!(r.push(&piece(v6, 32, false, &d[32..]), 0), None);
        assert_eq!((r.counters.fragments_dropped, r.defrag.len()), (4, 1));
        // Two ends, or data past the end.
        let mut r = Rig::new(1 << 16);
        r.push(&piece(v6, 32, false, &d[32..]), 0);
        r.push(&piece(v6, 40, true, &d[..8]), 0);
        assert_eq!(r.counters.fragments_dropped, 2);
        // Too long for any datagram; not a multiple of eight.
        r.push(&piece(v6, 65_528, false, &d[..20]), 0);
        r.push(&piece(v6, 0, true, &d[..7]), 0);
        assert_eq!(r.counters.fragments_dropped, 4);
    }
}

#[test]
fn waits_thirty_seconds_and_within_its_budget() {
    let d = datagram(40);
    let mut r = Rig::new(1 << 16);
    r.push(&piece(false, 0, true, &d[..16]), 0);
    assert_eq!(r.push(&piece(false, 16, false, &d[16..]), 30_000_000_000), None);
    assert_eq!((r.counters.fragments_dropped, r.defrag.len()), (1, 1));
    let mut r = Rig::new(2_000);
    let bytes = [0; 800];
    for id in 0..100 {
        let mut p = piece(false, 0, true, &bytes);
        p.fragment = Some(Fragment { id, offset: 0, more: true });
        r.push(&p, 0);
        assert!(r.budget.used() <= 2_000);
    }
    r.defrag.finish(&mut r.budget, &mut r.counters);
    assert_eq!((r.counters.fragments_dropped, r.budget.used()), (100, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_any_copies(
        units in prop::collection::vec(1usize..20, 1..30),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        v6 in any::<bool>(),
    ) {
        let len = units.iter().sum::<usize>() * 8 + 3;
        let d = datagram(len.max(8));
        let mut cuts = Vec::new();
        let mut at = 0;
        for u in &units {
            cuts.push((at, at + u * 8, true));
            at += u * 8;
        }
        cuts.push((at, d.len(), false));
        let mut sent: Vec<_> = order.iter().map(|i| cuts[i.index(cuts.len())]).collect();
        sent.extend(cuts.iter().rev());
        let mut r = Rig::new(1 << 20);
        let mut whole = None;
        for (from, to, more) in sent {
            if let Some(w) = r.push(&piece(v6, from as u32, more, &d[from..to]), 0) {
                whole.get_or_insert(w.0);
            }
        }
        prop_assert_eq!(whole.as_deref(), Some(&d[8..]));
        r.defrag.finish(&mut r.budget, &mut r.counters);
        prop_assert_eq!(r.budget.used(), 0);
    }

    #[test]
    fn adversarial_fragments_stay_in_bounds(
        pieces in prop::collection::vec((0u32..6, 0u32..70_000, any::<bool>(), 0usize..2000, any::<bool>(), any::<u8>()), 1..300),
        budget in 0usize..50_000,
    ) {
        let mut r = Rig::new(budget);
        for (id, offset, more, len, v6, fill) in pieces {
            let bytes = vec![fill & 1; len];
            let mut p = piece(v6, offset, more, &bytes);
            p.fragment = Some(Fragment { id, offset, more });
            if fill & 2 != 0 {
                p.dir = Dir::BtoA;
            }
            r.push(&p, i64::from(fill) * 1_000_000_000);
        }
        r.defrag.finish(&mut r.budget, &mut r.counters);
        prop_assert_eq!(r.budget.used(), 0);
        prop_assert!(r.defrag.is_empty());
    }
}
