//! The pages' server as browsers and attackers meet it, over real sockets. The store behind it is empty.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod client;

use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use client::{get, send};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use wirebeat_web::{
    Backend, Failure, FieldInfo, Health, Identity, IndexInfo, Options, Pages, SearchOptions, Server,
    Snapshot, serve, serve_ui,
};

struct Empty;

impl Backend for Empty {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Self)
    }

    fn delete_index(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn health(&self) -> Health {
        Health::Green
    }
}

impl Snapshot for Empty {
    fn indices(&self) -> &[IndexInfo] {
        &[]
    }

    fn fields(&self, _: &str) -> Vec<FieldInfo> {
        Vec::new()
    }

    fn search(&self, _: &[&str], body: &Value, _: &SearchOptions) -> Result<Value, Failure> {
        Ok(json!({"asked": body}))
    }

    fn count(&self, _: &[&str], _: &Value, _: &SearchOptions) -> Result<u64, Failure> {
        Ok(0)
    }

    fn validate(&self, _: &[&str], _: &Value) -> Result<(), Failure> {
        Ok(())
    }
}

/// Keeps what it is given.
#[derive(Default)]
struct Asked {
    saved: Mutex<Vec<Value>>,
}

impl Pages for Asked {
    fn status(&self) -> Value {
        json!({"mode": "run"})
    }

    fn saved(&self) -> Result<Value, Failure> {
        Ok(json!({"items": *self.saved.lock().unwrap()}))
    }

    fn save(&self, id: &str, item: Value) -> Result<Value, Failure> {
        let item = json!({"id": id, "item": item});
        self.saved.lock().unwrap().push(item.clone());
        Ok(item)
    }

    fn forget(&self, id: &str) -> Result<(), Failure> {
        let mut saved = self.saved.lock().unwrap();
        let at = saved.iter().position(|i| i["id"] == id);
        at.map(|at| drop(saved.remove(at))).ok_or_else(|| Failure::plain(404, "none"))
    }

    fn demo(&self) -> Result<Value, Failure> {
        Ok(json!({"events": 3}))
    }
}

fn options() -> Options {
    let identity = Identity {
        cluster: "wirebeat".to_owned(),
        node: "here".to_owned(),
        uuid: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        version: "0.1.0".to_owned(),
    };
    Options::new(vec!["127.0.0.1:0".parse().unwrap()], "secret".to_owned(), identity)
}

fn start() -> (Server, SocketAddr) {
    let server = serve_ui(options(), Arc::new(Empty), Arc::new(Asked::default())).unwrap();
    let at = server.addresses()[0];
    (server, at)
}

const JSON: (&str, &str) = ("content-type", "application/json");
const TOKEN: (&str, &str) = ("authorization", "Bearer secret");

#[test]
fn every_answer_keeps_what_was_captured_from_being_run() {
    let (_server, at) = start();
    for (method, target, headers, status) in [
        ("GET", "/", &[][..], 200),
        ("GET", "/discover?v=1&q=x", &[], 200),
        ("GET", "/doc/packetbeat-2026.01.01/abc", &[], 200),
        ("GET", "/nothing", &[], 404),
        ("GET", "/assets/none.js", &[], 404),
        ("GET", "/assets/../index.html", &[], 404),
        ("GET", "/assets/%2e%2e/index.html", &[], 404),
        ("POST", "/", &[], 405),
        ("GET", "/es/", &[], 200),
        ("GET", "/es/_search", &[], 200),
        ("GET", "/es/none/_search", &[], 404),
        ("GET", "/_ui/status", &[], 200),
        ("GET", "/_ui/none", &[], 400),
        ("GET", "/", &[("host", "evil.example")], 403),
        ("GET", "/es/_search", &[("host", "evil.example")], 403),
        ("GET", "/_ui/status", &[("origin", "http://evil.example")], 403),
    ] {
        let answer = send(at, method, target, headers, b"");
        assert_eq!(answer.status, status, "{method} {target} {:?}", answer.text());
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.ends_with("base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{method} {target}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), None);
        if target.starts_with("/es") || target.starts_with("/_ui") {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
        }
    }
}

#[test]
fn files_are_packed_and_known_again() {
    let (_server, at) = start();
    let plain = get(at, "/");
    assert_eq!(plain.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    assert!(plain.text().contains("<title>"));
    let packed = send(at, "GET", "/", &[("accept-encoding", "br, gzip")], b"");
    let mut unpacked = Vec::new();
    match packed.header("content-encoding") {
        Some("gzip") => drop(GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap()),
        Some(other) => panic!("{other}"),
        None => unpacked.clone_from(&packed.body),
    }
    assert_eq!(unpacked, plain.body);
    assert_eq!(plain.header("vary"), Some("accept-encoding"));
    let tag = plain.header("etag").unwrap();
    let again = send(at, "GET", "/", &[("if-none-match", tag)], b"");
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)));
    assert_eq!(send(at, "GET", "/", &[("if-none-match", "\"other\"")], b"").status, 200);
    let head = send(at, "HEAD", "/", &[], b"");
    assert_eq!(head.header("content-length"), plain.header("content-length"));
    // What index.html names is there, and may be kept for ever.
    let named = plain.text().split('"').filter(|part| part.starts_with("/assets/"));
    for file in named {
        let answer = get(at, file);
        assert_eq!(answer.status, 200, "{file}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"), "{file}");
    }
}

#[test]
fn a_link_may_lead_to_a_page_but_not_to_what_was_captured() {
    let (_server, at) = start();
    let elsewhere = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(send(at, "GET", "/dashboards/http", &elsewhere, b"").status, 200);
    for target in ["/es/_search", "/_ui/status", "/_ui/saved"] {
        assert_eq!(send(at, "GET", target, &elsewhere, b"").status, 403, "{target}");
    }
    let here = format!("http://localhost:{}", at.port());
    assert_eq!(send(at, "GET", "/es/_search", &[("origin", &here)], b"").status, 200);
}

#[test]
fn the_api_answers_below_es() {
    let (_server, at) = start();
    assert_eq!(get(at, "/es").json()["tagline"], "You Know, for Search");
    let asked = send(at, "POST", "/es/_search/", &[JSON], br#"{"size":1}"#).json();
    assert!(asked["hits"]["hits"].is_array(), "{asked}");
    assert_eq!(get(at, "/_search").status, 404);
    assert_eq!(
        get(at, "/es/_ui/status").json(),
        json!({"error": "no handler found for uri [/_ui/status] and method [GET]"})
    );
    // The API alone has no pages.
    let alone = serve(options(), Arc::new(Empty)).unwrap();
    let at = alone.addresses()[0];
    for target in ["/discover/x", "/_ui/status", "/es/"] {
        let answer = get(at, target);
        assert!(answer.status >= 400, "{target} {}", answer.status);
        assert_eq!(answer.header("content-security-policy"), None);
    }
}

#[test]
fn changes_need_the_token() {
    let (_server, at) = start();
    for (method, target, body) in [
        ("PUT", "/_ui/saved/a", &br#"{"title":"x"}"#[..]),
        ("DELETE", "/_ui/saved/a", b""),
        ("POST", "/_ui/demo", b""),
        ("DELETE", "/es/packetbeat-2026.01.01", b""),
    ] {
        let wrong = [JSON, ("authorization", "Bearer wrong")];
        assert_eq!(send(at, method, target, &[JSON], body).status, 403, "{method} {target}");
        assert_eq!(send(at, method, target, &wrong, body).status, 403, "{method} {target}");
    }
    let put = send(at, "PUT", "/_ui/saved/a", &[JSON, TOKEN], br#"{"title":"x"}"#);
    assert_eq!(put.json(), json!({"id": "a", "item": {"title": "x"}}));
    assert_eq!(get(at, "/_ui/saved").json()["items"].as_array().unwrap().len(), 1);
    // A form of another page cannot send this type.
    let form = [TOKEN, ("content-type", "text/plain")];
    assert_eq!(send(at, "PUT", "/_ui/saved/b", &form, br#"{"title":"x"}"#).status, 406);
    assert_eq!(send(at, "DELETE", "/_ui/saved/a", &[TOKEN], b"").json(), json!({"acknowledged": true}));
    assert_eq!(send(at, "DELETE", "/_ui/saved/a", &[TOKEN], b"").status, 404);
    assert_eq!(send(at, "POST", "/_ui/demo", &[TOKEN], b"").json(), json!({"events": 3}));
    assert_eq!(send(at, "GET", "/_ui/demo", &[TOKEN], b"").status, 405);
}
