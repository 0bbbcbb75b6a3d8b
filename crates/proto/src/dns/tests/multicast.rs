//! Multicast DNS and LLMNR.

use serde_json::json;
use wirebeat_model::{Endpoint, Transport};

use super::{A, Rr, message, name, rr, rr_of};
use crate::testing::Talk;

const HOST: [u8; 4] = [192, 0, 2, 10];

fn talk(from: ([u8; 4], u16), to: ([u8; 4], u16)) -> Talk {
    Talk::new("dns", Transport::UDP, &[]).between(Endpoint::v4(from.0, from.1), Endpoint::v4(to.0, to.1))
}

#[test]
fn multicast_messages_stand_for_themselves() {
    let mut talk = talk((HOST, 5353), ([224, 0, 0, 251], 5353));
    let known = [rr(&[0xc0, 0x0c], 12, &[b"\x0bMy Dr\xc3\xbccker".as_slice(), &[0xc0, 0x0c]].concat())];
    talk.client(message(0, 0, &[("_ipp._tcp.local", 12, 0x8001)], [&known, &[], &[]]));
    let answer = [rr_of(&name("host.local"), A, 0x8001, 120, &HOST), rr_of(&name("host.local"), 16, 0x8001, 120, b"\x04k=\xc3\xa4")];
    talk.client(message(0, 0x8400, &[], [&answer, &[], &[]])).close();
    let events = talk.events();
    assert_eq!(events.len(), 2);
    let (q, a) = (&events[0], &events[1]);
    for e in &events {
        assert_eq!((&e["status"], &e["type"], &e["network"]["protocol"]), (&json!("OK"), &json!("dns"), &json!("mdns")));
        assert_eq!((&e["source"]["ip"], &e["destination"]["ip"]), (&json!("192.0.2.10"), &json!("224.0.0.251")));
        assert!(e["error"].is_null() && e["source"]["bytes"].is_u64());
    }
    assert_eq!((&q["dns"]["type"], &a["dns"]["type"]), (&json!("query"), &json!("answer")));
    assert_eq!((&q["dns"]["question"]["class"], &q["dns"]["question"]["unicast_response"]), (&json!("IN"), &json!(true)));
    assert_eq!(q["query"], "class IN, type PTR, _ipp._tcp.local");
    assert_eq!(q["dns"]["answers"][0]["data"], "My Drücker._ipp._tcp.local");
    assert_eq!((&a["resource"], &a["dns"]["resolved_ip"]), (&json!("host.local"), &json!(["192.0.2.10"])));
    assert_eq!(
        a["dns"]["answers"][0],
        json!({"name": "host.local", "type": "A", "class": "IN", "ttl": "120", "data": "192.0.2.10", "cache_flush": true})
    );
    assert_eq!(a["dns"]["answers"][1]["data"], "k=ä");
    assert_eq!((talk.counters.unmatched_requests, talk.counters.unmatched_responses), (0, 0));
}

#[test]
fn llmnr_answers_come_from_elsewhere() {
    let ask = message(77, 0, &[("printer", A, 1)], [&[], &[], &[]]);
    let mut group = talk((HOST, 50_000), ([224, 0, 0, 252], 5355));
    group.client(&ask).close();
    let e = &group.events()[0];
    assert_eq!((&e["status"], &e["network"]["protocol"]), (&json!("OK"), &json!("llmnr")));
    assert_eq!(e["dns"]["question"]["name"], "printer");
    // The one who answers is the server, though it is first in its flow.
    let mut one = talk(([192, 0, 2, 99], 5355), (HOST, 50_000));
    one.client(message(77, 0x8000, &[("printer", A, 1)], [&[rr(&[0xc0, 0x0c], A, &[1; 4])], &[], &[] as &[Rr]])).close();
    let e = &one.events()[0];
    assert_eq!((&e["status"], &e["server"]["ip"]), (&json!("OK"), &json!("192.0.2.99")));
    assert_eq!((&e["event"]["start"], &e["dns"]["type"]), (&json!(null), &json!("answer")));
}
