//! However it is cut, the same is told; whatever comes, nothing breaks.

use std::time::Duration;

use serde_json::Value;
use wirebeat_model::config::Node;

use super::{command, redis};

/// Who says what: `true` is the client.
type Dialogue = Vec<(bool, Vec<u8>)>;

fn dialogues() -> Vec<Dialogue> {
    let c = |lines: &[&str]| (true, lines.iter().flat_map(|l| command(l)).collect());
    let s = |text: &str| (false, text.as_bytes().to_vec());
    vec![
        vec![
            c(&["HELLO 3 AUTH alice hunter2", "GET a", "MULTI", "SET a 1", "EXEC", "CONFIG GET *"]),
            s(
                "%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n|1\r\n+ttl\r\n:5\r\n=7\r\ntxt:abc\r\n+OK\r\n+QUEUED\r\n*2\r\n+OK\r\n-ERR x\r\n%1\r\n$11\r\nrequirepass\r\n$3\r\nabc\r\n",
            ),
            (true, b"PING\r\nset k \"a b\"\r\n\r\nAUTH hunter2\n".to_vec()),
            s("+PONG\r\n$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n!5\r\nERR y\r\n"),
        ],
        vec![
            c(&["SUBSCRIBE a b", "PING", "UNSUBSCRIBE"]),
            s(
                "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n",
            ),
            s("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n"),
            c(&["MONITOR", "CLIENT REPLY SKIP", "GET x", "SLOWLOG GET"]),
            s(
                "+OK\r\n+1.5 [0 1.2.3.4:5] \"AUTH\" \"hunter2\"\r\n*1\r\n*4\r\n:1\r\n:2\r\n:3\r\n*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n>2\r\n+invalidate\r\n*1\r\n#t\r\n",
            ),
        ],
        vec![
            c(&["SET largevalue 0123456789012345678901234567890123456789", "LRANGE l 0 -1"]),
            s(
                "$40\r\n0123456789012345678901234567890123456789\r\n*2\r\n$40\r\n0123456789012345678901234567890123456789\r\n*2\r\n:1\r\n_\r\n",
            ),
            (true, b"*1\r\n:1\r\nnonsense".to_vec()),
            c(&["\r\nGET a"]),
            s("#nonsense\r\n"),
        ],
    ]
}

fn say(dialogue: &Dialogue, mut cut: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>>) -> (Vec<Value>, u64, u64) {
    let mut t = redis(&[
        ("max_value_size", Node::Int(48)),
        ("send_request", Node::Bool(true)),
        ("send_response", Node::Bool(true)),
    ]);
    for (i, (client, text)) in dialogue.iter().enumerate() {
        for part in cut(i, text) {
            if *client {
                t.client(part)
            } else {
                t.server(part)
            };
        }
    }
    t.close();
    (t.events(), t.counters.redacted, t.counters.bodies_cut)
}

#[test]
fn cuts_change_nothing() {
    for dialogue in dialogues() {
        let whole = say(&dialogue, |_, text| vec![text.to_vec()]);
        assert!(whole.0.len() >= 3 && !format!("{whole:?}").contains("hunter2"), "{whole:#?}");
        for size in 1..8 {
            assert_eq!(
                whole,
                say(&dialogue, |_, text| text.chunks(size).map(<[u8]>::to_vec).collect()),
                "pieces of {size}"
            );
        }
        for (i, (_, text)) in dialogue.iter().enumerate() {
            for at in 1..text.len() {
                let cut = say(&dialogue, |j, text| {
                    if i == j { vec![text[..at].to_vec(), text[at..].to_vec()] } else { vec![text.to_vec()] }
                });
                assert_eq!(whole, cut, "utterance {i} cut at {at}");
            }
        }
    }
}

/// Bytes changed, left out and lost at random: nothing panics, and all memory comes back (`close` asserts it).
#[test]
fn noise() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let all = dialogues();
    for _ in 0..3000 {
        let mut t = redis(&[("max_value_size", Node::Int(20)), ("queue_max_messages", Node::Int(3))]);
        for _ in 0..1 + random(3) {
            for (client, text) in &all[random(all.len())] {
                let mut text = text.clone();
                for _ in 0..random(6) {
                    let at = random(text.len());
                    match random(3) {
                        0 => text[at] = b"*$:+-%|>~;?.0129\r\n"[random(18)],
                        1 => drop(text.remove(at)),
                        _ => text.insert(at, random(256) as u8),
                    }
                }
                for part in text.chunks(1 + random(40)) {
                    if random(40) == 0 {
                        t.gap(*client, part.len() as u64);
                    } else if *client {
                        t.client(part);
                    } else {
                        t.server(part);
                    }
                }
            }
            t.wait(Duration::from_secs(random(20) as u64));
        }
        t.close();
    }
}
