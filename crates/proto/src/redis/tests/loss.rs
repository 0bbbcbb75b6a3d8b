//! Lost bytes, and ends in the middle.

use serde_json::json;

use super::{command, one, pairs, redis, short};

#[test]
fn losses() {
    // Of commands: the answer comes alone, the next pair is a pair.
    let mut t = redis(&[]);
    t.client("*2\r\n$3\r\nGE")
        .gap(true, 20)
        .server("$1\r\na\r\n")
        .client("garbage\r\n")
        .client(command("GET b"))
        .server("$1\r\nb\r\n")
        .close();
    let e = t.events();
    assert_eq!(short(&e), pairs(&[("-", "a"), ("GET", "b")]));
    assert_eq!((&e[1]["status"], e[1].get("error")), (&json!("OK"), None));
    // Two at once, one of them lost: not sure, and said.
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .gap(true, 20)
        .client(command("GET c"))
        .server("$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n")
        .close();
    let e = t.events();
    assert_eq!(e[1]["error"]["message"], "Packet loss while capturing the request");
    // Of answers: those that waited are told without.
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .client(command("GET b"))
        .server("$1\r\na")
        .gap(false, 20)
        .server("xyz\r\n$1\r\nq\r\n");
    let e = t.events();
    assert_eq!(short(&e), pairs(&[("GET", "a"), ("GET", "-")]));
    assert_eq!(
        (&e[0]["error"]["message"], &e[0]["status"]),
        (&json!("Packet loss while capturing the response"), &json!("Error"))
    );
    assert_eq!(
        e[1]["error"]["message"],
        json!(["Unmatched request", "Packet loss while capturing the response"])
    );
    t.client(command("GET c"))
        .server("more of it\r\n$1\r\nc\r\n")
        .client(command("GET d"))
        .server("$1\r\nd\r\n")
        .close();
    assert_eq!(short(&t.events()), pairs(&[("GET", "c"), ("GET", "d")]));
    // Inside a value nobody looks at.
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .server(format!("$20000\r\n{}", "v".repeat(8000)))
        .gap(false, 5000)
        .server("v".repeat(7000))
        .server("\r\n");
    let e = one(&mut t);
    assert_eq!(
        (&e["error"]["message"], &e["destination"]["bytes"]),
        (&json!("Packet loss while capturing the response"), &json!(20_010))
    );
    t.close();
}

#[test]
fn ends_in_the_middle() {
    let mut t = redis(&[]);
    t.client(command("GET a"))
        .client("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$90000\r\nxx")
        .server("$90000\r\nyy")
        .close();
    let e = t.events();
    assert_eq!(short(&e), pairs(&[("GET", "yy"), ("SET", "-")]));
    assert_eq!(e[0]["error"]["message"], "Connection closed before the response was complete");
    assert_eq!(
        e[1]["error"]["message"],
        json!(["Unmatched request", "Connection closed before the request was complete"])
    );
    assert_eq!((&e[1]["client"]["bytes"], &e[0]["status"]), (&json!(30), &json!("Error")));
}
