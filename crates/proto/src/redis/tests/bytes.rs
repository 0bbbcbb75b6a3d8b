//! Bytes as the specification writes them.

use serde_json::json;

use super::{ask, command, one, pairs, redis, short};
use crate::redis::codec::DEPTH;
use crate::{Verdict};

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
