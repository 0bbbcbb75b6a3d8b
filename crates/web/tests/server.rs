//! The server as clients and attackers meet it, over real sockets. What it keeps is three documents in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod client;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{connect, exchange, get, post, send};
use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use wirebeat_web::{
    Backend, Failure, FieldInfo, Health, Identity, IndexInfo, Login, Options, SearchOptions, ServeError,
    Server, Snapshot, serve,
};

/// A few documents, told in their order, and searches that last as long as told.
#[derive(Default)]
struct Few {
    indices: Mutex<Vec<IndexInfo>>,
    lasts: Duration,
    cancelled: Arc<AtomicBool>,
}

struct Seen {
    indices: Vec<IndexInfo>,
    lasts: Duration,
    cancelled: Arc<AtomicBool>,
}

impl Backend for Few {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        let indices = self.indices.lock().unwrap().clone();
        Arc::new(Seen { indices, lasts: self.lasts, cancelled: Arc::clone(&self.cancelled) })
    }

    fn delete_index(&self, name: &str) -> Result<(), Failure> {
        self.indices.lock().unwrap().retain(|index| index.name != name);
        Ok(())
    }

    fn health(&self) -> Health {
        Health::Green
    }
}

impl Snapshot for Seen {
    fn indices(&self) -> &[IndexInfo] {
        &self.indices
    }

    fn fields(&self, _: &str) -> Vec<FieldInfo> {
        vec![FieldInfo::new("@timestamp", "date"), FieldInfo::new("client.ip", "ip")]
    }

    fn search(&self, indices: &[&str], body: &Value, options: &SearchOptions) -> Result<Value, Failure> {
        if body.get("nope").is_some() {
            return Err(Failure::new(400, "parsing_exception", "Unknown key for a VALUE_NUMBER in [nope]."));
        }
        if body.get("panic").is_some() {
            panic!("as asked");
        }
        let began = Instant::now();
        while began.elapsed() < self.lasts {
            if options.cancelled.load(Ordering::Relaxed) {
                self.cancelled.store(true, Ordering::Relaxed);
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let after = body.get("search_after").and_then(|a| a.get(0)).and_then(Value::as_u64);
        let from = after.map_or(0, |n| n as usize + 1);
        let size = body.get("size").and_then(Value::as_u64).unwrap_or(10) as usize;
        let hits: Vec<Value> = (from..3)
            .take(size)
            .map(|i| json!({"_index": indices.first(), "_id": i.to_string(), "_source": {"n": i}, "sort": [i]}))
            .collect();
        Ok(json!({
            "took": 0, "timed_out": false, "_shards": {"total": indices.len()},
            "hits": {"total": {"value": 3, "relation": "eq"}, "max_score": 1.0, "hits": hits}, "asked": body,
        }))
    }

    fn count(&self, _: &[&str], _: &Value, _: &SearchOptions) -> Result<u64, Failure> {
        Ok(3)
    }

    fn validate(&self, _: &[&str], _: &Value) -> Result<(), Failure> {
        Ok(())
    }
}

fn identity() -> Identity {
    Identity {
        cluster: "wirebeat".to_owned(),
        node: "here".to_owned(),
        uuid: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        version: "0.1.0".to_owned(),
    }
}

fn options() -> Options {
    Options::new(vec!["127.0.0.1:0".parse().unwrap()], "secret".to_owned(), identity())
}

fn few(lasts: Duration) -> Arc<Few> {
    let index = |name: &str| IndexInfo {
        name: name.to_owned(),
        docs: 3,
        size_bytes: 2048,
        uuid: "BBBBBBBBBBBBBBBBBBBBBB".to_owned(),
        ..IndexInfo::default()
    };
    let indices = vec![index("packetbeat-2026.01.01"), index("packetbeat-2026.01.02")];
    Arc::new(Few { indices: Mutex::new(indices), lasts, ..Few::default() })
}

fn start(change: impl FnOnce(&mut Options)) -> (Server, SocketAddr) {
    let mut options = options();
    change(&mut options);
    let server = serve(options, few(Duration::ZERO)).unwrap();
    let address = server.addresses()[0];
    (server, address)
}

fn counter(server: &Server, name: &str) -> u64 {
    server.counters().iter().find(|(n, ..)| *n == name).unwrap().1
}

#[test]
fn says_who_it_is_on_every_answer() {
    let (_server, at) = start(|_| ());
    let root = get(at, "/");
    let body = root.json();
    assert_eq!(body["tagline"], "You Know, for Search");
    assert_eq!(body["version"]["build_flavor"], "default");
    assert!(body["version"]["number"].as_str().unwrap().starts_with("8.19."));
    assert_eq!(body["wirebeat"]["version"], "0.1.0");
    for (method, target, status) in [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/packetbeat-2026.01.01/nothing/here", 400),
        ("DELETE", "/_search", 405),
        ("OPTIONS", "/_search", 200),
        ("GET", "/none/_search", 404),
        ("HEAD", "/none", 404),
        ("HEAD", "/packetbeat-2026.01.01", 200),
        ("POST", "/_bulk", 400),
        ("DELETE", "/packetbeat-2026.01.01", 403),
    ] {
        let answer = send(at, method, target, &[], b"");
        assert_eq!(answer.status, status, "{method} {target} {:?}", answer.text());
        assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"), "{method} {target}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(
        get(at, "/no/such/path?x=1").json(),
        json!({"error": "no handler found for uri [/no/such/path?x=1] and method [GET]"})
    );
    let wrong = send(at, "DELETE", "/_search", &[], b"");
    assert_eq!(wrong.header("allow"), Some("GET,POST"));
    assert_eq!(
        wrong.json(),
        json!({"error": "Incorrect HTTP method for uri [/_search] and method [DELETE], allowed: [GET, POST]",
            "status": 405})
    );
}

#[test]
fn head_tells_the_length_it_would_have() {
    let (_server, at) = start(|_| ());
    let length = get(at, "/").body.len().to_string();
    assert_eq!(send(at, "HEAD", "/", &[], b"").header("content-length"), Some(length.as_str()));
}

#[test]
fn media_types() {
    let (_server, at) = start(|_| ());
    let versioned = "application/vnd.elasticsearch+json;compatible-with=8";
    let answer = send(
        at,
        "POST",
        "/_search",
        &[("accept", "application/vnd.elasticsearch+json; compatible-with=8"), ("content-type", versioned)],
        b"{}",
    );
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(versioned)));
    let error = send(at, "GET", "/none/_search", &[("accept", versioned)], b"");
    assert_eq!((error.status, error.header("content-type")), (404, Some(versioned)));
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer = send(at, "POST", "/_search", &[("content-type", wrong)], b"{}");
        assert_eq!(answer.status, 406);
        assert_eq!(
            answer.json(),
            json!({"error": format!("Content-Type header [{wrong}] is not supported"), "status": 406})
        );
    }
    assert_eq!(send(at, "POST", "/_search", &[], b"{}").reason(), "Content-Type header [] is not supported");
    // Tables are texts unless JSON is asked for.
    let table = get(at, "/_cat/count?h=count");
    assert_eq!((table.header("content-type"), table.text()), (Some("text/plain; charset=UTF-8"), "6\n"));
    let table = send(at, "GET", "/_cat/count?h=count", &[("accept", "application/json")], b"");
    assert_eq!(table.json(), json!([{"count": "6"}]));
    let table = send(at, "GET", "/_cat/count?h=count", &[("accept", "text/plain,application/json")], b"");
    assert_eq!(table.text(), "6\n");
    assert_eq!(get(at, "/_cat/count?h=count&format=json").json(), json!([{"count": "6"}]));
}

#[test]
fn bodies_are_unpacked_and_answers_packed() {
    let (_server, at) = start(|o| o.max_body = 64 << 10);
    let pack = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let answer = send(at, "POST", "/_search", &headers, &pack(b"{\"size\":1}"));
    assert_eq!(answer.json()["asked"], json!({"size": 1}));
    // A bomb: a megabyte of spaces in a kilobyte.
    let bomb = pack(&vec![b' '; 1 << 20]);
    assert!(bomb.len() < 4096);
    assert_eq!(send(at, "POST", "/_search", &headers, &bomb).status, 413);
    assert_eq!(send(at, "POST", "/_search", &headers, b"{\"size\":1}").status, 400);
    let other = [("content-type", "application/json"), ("content-encoding", "zstd")];
    assert_eq!(send(at, "POST", "/_search", &other, b"{}").status, 415);

    let plain = get(at, "/_xpack");
    let gzip = send(at, "GET", "/_xpack", &[("accept-encoding", "gzip, deflate")], b"");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    GzDecoder::new(gzip.body.as_slice()).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
    let deflate = send(at, "GET", "/_xpack", &[("accept-encoding", "deflate")], b"");
    text.clear();
    ZlibDecoder::new(deflate.body.as_slice()).read_to_end(&mut text).unwrap();
    assert_eq!(text, plain.body);
}

#[test]
fn only_for_this_host_and_this_origin() {
    let (server, at) = start(|o| o.names = vec!["monitor.example".to_owned()]);
    let status = |headers: &[(&str, &str)]| send(at, "GET", "/", headers, b"").status;
    for good in ["localhost", "127.0.0.1:9200", "[::1]:9200", "Monitor.Example:9200"] {
        assert_eq!(status(&[("host", good)]), 200, "{good}");
    }
    for bad in ["evil.example", "evil.example:9200", "localhost.evil.example", "10.0.0.1"] {
        let answer = send(at, "GET", "/_search", &[("host", bad)], b"");
        assert_eq!(answer.status, 403, "{bad}");
        assert_eq!(answer.json()["error"]["type"], "security_exception");
    }
    let own = format!("http://localhost:{}", at.port());
    assert_eq!(status(&[("origin", &own)]), 200);
    assert_eq!(status(&[("origin", "http://localhost:3000")]), 403);
    assert_eq!(status(&[("origin", "null")]), 403);
    assert_eq!(status(&[("sec-fetch-site", "cross-site")]), 403);
    let preflight = send(at, "OPTIONS", "/_search", &[("origin", "https://evil.example")], b"");
    assert_eq!(preflight.status, 403);
    assert_eq!(counter(&server, "forbidden"), 8);
    // HTTP/1.0 without a host.
    assert_eq!(exchange(&mut connect(at), b"GET / HTTP/1.0\r\n\r\n", false).unwrap().status, 403);
}

#[test]
fn the_token_for_what_changes_something() {
    let (_server, at) = start(|_| ());
    let delete = |headers: &[(&str, &str)]| send(at, "DELETE", "/packetbeat-2026.01.01", headers, b"").status;
    assert_eq!(delete(&[]), 403);
    assert_eq!(delete(&[("x-wirebeat-token", "wrong")]), 403);
    assert_eq!(delete(&[("x-wirebeat-token", "secret"), ("origin", "http://localhost:1")]), 403);
    assert_eq!(get(at, "/packetbeat-2026.01.01").status, 200);
    let all = send(at, "DELETE", "/packetbeat-*", &[("x-wirebeat-token", "secret")], b"");
    assert_eq!(
        (all.status, all.reason().as_str()),
        (400, "Wildcard expressions or all indices are not allowed")
    );
    assert_eq!(delete(&[("authorization", "Bearer secret")]), 200);
    assert_eq!(delete(&[("authorization", "Bearer secret")]), 404);
    assert_eq!(get(at, "/_cat/indices?h=index").text(), "packetbeat-2026.01.02\n");
}

#[test]
fn a_password_for_other_addresses() {
    let outside: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let mut without = options();
    without.listen = vec![outside];
    assert!(matches!(serve(without, few(Duration::ZERO)), Err(ServeError::Open(a)) if a == outside));
    let (_server, at) = start(|o| {
        o.login = Some(Login { user: "me".to_owned(), password: "pw".to_owned() });
    });
    let answer = get(at, "/");
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").unwrap().starts_with("Basic"));
    assert_eq!(send(at, "GET", "/", &[("authorization", "Basic bWU6cHc=")], b"").status, 200);
    assert_eq!(send(at, "GET", "/", &[("authorization", "Basic bWU6cHg=")], b"").status, 401);
}

#[test]
fn limits_of_a_request() {
    let (server, at) = start(|o| o.max_body = 1000);
    assert_eq!(post(at, "/_search", &format!("{{\"a\":\"{}\"}}", "x".repeat(1000))).status, 413);
    assert_eq!(counter(&server, "bad_bodies"), 1);
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100 << 10));
    assert!(exchange(&mut connect(at), long.as_bytes(), false).map_or(true, |a| a.status >= 400));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "a: b\r\n".repeat(200));
    assert_eq!(exchange(&mut connect(at), many.as_bytes(), false).unwrap().status, 431);
    let unknown = get(at, "/_search?sise=1");
    assert_eq!(
        (unknown.status, unknown.reason().as_str()),
        (400, "request [/_search] contains unrecognized parameter: [sise] -> did you mean [size]?")
    );
    let body = send(at, "GET", "/_mapping", &[("content-type", "application/json")], b"{}");
    assert_eq!(body.reason(), "request [GET /_mapping] does not support having a body");
    assert_eq!(get(at, "/%zz/_search").status, 400);
    assert_eq!(get(at, "/_search?q=%zz").status, 400);
    assert_eq!(get(at, "/_cat/indices?format=yaml").status, 400);
    // It still works.
    assert_eq!(get(at, "/").status, 200);
}

#[test]
fn slow_clients_are_let_go() {
    let (server, at) = start(|o| {
        o.idle = Duration::from_millis(300);
        o.patience = Duration::from_millis(300);
    });
    // A head that never ends.
    let mut head = connect(at);
    head.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    let mut rest = Vec::new();
    let began = Instant::now();
    head.read_to_end(&mut rest).unwrap();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    // A body that never ends, byte by byte.
    let mut body = connect(at);
    let request = b"POST /_search HTTP/1.1\r\nHost: localhost\r\ncontent-type: application/json\r\n\
        content-length: 1000\r\n\r\n{";
    let answer = exchange(&mut body, request, false).unwrap();
    assert_eq!(answer.status, 408);
    assert_eq!(counter(&server, "bad_bodies"), 1);
}

#[test]
fn idle_connections_give_way() {
    let (server, at) = start(|o| o.max_connections = 4);
    let mut slow: Vec<_> = (0..4).map(|_| connect(at)).collect();
    for stream in &mut slow {
        stream.write_all(b"POST /_search HTTP/1.1\r\n").unwrap();
    }
    // Wait until all are taken.
    while counter(&server, "connections") < 4 {
        std::thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..10 {
        assert_eq!(get(at, "/").status, 200);
    }
    assert!(counter(&server, "connections_evicted") >= 1);
    let mut rest = Vec::new();
    // The first that was idle was let go.
    assert_eq!(slow[0].read_to_end(&mut rest).unwrap_or(0), 0);
}

#[test]
fn too_much_work_is_refused_and_counted() {
    let mut options = options();
    options.workers = 1;
    options.max_waiting = 1;
    let server = serve(options, few(Duration::from_millis(400))).unwrap();
    let at = server.addresses()[0];
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..5).map(|_| scope.spawn(|| post(at, "/_search", "{}").status)).collect();
        all.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|s| **s == 200).count(), 2, "{answers:?}");
    assert_eq!(answers.iter().filter(|s| **s == 429).count(), 3, "{answers:?}");
    assert_eq!(counter(&server, "busy"), 3);
}

#[test]
fn a_search_ends_when_nobody_waits() {
    let backend = few(Duration::from_secs(20));
    let server = serve(options(), Arc::clone(&backend) as Arc<dyn Backend>).unwrap();
    let mut stream = connect(server.addresses()[0]);
    stream.write_all(b"GET /_search HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    drop(stream);
    let began = Instant::now();
    while !backend.cancelled.load(Ordering::Relaxed) {
        assert!(began.elapsed() < Duration::from_secs(5), "the search goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_fault_is_an_answer() {
    let (server, at) = start(|_| ());
    assert_eq!(post(at, "/_search", "{\"panic\":1}").status, 500);
    assert_eq!(counter(&server, "panics"), 1);
    assert_eq!(get(at, "/").status, 200);
}

#[test]
fn a_taken_port_is_told_or_passed_over() {
    let (_server, at) = start(|_| ());
    let mut taken = options();
    taken.listen = vec![at];
    assert!(matches!(serve(taken.clone(), few(Duration::ZERO)), Err(ServeError::Taken(a)) if a == at));
    taken.next_ports = 50;
    let next = serve(taken, few(Duration::ZERO)).unwrap();
    let moved = next.addresses()[0];
    assert!(moved.port() > at.port() && moved.port() <= at.port() + 50);
    assert_eq!(get(moved, "/").status, 200);
    next.stop();
    assert!(std::net::TcpStream::connect(moved).is_err());
}

#[test]
fn several_requests_on_one_connection() {
    let (server, at) = start(|_| ());
    let mut stream = connect(at);
    for _ in 0..3 {
        let answer = exchange(&mut stream, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", false).unwrap();
        assert_eq!(answer.status, 200);
    }
    assert_eq!(counter(&server, "connections"), 1);
    server.stop();
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).unwrap_or(0), 0);
}

#[test]
fn scrolls_and_points_in_time() {
    let (_server, at) = start(|o| o.max_contexts = 2);
    let ids = |answer: &Value| -> Vec<String> {
        let hits = answer["hits"]["hits"].as_array().unwrap();
        hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_owned()).collect()
    };
    let first = post(at, "/packetbeat-*/_search?scroll=1m&size=2", "{\"aggs\":{}}").json();
    let id = first["_scroll_id"].as_str().unwrap().to_owned();
    assert_eq!(ids(&first), ["0", "1"]);
    assert_eq!(first["hits"]["hits"][0].get("sort"), None);
    let asked = json!({"scroll": "1m", "scroll_id": id}).to_string();
    let second = post(at, "/_search/scroll", &asked).json();
    assert_eq!(ids(&second), ["2"]);
    assert_eq!(second["hits"]["total"], json!({"value": 3, "relation": "eq"}));
    assert_eq!(second["asked"].get("aggs"), None);
    assert_eq!(ids(&post(at, "/_search/scroll?rest_total_hits_as_int", &asked).json()), Vec::<String>::new());
    assert_eq!(post(at, "/_search/scroll?rest_total_hits_as_int", &asked).json()["hits"]["total"], 3);

    let pit = send(at, "POST", "/packetbeat-2026.01.01/_pit?keep_alive=1m", &[], b"").json();
    assert_eq!(pit["_shards"]["total"], 1);
    let pit_id = pit["id"].as_str().unwrap();
    assert_ne!(pit_id, id);
    let found = post(at, "/_search", &json!({"pit": {"id": pit_id}, "sort": ["n"]}).to_string()).json();
    assert_eq!(found["pit_id"], pit_id);
    assert_eq!(found["asked"]["sort"], json!(["n", {"_shard_doc": "asc"}]));
    let both = post(at, "/packetbeat-*/_search", &json!({"pit": {"id": pit_id}}).to_string());
    assert_eq!(both.status, 400);
    // A third does not fit.
    let third = post(at, "/_search?scroll=1m", "{}");
    assert_eq!(
        (third.status, third.json()["error"]["type"].as_str().unwrap()),
        (429, "too_many_scroll_contexts_exception")
    );

    let close = |target: &str, body: Value| {
        let answer =
            send(at, "DELETE", target, &[("content-type", "application/json")], body.to_string().as_bytes());
        (answer.status, answer.json())
    };
    assert_eq!(
        close("/_search/scroll", json!({"scroll_id": [id]})),
        (200, json!({"succeeded": true, "num_freed": 1}))
    );
    assert_eq!(
        close("/_search/scroll", json!({"scroll_id": id})),
        (404, json!({"succeeded": true, "num_freed": 0}))
    );
    assert_eq!(close("/_pit", json!({"id": pit_id})), (200, json!({"succeeded": true, "num_freed": 1})));
    assert_eq!(close("/_pit", json!({"id": pit_id})), (404, json!({"succeeded": false, "num_freed": 0})));
    let gone = post(at, "/_search/scroll", &asked);
    assert_eq!(gone.status, 404);
    assert_eq!(gone.json()["error"]["root_cause"][0]["type"], "search_context_missing_exception");
    assert_eq!(post(at, "/_search/scroll", "{\"scroll_id\":\"x\"}").reason(), "Cannot parse scroll id");
    assert_eq!(post(at, "/_search?scroll=2h", "{}").status, 400);
    // One that nobody asks for ends by itself.
    let short = post(at, "/_search?scroll=50ms", "{}").json();
    std::thread::sleep(Duration::from_millis(100));
    let asked = json!({"scroll_id": short["_scroll_id"]}).to_string();
    assert_eq!(post(at, "/_search/scroll", &asked).status, 404);
}

#[test]
fn many_searches_in_one() {
    let (_server, at) = start(|_| ());
    let ndjson = [("content-type", "application/x-ndjson")];
    let two = b"{\"index\":\"packetbeat-*\"}\n{\"size\":1}\n{\"index\":\"none\"}\n{}\n";
    let answer = send(at, "POST", "/_msearch", &ndjson, two).json();
    assert_eq!(answer["responses"][0]["status"], 200);
    assert_eq!(answer["responses"][0]["hits"]["hits"].as_array().unwrap().len(), 1);
    assert_eq!(answer["responses"][1]["status"], 404);
    assert_eq!(answer["responses"][1]["error"]["type"], "index_not_found_exception");
    // Labelled as JSON too, and only what is asked for.
    let filtered =
        post(at, "/packetbeat-*/_msearch?filter_path=responses.hits.total.value", "{}\n{}\n{}\n{}\n");
    assert_eq!(
        filtered.text(),
        r#"{"responses":[{"hits":{"total":{"value":3}}},{"hits":{"total":{"value":3}}}]}"#
    );
    assert_eq!(post(at, "/_msearch?filter_path=nope", "{}\n{}\n").text(), "{}");
    let pretty = post(at, "/_msearch?pretty&filter_path=responses.status", "{}\n{}\n");
    assert_eq!(pretty.text(), "{\n  \"responses\" : [\n    {\n      \"status\" : 200\n    }\n  ]\n}\n");
    // What cannot be read fails as a whole.
    assert_eq!(post(at, "/_msearch", "{}\n{\"nope\":1}\n{}\n{}\n").status, 400);
    assert_eq!(
        post(at, "/_msearch", "{\"x\":1}\n{}\n").reason(),
        "key [x] is not supported in the metadata section"
    );
}
