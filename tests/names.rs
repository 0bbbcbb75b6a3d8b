//! Flow records call a flow what the events of its protocol call it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use reading::made::udp;
use reading::pipeline::{Kept, Pipeline, load};
use reading::{field, files, others, own};
use serde_json::Value;

/// What events and what flow records say, by community id.
fn names(packets: &[Kept]) -> BTreeMap<String, [BTreeSet<String>; 2]> {
    let mut all: BTreeMap<String, [BTreeSet<String>; 2]> = BTreeMap::new();
    for line in Pipeline::new().events(packets) {
        let event: Value = serde_json::from_str(&line).unwrap();
        let text = |name| field(&event, name).as_str().map(str::to_owned);
        let record = usize::from(event["type"] == "flow");
        let id = text("network.community_id").unwrap();
        all.entry(id).or_default()[record].extend(text("network.protocol"));
    }
    all
}

#[test]
fn relatives_of_dns() {
    // RFC 1035 4.1.1: id, flags, one question; a.local, PTR, IN.
    let query = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x01a\x05local\0\0\x0c\0\x01";
    let me = (Ipv4Addr::new(198, 51, 100, 2), 0);
    // RFC 6762 3, RFC 4795 2, RFC 1035 4.2.1.
    for (group, port, source, name) in [
        (Ipv4Addr::new(224, 0, 0, 251), 5353, 5353, "mdns"),
        (Ipv4Addr::new(224, 0, 0, 252), 5355, 50_000, "llmnr"),
        (Ipv4Addr::new(198, 51, 100, 1), 53, 50_000, "dns"),
    ] {
        let packets = [udp(0, (me.0, source), (group, port), query)];
        let expected = BTreeSet::from([name.to_owned()]);
        let found: Vec<_> = names(&packets).into_values().collect();
        assert_eq!(found, [[expected.clone(), expected]], "{name}");
    }
}

#[test]
fn captures() {
    let mut captures = own();
    captures.extend(others("packetbeat").map(|folder| files(&folder, Some(&["pcap"]))).unwrap_or_default());
    let mut compared = 0;
    for path in captures {
        for (id, [events, records]) in names(&load(&path)) {
            // ICMP events have ids of their own.
            if events.is_empty() || records.is_empty() {
                continue;
            }
            // What HTTP has become names the connection at its end.
            if records.contains("http2") || records.contains("websocket") {
                continue;
            }
            // Several connections may have had the same ends, not all of them decoded.
            assert!(events.is_subset(&records), "{} {id}: {events:?} {records:?}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}
