//! Redis 7 to redis-cli, redis-benchmark and nc.

use std::fmt::Write as _;

use super::{Recording, SERVER, Stage};
use crate::lab::servers::{Server, redis};
use crate::lab::{self};

pub(crate) const RECORDINGS: &[Recording] = &[
    recording("redis/resp2", "Common commands with every RESP2 type, nil and errors.", resp2),
    recording("redis/resp3", "HELLO 3 and, by DEBUG PROTOCOL, every RESP3 type a server can send.", resp3),
    recording(
        "redis/pipeline",
        "500 SETs without waiting, their 500 answers; then 100 GETs, 20 at a time.",
        pipeline,
    ),
    recording("redis/transaction", "MULTI, QUEUED, EXEC; DISCARD; an EXEC that is aborted.", transaction),
    recording(
        "redis/pubsub",
        "A subscriber under RESP2 and one under RESP3 (push), twenty messages.",
        pubsub,
    ),
    recording("redis/inline", "Inline commands as a person types them.", inline),
    recording("redis/auth", "AUTH with a wrong and a right password, HELLO with AUTH, ACL users.", auth),
    recording("redis/large", "A value of 60,000 bytes, set and got back.", large),
    recording(
        "redis/blocking",
        "BLPOP that waits, is served by another connection, and one that times out.",
        blocking,
    ),
    recording(
        "redis/monitor",
        "MONITOR: one request, answers without end; CLIENT REPLY OFF and SKIP: requests without one.",
        monitor,
    ),
];

const fn recording(name: &'static str, about: &'static str, make: fn(&mut Stage)) -> Recording {
    Recording { name, about, filter: "tcp", make }
}

const CLI: &str = "redis-cli -h 198.51.100.1";

/// redis-cli asks for the documentation of all commands when it reads them from a file: 180 kB of answer that would
/// hide what the recording is about. A server that does not know the command answers shortly.
const SHORT: [&str; 3] = ["--rename-command", "COMMAND", ""];

fn start(stage: &mut Stage, options: &[&str]) -> Server {
    let all: Vec<&str> = SHORT.iter().chain(options).copied().collect();
    let server = redis(Some(&stage.server), SERVER, 6379, &all);
    stage.program("redis-server --version");
    stage.program("redis-cli --version");
    stage.settings(&format!("{} '' {}", SHORT[..2].join(" "), options.join(" ")));
    stage.record();
    server
}

/// What the server counted, asked for over a connection that is not in the capture.
fn finish(stage: &mut Stage, options: &[&str], expected: &[&str]) {
    let mut command = stage.server.command("redis-cli");
    command.args(["-h", SERVER, "--no-auth-warning"]).args(options).args(["info", "commandstats"]);
    let text = lab::run(&mut command);
    let mut counted = "INFO commandstats\n".to_owned();
    for line in text.lines() {
        if let Some((name, numbers)) =
            line.trim().strip_prefix("cmdstat_").and_then(|line| line.split_once(':'))
        {
            let numbers: Vec<_> = numbers.split(',').filter(|number| !number.contains("usec")).collect();
            let _ = writeln!(counted, "{name} {}", numbers.join(" "));
        }
    }
    stage.counted(&counted);
    for line in expected {
        stage.expect(line);
    }
}

/// A file of commands for redis-cli, one connection.
fn script(stage: &mut Stage, options: &str, lines: &[&str]) {
    stage.client(&format!("{CLI} {options} <<'end'\n{}\nend", lines.join("\n")));
}

fn resp2(stage: &mut Stage) {
    let _server = start(stage, &[]);
    script(
        stage,
        "-2",
        &[
            "PING",
            "SET key value",
            "GET key",
            "GET absent",
            "INCR counter",
            "APPEND key more",
            "DEL key absent",
            "RPUSH list a b c",
            "LRANGE list 0 -1",
            "LRANGE empty 0 -1",
            "HSET hash f1 v1 f2 v2",
            "HGETALL hash",
            "SADD set x y",
            "SMEMBERS set",
            "ZADD z 1.5 one",
            "ZSCORE z one",
            "INCR list",
            "NOSUCH command",
            "SET toofew",
            "EVAL \"return {1,'two',{3,4}}\" 0",
            "XADD stream 1-1 field value",
            "XRANGE stream - +",
            "EXPIRE counter 100",
            "TYPE hash",
            "MSET a 1 b 2",
            "MGET a b absent",
            "SELECT 1",
            "ECHO \"hello wire\"",
        ],
    );
    finish(
        stage,
        &[],
        &[
            "redis 30: 28 of the script, and before them two COMMAND that redis-cli asks by itself (errors)",
            "errors 5: the two, WRONGTYPE (INCR list), ERR unknown command, ERR wrong number of arguments",
        ],
    );
}

fn resp3(stage: &mut Stage) {
    let _server = start(stage, &[]);
    // redis-cli 7.0 does not understand an attribute, prints no push and no big number: those go by nc.
    let types = ["string", "integer", "double", "null", "array", "set", "map", "verbatim", "true", "false"];
    let mut lines = vec!["HSET hash f1 v1 f2 v2".to_owned(), "HGETALL hash".to_owned()];
    lines.extend(types.iter().map(|name| format!("DEBUG PROTOCOL {name}")));
    lines.extend(["GET absent", "ZADD z 1.5 one", "ZSCORE z one", "INCR hash"].map(str::to_owned));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    script(stage, "-3", &lines);
    stage.client(
        "(printf 'HELLO 3\\r\\n'; sleep 0.3; printf 'DEBUG PROTOCOL bignum\\r\\n'; sleep 0.3; printf 'DEBUG PROTOCOL attrib\\r\\n'; sleep 0.3; printf 'DEBUG PROTOCOL push\\r\\n'; sleep 0.3; printf 'PING\\r\\n') \
         | nc -q 1 198.51.100.1 6379 | tail -n 14",
    );
    finish(
        stage,
        &[],
        &[
            "redis 25: HELLO 3, two COMMAND (errors) and 16 commands of the first connection, 5 of the second, one push",
            "the answer to DEBUG PROTOCOL attrib is an attribute and then the real answer",
            "the answer to DEBUG PROTOCOL push is a push and then the real answer",
            "errors 3: WRONGTYPE (INCR hash), two unknown COMMAND",
        ],
    );
}

fn pipeline(stage: &mut Stage) {
    let _server = start(stage, &[]);
    stage.program("redis-benchmark --version");
    stage.client(
        "for i in $(seq 500); do printf '*3\\r\\n$3\\r\\nSET\\r\\n$7\\r\\nkey:%03d\\r\\n$5\\r\\nvalue\\r\\n' $((i-1)); done \
         | nc -N -q 1 198.51.100.1 6379 | grep -c OK",
    );
    stage.client(
        "redis-benchmark -h 198.51.100.1 -n 100 -c 1 -P 20 -t get -q | tr '\\r' '\\n' | grep 'per second'",
    );
    finish(
        stage,
        &[],
        &[
            "redis 602: SET 500, GET 100, and redis-benchmark's own CONFIG GET 2 (on a connection of its own, in one segment)",
        ],
    );
}

fn transaction(stage: &mut Stage) {
    let _server = start(stage, &[]);
    script(
        stage,
        "-2",
        &[
            "MULTI",
            "SET a 1",
            "INCR a",
            "HGETALL a",
            "EXEC",
            "MULTI",
            "SET a 5",
            "DISCARD",
            "MULTI",
            "NOSUCH",
            "EXEC",
            "WATCH a",
            "SET a 9",
            "MULTI",
            "GET a",
            "EXEC",
        ],
    );
    finish(
        stage,
        &[],
        &[
            "redis 18: 16 of the script, and before them two COMMAND that redis-cli asks by itself (errors)",
            "the first EXEC answers an array that holds an error, the second EXECABORT, the third nil",
        ],
    );
}

fn pubsub(stage: &mut Stage) {
    let _server = start(stage, &[]);
    stage.client(
        "(printf 'SUBSCRIBE news\\r\\n'; sleep 2; printf 'UNSUBSCRIBE news\\r\\n'; sleep 0.2) | nc -q 1 198.51.100.1 6379 | grep -ac wire &\n\
         (printf 'HELLO 3\\r\\nSUBSCRIBE news\\r\\n'; sleep 1; printf 'GET a\\r\\n'; sleep 1) | nc -q 1 198.51.100.1 6379 | grep -ac wire &\n\
         sleep 0.5; for i in $(seq 20); do redis-cli -h 198.51.100.1 publish news wire$i; done | sort | uniq -c; wait",
    );
    finish(
        stage,
        &[],
        &[
            "redis 65: PUBLISH 20, SUBSCRIBE 2, UNSUBSCRIBE 1, HELLO 1, GET 1; each subscriber is sent 20 messages, events of their own",
        ],
    );
}

fn inline(stage: &mut Stage) {
    let _server = start(stage, &[]);
    stage.client(
        "printf 'PING\\r\\nSET key \"a value\"\\r\\nGET key\\nGET  absent \\r\\nNOSUCH\\r\\nQUIT\\r\\n' | nc -q 1 198.51.100.1 6379",
    );
    finish(stage, &[], &["redis 6, of which 1 error; the third ends with a bare newline"]);
}

fn auth(stage: &mut Stage) {
    let _server = start(stage, &["--requirepass", "secret-of-default"]);
    script(
        stage,
        "-2",
        &[
            "GET a",
            "AUTH wrong",
            "AUTH secret-of-default",
            "SET a 1",
            "ACL SETUSER alice on >secret-of-alice ~* +@all",
            "AUTH alice secret-of-alice",
            "ACL WHOAMI",
            "HELLO 3 AUTH alice secret-of-alice SETNAME tester",
            "GET a",
            "CONFIG SET requirepass secret-of-default",
        ],
    );
    finish(
        stage,
        &["-a", "secret-of-default"],
        &[
            "redis 12: 10 of the script, and before them two COMMAND that redis-cli asks by itself (errors)",
            "errors 4: the two, NOAUTH, WRONGPASS",
            "nowhere secret-of-",
        ],
    );
}

fn large(stage: &mut Stage) {
    let _server = start(stage, &[]);
    stage.client(&format!("head -c 60000 /dev/zero | tr '\\0' v | {CLI} -x SET large"));
    stage.client(&format!("{CLI} GET large | wc -c"));
    stage.client(&format!("{CLI} STRLEN large"));
    finish(stage, &[], &["redis 3; the value has 60000 bytes"]);
}

fn blocking(stage: &mut Stage) {
    let _server = start(stage, &[]);
    stage.client(&format!("({CLI} BLPOP queue 5 &\n sleep 0.5; {CLI} RPUSH queue job; wait)"));
    stage.client(&format!("{CLI} BLPOP queue 0.3"));
    finish(stage, &[], &["redis 3: BLPOP answered after about 0.5 s, RPUSH, BLPOP answered nil after 0.3 s"]);
}

fn monitor(stage: &mut Stage) {
    let _server = start(stage, &[]);
    stage.client(
        "(printf 'MONITOR\\r\\n'; sleep 1) | nc -q 1 198.51.100.1 6379 | wc -l &\n\
         sleep 0.4; for i in 1 2 3; do redis-cli -h 198.51.100.1 SET a $i; done; wait",
    );
    stage.client(
        "printf 'CLIENT REPLY SKIP\\r\\nSET a 1\\r\\nGET a\\r\\nCLIENT REPLY OFF\\r\\nSET a 2\\r\\nSET a 3\\r\\nCLIENT REPLY ON\\r\\nGET a\\r\\n' \
         | nc -q 1 198.51.100.1 6379",
    );
    finish(
        stage,
        &[],
        &[
            "redis 15: 12 commands, three lines of MONITOR",
            "first connection: MONITOR answered OK, then three lines that answer nothing; three SETs on connections of their own",
            "last connection: 8 requests, 5 of them without an answer (SKIP and what follows it, OFF and the two SETs)",
        ],
    );
}
