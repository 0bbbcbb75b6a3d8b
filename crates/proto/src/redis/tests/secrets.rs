//! What nobody shall see.

use serde_json::json;
use wirebeat_model::config::Node;
use wirebeat_model::Transport;

use super::{ask, command, one, redis, short};
use crate::testing::Talk;

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
