//! Commands: as arrays and as people type them.

use serde_json::json;

use super::{ask, command, pairs, redis, short};
use crate::redis::inline::MAX_INLINE;
use crate::redis::inline::split;

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
fn splits_as_the_server_does() {
    let split = |line: &str| {
        let (mut words, mut word) = (Vec::new(), Vec::new());
        let whole =
            split(line.as_bytes(), &mut word, |w| words.push(String::from_utf8_lossy(w).into_owned()));
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
