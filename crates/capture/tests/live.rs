//! Live capture in network namespaces of its own: nothing of the host is touched. Needs root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lab;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use lab::{Namespace, Seen, capture, ports_of, run};
use wirebeat_capture::device::{Kind, Selection, list};
use wirebeat_capture::filter::Filter;
use wirebeat_capture::live::{Exclusion, Live, LiveError, Options};
use wirebeat_model::LinkType;

const QUICK: Duration = Duration::from_millis(100);

fn named(patterns: &[&str]) -> Options {
    Options { selection: Selection::parse(patterns).unwrap(), buffer: 4 << 20, ..Options::default() }
}

/// A namespace with `va`, whose other end `vb` is in a second one; addresses 10.99.0.1/2 and fd99::1/2.
fn cable() -> Option<(Namespace, Namespace)> {
    let (near, far) = (Namespace::new()?, Namespace::new()?);
    let path = far.path();
    near.run(move || {
        run("ip link add va type veth peer name vb");
        run(&format!("ip link set vb netns {path}"));
        run("ip addr add 10.99.0.1/24 dev va");
        run("ip -6 addr add fd99::1/64 dev va nodad");
        run("ip link set va up");
    });
    far.run(|| {
        run("ip addr add 10.99.0.2/24 dev vb");
        run("ip -6 addr add fd99::2/64 dev vb nodad");
        run("ip link set vb up");
    });
    near.run(|| run("ping -q -c1 -W2 10.99.0.2 || sleep 0.3"));
    Some((near, far))
}

/// Datagrams both ways on many ports, a TCP connection, pings and a large datagram in fragments, over one family.
fn talk(near: &Namespace, far: &Namespace, here: &'static str, there: &'static str) {
    let here: IpAddr = here.parse().unwrap();
    let there: IpAddr = there.parse().unwrap();
    let echo = far.run(move || UdpSocket::bind((there, 5353)).unwrap());
    let listener = far.run(move || TcpListener::bind((there, 8080)).unwrap());
    let server = std::thread::spawn(move || {
        let mut buffer = [0; 65_536];
        for _ in 0..41 {
            let (n, from) = echo.recv_from(&mut buffer).unwrap();
            echo.send_to(&buffer[..n], from).unwrap();
        }
        for _ in 0..5 {
            let (mut stream, _) = listener.accept().unwrap();
            std::io::copy(&mut stream.try_clone().unwrap(), &mut stream).unwrap();
        }
    });
    near.run(move || {
        let mut buffer = [0; 65_536];
        for n in 0..41 {
            let size = if n == 40 { 4_000 } else { 10 };
            // One socket has the port of the other side: the case of equal ports.
            let socket = UdpSocket::bind((here, if n == 20 { 5353 } else { 0 })).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
            socket.send_to(&vec![7; size], (there, 5353)).unwrap();
            assert_eq!(socket.recv(&mut buffer).unwrap(), size);
        }
        for _ in 0..5 {
            use std::io::{Read, Write};
            let mut stream = TcpStream::connect((there, 8080)).unwrap();
            stream.write_all(&vec![1; 100_000]).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 100_000);
        }
        run(&format!("ping -q -c3 -i0.2 -W2 {there} || true"));
    });
    server.join().unwrap();
}

#[test]
fn the_kernel_chooses_the_shard_that_the_flow_key_names() {
    let Some((near, far)) = cable() else { return };
    for shards in [3, 4] {
        let (live, rings) = near.run(move || Live::open(Options { shards, ..named(&["va"]) }).unwrap());
        let readers = capture(rings);
        talk(&near, &far, "10.99.0.1", "10.99.0.2");
        talk(&near, &far, "fd99::1", "fd99::2");
        std::thread::sleep(QUICK);
        live.stop();
        let seen = readers.finish();
        let mut per_kind: BTreeMap<(bool, u8), (u32, u32)> = BTreeMap::new();
        let mut used = BTreeSet::new();
        let mut fragments = BTreeMap::new();
        for frame in &seen {
            let fragment = lab::is_v4_fragment(frame) || lab::is_v6_fragment(frame);
            let key = if fragment { lab::address_key(frame) } else { lab::key(frame) };
            let Some(key) = key else { continue };
            let right = key.shard_hash() as usize % shards == frame.shard;
            if fragment {
                assert!(right, "fragments go by their addresses, all of a datagram to one shard");
                *fragments.entry(key.is_v4()).or_insert(0) += 1;
                continue;
            }
            used.insert(frame.shard);
            let count = per_kind.entry((key.is_v4(), key.transport().0)).or_default();
            count.0 += 1;
            count.1 += u32::from(!right);
        }
        println!("{shards} shards: (v4, protocol) -> (frames, on the wrong shard): {per_kind:?}");
        for (kind, least) in
            [((true, 6), 50), ((true, 17), 80), ((false, 6), 50), ((false, 17), 80), ((false, 58), 1)]
        {
            assert!(per_kind.get(&kind).is_some_and(|n| n.0 >= least), "{kind:?}");
        }
        assert!(per_kind.values().all(|n| n.1 == 0), "{per_kind:?}");
        assert_eq!(used.len(), shards, "every shard got something");
        // 4,008 bytes of UDP in pieces of 1,480 (IPv4) and 1,448 (IPv6), each way.
        assert_eq!(fragments, BTreeMap::from([(true, 6), (false, 6)]));
        let stats = live.stats();
        assert_eq!(stats.iter().map(|s| s.packets).sum::<u64>(), seen.len() as u64);
        assert_eq!(stats.iter().map(|s| s.drops).sum::<u64>(), 0);
    }
}

#[test]
fn tags_taken_out_by_the_kernel_come_with_the_frame() {
    let Some((near, far)) = cable() else { return };
    let filter = Filter::parse("vlan 5 and udp dst port 9").unwrap();
    let options = Options { shards: 4, filter: Some(filter), ..named(&["va"]) };
    let (live, rings) = near.run(move || Live::open(options).unwrap());
    let readers = capture(rings);
    far.run(|| {
        let inner = lab::udp_frame([10, 99, 0, 2], [10, 99, 0, 1], 4000, 9, 20);
        for tag in
            [[0x81, 0x00, 0x20, 5].as_slice(), &[0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6], &[0x81, 0x00, 0, 7]]
        {
            lab::send_raw("vb", &[&inner[..12], tag, &inner[12..]].concat());
        }
        lab::send_raw("vb", &inner);
    });
    std::thread::sleep(QUICK);
    live.stop();
    let seen = readers.finish();
    let tags: Vec<_> = seen.iter().map(|f| f.vlan).collect();
    assert_eq!(tags, [Some(0x2005), Some(5)], "one tag, and two of which the inner stays in the frame");
    // Both are the same flow, and the fan-out program looks through the inner tag as well.
    let key = lab::key(&seen[0]).unwrap();
    assert!(seen.iter().all(|f| f.shard == key.shard_hash() as usize % 4));
    assert_eq!(&seen[1].data[12..16], [0x81, 0, 0, 6]);
}

#[test]
fn loopback_once_without_our_own_ports() {
    let Some(here) = Namespace::new() else { return };
    here.run(|| run("ip link set lo up"));
    let options = Options { exclude: vec![Exclusion { address: None, port: 7777 }], ..named(&["lo"]) };
    let (live, rings) = here.run(move || Live::open(options).unwrap());
    let readers = capture(rings);
    here.run(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..10 {
            socket.send_to(b"seen", "127.0.0.1:6666").unwrap();
            socket.send_to(b"ours", "127.0.0.1:7777").unwrap();
        }
    });
    std::thread::sleep(QUICK);
    // An end of ours by its address, anywhere.
    let address = Some("127.0.0.1".parse().unwrap());
    live.set_exclusions(vec![Exclusion { address, port: 6666 }]).unwrap();
    here.run(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..10 {
            socket.send_to(b"ours", "127.0.0.1:6666").unwrap();
            socket.send_to(b"other", "127.0.0.1:7777").unwrap();
        }
    });
    std::thread::sleep(QUICK);
    live.stop();
    let seen = readers.finish();
    let udp: Vec<_> = seen.iter().filter(|f| lab::key(f).is_some_and(|k| k.transport().0 == 17)).collect();
    let to = |port| udp.iter().filter(|f| ports_of(f).1 == port).count();
    assert_eq!((to(6666), to(7777)), (10, 10));
    assert_eq!(udp.len(), 20, "one copy of each");
    assert!(udp.iter().all(|f| f.link == LinkType::Ethernet));
    assert_eq!(live.names().get(udp[0].device).as_deref(), Some("lo"));
    // What the port was not reachable by: one ICMP error per datagram that nobody took.
    assert!(seen.len() > udp.len());
}

#[test]
fn a_bridge_that_appears_later_is_captured() {
    let Some(host) = Namespace::new() else { return };
    let (Some(left), Some(right)) = (Namespace::new(), Namespace::new()) else { return };
    let (live, rings) =
        host.run(|| Live::open(Options { shards: 2, buffer: 4 << 20, ..Options::default() }).unwrap());
    assert!(!live.choices().iter().any(|c| c.device.name == "br-lab"));
    let readers = capture(rings);
    let paths = [left.path(), right.path()];
    host.run(move || {
        run("ip link add br-lab type bridge");
        run("ip link set br-lab up");
        for (n, path) in paths.iter().enumerate() {
            run(&format!("ip link add vh{n} type veth peer name vc"));
            run(&format!("ip link set vc netns {path}"));
            run(&format!("ip link set vh{n} master br-lab up"));
        }
    });
    for (n, ns) in [&left, &right].into_iter().enumerate() {
        ns.run(move || {
            run(&format!("ip addr add 10.98.0.{}/24 dev vc", n + 1));
            run("ip link set vc up");
        });
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while !live.choices().iter().any(|c| c.device.name == "vh1" && c.device.master.is_some()) {
        assert!(Instant::now() < deadline, "the bridge was not noticed");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(QUICK);
    let inbox = right.run(|| UdpSocket::bind("10.98.0.2:4444").unwrap());
    left.run(|| {
        let socket = UdpSocket::bind("10.98.0.1:0").unwrap();
        for _ in 0..25 {
            socket.send_to(b"container to container", "10.98.0.2:4444").unwrap();
        }
        socket.send_to(&[7; 4_000], "10.98.0.2:4444").unwrap();
    });
    let mut buffer = [0; 100];
    inbox.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    for _ in 0..26 {
        inbox.recv(&mut buffer).unwrap();
    }
    std::thread::sleep(QUICK);
    live.stop();
    let seen = readers.finish();
    let names = live.names();
    // A bridge hands frames up in a way of its own; the fan-out program reads them rightly all the same.
    for frame in seen.iter().filter(|f| !lab::is_v4_fragment(f) && !lab::is_v6_fragment(f)) {
        let expect = lab::key(frame).map_or(0, |k| k.shard_hash() as usize % 2);
        assert!(frame.shard == expect || lab::has_v6_extensions(frame), "{frame:?}");
    }
    let mut by_device = BTreeMap::new();
    for frame in seen.iter().filter(|f| lab::key(f).is_some_and(|k| k.b().port == 4444 || k.a().port == 4444))
    {
        *by_device.entry(names.get(frame.device).unwrap().to_string()).or_insert(0) += 1;
    }
    println!("{by_device:?}, {} changes", live.changes());
    assert_eq!(by_device, BTreeMap::from([("br-lab".to_owned(), 26)]));
    // The kernel's PACKET_FANOUT_FLAG_DEFRAG would lose these: it completes the datagram on the veth, which is not
    // chosen, and drops the bridge's copies as duplicates.
    assert_eq!(seen.iter().filter(|f| lab::is_v4_fragment(f)).count(), 3);
    let choices = live.choices();
    let reason =
        |name: &str| choices.iter().find(|c| c.device.name == name).map(|c| (c.captured, c.reason.clone()));
    assert_eq!(reason("br-lab"), Some((true, "bridge".to_owned())));
    assert_eq!(reason("vh0"), Some((false, "its frames are seen on bridge br-lab".to_owned())));
    assert_eq!(live.problem(), None);
    // A renamed device keeps its index and gets its new name; a deleted one is no longer chosen.
    host.run(|| {
        run("ip link set vh0 name vh9");
        run("ip link del br-lab");
    });
    let deadline = Instant::now() + Duration::from_secs(5);
    drop(live);
    let again = host.run(|| Live::open(Options { buffer: 1 << 20, ..Options::default() }).unwrap());
    while again.0.choices().iter().any(|c| c.device.name == "br-lab") {
        assert!(Instant::now() < deadline);
    }
    assert!(again.0.choices().iter().any(|c| c.device.name == "vh9" && c.captured), "no bridge owns it now");
}

#[test]
fn filter_and_snap_length_change_while_running() {
    let Some((near, far)) = cable() else { return };
    let filter = Some(Filter::parse("udp dst port 1001").unwrap());
    let options = Options { filter, snaplen: 50, ..named(&["va"]) };
    let (live, rings) = near.run(move || Live::open(options).unwrap());
    let readers = capture(rings);
    let send = |port: u16| {
        far.run(move || {
            UdpSocket::bind("10.99.0.2:0").unwrap().send_to(&[1; 500], ("10.99.0.1", port)).unwrap()
        });
    };
    send(1001);
    send(1002);
    std::thread::sleep(QUICK);
    live.set_filter(Some(Filter::parse("udp dst port 1002").unwrap())).unwrap();
    send(1001);
    send(1002);
    std::thread::sleep(QUICK);
    live.set_selection(Selection::parse(&["lo"]).unwrap()).unwrap();
    send(1002);
    live.set_selection(Selection::parse(&["va"]).unwrap()).unwrap();
    live.set_filter(None).unwrap();
    // A filter too long is refused, and the one before stays.
    let long = (0..100).map(|n| format!("host 2001:db8::{n:x}")).collect::<Vec<_>>().join(" or ");
    let long = Filter::parse(&long).unwrap();
    let many =
        (1..=150).map(|n| Exclusion { address: Some("2001:db8::1".parse().unwrap()), port: n }).collect();
    live.set_filter(Some(long)).unwrap();
    assert!(matches!(live.set_exclusions(many), Err(LiveError::Option(_))));
    live.set_filter(None).unwrap();
    send(1003);
    std::thread::sleep(QUICK);
    live.stop();
    let seen = readers.finish();
    let udp = seen.iter().filter(|f| lab::key(f).is_some_and(|k| k.transport().0 == 17));
    let seen: Vec<_> = udp.map(|f| (ports_of(f).1, f.data.len(), f.wire_len)).collect();
    assert_eq!(seen, [(1001, 50, 542), (1002, 50, 542), (1003, 50, 542)]);
}

#[test]
fn stopping_hands_out_everything_captured() {
    let Some((near, far)) = cable() else { return };
    let options = Options { shards: 2, block_timeout: Duration::from_millis(200), ..named(&["va"]) };
    let (live, rings) = near.run(move || Live::open(options).unwrap());
    let readers = capture(rings);
    far.run(|| {
        let frame = lab::udp_frame([10, 99, 0, 2], [10, 99, 0, 1], 5, 6, 100);
        for _ in 0..5_000 {
            lab::send_raw_again("vb", &frame);
        }
    });
    let start = Instant::now();
    live.stop();
    let seen = readers.finish();
    assert!(seen.len() >= 5_000, "{}", seen.len());
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(live.stats().iter().map(|s| s.packets).sum::<u64>(), seen.len() as u64);
}

#[test]
fn a_full_ring_counts_what_it_drops() {
    let Some((near, far)) = cable() else { return };
    let options = Options { buffer: 0, ..named(&["va"]) };
    let (live, rings) = near.run(move || Live::open(options).unwrap());
    far.run(|| {
        let frame = lab::udp_frame([10, 99, 0, 2], [10, 99, 0, 1], 5, 6, 1_000);
        for _ in 0..4_000 {
            lab::send_raw_again("vb", &frame);
        }
    });
    let before = live.stats()[0];
    let readers = capture(rings);
    std::thread::sleep(QUICK);
    live.stop();
    let seen = readers.finish();
    let after = live.stats()[0];
    println!("{after:?}, {} seen", seen.len());
    assert!(before.drops > 2_000 && after.freezes >= 1);
    assert!(after.packets >= 4_000);
    assert_eq!(after.packets - after.drops, seen.len() as u64, "sent = seen + dropped");
}

#[test]
fn devices_without_a_link_header_give_raw_ip() {
    let Some(here) = Namespace::new() else { return };
    let Some(tun) = here.run(|| lab::open_tun("tun7")) else {
        return println!("skipped: no /dev/net/tun");
    };
    here.run(|| {
        run("ip addr add 10.97.0.1/24 dev tun7");
        run("ip link set tun7 up");
    });
    let filter = Some(Filter::parse("udp port 53 or ip6").unwrap());
    let options = Options { shards: 3, filter, ..named(&["tun7"]) };
    let (live, rings) = here.run(move || Live::open(options).unwrap());
    let readers = capture(rings);
    here.run(|| {
        let socket = UdpSocket::bind("10.97.0.1:0").unwrap();
        for _ in 0..3 {
            socket.send_to(b"out", "10.97.0.2:53").unwrap();
            socket.send_to(b"out", "10.97.0.2:54").unwrap();
        }
    });
    // One comes in, as if from the tunnel.
    let packet = lab::udp_frame([10, 97, 0, 2], [10, 97, 0, 1], 53, 999, 4)[14..].to_vec();
    std::io::Write::write_all(&mut &tun, &packet).unwrap();
    std::thread::sleep(QUICK);
    live.stop();
    let seen: Vec<Seen> = readers.finish();
    let udp: Vec<_> = seen.iter().filter(|f| lab::key(f).is_some_and(|k| k.transport().0 == 17)).collect();
    assert_eq!(udp.len(), 4);
    assert!(udp.iter().all(|f| f.link == LinkType::Raw && f.data[0] == 0x45));
    assert!(udp.iter().all(|f| lab::key(f).unwrap().shard_hash() as usize % 3 == f.shard));
    let device = here.run(list).unwrap().into_iter().find(|d| d.name == "tun7").unwrap();
    assert_eq!((device.kind, device.index, device.mtu), (Kind::Tun, udp[0].device, 1500));
    assert!(device.addresses.contains(&("10.97.0.1".parse().unwrap(), 24)));
}

#[test]
fn devices_are_listed_with_routes_and_masters() {
    let Some(here) = Namespace::new() else { return };
    here.run(|| {
        run("ip link set lo up");
        run("ip link add br-a type bridge");
        run("ip link add v0 type veth peer name v1");
        run("ip link set v0 master br-a");
        run("ip link add vx type vxlan id 5 dstport 4789");
        run("ip addr add 10.96.0.1/16 dev v1");
        run("ip link set v1 up");
        run("ip link set v0 up");
        run("ip route add default via 10.96.0.2");
        run("ip -6 addr add fd96::1/64 dev v1 nodad");
        run("ip -6 route add default dev v1");
        run("ip route add default dev v0 table 100");
    });
    let devices = here.run(list).unwrap();
    let get = |name: &str| devices.iter().find(|d| d.name == name).unwrap();
    assert_eq!(get("lo").kind, Kind::Loopback);
    assert!(get("lo").addresses.contains(&("127.0.0.1".parse().unwrap(), 8)));
    assert_eq!(get("br-a").kind, Kind::Bridge);
    assert_eq!((&get("v0").kind, get("v0").master), (&Kind::Veth, Some(get("br-a").index)));
    assert_eq!(get("vx").kind, Kind::Other("vxlan".to_owned()));
    assert!(get("v1").default_v4 && get("v1").default_v6);
    assert!(!get("v0").default_v4, "only the main table counts");
    assert!(get("v1").up && !get("vx").up);
    assert!(get("v1").addresses.contains(&("fd96::1".parse().unwrap(), 64)));
}

#[test]
fn missing_rights_are_named() {
    let Some((near, _far)) = cable() else { return };
    let error =
        near.run(|| lab::with_capabilities(&[], || Live::open(named(&["va"])).err().unwrap().to_string()));
    assert!(
        error.starts_with("capturing needs CAP_NET_RAW: run as root, or once: setcap cap_net_raw"),
        "{error}"
    );
    // CAP_NET_RAW (13) alone is enough, for promiscuous mode too, and nothing is needed to change the filter later.
    let problem = near.run(|| {
        let live = lab::with_capabilities(&[13], || Live::open(named(&["va"])).unwrap().0);
        lab::with_capabilities(&[], || live.set_selection(Selection::parse(&["lo"]).unwrap()).unwrap());
        lab::with_capabilities(&[], || live.set_selection(Selection::parse(&["va"]).unwrap()).unwrap());
        let link = std::process::Command::new("ip").args(["-d", "link", "show", "va"]).output().unwrap();
        assert!(String::from_utf8_lossy(&link.stdout).contains("promiscuity 1"));
        live.problem()
    });
    assert_eq!(problem, None);
}

#[test]
fn numbers_out_of_range_are_refused() {
    for shards in [0, 257] {
        assert!(matches!(Live::open(Options { shards, ..Options::default() }), Err(LiveError::Option(_))));
    }
}

#[test]
fn the_kernel_filters_as_user_space_does() {
    let Some((near, far)) = cable() else { return };
    for ns in [&near, &far] {
        // Nothing may be said but what is sent below.
        ns.run(|| {
            run("for f in all va vb; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6 || true; done")
        });
    }
    near.run(|| run("ip link set va mtu 9000"));
    far.run(|| run("ip link set vb mtu 9000"));
    std::thread::sleep(QUICK);
    let expressions = [
        "ip",
        "ip6",
        "arp",
        "tcp",
        "udp",
        "icmp",
        "icmp6",
        "sctp",
        "port 80",
        "port 53 or 80 or 443",
        "tcp src port 80",
        "portrange 1000-3000",
        "not tcp",
        "host 10.0.0.1 or 10.0.0.2",
        "net 10",
        "net 192.168.0.0/16",
        "net fe80::/10",
        "src net 2000::/3",
        "vlan",
        "vlan 10",
        "vlan and tcp",
        "not vlan",
        "less 100",
        "greater 600",
        "proto 47",
        "ether dst ff:ff:ff:ff:ff:ff",
        "ether src host 02:00:00:00:00:01 or greater 1000",
        "ip proto 1 and not vlan",
    ];
    let mut running = Vec::new();
    for text in std::iter::once("").chain(expressions) {
        let filter = Some(Filter::parse(text).unwrap());
        let options = Options { filter, buffer: 4 << 20, ..named(&["va"]) };
        let (live, rings) = near.run(move || Live::open(options).unwrap());
        running.push((text, live, capture(rings)));
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let mut sent = 0;
    for name in [
        "packetbeat/flowhash/icmp6.pcap",
        "packetbeat/flowhash/ipv6.pcap",
        "packetbeat/flowhash/sctp.pcap",
        "packetbeat/http_over_vlan.pcap",
        "public/seladb__PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap",
        "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples/VlanPackets.pcap",
    ] {
        let path = root.join(name);
        if !path.exists() {
            println!("skipped: no capture {}", path.display());
            continue;
        }
        sent += far.run(move || {
            let mut reader = wirebeat_capture::file::Reader::open(&path).unwrap();
            let mut sent = 0;
            while let Some(frame) = reader.next().unwrap() {
                if (60..9_000).contains(&frame.data.len()) && frame.link == LinkType::Ethernet {
                    lab::send_raw_again("vb", frame.data);
                    sent += 1;
                }
            }
            sent
        });
    }
    far.run(|| lab::send_raw_again("vb", &lab::udp_frame([10, 0, 0, 1], [10, 99, 0, 1], 53, 2_000, 700)));
    std::thread::sleep(QUICK * 2);
    let mut results = Vec::new();
    for (text, live, readers) in running {
        live.stop();
        let drops = live.stats()[0].drops;
        assert_eq!(drops, 0);
        results.push((text, readers.finish()));
    }
    let all = &results[0].1;
    println!("{sent} frames sent, {} captured", all.len());
    assert!(all.len() > sent);
    for (text, seen) in &results[1..] {
        let filter = Filter::parse(text).unwrap();
        let expect = all
            .iter()
            .filter(|f| {
                filter.matches(&wirebeat_model::Frame {
                    time: f.time,
                    link: f.link,
                    device: f.device,
                    wire_len: f.wire_len,
                    vlan: f.vlan,
                    data: &f.data,
                })
            })
            .count();
        print!("{text:?} {expect}; ");
        assert_eq!(seen.len(), expect, "{text}");
    }
    println!();
}
