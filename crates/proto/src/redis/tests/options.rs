//! Options.

use serde_json::json;
use wirebeat_model::config::Node;

use super::{command, one, redis};

#[test]
fn option_queue_max_messages() {
    let run = |options: &[(&str, Node)]| {
        let mut t = redis(options);
        for i in 0..6 {
            t.client(command(&format!("GET {i}")));
        }
        for i in 0..6 {
            t.server(format!("${}\r\n{i}\r\n", 1));
        }
        t.close();
        (t.events(), t.counters.pending_evicted)
    };
    let (e, evicted) = run(&[]);
    assert!(evicted == 0 && e.len() == 6 && e.iter().all(|e| e["resource"] == e["redis"]["return_value"]));
    assert_eq!(run(&[("queue_max_messages", Node::Int(0))]).0, e);
    let (e, evicted) = run(&[("queue_max_messages", Node::Int(4))]);
    assert_eq!(evicted, 2);
    // The two that had to go, alone; their answers, alone; the others, paired rightly.
    let e: Vec<_> = e.iter().map(|e| (e["resource"].clone(), e["redis"]["return_value"].clone())).collect();
    let two = |a: Option<&str>, b: Option<&str>| (json!(a), json!(b));
    assert_eq!(
        e[..4],
        [two(Some("0"), None), two(Some("1"), None), two(None, Some("0")), two(None, Some("1"))]
    );
    assert!(e[4..].len() == 4 && e[4..].iter().all(|(a, b)| a == b));
}

#[test]
fn option_queue_max_bytes() {
    let big = "x".repeat(3000);
    let run = |options: &[(&str, Node)]| {
        let mut t = redis(options);
        for _ in 0..4 {
            t.client(command(&format!("SET k {big}")));
        }
        t.server("+OK\r\n+OK\r\n+OK\r\n+OK\r\n").close();
        (t.counters.pending_evicted, t.counters.unmatched_requests, t.counters.unmatched_responses)
    };
    assert_eq!(run(&[]), (0, 0, 0));
    assert_eq!(run(&[("queue_max_bytes", Node::Int(0))]), (0, 0, 0));
    assert_eq!(run(&[("queue_max_bytes", Node::Int(7000))]), (2, 2, 2));
}

#[test]
fn option_max_value_size() {
    let run = |options: &[(&str, Node)], value: &str| {
        let mut t = redis(options);
        t.client(command(&format!("SET k {value} EX 10")))
            .server(format!("*2\r\n${}\r\n{value}\r\n:1\r\n", value.len()))
            .close();
        let cut = t.counters.bodies_cut;
        (one(&mut t), cut)
    };
    let value = "v".repeat(60_000);
    let (e, cut) = run(&[], &value);
    assert_eq!(cut, 2);
    let marked = |kept: String, cut: usize| json!(format!("{kept}… (+{cut} bytes)"));
    // "SET k " and "[" stand before it; " EX 10" and ", 1]" behind it.
    assert_eq!(e["query"], marked(format!("SET k {}", "v".repeat(4090)), 60_000 - 4090 + 6));
    assert_eq!(e["redis"]["return_value"], marked(format!("[{}", "v".repeat(4095)), 60_000 - 4095 + 4));
    assert_eq!(e["source"]["bytes"], command(&format!("SET k {value} EX 10")).len());
    assert_eq!(e["destination"]["bytes"], 60_000 + 14 + 4);
    let (e, cut) = run(&[("max_value_size", Node::Str("100KB".into()))], &value);
    assert_eq!((cut, e["query"].as_str().unwrap().len()), (0, 60_012));
    // Not in the middle of a character.
    let (e, _) = run(&[("max_value_size", Node::Int(16))], "äöüäöüäöü");
    assert_eq!(
        (&e["query"], &e["redis"]["return_value"]),
        (&json!("SET k äöüäö… (+14 bytes)"), &json!("[äöüäöüä… (+8 bytes)"))
    );
}

#[test]
fn options_send() {
    let run = |options: &[(&str, Node)]| {
        let mut t = redis(options);
        let e = one(t.client(command("LRANGE l 0 -1")).server("*2\r\n+a\r\n_\r\n"));
        t.close();
        (e.get("request").cloned(), e.get("response").cloned())
    };
    assert_eq!(run(&[]), (None, None));
    assert_eq!(run(&[("send_request", Node::Bool(true))]), (Some(json!("LRANGE l 0 -1")), None));
    assert_eq!(run(&[("send_response", Node::Bool(true))]), (None, Some(json!("[a, nil]"))));
}
