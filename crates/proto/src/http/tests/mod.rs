//! Dialogues and what is told of them.

mod cuts;
mod loss;
mod options;
mod secrets;

use std::time::Duration;

use serde_json::{Value, json};
use wirebeat_model::Transport;
use wirebeat_model::config::Node;

use crate::testing::Talk;
use crate::{Pending, Verdict, by_name};

/// A connection with these options.
fn http(options: &[(&str, Node)]) -> Talk {
    Talk::new("http", Transport::TCP, options)
}

/// The only event.
fn one(talk: &mut Talk) -> Value {
    let mut events = talk.events();
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

const GET: &str = "GET /index.html?b=2&a=%31 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/7.37.1\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn a_transaction() {
    let mut t = http(&[]);
    let e = one(t.client(GET).wait(Duration::from_millis(5)).server(OK));
    assert_eq!(e["method"], "GET");
    assert_eq!(e["query"], "GET /index.html");
    assert_eq!(e["params"], "b=2&a=%31");
    assert_eq!(e["status"], "OK");
    assert_eq!(
        e["http"],
        json!({
            "version": "1.1",
            "request": { "method": "GET", "bytes": GET.len(), "headers": { "content-length": 0 } },
            "response": {
                "status_code": 200, "status_phrase": "ok", "bytes": OK.len(), "body": { "bytes": 5 },
                "headers": { "content-length": 5, "content-type": "text/html" },
            },
        })
    );
    assert_eq!(
        e["url"],
        json!({
            "original": "/index.html?b=2&a=%31", "scheme": "http", "domain": "www.example.com", "path": "/index.html",
            "extension": "html", "query": "b=2&a=%31", "full": "http://www.example.com/index.html?b=2&a=%31",
        })
    );
    assert_eq!(e["user_agent"]["original"], "curl/7.37.1");
    assert_eq!(e["related"]["hosts"], json!(["www.example.com"]));
    assert_eq!(e["server"]["domain"], "www.example.com");
    assert_eq!(e["destination"]["domain"], "www.example.com");
    assert_eq!(e["client"]["bytes"], GET.len());
    assert_eq!(e["event"]["duration"], 5_000_000);
    assert!(e.get("error").is_none());
    t.close();
    assert_eq!(t.counters.unparsed, 0);
}

#[test]
fn hosts_ports_and_targets() {
    let url = |head: &str| {
        let e = one(http(&[]).client(head).server("HTTP/1.1 204 \r\n\r\n"));
        (e["url"].clone(), e)
    };
    let (u, e) = url("GET / HTTP/1.0\r\nHost: 198.51.100.2\r\nReferer: http://198.51.100.2/a\r\n\r\n");
    assert_eq!(u["full"], "http://198.51.100.2/");
    assert!(e["server"].get("domain").is_none());
    assert_eq!(e["related"]["hosts"], json!(["http://198.51.100.2/a"]));
    assert_eq!(e["http"]["request"]["referrer"], "http://198.51.100.2/a");
    assert_eq!(e["http"]["version"], "1.0");
    let (u, e) = url("GET /x HTTP/1.1\r\nHost: a.example:8081\r\n\r\n");
    assert_eq!((&u["port"], &u["full"]), (&json!(8081), &json!("http://a.example:8081/x")));
    assert_eq!(e["error"]["message"], "Host header port number mismatch");
    let (u, e) = url("GET http://u@b.example/p.q/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_eq!((&u["domain"], &u["path"], &u["query"]), (&json!("b.example"), &json!("/p.q/x"), &json!("y")));
    assert_eq!(u["original"], "http://u@b.example/p.q/x?y");
    assert_eq!(e["related"]["hosts"], json!(["b.example"]));
    assert!(u.get("port").is_none() && u.get("extension").is_none());
    let (u, e) = url("OPTIONS * HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n");
    assert_eq!((&u["path"], &u["domain"]), (&json!("*"), &json!("2001:db8::1")));
    assert_eq!(e["query"], "OPTIONS *");
    assert_eq!(e["related"]["ip"], json!(["198.51.100.1", "198.51.100.2", "2001:db8::1"]));
    let (u, e) = url("BREW /pot HTTP/1.1\r\n\r\n");
    assert_eq!(u, json!({ "original": "/pot", "scheme": "http", "path": "/pot" }));
    assert_eq!(e["http"]["request"]["method"], "BREW");
}

#[test]
fn a_port_that_is_not_the_usual_one() {
    let mut t = http(&[("ports", Node::Int(8000))]);
    let e = one(t.client("GET /a HTTP/1.1\r\nHost: h\r\n\r\n").server("HTTP/1.1 204 No Content\r\n\r\n"));
    assert_eq!(e["url"]["scheme"], "http");
    assert_eq!(e["http"]["response"]["status_phrase"], "no content");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut t = http(&[]);
    t.client("GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\n\r\nPOST /3 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /4 HTTP/1.1\r\n\r\n");
    t.server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
    t.server("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
    let e = t.events();
    let paths: Vec<_> = e.iter().map(|e| e["url"]["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/1", "/2", "/3", "/4"]);
    let codes: Vec<_> = e.iter().map(|e| e["http"]["response"]["status_code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 200, 404, 304]);
    assert!(e[1]["http"]["response"].get("body").is_none());
    assert_eq!(e[2]["http"]["request"]["body"]["bytes"], 3);
    assert_eq!(e[2]["http"]["response"]["body"]["bytes"], 13);
    assert_eq!(e[2]["http"]["response"]["headers"]["content-length"], 13);
    assert_eq!(e[2]["status"], "Error");
    let chunked = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";
    assert_eq!(e[2]["http"]["response"]["bytes"], chunked.len());
    assert_eq!(e[3]["http"]["response"]["headers"]["content-length"], 0);
    t.close();
    assert_eq!(t.events().len(), 0);
    assert_eq!(t.counters.unparsed, 0);
}

#[test]
fn answers_to_requests_given_up_are_nobody_elses() {
    let request = |n: usize| format!("GET /{n} HTTP/1.1\r\n\r\n");
    let shown = |e: &Value| {
        let part = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        let code = e["http"]["response"]["status_code"].as_u64().unwrap_or(0);
        format!("{} {code} {}", part(&e["url"]["path"]), part(&e["error"]["message"]))
    };
    // Given up after ten seconds: a HEAD, whose answer has no body whatever it says, and a GET.
    let mut t = http(&[]);
    t.client("HEAD /0 HTTP/1.1\r\n\r\n").client(request(1)).wait(Duration::from_secs(11));
    t.client(request(2)).client(request(3));
    for code in [200, 201, 202, 203] {
        t.server(format!("HTTP/1.1 {code} x\r\nContent-Length: 5\r\n\r\n"));
        if code > 200 {
            t.server("hello");
        }
    }
    let told: Vec<_> = t.events().iter().map(shown).collect();
    let expected = [
        "/0 0 Unmatched request",
        "/1 0 Unmatched request",
        "- 200 Unmatched response",
        "- 201 Unmatched response",
        "/2 202 -",
        "/3 203 -",
    ];
    assert_eq!(told, expected);
    assert_eq!((t.counters.unmatched_requests, t.counters.unmatched_responses), (2, 2));
    // Pushed out by later ones.
    const MAX: usize = Pending::<(), ()>::MAX;
    (0..MAX + 2).for_each(|n| _ = t.client(request(n)));
    let told: Vec<_> = t.events().iter().map(shown).collect();
    assert_eq!(told, ["/0 0 Unmatched request", "/1 0 Unmatched request"]);
    t.server(OK).server(OK).server("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n");
    let told: Vec<_> = t.events().iter().map(shown).collect();
    assert_eq!(told, ["- 200 Unmatched response", "- 200 Unmatched response", "/2 404 -"]);
    // Lost answers: the next request tells that all before it have had theirs.
    t.wait(Duration::from_secs(11)).events();
    t.gap(false, 1000).client(request(7)).server(OK);
    assert_eq!(t.events().iter().map(shown).collect::<Vec<_>>(), ["/7 200 -"]);
    t.close();
}

#[test]
fn bodies_until_the_end() {
    let mut t = http(&[]);
    t.client(GET).server("HTTP/1.0 200 OK\r\n\r\nabc").wait(Duration::from_millis(7)).server("defg");
    assert_eq!(t.events().len(), 0);
    let e = one(t.wait(Duration::from_secs(1)).end(false));
    assert_eq!(e["http"]["response"]["headers"]["content-length"], 7);
    assert_eq!(e["http"]["response"]["bytes"], 26);
    assert_eq!(e["http"]["response"]["duration"], 7_000_000);
    assert_eq!(e["status"], "OK");
    assert!(e.get("error").is_none());
    assert_eq!(t.close().events().len(), 0);
}

#[test]
fn an_answer_without_length_gives_way_to_the_next() {
    let mut t = http(&[]);
    t.client(GET).server("HTTP/1.1 200 OK\r\n\r\nabc").client(GET).server("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    let e = t.events();
    assert_eq!(e.len(), 2);
    assert_eq!(e[0]["http"]["response"]["body"]["bytes"], 3);
    assert_eq!(e[1]["status"], "Error");
}

#[test]
fn interim_answers_are_dropped() {
    let mut t = http(&[]);
    t.client("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    t.server("HTTP/1.1 100 Continue\r\n\r\n").client("data");
    let e = one(t.server("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(e["http"]["response"]["status_code"], 201);
    assert_eq!(e["http"]["request"]["body"]["bytes"], 4);
    assert_eq!(e["http"]["response"]["bytes"], "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n".len());
}

#[test]
fn a_refused_body_never_comes() {
    let mut t = http(&[]);
    t.client("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 400\r\n\r\n");
    t.server("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n").client(GET).server(OK);
    let e = t.events();
    assert_eq!(e.len(), 2, "{e:#?}");
    assert_eq!((&e[0]["url"]["path"], &e[0]["http"]["response"]["status_code"]), (&json!("/a"), &json!(417)));
    assert!(e[0]["http"]["request"].get("body").is_none());
    assert_eq!(e[1]["url"]["path"], "/index.html");
    assert_eq!(e[1]["http"]["response"]["status_code"], 200);
    t.close();
}

#[test]
fn an_answer_before_the_request_is_complete() {
    let mut t = http(&[]);
    t.client("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    t.server("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(t.events().len(), 0);
    let e = one(t.client("defghij"));
    assert_eq!(e["http"]["response"]["status_code"], 413);
    assert_eq!(e["http"]["request"]["body"]["bytes"], 10);
    // and when it never is
    let mut t = http(&[]);
    t.client("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    let e = one(t.server("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").close());
    assert_eq!(e["http"]["request"]["body"]["bytes"], 3);
    assert_eq!(e["error"]["message"], "Connection closed before the request was complete");
    assert_eq!(e["http"]["response"]["status_code"], 413);
}

#[test]
fn other_protocols_take_over() {
    let mut t = http(&[]);
    t.client("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    let e = one(t.server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x01\x02"));
    assert_eq!((&e["http"]["response"]["status_code"], &e["status"]), (&json!(101), &json!("OK")));
    assert_eq!(t.verdict, Verdict::Become(by_name("websocket").map(|p| p.spec.name)));

    let mut t = http(&[]);
    t.client("CONNECT db.example:3306 HTTP/1.1\r\nHost: db.example:3306\r\n\r\n").client(b"\x16\x03\x01");
    let e = one(t.server("HTTP/1.1 200 Connection established\r\n\r\n\x16"));
    assert_eq!(t.verdict, Verdict::Become(None));
    assert_eq!(e["query"], "CONNECT db.example:3306");
    assert_eq!(e["url"], json!({ "original": "db.example:3306", "domain": "db.example", "port": 3306 }));
    assert_eq!(e["server"]["domain"], "db.example");
    assert_eq!(t.counters.unparsed, 0);

    // refused: on it goes
    let mut t = http(&[]);
    t.client("CONNECT a:1 HTTP/1.1\r\n\r\n").server("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno").client(GET).server(OK);
    assert_eq!(t.events().len(), 2);
    assert_eq!(t.verdict, Verdict::Go);

    let mut t = http(&[]);
    t.client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(matches!(t.verdict, Verdict::Become(_)));
}

#[test]
fn lengths_that_contradict_each_other() {
    let mut t = http(&[]);
    t.client("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    t.server("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na");
    let e = one(&mut t);
    let notes = ["Conflicting lengths of the request", "Conflicting lengths of the response"];
    assert_eq!(e["error"]["message"], json!(notes));
    let e = one(t.client(GET).server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"));
    assert!(e.get("error").is_none());
}

#[test]
fn basic_credentials_name_the_user() {
    let mut t = http(&[]);
    let e = one(t.client("GET / HTTP/1.1\r\nAuthorization: bAsic c2ltcGxlc2ltb246YWJjZDEyMys=\r\n\r\n").server(OK));
    assert_eq!(e["user"]["name"], "simplesimon");
    assert_eq!(e["related"]["user"], json!(["simplesimon"]));
    let e = one(t.client("GET / HTTP/1.1\r\nAuthorization: Basic !\r\n\r\n").server(OK));
    assert!(e.get("user").is_none());
}

#[test]
fn the_unanswered_and_the_unasked() {
    let mut t = http(&[]);
    let e = one(t.client(GET).wait(Duration::from_secs(11)));
    assert_eq!((&e["status"], &e["error"]["message"]), (&json!("Error"), &json!("Unmatched request")));
    assert!(e["event"].get("end").is_none() && e["http"].get("response").is_none());
    let e = one(t.server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!((&e["status"], &e["error"]["message"]), (&json!("Error"), &json!("Unmatched response")));
    assert!(e["event"].get("start").is_none() && e.get("url").is_none() && e["http"].get("version").is_none());
    assert_eq!((&e["client"]["port"], &e["server"]["port"]), (&json!(40_000), &json!(80)));
    let e = one(t.client(GET).close());
    assert_eq!(e["error"]["message"], "Unmatched request");
    assert_eq!((t.counters.unmatched_requests, t.counters.unmatched_responses), (2, 1));
}

#[test]
fn an_answer_that_takes_long_has_its_request() {
    let mut t = http(&[]);
    t.client(GET).server("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").wait(Duration::from_secs(60));
    let e = one(t.server("cde"));
    assert_eq!((&e["status"], &e["event"]["duration"]), (&json!("OK"), &json!(0)));
    assert_eq!(e["http"]["response"]["duration"], 60_000_000_000u64);
}

#[test]
fn cut_short() {
    let mut t = http(&[]);
    let e = one(t.client(GET).server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc").end(false));
    assert_eq!(e["error"]["message"], "Connection closed before the response was complete");
    assert_eq!(e["http"]["response"]["headers"]["content-length"], 3);
    assert_eq!(e["http"]["response"]["bytes"], 43);
    assert_eq!(e["status"], "OK");
    t.close();
}
