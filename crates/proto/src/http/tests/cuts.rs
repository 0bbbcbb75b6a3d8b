//! The same events for every cut of the streams.

use serde_json::Value;
use wirebeat_model::Transport;
use wirebeat_model::config::Node;

use crate::testing::Talk;

/// Who says what.
type Dialogue = &'static [(bool, &'static str)];

const C: bool = true;
const S: bool = false;

const DIALOGUES: &[Dialogue] = &[
    &[
        (C, "GET / HTTP/1.1\r\nHost: 127.0.0.1:18080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"),
        (S, "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Tue, 24 Nov 2026 20:05:14 GMT\r\nContent-Type: text/html\r\nContent-Length: 12\r\nLast-Modified: Tue, 24 Nov 2026 20:05:13 GMT\r\nConnection: keep-alive\r\nETag: \"65\"\r\nAccept-Ranges: bytes\r\n\r\nhello, world"),
        (C, "GET /next?a=1 HTTP/1.1\r\nHost: 127.0.0.1:18080\r\nReferer: http://127.0.0.1:18080/\r\n\r\n"),
        (S, "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n5\r\nhello\r\n6;ext\r\n world\r\n0\r\nX-T: 1\r\n\r\n"),
        (C, "\r\nHEAD /gone HTTP/1.1\r\nHost: a\r\nX-Fold: a\r\n b\r\n\r\n"),
        (S, "HTTP/1.1 404 Not Found\r\nContent-Length: 153\r\n\r\n"),
        (C, "GET /last HTTP/1.0\n\n"),
        (S, "HTTP/1.0 200 OK\nContent-Type: text/plain\n\nuntil the end"),
    ],
    &[
        (C, "POST /form HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n\r\nuser=a&pass=b&cGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Type: text/plain\r\n\r\nx"),
    ],
    &[
        (C, "PUT /up HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n"),
        (S, "HTTP/1.1 100 Continue\r\n\r\n"),
        (C, "12345"),
        (S, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"),
        (C, "PUT /no HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n"),
        (S, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"),
        (C, "DELETE /x HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 200 OK\r\n\r\nabc"),
        (C, "GET /y HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 204 No Content\r\n\r\n"),
        (C, "CONNECT a:443 HTTP/1.1\r\n\r\n"),
        (S, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        (C, "GET /z HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"),
        (S, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
    ],
    &[
        (C, "\x01\x02garbage in front\nof GET /1 HTTP/1.1\r\n\r\n"),
        (S, "a page's end</html>\r\nHTTP/1.1 is good\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabnonsense HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
    ],
];

/// Says a dialogue with each utterance cut by `cut`, and answers the events.
fn say(dialogue: Dialogue, options: &[(&str, Node)], mut cut: impl FnMut(usize, &'static str) -> Vec<&'static [u8]>) -> Vec<Value> {
    let mut t = Talk::with("http", Transport::TCP, options, true);
    for (i, (client, text)) in dialogue.iter().enumerate() {
        for part in cut(i, text) {
            if *client { t.client(part) } else { t.server(part) };
        }
    }
    t.end(false).close();
    t.events()
}

#[test]
fn cuts_change_nothing() {
    for options in [Vec::new(), super::options::everything()] {
        for dialogue in DIALOGUES {
            let whole = say(dialogue, &options, |_, text| vec![text.as_bytes()]);
            assert!(whole.len() >= 2);
            let bytes = say(dialogue, &options, |_, text| text.as_bytes().chunks(1).collect());
            assert_eq!(whole, bytes);
            for (i, (_, text)) in dialogue.iter().enumerate() {
                for at in 1..text.len() {
                    let cut = say(dialogue, &options, |j, text| {
                        let text = text.as_bytes();
                        if i == j { vec![&text[..at], &text[at..]] } else { vec![text] }
                    });
                    assert_eq!(whole, cut, "utterance {i} cut at {at}");
                }
            }
        }
    }
}
