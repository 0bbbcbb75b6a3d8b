//! Arbitrary bytes as frames of each link type: headers, fragments, the filter for duplicates.

use wirebeat_model::{Budget, Counters, Frame, LinkType, Time, community_id};
use wirebeat_net::flow::{Dedup, Seen, twin_flips};
use wirebeat_net::{Defrag, L4, Packet, decode};

use super::script::{START, Script, put_len};

/// `LINKTYPE_` numbers: Ethernet, raw, cooked 1 and 2, BSD and OpenBSD loopback, one that is not decoded.
pub const LINKS: [u32; 7] = [1, 101, 113, 276, 0, 108, 147];

/// A frame: which link and device, whether it has a tag and was cut, when, its bytes.
fn frame<'a>(s: &mut Script<'a>, last: Time) -> Frame<'a> {
    let head = s.u8();
    let vlan = (head & 0x20 != 0).then(|| s.u16());
    let more = if head & 0x40 != 0 { u32::from(s.u16()) } else { 0 };
    let time = s.time(last);
    let len = s.len();
    let data = s.bytes(len);
    Frame {
        time,
        link: LinkType::from_number(LINKS[usize::from(head & 7) % LINKS.len()]),
        device: u32::from(head >> 3 & 3),
        wire_len: data.len() as u32 + more,
        vlan,
        data,
    }
}

/// The seed for a frame, one millisecond after the last.
pub fn seed(link: LinkType, wire_len: u32, data: &[u8], out: &mut Vec<u8>) {
    let at = LINKS.iter().position(|n| LinkType::from_number(*n) == link).unwrap_or(6) as u8;
    let more = (wire_len as usize).saturating_sub(data.len()) as u16;
    out.push(at | if more > 0 { 0x40 } else { 0 });
    if more > 0 {
        out.extend_from_slice(&more.to_le_bytes());
    }
    out.push(2);
    put_len(out, data.len());
    out.extend_from_slice(data);
}

fn look(packet: &Packet<'_>) {
    assert!(packet.payload.len() <= packet.payload_len as usize);
    let (from, to) = (packet.key.sender(packet.dir), packet.key.receiver(packet.dir));
    let transport = packet.key.transport();
    let icmp = match packet.l4 {
        L4::Icmp { kind, code } => {
            assert!(!wirebeat_proto::icmp::message_name(transport, kind, code).is_empty());
            wirebeat_proto::icmp::quoted_flow(packet.payload, transport);
            Some((kind, code))
        }
        L4::Tcp(tcp) => {
            tcp.options();
            None
        }
        _ => None,
    };
    community_id(from, to, transport, icmp);
    packet.key.shard_hash();
    wirebeat_proto::guess_name(transport, packet.payload, &[]);
    wirebeat_proto::guess_name(transport, &[], packet.payload);
    for p in wirebeat_proto::PROTOCOLS {
        (p.spec.guess)(packet.payload);
    }
}

pub fn run(data: &[u8]) {
    let mut s = Script::new(data);
    let options = s.u8();
    // It is large: not each time.
    let mut dedup = (options & 1 != 0).then(|| Dedup::new(1));
    let mut budget = Budget::new(if options & 2 != 0 { 4096 } else { 1 << 20 });
    let mut counters = Counters::default();
    let mut defrag = Defrag::new(1);
    let (mut time, mut clock) = (START, Time::MIN);
    let mut whole_frames = 0;
    let mut undecoded = false;
    while s.more() {
        let frame = frame(&mut s, time);
        time = frame.time;
        clock = clock.max(time);
        let Ok(packet) = decode(&frame) else { continue };
        assert!(packet.payload.len() <= frame.data.len());
        look(&packet);
        if let Some(dedup) = &mut dedup
            && let Seen::TwinOf(first) = dedup.check(&packet, packet.device, time)
        {
            twin_flips(&packet.key, &first);
        }
        if packet.fragment.is_some() {
            let bad = |c: &Counters| c.malformed + c.truncated + c.not_ip + c.unknown_link;
            let before = bad(&counters);
            if let Some(whole) = defrag.push(&packet, time, clock, &mut budget, &mut counters) {
                assert!(
                    whole.packet.fragment.is_none()
                        && whole.frames > 0
                        && whole.packet.payload.len() <= 65_535
                );
                whole_frames += u64::from(whole.frames);
                look(&whole.packet);
            }
            undecoded |= bad(&counters) != before;
        }
    }
    defrag.finish(&mut budget, &mut counters);
    assert!(defrag.is_empty());
    assert_eq!(budget.used(), 0, "all memory comes back");
    let told = whole_frames + counters.fragments_dropped;
    assert!(told <= counters.fragments);
    assert!(undecoded || told == counters.fragments, "{told} of {} fragments", counters.fragments);
}
