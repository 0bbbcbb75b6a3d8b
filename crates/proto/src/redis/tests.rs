//! Bytes as the specification writes them, dialogues, and what is told of them.

use std::time::Duration;

use serde_json::{Value, json};
use wirebeat_model::Transport;
use wirebeat_model::config::Node;

use super::codec::{self, DEPTH, MAX_INLINE};
use crate::testing::Talk;
use crate::{Guess, Verdict, by_name};

fn redis(options: &[(&str, Node)]) -> Talk {
    Talk::new("redis", Transport::TCP, options)
}

/// A command as an array of strings.
fn command(line: &str) -> Vec<u8> {
    let words: Vec<_> = line.split(' ').collect();
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|w| out.extend_from_slice(format!("${}\r\n{w}\r\n", w.len()).as_bytes()));
    out
}

/// The only event.
fn one(talk: &mut Talk) -> Value {
    let mut events = talk.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

/// The event of a command and its answer.
fn ask(line: &str, answer: impl AsRef<[u8]>) -> Value {
    let mut t = redis(&[]);
    t.client(command(line)).server(answer);
    let e = one(&mut t);
    t.close();
    assert_eq!(t.events(), Vec::<Value>::new());
    e
}

/// Of each event: method, value or error.
fn short(events: &[Value]) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let value = |e: &Value| {
        if e["redis"]["error"].is_null() {
            text(&e["redis"]["return_value"])
        } else {
            text(&e["redis"]["error"])
        }
    };
    events.iter().map(|e| (text(&e["method"]), value(e))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn a_transaction() {
    let mut t = redis(&[]);
    let e =
        one(t.client(command("lindex test 1")).wait(Duration::from_micros(466)).server("$6\r\nhello1\r\n"));
    assert_eq!(
        (&e["method"], &e["query"], &e["resource"]),
        (&json!("LINDEX"), &json!("lindex test 1"), &json!("test"))
    );
    assert_eq!(e["redis"], json!({ "return_value": "hello1" }));
    assert_eq!(e["event"]["action"], "redis.lindex");
    assert_eq!(e["event"]["duration"], 466_000);
    assert_eq!((&e["source"]["bytes"], &e["destination"]["bytes"]), (&json!(33), &json!(12)));
    assert_eq!((&e["status"], &e["type"]), (&json!("OK"), &json!("redis")));
    assert!(e["event"].get("outcome").is_none() && e.get("error").is_none() && e.get("request").is_none());
    t.close();
}

/// RESP, "RESP protocol description": one example or more of each type.
#[test]
fn every_type() {
    for (wire, value) in [
        ("+OK\r\n", "OK"),
        ("+\r\n", ""),
        (":0\r\n", "0"),
        (":-1000\r\n", "-1000"),
        (":+5\r\n", "+5"),
        ("$5\r\nhello\r\n", "hello"),
        ("$0\r\n\r\n", ""),
        ("$-1\r\n", "nil"),
        ("$6\r\na\r\nb\r\n\r\n", "a\r\nb\r\n"),
        ("*0\r\n", "[]"),
        ("*-1\r\n", "nil"),
        ("*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n", "[hello, world]"),
        ("*5\r\n:1\r\n:2\r\n:3\r\n:4\r\n$5\r\nhello\r\n", "[1, 2, 3, 4, hello]"),
        ("*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Hello\r\n*0\r\n", "[[1, 2, 3], [Hello, []]]"),
        ("*3\r\n$5\r\nhello\r\n$-1\r\n$5\r\nworld\r\n", "[hello, nil, world]"),
        ("_\r\n", "nil"),
        ("#t\r\n", "true"),
        ("#f\r\n", "false"),
        (",1.23\r\n", "1.23"),
        (",inf\r\n", "inf"),
        ("(3492890328409238509324850943850943825024385\r\n", "3492890328409238509324850943850943825024385"),
        ("=15\r\ntxt:Some string\r\n", "Some string"),
        ("%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n", "{first: 1, second: 2}"),
        ("%0\r\n", "{}"),
        ("~3\r\n+a\r\n#t\r\n_\r\n", "[a, true, nil]"),
        ("*1\r\n%1\r\n$1\r\nk\r\n*2\r\n:1\r\n:2\r\n", "[{k: [1, 2]}]"),
        // Streamed strings and aggregates (RESP3 specification).
        ("$?\r\n;4\r\nHell\r\n;6\r\no worl\r\n;1\r\nd\r\n;0\r\n", "Hello world"),
        ("*?\r\n:1\r\n:2\r\n*?\r\n.\r\n.\r\n", "[1, 2, []]"),
        ("%?\r\n+a\r\n:1\r\n+b\r\n$?\r\n;1\r\nx\r\n;0\r\n.\r\n", "{a: 1, b: x}"),
        ("*2\r\n$?\r\n;0\r\n:3\r\n", "[, 3]"),
        // An attribute inside an answer belongs to the element behind it.
        ("*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n", "[1, 2, 3]"),
        ("*2\r\n|1\r\n+a\r\n|1\r\n+b\r\n*1\r\n+c\r\n+d\r\n:1\r\n:2\r\n", "[1, 2]"),
    ] {
        let e = ask("get k", wire);
        assert_eq!((&e["redis"]["return_value"], &e["status"]), (&json!(value), &json!("OK")), "{wire:?}");
        assert_eq!(e["destination"]["bytes"], wire.len(), "{wire:?}");
        assert!(e["redis"].get("error").is_none(), "{wire:?}");
    }
    for (wire, error) in [
        ("-ERR unknown command 'asdf'\r\n", "ERR unknown command 'asdf'"),
        ("!21\r\nSYNTAX invalid syntax\r\n", "SYNTAX invalid syntax"),
    ] {
        let e = ask("get k", wire);
        assert_eq!(e["redis"], json!({ "error": error }));
        assert_eq!((&e["status"], &e["event"]["outcome"]), (&json!("Error"), &json!("failure")));
    }
    let e = ask("get k", "|1\r\n+key-popularity\r\n%1\r\n$1\r\na\r\n,0.19\r\n*2\r\n:2039123\r\n:9543892\r\n");
    assert_eq!(
        e["redis"],
        json!({ "return_value": "[2039123, 9543892]", "attributes": "{key-popularity: {a: 0.19}}" })
    );
}

#[test]
fn what_is_not_resp() {
    let deep = |n: usize| "*1\r\n".repeat(n) + ":1\r\n";
    assert_eq!(
        ask("a b", deep(DEPTH))["redis"]["return_value"],
        "[".repeat(DEPTH) + "1" + &"]".repeat(DEPTH)
    );
    for wrong in [
        "abc\r\n",
        "$abc\r\n",
        "$-2\r\n",
        "*-2\r\n",
        "*1x\r\n",
        "$5\r\nhelloo\r\n",
        ":1\r\n;3\r\nabc\r\n",
        ".\r\n",
        "*?\r\n;1\r\na\r\n",
        "%-1\r\n",
        "$99999999999999999999\r\n",
        "*9999999999\r\n",
        "$?\r\n:1\r\n",
        "*1\r\n.\r\n",
        "!?\r\n",
        &deep(DEPTH + 1),
        "$1\rx",
        "*?x",
    ] {
        let mut t = redis(&[]);
        t.client(command("get a")).server(wrong);
        assert!(t.counters.unparsed == 1 || wrong.starts_with(":1"), "{wrong:?}");
        t.close();
    }
    for wrong in [
        "*1\r\n:1\r\n",
        "*1\r\n*1\r\n$1\r\na\r\n",
        "*?\r\n",
        "*1\r\n$-1\r\n",
        "*2\r\n$1\r\nabc\r\n",
        "\x16\x03\x01\n",
    ] {
        let mut t = redis(&[]);
        t.client(wrong);
        assert_eq!(t.counters.unparsed, 1, "{wrong:?}");
        // The next one is found.
        t.client("\r\n").client(command("get a")).server("$1\r\nx\r\n").close();
        assert_eq!(short(&t.events()), pairs(&[("GET", "x")]), "{wrong:?}");
    }
    let mut t = redis(&[]);
    for _ in 0..600 {
        t.client([0; 1000]);
    }
    assert_eq!(t.verdict, Verdict::Lost);
    t.close();
}

#[test]
fn commands_that_ask_nothing() {
    let mut t = redis(&[]);
    t.client("*0\r\n*-1\r\n\r\n  \r\n\n").client(command("ping")).server("+PONG\r\n").close();
    assert_eq!(short(&t.events()), pairs(&[("PING", "PONG")]));
    assert_eq!(t.counters.unparsed, 0);
}

#[test]
fn names_of_commands() {
    for (line, method, resource) in [
        ("config get maxmemory", "CONFIG GET", json!("maxmemory")),
        ("CLIENT LIST", "CLIENT LIST", json!(null)),
        ("script load return", "SCRIPT LOAD", json!("return")),
        ("OBJECT ENCODING k", "OBJECT", json!("ENCODING")),
        ("FT.SEARCH idx *", "FT.SEARCH", json!("idx")),
        ("nosuch", "NOSUCH", json!(null)),
        ("config k\x01y", "CONFIG", json!("k\x01y")),
    ] {
        let e = ask(line, "+OK\r\n");
        assert_eq!((&e["method"], &e["resource"]), (&json!(method), &resource), "{line}");
        assert_eq!(e["event"]["action"], format!("redis.{}", method.to_lowercase()));
    }
}

#[test]
fn inline_commands() {
    let mut t = redis(&[]);
    t.client("PING\r\nSET key \"a \\x41\\n\\\"value\"\r\n GET\t'ke\\'y'  \nEXISTS \"open\r\n");
    t.server("+PONG\r\n+OK\r\n$-1\r\n-ERR Protocol error: unbalanced quotes in request\r\n").close();
    let e = t.events();
    let queries: Vec<_> = e.iter().map(|e| e["query"].as_str().unwrap()).collect();
    assert_eq!(queries, ["PING", "SET key a A\n\"value", "GET ke'y", "EXISTS open"]);
    assert_eq!((&e[1]["source"]["bytes"], &e[2]["source"]["bytes"]), (&json!(27), &json!(15)));
    assert_eq!((&e[1]["resource"], &e[3]["status"]), (&json!("key"), &json!("Error")));
    // Longer than the server takes, one byte at a time: what was searched is not searched again.
    let mut t = redis(&[]);
    t.client("SET a ");
    for _ in 0..=MAX_INLINE {
        t.client("v");
    }
    assert_eq!(t.counters.unparsed, 1);
    t.close();
}

#[test]
fn pipelines() {
    let mut t = redis(&[]);
    for i in 0..5000 {
        t.client(command(&format!("INCRBY n {i}")));
    }
    for i in 0..5000 {
        t.server(format!(":{i}\r\n"));
    }
    let e = t.events();
    assert_eq!(e.len(), 5000);
    for (i, e) in e.iter().enumerate() {
        assert_eq!(
            (&e["redis"]["return_value"], &e["query"]),
            (&json!(i.to_string()), &json!(format!("INCRBY n {i}")))
        );
    }
    t.close();
    assert_eq!(t.counters.pending_evicted, 0);
}

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

#[test]
fn huge_values_pass_unseen() {
    let mut t = redis(&[]);
    t.client("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n");
    let piece = vec![b'x'; 1 << 16];
    for _ in 0..536_870_912 / piece.len() {
        t.client(&piece);
    }
    t.client("\r\n").server("+OK\r\n");
    let e = one(&mut t);
    assert_eq!((&e["status"], &e["source"]["bytes"]), (&json!("OK"), &json!(536_870_912 + 32 + 2)));
    assert!(e["query"].as_str().unwrap().ends_with("bytes)"));
    // Lengths that are only said cost nothing.
    t.client(command("GET a")).server("*2147483647\r\n*2147483647\r\n$1099511627776\r\n").close();
    let e = one(&mut t);
    assert_eq!(
        (&e["error"]["message"], &e["status"]),
        (&json!("Connection closed before the response was complete"), &json!("Error"))
    );
}

#[test]
fn transactions() {
    let mut t = redis(&[]);
    t.client(
        [command("MULTI"), command("SET a 1"), command("HGET a f"), command("EXEC"), command("GET a")]
            .concat(),
    );
    t.server("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n-WRONGTYPE no hash\r\n$1\r\n1\r\n");
    let e = t.events();
    assert_eq!(
        short(&e),
        pairs(&[
            ("MULTI", "OK"),
            ("SET", "QUEUED"),
            ("HGET", "QUEUED"),
            ("EXEC", "WRONGTYPE no hash"),
            ("GET", "1")
        ])
    );
    let numbers: Vec<_> = e.iter().map(|e| e["redis"]["transaction"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(1), Some(1), Some(1), None]);
    assert_eq!((&e[1]["status"], &e[3]["status"]), (&json!("OK"), &json!("Error")));
    assert_eq!(e[3]["redis"]["return_value"], "[OK, WRONGTYPE no hash]");
    t.client(
        [
            command("MULTI"),
            command("MULTI"),
            command("EXEC x"),
            command("DISCARD"),
            command("EXEC"),
            command("MULTI"),
            command("RESET"),
        ]
        .concat(),
    );
    t.server("+OK\r\n-ERR MULTI calls can not be nested\r\n-ERR wrong number of arguments for 'exec' command\r\n+OK\r\n-ERR EXEC without MULTI\r\n+OK\r\n+RESET\r\n");
    let numbers: Vec<_> = t.events().iter().map(|e| e["redis"]["transaction"].as_u64()).collect();
    assert_eq!(numbers, [Some(2), Some(2), Some(2), Some(2), None, Some(3), Some(3)]);
    t.close();
}

#[test]
fn subscriptions_in_resp2() {
    let mut t = redis(&[]);
    t.client(command("SUBSCRIBE a b")).client(command("PSUBSCRIBE x*"));
    t.server("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$10\r\npsubscribe\r\n$2\r\nx*\r\n:3\r\n");
    t.server("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*4\r\n$8\r\npmessage\r\n$2\r\nx*\r\n$2\r\nxy\r\n$2\r\nho\r\n");
    t.client([command("PING"), command("UNSUBSCRIBE"), command("PUNSUBSCRIBE"), command("GET a")].concat());
    t.server("*2\r\n$4\r\npong\r\n$0\r\n\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n");
    t.server("*3\r\n$12\r\npunsubscribe\r\n$2\r\nx*\r\n:0\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n")
        .close();
    let e = t.events();
    assert_eq!(
        short(&e),
        pairs(&[
            ("SUBSCRIBE", "[subscribe, a, 1], [subscribe, b, 2]"),
            ("PSUBSCRIBE", "[psubscribe, x*, 3]"),
            ("MESSAGE", "[message, a, hi]"),
            ("PMESSAGE", "[pmessage, x*, xy, ho]"),
            ("PING", "[pong, ]"),
            ("UNSUBSCRIBE", "[unsubscribe, a, 2], [unsubscribe, b, 1]"),
            ("PUNSUBSCRIBE", "[punsubscribe, x*, 0]"),
            // With no subscription left it is what was asked for.
            ("GET", "[message, a, b]"),
        ])
    );
    assert_eq!(e[0]["destination"]["bytes"], 33 * 2 - 6);
    let m = &e[3];
    assert_eq!(
        (&m["redis"]["push"], &m["resource"], &m["event"]["action"]),
        (&json!(true), &json!("xy"), &json!("redis.pmessage"))
    );
    // The client is still who connected; nothing was asked.
    assert_eq!((&m["client"]["ip"], &m["status"]), (&json!("198.51.100.1"), &json!("OK")));
    assert!(
        m["event"].get("start").is_none() && m["client"].get("bytes").is_none() && m.get("error").is_none()
    );
    assert_eq!(m["server"]["bytes"], 42);
    assert_eq!((t.counters.unmatched_requests, t.counters.unmatched_responses), (0, 0));
}

#[test]
fn pushes_in_resp3() {
    let mut t = redis(&[]);
    t.client([command("SUBSCRIBE a b"), command("GET k")].concat());
    t.server(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n");
    t.server(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n$1\r\nv\r\n");
    t.client(command("SSUBSCRIBE s"))
        .server("-MOVED 7 h:1\r\n")
        .client(command("SUNSUBSCRIBE"))
        .server(">3\r\n$12\r\nsunsubscribe\r\n_\r\n:0\r\n");
    t.server(">3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n");
    t.close();
    assert_eq!(
        short(&t.events()),
        pairs(&[
            ("MESSAGE", "[message, a, hi]"),
            ("SUBSCRIBE", "[subscribe, a, 1], [subscribe, b, 2]"),
            ("INVALIDATE", "[invalidate, [k]]"),
            ("GET", "v"),
            ("SSUBSCRIBE", "MOVED 7 h:1"),
            ("SUNSUBSCRIBE", "[sunsubscribe, nil, 0]"),
            ("UNSUBSCRIBE", "[unsubscribe, a, 1]"),
        ])
    );
    assert_eq!((t.counters.unmatched_requests, t.counters.unmatched_responses), (0, 0));
}

#[test]
fn very_many_channels_take_no_memory() {
    let mut t = redis(&[]);
    let list = (0..20_000).map(|i| format!(" channel-{i}")).collect::<String>();
    t.client(command(&format!("SUBSCRIBE{list}")));
    for i in 0..20_000 {
        t.server(format!(
            "*3\r\n$9\r\nsubscribe\r\n${}\r\nchannel-{i}\r\n:{}\r\n",
            8 + i.to_string().len(),
            i + 1
        ));
    }
    let e = one(&mut t);
    assert!(e["redis"]["return_value"].as_str().unwrap().len() < 4200);
    t.close();
}

#[test]
fn monitor() {
    let mut t = redis(&[]);
    let line = "+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n";
    t.client(command("MONITOR")).server("+OK\r\n").server(line).client(command("PING"));
    t.server(line)
        .server("+PONG\r\n")
        .client(command("RESET"))
        .server("+RESET\r\n")
        .client(command("ECHO x"))
        .server(line);
    t.close();
    let told = "1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"";
    let e = t.events();
    assert_eq!(
        short(&e),
        pairs(&[
            ("MONITOR", "OK"),
            ("MONITOR", told),
            ("MONITOR", told),
            ("PING", "PONG"),
            ("RESET", "RESET"),
            ("ECHO", told)
        ])
    );
    assert_eq!((&e[1]["redis"]["push"], &e[0]["redis"]["push"]), (&json!(true), &Value::Null));
}

#[test]
fn replies_switched_off() {
    let mut t = redis(&[]);
    t.client("CLIENT REPLY SKIP\r\nSET a 1\r\nGET a\r\nCLIENT REPLY OFF\r\nSET a 2\r\nCLIENT REPLY SKIP\r\nSET a 3\r\nclient reply on\r\nGET a\r\nCLIENT REPLY OFF\r\nRESET\r\n");
    let e = t.events();
    assert_eq!(e.len(), 7);
    assert!(
        e.iter().all(|e| e["status"] == "OK" && e["event"].get("end").is_none() && e.get("error").is_none())
    );
    t.server("$1\r\n1\r\n+OK\r\n$1\r\n3\r\n+RESET\r\n").close();
    assert_eq!(
        short(&t.events()),
        pairs(&[("GET", "1"), ("CLIENT REPLY", "OK"), ("GET", "3"), ("RESET", "RESET")])
    );
    assert_eq!((t.counters.unmatched_requests, t.counters.unmatched_responses), (0, 0));
}

#[test]
fn blocking_commands_wait() {
    for line in ["BLPOP q 0", "XREAD block 0 STREAMS s $", "WAIT 1 0"] {
        let mut t = redis(&[]);
        t.client(command(line)).wait(Duration::from_secs(3600)).client(command("GET a"));
        t.wait(Duration::from_secs(60));
        assert_eq!(t.events().len(), 0, "{line}");
        t.server("*-1\r\n").wait(Duration::from_secs(1)).server("$1\r\nx\r\n");
        let e = t.events();
        assert_eq!(
            e.iter().map(|e| e["status"].as_str().unwrap()).collect::<Vec<_>>(),
            ["OK", "OK"],
            "{line}"
        );
        // What comes then is not excused.
        t.client(command("GET b")).wait(Duration::from_secs(11));
        assert_eq!(one(&mut t)["error"]["message"], "Unmatched request");
        t.close();
    }
}

#[test]
fn answers_that_come_late_are_nobody_elses() {
    for (options, seconds) in [(vec![], 11), (vec![("transaction_timeout", Node::Str("2s".into()))], 3)] {
        let mut t = redis(&options);
        t.client(command("DEBUG SLEEP 12")).wait(Duration::from_secs(seconds));
        let e = one(&mut t);
        assert_eq!(
            (&e["status"], &e["error"]["message"], &e["method"]),
            (&json!("Error"), &json!("Unmatched request"), &json!("DEBUG SLEEP"))
        );
        t.client(command("GET a")).server("+OK\r\n$1\r\nx\r\n");
        let e = t.events();
        assert_eq!(short(&e), pairs(&[("-", "OK"), ("GET", "x")]));
        assert_eq!(
            (&e[0]["status"], &e[0]["error"]["message"]),
            (&json!("Error"), &json!("Unmatched response"))
        );
        t.close();
        assert_eq!((t.counters.unmatched_requests, t.counters.unmatched_responses), (1, 1));
    }
    // Not before its time.
    let mut t = redis(&[("transaction_timeout", Node::Str("60s".into()))]);
    t.client(command("GET a")).wait(Duration::from_secs(59)).server("$1\r\nx\r\n").close();
    assert_eq!(one(&mut t)["status"], "OK");
}

#[test]
fn replication() {
    let mut t = redis(&[]);
    t.client(command("REPLCONF listening-port 6380")).server("+OK\r\n").client(command("PSYNC ? -1"));
    t.server("\n\n+FULLRESYNC 8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb 0\r\n");
    assert_eq!(t.verdict, Verdict::Enough);
    assert_eq!(
        short(&t.events()),
        pairs(&[("REPLCONF", "OK"), ("PSYNC", "FULLRESYNC 8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb 0")])
    );
    t.close();
    let mut t = redis(&[]);
    t.client("SYNC\r\n").server("\n$96\r\nREDIS0009");
    assert_eq!((t.verdict, &one(&mut t)["method"]), (Verdict::Enough, &json!("SYNC")));
    t.close();
    let mut t = redis(&[]);
    t.client(command("PSYNC x 1")).server("-NOMASTERLINK Can't SYNC while not connected with my master\r\n");
    assert_eq!(t.verdict, Verdict::Go);
    t.close();
}

#[test]
fn secrets_of_commands() {
    for (line, query, n) in [
        ("AUTH hunter2", "AUTH xxxxx", 1),
        ("auth alice hunter2", "auth alice xxxxx", 1),
        ("AUTH hunter2 hunter2 hunter2", "AUTH xxxxx xxxxx xxxxx", 3),
        ("HELLO 3 AUTH alice hunter2 SETNAME x", "HELLO 3 AUTH alice xxxxx SETNAME x", 1),
        (
            "ACL SETUSER bob on >hunter2 <hunter2 #hunter2 !hunter2 +@all",
            "ACL SETUSER bob on >xxxxx <xxxxx #xxxxx !xxxxx +@all",
            4,
        ),
        (
            "CONFIG SET requirepass hunter2 maxmemory 5 MasterAuth hunter2",
            "CONFIG SET requirepass xxxxx maxmemory 5 MasterAuth xxxxx",
            2,
        ),
        ("HELLO 3 SETNAME auth AUTH alice hunter2", "HELLO 3 SETNAME auth AUTH alice xxxxx", 1),
        ("CONFIG SET dir /passwords requirepass hunter2", "CONFIG SET dir /passwords requirepass xxxxx", 1),
        (
            "CONFIG SET masteruser alice tls-key-file-pass hunter2",
            "CONFIG SET masteruser alice tls-key-file-pass xxxxx",
            1,
        ),
        ("MIGRATE h 6379 k 0 5000 COPY AUTH hunter2", "MIGRATE h 6379 k 0 5000 COPY AUTH xxxxx", 1),
        (
            "MIGRATE h 6379 k 0 5000 AUTH2 alice hunter2 KEYS a",
            "MIGRATE h 6379 k 0 5000 AUTH2 alice xxxxx KEYS a",
            1,
        ),
        ("SENTINEL SET mymaster auth-pass hunter2", "SENTINEL SET mymaster auth-pass xxxxx", 1),
        ("MODULE LOADEX /m.so CONFIG m.password hunter2", "MODULE LOADEX /m.so CONFIG m.password xxxxx", 1),
        ("GET auth", "GET auth", 0),
    ] {
        for inline in [false, true] {
            let mut t = Talk::with("redis", Transport::TCP, &[("send_request", Node::Bool(true))], false);
            let bytes = if inline { format!("{line}\r\n").into_bytes() } else { command(line) };
            t.client(bytes)
                .server("-ERR unknown command 'x', with args beginning with: 'hunter2' 'hunter2' \r\n")
                .close();
            let e = one(&mut t);
            assert_eq!((&e["query"], &e["request"]), (&json!(query), &json!(query)));
            let told = e.to_string();
            assert!(n == 0 || !told.contains("hunter2"), "{told}");
            assert_eq!(t.counters.redacted, n + u64::from(n > 0), "{line}");
        }
    }
    let e = ask("AUTH alice hunter2", "+OK\r\n");
    assert_eq!((&e["user"]["name"], &e["related"]["user"]), (&json!("alice"), &json!(["alice"])));
    // Without an answer, and cut short.
    let mut t = redis(&[]);
    t.client(command("AUTH hunter2")).client("*2\r\n$4\r\nAUTH\r\n$7\r\nhunter").close();
    assert!(!format!("{:?}", t.events()).contains("hunter"));
}

#[test]
fn secrets_of_answers() {
    let hash = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    for (line, answer, value) in [
        ("CONFIG GET *pass*", "*2\r\n$11\r\nrequirepass\r\n$7\r\nhunter2\r\n", "[requirepass, xxxxx]"),
        (
            "CONFIG GET *",
            "%2\r\n$10\r\nmasterauth\r\n$7\r\nhunter2\r\n$4\r\nport\r\n$4\r\n6379\r\n",
            "{masterauth: xxxxx, port: 6379}",
        ),
        ("CONFIG GET requirepass", "*2\r\n$11\r\nrequirepass\r\n$0\r\n\r\n", "[requirepass, ]"),
        ("ACL GENPASS", "$7\r\nhunter2\r\n", "xxxxx"),
        (
            "SLOWLOG GET",
            "*1\r\n*4\r\n:1\r\n:2\r\n:3\r\n*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n",
            "[[1, 2, 3, [AUTH, xxxxx]]]",
        ),
        (
            "SLOWLOG GET",
            "*1\r\n*4\r\n:1\r\n:2\r\n:3\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
            "[[1, 2, 3, [GET, a]]]",
        ),
    ] {
        let e = ask(line, answer);
        assert_eq!(e["redis"]["return_value"], value);
        assert!(!e.to_string().contains("hunter2"));
    }
    let list = format!("user alice on #{hash} ~*");
    let e = ask("ACL LIST", format!("*1\r\n${}\r\n{list}\r\n", list.len()));
    assert_eq!(e["redis"]["return_value"], "[user alice on #xxxxx ~*]");
    // Half an answer.
    let mut t = redis(&[]);
    t.client(command("CONFIG GET *")).server("*2\r\n$11\r\nrequirepass\r\n$7\r\nhunter").close();
    assert!(!one(&mut t).to_string().contains("hunter"));
    // Within a transaction all results are masked.
    let mut t = redis(&[]);
    t.client(
        [
            command("MULTI"),
            command("CONFIG GET requirepass"),
            command("EXEC"),
            command("MULTI"),
            command("GET a"),
            command("EXEC"),
        ]
        .concat(),
    );
    t.server("+OK\r\n+QUEUED\r\n*1\r\n*2\r\n$11\r\nrequirepass\r\n$7\r\nhunter2\r\n+OK\r\n+QUEUED\r\n*1\r\n$1\r\nx\r\n").close();
    let e = t.events();
    assert_eq!((short(&e)[2].1.as_str(), short(&e)[5].1.as_str()), ("xxxxx", "[x]"));
    // Servers before 6.2 show log-ins to MONITOR.
    let mut t = redis(&[]);
    t.client(command("MONITOR"))
        .server("+OK\r\n+1.5 [0 1.2.3.4:5] \"AUTH\" \"al ice\" \"hunter\\x32\"\r\n")
        .close();
    assert_eq!(t.events()[1]["redis"]["return_value"], "1.5 [0 1.2.3.4:5] \"AUTH\" \"al ice\" \"xxxxx\"");
}

#[test]
fn answers_first() {
    let mut t = redis(&[]);
    t.server("-ERR max number of clients reached\r\n").close();
    let e = one(&mut t);
    assert_eq!((&e["status"], &e["error"]["message"]), (&json!("Error"), &json!("Unmatched response")));
    assert_eq!(
        (&e["client"]["ip"], &e["redis"]["error"]),
        (&json!("198.51.100.1"), &json!("ERR max number of clients reached"))
    );
    // Who seemed to ask was answering.
    let mut t = redis(&[]);
    t.client("*1\r\n$1\r\na\r\n").client("+OK\r\n").server(command("GET a")).client("$1\r\nx\r\n").close();
    let e = t.events();
    assert_eq!(short(&e), pairs(&[("A", "-"), ("-", "OK"), ("GET", "x")]));
    assert_eq!(e[2]["client"]["ip"], "198.51.100.2");
}

#[test]
fn losses() {
    // Of commands: the answer comes alone, the next pair is a pair.
    let mut t = redis(&[]);
    t.client("*2\r\n$3\r\nGE")
        .gap(true, 20)
        .server("$1\r\na\r\n")
        .client("garbage\r\n")
        .client(command("GET b"))
        .server("$1\r\nb\r\n")
        .close();
    let e = t.events();
    assert_eq!(short(&e), pairs(&[("-", "a"), ("GET", "b")]));
    assert_eq!((&e[1]["status"], e[1].get("error")), (&json!("OK"), None));
    // Two at once, one of them lost: not sure, and said.
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .gap(true, 20)
        .client(command("GET c"))
        .server("$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n")
        .close();
    let e = t.events();
    assert_eq!(e[1]["error"]["message"], "Packet loss while capturing the request");
    // Of answers: those that waited are told without.
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .client(command("GET b"))
        .server("$1\r\na")
        .gap(false, 20)
        .server("xyz\r\n$1\r\nq\r\n");
    let e = t.events();
    assert_eq!(short(&e), pairs(&[("GET", "a"), ("GET", "-")]));
    assert_eq!(
        (&e[0]["error"]["message"], &e[0]["status"]),
        (&json!("Packet loss while capturing the response"), &json!("Error"))
    );
    assert_eq!(
        e[1]["error"]["message"],
        json!(["Unmatched request", "Packet loss while capturing the response"])
    );
    t.client(command("GET c"))
        .server("more of it\r\n$1\r\nc\r\n")
        .client(command("GET d"))
        .server("$1\r\nd\r\n")
        .close();
    assert_eq!(short(&t.events()), pairs(&[("GET", "c"), ("GET", "d")]));
    // Inside a value nobody looks at.
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .server(format!("$20000\r\n{}", "v".repeat(8000)))
        .gap(false, 5000)
        .server("v".repeat(7000))
        .server("\r\n");
    let e = one(&mut t);
    assert_eq!(
        (&e["error"]["message"], &e["destination"]["bytes"]),
        (&json!("Packet loss while capturing the response"), &json!(20_010))
    );
    t.close();
}

#[test]
fn ends_in_the_middle() {
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .client("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$90000\r\nxx")
        .server("$90000\r\nyy")
        .close();
    let e = t.events();
    assert_eq!(short(&e), pairs(&[("GET", "yy"), ("SET", "-")]));
    assert_eq!(e[0]["error"]["message"], "Connection closed before the response was complete");
    assert_eq!(
        e[1]["error"]["message"],
        json!(["Unmatched request", "Connection closed before the request was complete"])
    );
    assert_eq!((&e[1]["client"]["bytes"], &e[0]["status"]), (&json!(30), &json!("Error")));
}

#[test]
fn guesses() {
    let spec = by_name("redis").unwrap().spec;
    let client = [
        "*1\r\n$4\r\nPING\r\n",
        "*3\r\n$3\r\nset\r\n$1\r\nk\r\n",
        "*2\r\n$9\r\nFT.SEARCH\r\n",
        "PING\r\n",
        "ping\n",
        "PING\r\nPING\r\nPING\r\n",
        "CLIENT REPLY OFF\r\nSET a 1\r\n",
        "SET key \"a value\"\r\n",
        "GET key\n",
        "config get *\r\n",
        "SELECT 3\r\n",
        "MONITOR\r\n",
        "SUBSCRIBE news\r\n",
        "HELLO 3\r\n",
        "SYNC\r\n",
    ];
    for c in &client[..client.len() - 1] {
        assert_eq!((spec.guess)(c.as_bytes()), Guess::Client, "{c:?}");
        for cut in 0..c.find('\n').unwrap() {
            assert_ne!((spec.guess)(&c.as_bytes()[..cut]), Guess::No, "{:?}", &c[..cut]);
        }
    }
    let server = [
        "+PONG\r\n",
        "-NOAUTH Authentication required.\r\n",
        "-ERR unknown command 'x'",
        "$-1\r\n",
        "$5\r\nhello\r\n",
        "$512\r\nabc",
        ":12\r\n",
        "%7\r\n$6\r\nserver\r\n",
        "*3\r\n$7\r\nmessage\r\n",
        ">3\r\n$9\r\nsubscribe\r\n",
        "*2\r\n:1\r\n:2\r\n",
    ];
    for s in server {
        assert_eq!((spec.guess)(s.as_bytes()), Guess::Server, "{s:?}");
        for cut in 0..s.len().min(4) {
            assert_ne!((spec.guess)(&s.as_bytes()[..cut]), Guess::No, "{:?}", &s[..cut]);
        }
    }
    let no = [
        // HTTP, RTSP, SMTP, POP3, IMAP, FTP, IRC, NATS, STOMP, TLS, MySQL.
        "GET / HTTP/1.1\r\n",
        "GET /key\r\n",
        "SET / RTSP/1.0\r\n",
        "HTTP/1.1 200 OK\r\n",
        "EHLO x\r\n",
        "AUTH LOGIN\r\n",
        "QUIT\r\n",
        "220 x ESMTP\r\n",
        "+OK\r\n",
        "+OK POP3 ready\r\n",
        "-ERR Unknown command.\r\n",
        "a1 SELECT INBOX\r\n",
        "* OK IMAP4\r\n",
        "* 3 EXISTS\r\n",
        "USER x\r\n",
        "PING :irc.example\r\n",
        ":irc.example 001 x\r\n",
        "INFO {\"server_id\":\"x\"}\r\n",
        "CONNECT {}\r\nPING\r\n",
        "SUBSCRIBE\nid:0\n\n",
        "\x16\x03\x01\x02\x00\x01",
        "J\x00\x00\x00\x0a8.0.36",
        // memcached, which knows lower case only.
        "get key\r\n",
        "set k 0 0 5\r\nhello\r\n",
        "incr k 1\r\n",
        "delete k\r\n",
        "stats\r\n",
        "STORED\r\n",
        "VALUE k 0 5\r\n",
        // Alike, and not RESP.
        "$Lock EXTENDED",
        "*\r\n",
        "*0\r\n",
        "*1\r\nx",
        "*1\r\n$4\r\nPI G\r\n",
        "*1\r\n$4\r\nPINGx",
        ":12 x\r\n",
        "$5\r\nhello!",
        "~0\r\n",
        "SET\x00",
    ];
    for n in no {
        assert_eq!((spec.guess)(n.as_bytes()), Guess::No, "{n:?}");
    }
}

#[test]
fn splits_as_the_server_does() {
    let split = |line: &str| {
        let (mut words, mut word) = (Vec::new(), Vec::new());
        let whole =
            codec::split(line.as_bytes(), &mut word, |w| words.push(String::from_utf8_lossy(w).into_owned()));
        (words.join("|"), whole)
    };
    for (line, words, whole) in [
        ("a  b\tc ", "a|b|c", true),
        ("\"a b\" 'c \"d'", "a b|c \"d", true),
        ("\"\\x4a\\n\\q\\\"\" ''", "J\nq\"|", true),
        ("a\"b c\"", "ab c", true),
        ("\"a\"b", "a", false),
        ("\"a", "a", false),
        ("'it\\'s' \\n", "it's|\\n", true),
        ("\"\\", "\\", false),
        ("", "", true),
    ] {
        assert_eq!(split(line), (words.to_owned(), whole), "{line:?}");
    }
}

/// Who says what: `true` is the client.
type Dialogue = Vec<(bool, Vec<u8>)>;

fn dialogues() -> Vec<Dialogue> {
    let c = |lines: &[&str]| (true, lines.iter().flat_map(|l| command(l)).collect());
    let s = |text: &str| (false, text.as_bytes().to_vec());
    vec![
        vec![
            c(&["HELLO 3 AUTH alice hunter2", "GET a", "MULTI", "SET a 1", "EXEC", "CONFIG GET *"]),
            s(
                "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n|1\r\n+ttl\r\n:5\r\n=7\r\ntxt:abc\r\n+OK\r\n+QUEUED\r\n*2\r\n+OK\r\n-ERR x\r\n%1\r\n$11\r\nrequirepass\r\n$3\r\nabc\r\n",
            ),
            (true, b"PING\r\nset k \"a b\"\r\n\r\nAUTH hunter2\n".to_vec()),
            s("+PONG\r\n$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n!5\r\nERR y\r\n"),
        ],
        vec![
            c(&["SUBSCRIBE a b", "PING", "UNSUBSCRIBE"]),
            s(
                "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n",
            ),
            s("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n"),
            c(&["MONITOR", "CLIENT REPLY SKIP", "GET x", "SLOWLOG GET"]),
            s(
                "+OK\r\n+1.5 [0 1.2.3.4:5] \"AUTH\" \"hunter2\"\r\n*1\r\n*4\r\n:1\r\n:2\r\n:3\r\n*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n>2\r\n+invalidate\r\n*1\r\n#t\r\n",
            ),
        ],
        vec![
            c(&["SET largevalue 0123456789012345678901234567890123456789", "LRANGE l 0 -1"]),
            s(
                "$40\r\n0123456789012345678901234567890123456789\r\n*2\r\n$40\r\n0123456789012345678901234567890123456789\r\n*2\r\n:1\r\n_\r\n",
            ),
            (true, b"*1\r\n:1\r\nnonsense".to_vec()),
            c(&["\r\nGET a"]),
            s("#nonsense\r\n"),
        ],
    ]
}

fn say(dialogue: &Dialogue, mut cut: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>>) -> (Vec<Value>, u64, u64) {
    let mut t = redis(&[
        ("max_value_size", Node::Int(48)),
        ("send_request", Node::Bool(true)),
        ("send_response", Node::Bool(true)),
    ]);
    for (i, (client, text)) in dialogue.iter().enumerate() {
        for part in cut(i, text) {
            if *client {
                t.client(part)
            } else {
                t.server(part)
            };
        }
    }
    t.close();
    (t.events(), t.counters.redacted, t.counters.bodies_cut)
}

#[test]
fn cuts_change_nothing() {
    for dialogue in dialogues() {
        let whole = say(&dialogue, |_, text| vec![text.to_vec()]);
        assert!(whole.0.len() >= 3 && !format!("{whole:?}").contains("hunter2"), "{whole:#?}");
        for size in 1..8 {
            assert_eq!(
                whole,
                say(&dialogue, |_, text| text.chunks(size).map(<[u8]>::to_vec).collect()),
                "pieces of {size}"
            );
        }
        for (i, (_, text)) in dialogue.iter().enumerate() {
            for at in 1..text.len() {
                let cut = say(&dialogue, |j, text| {
                    if i == j { vec![text[..at].to_vec(), text[at..].to_vec()] } else { vec![text.to_vec()] }
                });
                assert_eq!(whole, cut, "utterance {i} cut at {at}");
            }
        }
    }
}

/// Bytes changed, left out and lost at random: nothing panics, and all memory comes back (`close` asserts it).
#[test]
fn noise() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let all = dialogues();
    for _ in 0..3000 {
        let mut t = redis(&[("max_value_size", Node::Int(20)), ("queue_max_messages", Node::Int(3))]);
        for _ in 0..1 + random(3) {
            for (client, text) in &all[random(all.len())] {
                let mut text = text.clone();
                for _ in 0..random(6) {
                    let at = random(text.len());
                    match random(3) {
                        0 => text[at] = b"*$:+-%|>~;?.0129\r\n"[random(18)],
                        1 => drop(text.remove(at)),
                        _ => text.insert(at, random(256) as u8),
                    }
                }
                for part in text.chunks(1 + random(40)) {
                    if random(40) == 0 {
                        t.gap(*client, part.len() as u64);
                    } else if *client {
                        t.client(part);
                    } else {
                        t.server(part);
                    }
                }
            }
            t.wait(Duration::from_secs(random(20) as u64));
        }
        t.close();
    }
}
