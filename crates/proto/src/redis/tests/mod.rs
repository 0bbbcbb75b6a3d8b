//! Dialogues and what is told of them.

mod bytes;
mod commands;
mod cuts;
mod detect;
mod loss;
mod options;
mod order;
mod push;
mod secrets;

use std::time::Duration;

use serde_json::{Value, json};
use wirebeat_model::Transport;
use wirebeat_model::config::Node;

use crate::testing::Talk;

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
