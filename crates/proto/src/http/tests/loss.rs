//! Lost bytes, bytes without sense, bytes without end.

use serde_json::json;

use super::{GET, OK, http, one};
use crate::Verdict;

#[test]
fn in_a_body_that_passes() {
    let mut t = http(&[]);
    t.client(GET).server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789").gap(false, 500);
    let e = one(t.server("x".repeat(490)));
    assert_eq!(e["error"]["message"], "Packet loss while capturing the response");
    assert_eq!(e["http"]["response"]["body"]["bytes"], 1000);
    assert_eq!(e["status"], "OK");
    t.client("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n").gap(true, 10);
    let e = one(t.server(OK));
    assert_eq!(e["error"]["message"], "Packet loss while capturing the request");
    t.close();
}

#[test]
fn in_a_body_that_is_kept() {
    let options = [("include_body_for", wirebeat_model::config::Node::Str("text".into()))];
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n";
    for (lost, rest) in [(3, "789"), (6, "")] {
        let mut t = http(&options);
        t.client(GET).server(head).server("0123").gap(false, lost).server(rest);
        let e = one(&mut t);
        assert_eq!(e["error"]["message"], "Packet loss while capturing the response");
        assert_eq!(e["http"]["response"]["body"], json!({ "bytes": 10, "content": "0123" }));
    }
}

#[test]
fn beyond_a_body() {
    let mut t = http(&[]);
    t.client(GET).server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01").gap(false, 500).server("</p>\n</html>");
    let e = one(&mut t);
    assert_eq!(e["error"]["message"], "Packet loss while capturing the response");
    let e = one(t.client(GET).server(OK));
    assert_eq!(e["status"], "OK");
    assert!(e.get("error").is_none());
}

#[test]
fn in_chunks() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    // inside one chunk
    let mut t = http(&[]);
    t.client(GET).server(head).server("10\r\n0123").gap(false, 8);
    let e = one(t.server("cdef\r\n0\r\n\r\n"));
    assert_eq!(e["http"]["response"]["body"]["bytes"], 16);
    assert_eq!(e["error"]["message"], "Packet loss while capturing the response");
    // over the bounds of one: the last chunk tells
    t.client(GET).server(head).server("10\r\n0123").gap(false, 100).server("abc\r\n3\r\nabc\r\n0\r");
    assert_eq!(t.events().len(), 0);
    let e = one(t.server("\n\r\n"));
    assert_eq!(e["error"]["message"], "Packet loss while capturing the response");
    assert_eq!(one(t.client(GET).server(OK))["status"], "OK");
    // or the next answer does
    let mut t = http(&[]);
    t.client(GET).server(head).server("10\r\n0123").gap(false, 100).server("abc").client(GET).server(OK);
    let e = t.events();
    assert_eq!(e.len(), 2);
    assert_eq!(e[1]["http"]["response"]["body"]["bytes"], 5);
    t.close();
}

#[test]
fn in_heads() {
    // of an answer: its request is told as soon as the client asks on
    let mut t = http(&[]);
    t.client("GET /1 HTTP/1.1\r\n\r\n").server("HTTP/1.1 20").gap(false, 100).server("<html>\nHTTP/1.1 is what we speak\n");
    assert_eq!(t.events().len(), 0);
    let e = t.client("GET /2 HTTP/1.1\r\n\r\n").server(OK).events();
    assert_eq!(e.len(), 2);
    assert_eq!(e[0]["url"]["path"], "/1");
    assert_eq!(e[0]["error"]["message"], json!(["Packet loss while capturing the response", "Unmatched request"]));
    assert_eq!((&e[1]["url"]["path"], &e[1]["status"]), (&json!("/2"), &json!("OK")));
    // of a request: its answer has none
    let mut t = http(&[]);
    t.client("GET /1 HT").gap(true, 10).server(OK).client("x: y\r\n\r\n").client(GET).server(OK);
    let e = t.events();
    assert_eq!(e.len(), 2);
    assert_eq!(e[0]["error"]["message"], "Unmatched response");
    assert_eq!(e[1]["status"], "OK");
}

#[test]
fn what_came_of_a_head_is_told() {
    let mut t = http(&[]);
    t.client("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: ").gap(true, 10);
    t.server("HTTP/1.1 503 No\r\nContent-Type: text/html\r\nX").gap(false, 100).server("</html>");
    let e = one(&mut t);
    let notes = ["Packet loss while capturing the request", "Packet loss while capturing the response"];
    assert_eq!(e["error"]["message"], json!(notes));
    assert_eq!((&e["url"]["full"], &e["http"]["response"]["status_code"]), (&json!("http://a/1"), &json!(503)));
    assert_eq!(e["http"]["response"]["headers"]["content-type"], "text/html");
    let e = one(t.client(GET).server(OK));
    assert_eq!(e["status"], "OK");
    t.close();
}

#[test]
fn what_came_of_a_head_is_told_at_the_end() {
    for fin in [true, false] {
        let mut t = http(&[]);
        t.client("GET /1 HTTP/1.1\r\nHost: a\r\nCookie: ");
        t.server("HTTP/1.1 503 No\r\nContent-Length: 9\r\nX");
        if fin {
            t.end(true).end(false);
        }
        let e = one(t.close());
        let notes =
            ["Connection closed before the request was complete", "Connection closed before the response was complete"];
        assert_eq!(e["error"]["message"], json!(notes));
        assert_eq!((&e["url"]["full"], &e["http"]["response"]["status_code"]), (&json!("http://a/1"), &json!(503)));
        assert_eq!(t.counters.unparsed, 0);
        // Not even a first line.
        let mut t = http(&[]);
        t.client(GET).server(OK).client("GET /1 HTT");
        if fin {
            t.end(true);
        }
        assert_eq!(one(t.close())["status"], "OK");
        assert_eq!(t.counters.unparsed, 1);
    }
}

#[test]
fn joined_in_the_middle() {
    let mut t = http(&[]);
    t.server("ody>\r\n</html>").client("{\"x\":1}\nGET /1 HTTP/1.1\r\n\r\n").server("..HTTP/1.1 204 No\r\n\r\n");
    let e = one(&mut t);
    assert_eq!((&e["url"]["path"], &e["http"]["response"]["status_code"]), (&json!("/1"), &json!(204)));
    assert_eq!(e["client"]["port"], 40_000);
}

#[test]
fn never_http() {
    let mut t = http(&[]);
    for _ in 0..300 {
        t.client([b'a'; 1024]);
    }
    assert_eq!(t.verdict, Verdict::Lost);
    t.close();
    let mut t = http(&[]);
    for _ in 0..300 {
        t.client([0; 1024]);
    }
    assert_eq!(t.verdict, Verdict::Lost);
}

#[test]
fn heads_without_end() {
    // too many lines: the length behind them counts all the same
    let many: String = (0..2000).map(|i| format!("X-{i}: y\r\n")).collect();
    let all = [("send_all_headers", wirebeat_model::config::Node::Bool(true))];
    let mut t = http(&all);
    t.client(format!("POST / HTTP/1.1\r\nHost: a\r\n{many}Content-Length: 3\r\n\r\nabc")).client(GET);
    let e = t.server(OK).server(OK).events();
    assert_eq!(e[0]["http"]["request"]["body"]["bytes"], 3);
    assert_eq!(e[0]["url"]["domain"], "a");
    assert_eq!(e[0]["http"]["request"]["headers"].as_object().unwrap().len(), 257);
    assert_eq!((e.len(), t.counters.unparsed), (2, 1));
    // a head that is too long
    let mut t = http(&[]);
    let long = "y".repeat(3000);
    t.client("POST /x HTTP/1.1\r\nHost: a\r\n");
    for _ in 0..50 {
        t.client(format!("X: {long}\r\n"));
    }
    t.client("Content-Length: 3\r\n\r\nabc").client(GET);
    let e = t.server(OK).server(OK).events();
    assert_eq!((&e[0]["url"]["path"], &e[0]["http"]["request"]["body"]["bytes"]), (&json!("/x"), &json!(3)));
    assert_eq!(e[1]["url"]["path"], "/index.html");
    assert!(e[0]["http"]["request"]["bytes"].as_u64().unwrap() > 150_000);
    t.close();
    // one line that is
    let mut t = http(&[]);
    t.client("GET /x HTTP/1.1\r\nHost: a\r\nX: ");
    for _ in 0..50 {
        t.client(&long);
    }
    t.client("\r\n\r\n").client(GET).server(OK).server(OK);
    assert_eq!(t.events().len(), 2);
    assert_eq!(t.verdict, Verdict::Go);
    // a target that is
    let mut t = http(&[]);
    t.client(GET).server(OK).client("GET /");
    for _ in 0..50 {
        t.client(&long);
    }
    t.client(" HTTP/1.1\r\n\r\n").client(GET).server(OK);
    assert_eq!(t.events().len(), 2);
    t.close();
}

#[test]
fn nonsense_between_messages() {
    let mut t = http(&[]);
    t.client(GET).server(OK).client("\x01\x02\x03\x04 nonsense\r\n").client(GET).server(OK);
    assert_eq!(t.events().len(), 2);
    assert_eq!(t.counters.unparsed, 1);
    t.client(GET).server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").client(GET).server(OK);
    assert_eq!(t.events().len(), 2);
    t.close();
}

#[test]
fn many_pending() {
    let mut t = http(&[]);
    for _ in 0..1100 {
        t.client("GET / HTTP/1.1\r\n\r\n");
    }
    assert_eq!(t.counters.pending_evicted, 1100 - 1024);
    t.close();
    assert_eq!(t.events().len(), 1100);
}

/// Bytes at random, and messages with bytes changed at random: nothing may panic, nothing may be kept.
#[test]
fn noise() {
    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let heads = [
        GET.to_owned() + "POST /a?token=1 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\nCookie: a=b; c\r\n\r\na=1&b=2",
        OK.to_owned() + "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Type: text/a\r\n\r\n5\r\nabcde\r\n0\r\n\r\nHTTP/1.0 200 OK\r\n\r\nabc",
    ];
    let options = super::options::everything();
    for _ in 0..2000 {
        let mut t = crate::testing::Talk::with("http", wirebeat_model::Transport::TCP, &options, random() % 2 == 0);
        for _ in 0..random() % 8 {
            let client = random() % 2 == 0;
            let mut bytes = heads[usize::from(!client)].clone().into_bytes();
            for _ in 0..random() % 4 {
                let at = random() % bytes.len();
                match random() % 3 {
                    0 => bytes[at] = random() as u8,
                    1 => bytes.truncate(at.max(1)),
                    _ => drop(bytes.drain(..at)),
                }
            }
            match random() % 5 {
                0 => t.gap(client, (random() % 30) as u64),
                1 => t.end(client),
                _ if client => t.client(&bytes),
                _ => t.server(&bytes),
            };
            if t.verdict != Verdict::Go {
                break;
            }
        }
        t.close();
    }
}
