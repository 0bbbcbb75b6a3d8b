//! Each option, flipped.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use wirebeat_model::Transport;
use wirebeat_model::config::{Item, Node, Pos};

use super::{http, one};
use crate::testing::Talk;

fn words(list: &[&str]) -> Node {
    let item = |w: &&str| Item { node: Node::Str((*w).into()), pos: Pos::default() };
    Node::List(list.iter().map(item).collect())
}

/// Everything that makes events larger.
pub(super) fn everything() -> Vec<(&'static str, Node)> {
    vec![
        ("include_body_for", words(&["text", "form"])),
        ("send_all_headers", Node::Bool(true)),
        ("split_cookie", Node::Bool(true)),
        ("send_request", Node::Bool(true)),
        ("send_response", Node::Bool(true)),
        ("real_ip_header", Node::Str("X-Forwarded-For".into())),
    ]
}

const POST: &str = "POST /register?q=1 HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic YTpi\r\nX-Forwarded-For: 203.0.113.9, 10.0.0.1\r\nCookie: sid=\"1\"; Theme=dark\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 22\r\n\r\nuser=monica&p%61ss=abc";
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nSet-Cookie: a=1; path=/\r\nSet-Cookie: b=2; Path=/x\r\nX-Fold: one\r\n two\r\nContent-Length: 18\r\n\r\n<html>hello</html>";

fn event(options: &[(&str, Node)]) -> Value {
    let mut t = http(options);
    t.client(POST).server(PAGE);
    let e = one(&mut t);
    t.close();
    e
}

#[test]
fn none() {
    let e = event(&[]);
    assert!(e["http"]["request"]["body"].get("content").is_none());
    assert_eq!(e["http"]["request"]["headers"].as_object().unwrap().len(), 2);
    assert_eq!(e["url"]["query"], "q=1");
    assert_eq!(e["params"], "q=1&user=monica&p%61ss=abc");
    for field in ["request", "response"] {
        assert!(e.get(field).is_none());
    }
    assert!(e["network"].get("forwarded_ip").is_none());
}

#[test]
fn bodies() {
    let content = |e: &Value, half: &str| e["http"][half]["body"].get("content").cloned();
    let e = event(&[("include_body_for", words(&["TEXT/html", "urlencoded"]))]);
    assert_eq!(content(&e, "request"), Some(json!("user=monica&p%61ss=abc")));
    assert_eq!(content(&e, "response"), Some(json!("<html>hello</html>")));
    assert_eq!((&e["http"]["request"]["mime_type"], &e["http"]["response"]["mime_type"]), (&json!("text/plain"), &json!("text/html")));
    let e = event(&[("include_request_body_for", words(&["urlencoded", "text/html"]))]);
    assert!(content(&e, "request").is_some() && content(&e, "response").is_none());
    let e = event(&[("include_response_body_for", words(&["urlencoded", "text/html"]))]);
    assert!(content(&e, "request").is_none() && content(&e, "response").is_some());
}

#[test]
fn decode_body() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"hello hello hello").unwrap();
    let body = gzip.finish().unwrap();
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(&body);
    let run = |answer: &[u8], decode: bool| {
        let mut t = http(&[("include_body_for", words(&["text"])), ("decode_body", Node::Bool(decode)), ("send_response", Node::Bool(true))]);
        let e = one(t.client(super::GET).server(answer));
        t.close();
        e
    };
    let e = run(&answer, true);
    assert_eq!(e["http"]["response"]["body"], json!({ "bytes": body.len(), "content": "hello hello hello" }));
    assert!(e["response"].as_str().unwrap().ends_with("\r\n\r\nhello hello hello"));
    let e = run(&answer, false);
    assert_ne!(e["http"]["response"]["body"]["content"], "hello hello hello");
    let last = answer.len() - 6;
    answer[last] ^= 0xff;
    let e = run(&answer, true);
    assert_eq!(e["error"]["message"], "unable to decode body using gzip encoding");
}

#[test]
fn max_message_size() {
    let text = |e: &Value| e["http"]["response"]["body"]["content"].as_str().unwrap().to_owned();
    let bodies = ("include_body_for", words(&["text"]));
    assert_eq!(text(&event(&[bodies.clone(), ("max_message_size", Node::Int(6))])), "<html>");
    assert_eq!(text(&event(&[bodies])), "<html>hello</html>");
    let mut t = http(&[("include_body_for", words(&["text"])), ("max_message_size", Node::Int(6))]);
    let e = one(t.client(super::GET).server(PAGE));
    assert_eq!(e["http"]["response"]["body"]["bytes"], 18);
    assert_eq!(t.counters.bodies_cut, 1);
}

#[test]
fn headers() {
    let e = event(&[("send_headers", words(&["Host", "x-twice", "X-Fold", "Nothing"]))]);
    assert_eq!(
        e["http"]["request"]["headers"],
        json!({ "content-length": 22, "content-type": "application/x-www-form-urlencoded", "host": "a.example", "x-twice": ["a", "b"] })
    );
    assert_eq!(e["http"]["response"]["headers"]["x-fold"], "one two");
    let e = event(&[("send_all_headers", Node::Bool(true))]);
    assert_eq!(e["http"]["request"]["headers"].as_object().unwrap().len(), 7);
    assert_eq!(e["http"]["request"]["headers"]["cookie"], "sid=\"1\"; Theme=dark");
    assert_eq!(e["http"]["response"]["headers"]["set-cookie"], json!(["a=1; path=/", "b=2; Path=/x"]));
    let e = event(&[("send_all_headers", Node::Bool(true)), ("split_cookie", Node::Bool(true))]);
    assert_eq!((&e["http"]["request"]["headers"]["cookie.sid"], &e["http"]["request"]["headers"]["cookie.theme"]), (&json!("1"), &json!("dark")));
    assert_eq!(e["http"]["response"]["headers"]["set-cookie.path"], json!(["/", "/x"]));
    assert!(e["http"]["request"]["headers"].get("cookie").is_none());
}

#[test]
fn real_ip_header() {
    let e = event(&[("real_ip_header", Node::Str("x-forwarded-for".into()))]);
    assert_eq!(e["network"]["forwarded_ip"], "203.0.113.9");
    assert_eq!(e["related"]["ip"], json!(["198.51.100.1", "198.51.100.2", "203.0.113.9"]));
}

#[test]
fn hide_keywords() {
    let hide = ("hide_keywords", words(&["PASS", "q"]));
    let e = event(&[hide.clone(), ("include_body_for", words(&["form"])), ("send_request", Node::Bool(true))]);
    assert_eq!(e["url"]["query"], "q=xxxxx");
    assert_eq!(e["url"]["full"], "http://a.example/register?q=xxxxx");
    assert_eq!(e["url"]["original"], "/register?q=xxxxx");
    assert_eq!(e["params"], "q=xxxxx&user=monica&p%61ss=xxxxx");
    assert_eq!(e["http"]["request"]["body"]["content"], "user=monica&p%61ss=xxxxx");
    let raw = e["request"].as_str().unwrap();
    assert!(raw.starts_with("POST /register?q=xxxxx HTTP/1.1\r\n") && raw.ends_with("\r\n\r\nuser=monica&p%61ss=xxxxx"));
    assert!(raw.contains("Basic YTpi"));
}

#[test]
fn redaction_of_headers() {
    let all = [("send_all_headers", Node::Bool(true)), ("send_request", Node::Bool(true))];
    let e = event(&[all.as_slice(), &[("redact_authorization", Node::Bool(true))]].concat());
    assert_eq!(e["http"]["request"]["headers"]["authorization"], "*");
    assert_eq!(e["user"]["name"], "a");
    assert!(e["request"].as_str().unwrap().contains("\r\nAuthorization:***********\r\n"));
    let e = event(&[all.as_slice(), &[("redact_headers", words(&["X-TWICE"]))]].concat());
    assert_eq!(e["http"]["request"]["headers"]["x-twice"], "REDACTED");
    assert_eq!(e["request"].as_str().unwrap().matches("X-Twice: REDACTED").count(), 2);
    assert_eq!(event(&all)["http"]["request"]["headers"]["authorization"], "Basic YTpi");
}

#[test]
fn raw_text() {
    let e = event(&[("send_request", Node::Bool(true)), ("send_response", Node::Bool(true))]);
    assert_eq!(e["request"], POST[..POST.len() - 22]);
    assert_eq!(e["response"], PAGE[..PAGE.len() - 18]);
    let e = event(&[("send_response", Node::Bool(true)), ("include_body_for", words(&["html"]))]);
    assert_eq!(e["response"], PAGE);
    assert!(e.get("request").is_none());
}

#[test]
fn transaction_timeout() {
    let mut t = Talk::new("http", Transport::TCP, &[("transaction_timeout", Node::Str("2s".into()))]);
    t.client(super::GET).wait(Duration::from_secs(1));
    assert_eq!(t.events().len(), 0);
    assert_eq!(one(t.wait(Duration::from_secs(2)))["error"]["message"], "Unmatched request");
}
