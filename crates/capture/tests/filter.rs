//! Filters in user space against tcpdump's counts over real captures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use wirebeat_capture::file::Reader;
use wirebeat_capture::filter::{Filter, Ports};
use wirebeat_model::{Frame, LinkType, Time};

const UNTAGGED: [&str; 15] = [
    "packetbeat/flowhash/arp.pcap",
    "packetbeat/flowhash/icmp6.pcap",
    "packetbeat/flowhash/ipv6.pcap",
    "packetbeat/flowhash/sctp.pcap",
    "packetbeat/flowhash/udp.pcap",
    "packetbeat/http_minitwit.pcap",
    "packetbeat/amqp_emit_receive.pcap",
    "packetbeat/wsgi_loopback.pcap",
    "public/chrissanders__packets/ipv6_fragments.pcapng",
    "public/chrissanders__packets/ek_to_cryptowall4.pcapng",
    "public/seladb__PcapPlusPlus/Tests/ExamplesTest/pcap_examples/ip-frag.pcap",
    "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples/ip6_fragments.pcap",
    "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples/raw_ip.pcap",
    "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples/sll.pcap",
    "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples/sll2.pcap",
];

const TAGGED: [&str; 4] = [
    "public/seladb__PcapPlusPlus/Tests/ExamplesTest/pcap_examples/many-protocols.pcap",
    "packetbeat/http_over_vlan.pcap",
    "packetbeat/icmp/icmp4_ping_over_vlan.pcap",
    "public/seladb__PcapPlusPlus/Tests/Pcap++Test/PcapExamples/VlanPackets.pcap",
];

const EXPRESSIONS: [&str; 62] = [
    "",
    "ip",
    "ip6",
    "arp",
    "rarp",
    "tcp",
    "udp",
    "sctp",
    "icmp",
    "icmp6",
    "igmp",
    "not tcp",
    "! udp and not icmp",
    "tcp port 80",
    "port 80",
    "port 53 or 80 or 443",
    "port http or domain",
    "tcp port 80 or tcp port 443 or udp port 53",
    "tcp src port 80",
    "tcp dst port 80",
    "src or dst port 53",
    "src and dst port 5353",
    "portrange 1-1023",
    "udp portrange 5000-6000",
    "tcp dst portrange 1024-65535",
    "sctp port 80",
    "not port 80",
    "not (port 80 or port 53)",
    "tcp and not port 80 or udp",
    "udp or tcp and port 80",
    "tcp || udp && port 53",
    "proto 17",
    "ip proto 6",
    "ip proto \\tcp",
    "ip6 proto 58",
    "ip6 proto 44",
    "proto 132",
    "ether proto 0x0806",
    "ether proto \\ip",
    "host 192.168.1.1",
    "host 127.0.0.1",
    "src host 192.168.0.1",
    "dst host 192.168.0.1 or src 10.0.0.1",
    "host 192.168.1.1 or 192.168.1.2 or 10.0.2.15",
    "ip host 192.168.1.1",
    "arp host 192.168.0.1",
    "net 10",
    "net 192.168",
    "net 192.168.0.0/16",
    "src net 192.168.0.0 mask 255.255.0.0",
    "dst net 172.16.0.0/12",
    "not net 192.168.0.0/16",
    "ip6 host fe80::1",
    "net fe80::/10",
    "src net 2000::/3",
    "dst net ff00::/8 and udp",
    "less 100",
    "greater 1000",
    "tcp and greater 100 and less 1000",
    "ether host ff:ff:ff:ff:ff:ff",
    "ether dst ff:ff:ff:ff:ff:ff or ether src 00:00:00:00:00:00",
    "(tcp or udp) and (src net 10.0.0.0/8 or dst net 10.0.0.0/8) and not (port 22 or portrange 8000-9000)",
];

fn tcpdump(file: &Path, expression: &str) -> Option<Result<usize, String>> {
    let out =
        Command::new("tcpdump").args(["-n", "--count", "-r"]).arg(file).arg(expression).output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let number = text.split_whitespace().next().and_then(|n| n.parse().ok());
    Some(number.ok_or_else(|| String::from_utf8_lossy(&out.stderr).into_owned()))
}

fn ours(file: &Path, expression: &str) -> usize {
    let filter = Filter::parse(expression).unwrap();
    let mut reader = Reader::open(file).unwrap();
    let mut count = 0;
    while let Some(frame) = reader.next().unwrap() {
        count += usize::from(filter.matches(&frame));
    }
    count
}

fn compare(files: &[&str], expressions: &[(&str, String)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let (mut checks, mut nonzero) = (0, 0);
    let mut wrong = Vec::new();
    for name in files {
        let file = root.join(name);
        if !file.exists() {
            println!("skipped: no capture {}", file.display());
            continue;
        }
        for (expression, theirs) in expressions {
            let expect = match tcpdump(&file, theirs) {
                None => return println!("skipped: tcpdump is not installed"),
                Some(Ok(n)) => n,
                // tcpdump refuses some words on some link types, e.g. ether on raw IP.
                Some(Err(_)) => continue,
            };
            let count = ours(&file, expression);
            checks += 1;
            nonzero += usize::from(expect > 0);
            if count != expect {
                wrong.push(format!("{name} {expression:?}: {count}, tcpdump {expect}"));
            }
        }
    }
    println!("{checks} counts compared, {nonzero} of them not 0");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_counts_as_tcpdump() {
    let same: Vec<_> = EXPRESSIONS.iter().map(|e| (*e, (*e).to_owned())).collect();
    compare(&UNTAGGED, &same);
}

#[test]
fn tags_are_looked_through() {
    let mut both: Vec<_> = EXPRESSIONS
        .iter()
        .skip(1)
        .filter(|e| !e.contains("not") && !e.contains('!'))
        .map(|e| (*e, format!("({e}) or (vlan and (({e}) or (vlan and ({e}))))")))
        .collect();
    // In libpcap each vlan moves what stands behind it one tag inwards.
    for id in [7, 10, 100, 200, 300] {
        both.push((Box::leak(format!("vlan {id}").into_boxed_str()), format!("vlan {id} or vlan {id}")));
    }
    both.push(("vlan", "vlan".to_owned()));
    for e in ["tcp", "icmp", "port 80", "arp"] {
        let ours = Box::leak(format!("vlan and {e}").into_boxed_str());
        both.push((ours, format!("vlan and ({e} or (vlan and {e}))")));
    }
    compare(&TAGGED, &both);
}

#[test]
fn a_generated_filter_and_the_expression_it_stands_for() {
    let ports = Ports { tcp: vec![80, 443, 3306], udp: vec![53, 5353], icmp: true, protocols: vec![132] };
    let filter = Filter::ports(&ports).unwrap();
    let theirs = "tcp port 80 or tcp port 443 or tcp port 3306 or udp port 53 or udp port 5353 or icmp or icmp6 \
        or ip proto 132 or ip6 proto 132 or (ip[6:2] & 0x3fff != 0) or (ip6 and ip6[6] == 44)";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    for name in UNTAGGED {
        let file = root.join(name);
        if !file.exists() {
            println!("skipped: no capture {}", file.display());
            continue;
        }
        let Some(Ok(expect)) = tcpdump(&file, theirs) else { continue };
        let mut reader = Reader::open(&file).unwrap();
        let mut count = 0;
        while let Some(frame) = reader.next().unwrap() {
            count += usize::from(filter.matches(&frame));
        }
        assert_eq!(count, expect, "{name}");
    }
}

#[test]
fn what_is_not_supported_is_named_with_its_column() {
    for (expression, column, part) in [
        ("tcp[13] & 2 != 0", 9, "a single &"),
        ("tcp[13]", 1, "\"tcp[13]\" is not supported; supported are and/or/not"),
        ("port 80 or host example.com", 17, "host names are not resolved"),
        ("port 99999", 6, "not a port"),
        ("(tcp or udp", 12, "closing parenthesis"),
        ("tcp)", 4, "never opened"),
        ("tcp udp", 5, "where and, or"),
        ("tcp and", 8, "ends too early"),
        ("net 10.0.0.1/8", 5, "outside its network part"),
        ("net 10.0.0.0/33", 5, "more than 32"),
        ("host 10.0.0.0/8", 6, "write net"),
        ("vlan 4096", 6, "at most 4095"),
        ("icmp port 80", 6, "where and, or"),
        ("arp port 80", 1, "arp has no ports"),
        ("tcp host 10.0.0.1", 1, "does not go with"),
        ("ether", 1, "ether needs"),
        ("less than", 6, "not a number"),
        ("portrange 80", 11, ""),
        ("gateway 10.0.0.1", 1, "not supported"),
        ("ether host 1:2:3", 12, "not a link address"),
        ("é and é", 1, "not supported"),
        ("tcp or é", 8, "not supported"),
    ] {
        match Filter::parse(expression) {
            Ok(_) => assert_eq!(part, "", "{expression} was taken"),
            Err(e) => {
                assert_eq!(e.column, column, "{expression}: {e}");
                assert!(e.message.contains(part), "{expression}: {e}");
            }
        }
    }
}

#[test]
fn bounds_hold() {
    let deep = "(".repeat(100_000) + "tcp" + &")".repeat(100_000);
    assert!(Filter::parse(&deep).unwrap_err().message.contains("words"));
    assert!(Filter::parse(&("not ".repeat(5_000) + "tcp")).unwrap_err().message.contains("deep"));
    let zigzag = "tcp and udp or ".repeat(1_000) + "icmp";
    assert!(Filter::parse(&zigzag).unwrap_err().message.contains("parentheses"));
    let many = (0..600).map(|n| format!("port {}", n * 2)).collect::<Vec<_>>().join(" or ");
    assert!(Filter::parse(&many).unwrap().instructions() < 4096);
    let hosts = (0..1_500).map(|n| format!("ip6 host 2001:db8::{n}")).collect::<Vec<_>>().join(" or ");
    assert!(Filter::parse(&hosts).unwrap_err().message.contains("too long"));
}

const WORDS: [&str; 34] = [
    "and",
    "or",
    "not",
    "(",
    ")",
    "!",
    "&&",
    "||",
    "tcp",
    "udp",
    "ip",
    "ip6",
    "arp",
    "icmp",
    "ether",
    "src",
    "dst",
    "host",
    "net",
    "port",
    "portrange",
    "proto",
    "vlan",
    "less",
    "greater",
    "mask",
    "80",
    "1-9",
    "10.0.0.1",
    "::1",
    "10.0.0.0/8",
    "fe80::/10",
    "01:02:03:04:05:06",
    "http",
];

proptest! {
    #[test]
    fn any_words_are_taken_or_refused(
        words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..12),
        link in prop::sample::select(vec![0u32, 1, 101, 108, 113, 276, 999]),
        data in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        if let Ok(filter) = Filter::parse(&words.join(" ")) {
            let link = LinkType::from_number(link);
            let frame = Frame { time: Time(0), link, device: 1, wire_len: 90, vlan: Some(5), data: &data };
            filter.matches(&frame);
        }
    }

    #[test]
    fn any_text_is_taken_or_refused(text in ".{0,40}") {
        if let Err(e) = Filter::parse(&text) {
            prop_assert!(e.column >= 1 && e.column <= text.chars().count() + 1);
        }
    }
}
