//! Without a configuration no secret reaches an event, wherever it stands.

use wirebeat_model::Transport;
use wirebeat_model::config::Node;

use super::one;
use super::options::everything;
use crate::testing::Talk;

const SECRET: &str = "hunter2";

/// What a client may say, each with the secret once or more.
const REQUESTS: &[&str] = &[
    "GET /?token=hunter2&a=1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /;jsessionid=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /?x[pass%57ord]=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /?next=/a%3Fapi_key%3Dhunter2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://joe:hunter2@a/ HTTP/1.1\r\nHost: joe:hunter2@a\r\n\r\n",
    "CONNECT joe:hunter2@a:443 HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nAuthorization: Bearer hunter2\r\nProxy-Authorization: Digest hunter2\r\n\r\n",
    "GET / HTTP/1.1\r\nAUTHORIZATION: Basic\r\n hunter2\r\n\r\n",
    "GET / HTTP/1.1\r\nCookie: a=hunter2; b=hunter2\r\ncookie: c=hunter2\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Api-Key: hunter2\r\nX-Auth-Token: hunter2\r\nX-Csrf-Token: hunter2\r\nX-Vault-Token:hunter2\r\n\r\n",
    "GET / HTTP/1.1\r\nReferer: http://joe:hunter2@a/?password=hunter2#access_token=hunter2\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nX-Original-URL: /login?pwd=hunter2\r\nX-Rewrite: a\r\n ?pwd=hunter2\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nuser=a&password=hunter2&b",
    "POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 34\r\n\r\n{\"a\":{\"client_secret\" : \"hunter2\"}}",
    "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n\r\n{\"token\":\"hunter2\"}\n",
    "POST / HTTP/1.1\r\nContent-Type: text/x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npass=hunt\r\n3\r\ner2\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 76\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b--\r\nabcd\r\n",
];

/// What a server may answer.
const ANSWERS: &[&str] = &[
    "HTTP/1.1 200 OK\r\nSet-Cookie: sid=hunter2; path=/\r\nset-cookie: b=hunter2\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: https://a/cb?code=1#access_token=hunter2&x=1\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nContent-Length: 37\r\n\r\n[{\"accessToken\":\"hunter2\",\"pin\":true}]",
    "HTTP/1.1 200 OK\r\nContent-Type: text/json\r\nX-Session: hunter2\r\nContent-Length: 100\r\n\r\n{\"password\":\"hunter2",
];

#[test]
fn nowhere_in_the_event() {
    let mut options = everything();
    options.retain(|(k, _)| *k != "include_body_for");
    options.push(("include_body_for", Node::Str(String::new())));
    for split in [true, false] {
        options.retain(|(k, _)| *k != "split_cookie");
        options.push(("split_cookie", Node::Bool(split)));
        for request in REQUESTS {
            for answer in ANSWERS {
                let run = |redact: bool| {
                    let mut t = Talk::with("http", Transport::TCP, &options, redact);
                    t.client(request).server(answer).end(false).close();
                    (one(&mut t).to_string(), t.counters.redacted)
                };
                let (event, count) = run(true);
                assert!(!event.contains(SECRET), "{request}\n{answer}\n{event}");
                assert!(count >= 2, "{count} {request}\n{answer}");
                let (event, count) = run(false);
                assert!(event.contains(SECRET));
                assert_eq!(count, 0);
            }
        }
    }
}
