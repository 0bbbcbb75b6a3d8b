//! Recognition by first bytes.

use crate::{Guess, by_name};

#[test]
fn guesses() {
    let spec = by_name("redis").unwrap().spec;
    let client = [
        "*1\r\n$4\r\nPING\r\n",
        "*3\r\n$3\r\nset\r\n$1\r\nk\r\n",
        "*2\r\n$9\r\nFT.SEARCH\r\n",
        "PING\r\n",
        "ping\n",
        "PING\r\nPING\r\nPING\r\n",
        "CLIENT REPLY OFF\r\nSET a 1\r\n",
        "SET key \"a value\"\r\n",
        "GET key\n",
        "config get *\r\n",
        "SELECT 3\r\n",
        "MONITOR\r\n",
        "SUBSCRIBE news\r\n",
        "HELLO 3\r\n",
        "SYNC\r\n",
    ];
    for c in &client[..client.len() - 1] {
        assert_eq!((spec.guess)(c.as_bytes()), Guess::Client, "{c:?}");
        for cut in 0..c.find('\n').unwrap() {
            assert_ne!((spec.guess)(&c.as_bytes()[..cut]), Guess::No, "{:?}", &c[..cut]);
        }
    }
    let server = [
        "+PONG\r\n",
        "-NOAUTH Authentication required.\r\n",
        "-ERR unknown command 'x'",
        "$-1\r\n",
        "$5\r\nhello\r\n",
        "$512\r\nabc",
        ":12\r\n",
        "%7\r\n$6\r\nserver\r\n",
        "*3\r\n$7\r\nmessage\r\n",
        ">3\r\n$9\r\nsubscribe\r\n",
        "*2\r\n:1\r\n:2\r\n",
    ];
    for s in server {
        assert_eq!((spec.guess)(s.as_bytes()), Guess::Server, "{s:?}");
        for cut in 0..s.len().min(4) {
            assert_ne!((spec.guess)(&s.as_bytes()[..cut]), Guess::No, "{:?}", &s[..cut]);
        }
    }
    let no = [
        // HTTP, RTSP, SMTP, POP3, IMAP, FTP, IRC, NATS, STOMP, TLS, MySQL.
        "GET / HTTP/1.1\r\n",
        "GET /key\r\n",
        "SET / RTSP/1.0\r\n",
        "HTTP/1.1 200 OK\r\n",
        "EHLO x\r\n",
        "AUTH LOGIN\r\n",
        "QUIT\r\n",
        "220 x ESMTP\r\n",
        "+OK\r\n",
        "+OK POP3 ready\r\n",
        "-ERR Unknown command.\r\n",
        "a1 SELECT INBOX\r\n",
        "* OK IMAP4\r\n",
        "* 3 EXISTS\r\n",
        "USER x\r\n",
        "PING :irc.example\r\n",
        ":irc.example 001 x\r\n",
        "INFO {\"server_id\":\"x\"}\r\n",
        "CONNECT {}\r\nPING\r\n",
        "SUBSCRIBE\nid:0\n\n",
        "\x16\x03\x01\x02\x00\x01",
        "J\x00\x00\x00\x0a8.0.36",
        // memcached, which knows lower case only.
        "get key\r\n",
        "set k 0 0 5\r\nhello\r\n",
        "incr k 1\r\n",
        "delete k\r\n",
        "stats\r\n",
        "STORED\r\n",
        "VALUE k 0 5\r\n",
        // Alike, and not RESP.
        "$Lock EXTENDED",
        "*\r\n",
        "*0\r\n",
        "*1\r\nx",
        "*1\r\n$4\r\nPI G\r\n",
        "*1\r\n$4\r\nPINGx",
        ":12 x\r\n",
        "$5\r\nhello!",
        "~0\r\n",
        "SET\x00",
    ];
    for n in no {
        assert_eq!((spec.guess)(n.as_bytes()), Guess::No, "{n:?}");
    }
}
