//! What the server says unasked.

use serde_json::{Value, json};

use super::{command, one, pairs, redis, short};

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
