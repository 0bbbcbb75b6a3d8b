//! Whose answer is whose.

use std::time::Duration;

use serde_json::json;
use wirebeat_model::config::Node;

use super::{command, one, pairs, redis, short};
use crate::{Verdict};

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
