//! HTTP from nginx and Apache to curl and nc.

use std::fs;

use super::{Recording, SERVER, SERVER6, Stage};
use crate::lab::Dir;
use crate::lab::process::Process;
use crate::lab::servers::{NGINX_LOG, Server, nginx};

pub(crate) const RECORDINGS: &[Recording] = &[
    recording(
        "http/keep-alive",
        "Several requests on one connection, bodies with Content-Length.",
        keep_alive,
    ),
    recording("http/methods", "HEAD, OPTIONS, 304, 404, 301, 405, ranges, credentials and cookies.", methods),
    recording("http/pipeline", "Five requests in one segment, answered one after the other.", pipeline),
    recording("http/chunked", "Bodies in chunks, plain and gzip, from the server and to it.", chunked),
    recording("http/put", "Uploads by PUT, with and without 100 Continue, and one that is refused.", put),
    recording("http/post", "A form and a multipart upload by POST.", post),
    recording("http/old", "HTTP/1.0: bodies that end with the connection, and keep-alive asked for.", old),
    recording("http/broken", "What a server refuses: garbage, a long line, an early end.", broken),
    recording(
        "http/offload",
        "A body of 40,000 bytes with offloads on: frames larger than the MTU.",
        offload,
    ),
    recording("http/ipv6", "A request and its answer over IPv6.", ipv6),
    recording("http/connect", "CONNECT to Apache's proxy, a request inside the tunnel.", connect),
    recording(
        "http/upgrade",
        "Upgrade: h2c, taken (101) by Apache and declined (200) for a second path.",
        upgrade,
    ),
];

const fn recording(name: &'static str, about: &'static str, make: fn(&mut Stage)) -> Recording {
    Recording { name, about, filter: "tcp", make }
}

const CURL: &str = "curl -sS -o /dev/null -w '%{http_code} %{size_download}\\n'";

/// nginx with a page of 10,554 bytes and whatever the recording adds; then the recording starts.
fn start(stage: &mut Stage, settings: &str) -> Server {
    let page: Vec<u8> = b"<p>It works.</p>\n".iter().copied().cycle().take(10_554).collect();
    let files: &[(&str, &[u8])] = &[
        ("index.html", &page),
        ("small.txt", b"Hello, wire.\n"),
        ("page.shtml", b"<p>before</p>\n<!--#echo var=\"REQUEST_URI\" -->\n<p>after</p>\n"),
    ];
    let server = nginx(Some(&stage.server), SERVER, 80, settings, files);
    stage.program("nginx -v");
    stage.program("curl --version");
    stage.settings(settings);
    stage.settings("index.html has 10554 bytes, small.txt 13");
    stage.dir.write("small.txt", "Hello, wire.\n");
    stage.record();
    server
}

/// The access log, and one `http` per line that a whole exchange stands behind.
fn finish(stage: &mut Stage, server: &Server, expected: usize) {
    std::thread::sleep(std::time::Duration::from_millis(100));
    let log = fs::read_to_string(server.dir().join("access.log")).unwrap_or_default();
    stage.counted(&format!("log_format {NGINX_LOG}\n{log}"));
    stage.expect(&format!("http {expected}"));
}

fn keep_alive(stage: &mut Stage) {
    let server = start(stage, "");
    let url = format!("http://{SERVER}");
    stage.client(&format!(
        "{CURL} {url}/ -o /dev/null {url}/small.txt -o /dev/null '{url}/?q=wire%20beat&page=2'"
    ));
    finish(stage, &server, 3);
}

fn methods(stage: &mut Stage) {
    let server = start(
        stage,
        "if_modified_since before;\n\
         location /moved { return 301 /small.txt; }\n\
         location /cookie { add_header Set-Cookie 'id=secret; HttpOnly'; return 200 'ok'; }\n\
         location /error { return 500 'no'; }",
    );
    let url = format!("http://{SERVER}");
    stage.client(&format!("{CURL} -I {url}/"));
    stage.client(&format!("{CURL} -X OPTIONS {url}/"));
    stage.client(&format!("{CURL} -H 'If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT' {url}/small.txt"));
    stage.client(&format!("{CURL} -z '1 Jan 2030' {url}/small.txt"));
    stage.client(&format!("{CURL} {url}/absent"));
    stage.client(&format!("{CURL} {url}/moved"));
    stage.client(&format!("{CURL} -X DELETE {url}/small.txt"));
    stage.client(&format!("{CURL} -r 100-199 {url}/"));
    stage.client(&format!("{CURL} -r 0-9,100-109 {url}/"));
    stage.client(&format!("{CURL} -u alice:secret -b 'session=secret' '{url}/small.txt?password=secret'"));
    stage.client(&format!("{CURL} {url}/cookie"));
    stage.client(&format!("{CURL} {url}/error"));
    finish(stage, &server, 12);
}

fn pipeline(stage: &mut Stage) {
    let server = start(stage, "");
    stage.program("nc -h");
    let get = |path: &str, last: &str| format!("GET {path} HTTP/1.1\\r\\nHost: wire.test\\r\\n{last}\\r\\n");
    let all: String = ["/small.txt", "/", "/absent", "/small.txt?4"].map(|path| get(path, "")).concat()
        + &get("/?5", "Connection: close\\r\\n");
    stage.client(&format!("printf '{all}' | nc -q 2 {SERVER} 80 | grep -a -E '^HTTP|^Content-Length'"));
    finish(stage, &server, 5);
}

fn chunked(stage: &mut Stage) {
    let server = start(
        stage,
        "ssi on; gzip on; gzip_min_length 1; gzip_types text/plain;\nlocation /in { dav_methods PUT; }",
    );
    let url = format!("http://{SERVER}");
    stage.client(&format!("{CURL} {url}/page.shtml"));
    stage.client(&format!("{CURL} -H 'Accept-Encoding: gzip' {url}/"));
    stage.client(&format!("{CURL} --compressed {url}/page.shtml"));
    stage.client(&format!("seq 2000 | {CURL} -T - {url}/in"));
    finish(stage, &server, 4);
}

fn put(stage: &mut Stage) {
    let server = start(stage, "location /in { dav_methods PUT DELETE; client_max_body_size 20k; }");
    let url = format!("http://{SERVER}");
    stage.client(&format!(
        "head -c 10000 /dev/zero | tr '\\0' x > body && {CURL} -H 'Expect:' -T body {url}/in1"
    ));
    stage.client(&format!("{CURL} -H 'Expect: 100-continue' -T body {url}/in2"));
    stage.client(&format!("{CURL} -H 'Expect:' -T body {url}/in2"));
    stage.client(&format!(
        "head -c 30000 /dev/zero | tr '\\0' x > large && {CURL} -H 'Expect: 100-continue' -T large {url}/in3"
    ));
    stage.client(&format!("{CURL} -X DELETE {url}/in2"));
    finish(stage, &server, 5);
    stage.expect("the second and fourth ask for 100 Continue; the fourth gets 413 instead and sends no body");
}

fn post(stage: &mut Stage) {
    let server = start(
        stage,
        "location /form { return 200 'taken'; }\n\
         error_page 405 =200 @taken; location @taken { return 200 'taken'; }",
    );
    let url = format!("http://{SERVER}");
    stage.client(&format!("{CURL} -d 'user=alice&password=secret&note=a+b' {url}/form"));
    stage.client(&format!("{CURL} -H 'Content-Type: application/json' -d '{{\"user\":\"alice\",\"token\":\"secret\"}}' {url}/form"));
    stage.client(&format!("{CURL} -F user=alice -F file=@small.txt {url}/form"));
    finish(stage, &server, 3);
}

fn old(stage: &mut Stage) {
    let server = start(stage, "ssi on;");
    let url = format!("http://{SERVER}");
    stage.client(&format!("{CURL} -0 {url}/small.txt"));
    stage.client(&format!("{CURL} -0 {url}/page.shtml"));
    stage.client(&format!("ab -q -k -n 3 -c 1 {url}/small.txt | grep -E '^(Complete|Keep-Alive) requests'"));
    stage.program("ab -V");
    stage.client(&format!("printf 'GET /small.txt\\r\\n' | nc -q 1 {SERVER} 80"));
    finish(stage, &server, 5);
    stage.expect("the last one is HTTP/0.9, no version in the request and no head in the answer: not HTTP/1, not among the 5");
}

fn broken(stage: &mut Stage) {
    let server = start(stage, "large_client_header_buffers 2 1k;");
    stage.client(&format!("printf 'HELLO wire\\r\\n\\r\\n' | nc -q 1 {SERVER} 80 | head -1"));
    stage.client(&format!("{CURL} http://{SERVER}/$(head -c 3000 /dev/zero | tr '\\0' a)"));
    stage.client(&format!("printf 'GET / HTTP/1.1\\r\\n\\r\\n' | nc -q 1 {SERVER} 80 | head -1"));
    stage.client(&format!(
        "printf 'GET /small.txt HTTP/1.1\\r\\nHost: wi' | nc -q 1 -w 1 {SERVER} 80 | wc -c"
    ));
    stage.client(&format!("printf '\\x16\\x03\\x01\\x00\\x2a\\x01\\x00' | nc -q 1 {SERVER} 80 | head -1"));
    finish(stage, &server, 5);
    stage.expect("the third lacks Host: 400; the fourth never ends its head: cut short, no answer; the last is the start of TLS: 400");
}

fn offload(stage: &mut Stage) {
    stage.offloads(true);
    let server = start(stage, "");
    fs::write(server.dir().join("www/large.txt"), vec![b'x'; 40_000]).ok();
    stage.client(&format!("{CURL} http://{SERVER}/large.txt"));
    finish(stage, &server, 1);
}

fn ipv6(stage: &mut Stage) {
    let server = start(stage, &format!("listen [{SERVER6}]:80;"));
    stage.client(&format!("{CURL} 'http://[{SERVER6}]/small.txt'"));
    finish(stage, &server, 1);
}

/// Apache with the modules and lines given, on port 8000 beside nginx.
fn apache(stage: &mut Stage, modules: &[&str], lines: &str) -> (Process, Dir) {
    let dir = Dir::new("apache");
    let d = dir.path().display().to_string();
    let _ = fs::create_dir(dir.join("www"));
    dir.write("www/small.txt", "Hello, wire.\n");
    let load: String = ["mpm_event", "authz_core", "mime"]
        .iter()
        .chain(modules)
        .map(|module| format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n"))
        .collect();
    let conf = dir.write(
        "apache.conf",
        format!(
            "ServerRoot {d}\nServerName wire.test\nPidFile {d}/pid\nDefaultRuntimeDir {d}\nListen {SERVER}:8000\n{load}\
             User nobody\nGroup nogroup\nErrorLog {d}/error.log\nTypesConfig /etc/mime.types\n\
             DocumentRoot {d}/www\n<Directory {d}/www>\nRequire all granted\n</Directory>\nStartServers 1\n\
             LogFormat \"%m %U %H %>s body=%B\" lab\n{lines}\n"
        ),
    );
    dir.write("empty", "");
    let mut command = stage.server.command("apache2");
    command.args(["-D", "FOREGROUND", "-f"]).arg(conf);
    let mut process = Process::start("apache2", &mut command, &dir.join("log"));
    process.wait_listening(8000, std::time::Duration::from_secs(20));
    stage.program("apache2 -v");
    stage.settings(lines);
    (process, dir)
}

fn connect(stage: &mut Stage) {
    let (_apache, _dir) = apache(
        stage,
        &["proxy", "proxy_connect"],
        "ProxyRequests On\nAllowCONNECT 80\n<Proxy *>\nRequire all granted\n</Proxy>",
    );
    let server = start(stage, "");
    stage.client(&format!("{CURL} -p -x http://{SERVER}:8000 http://{SERVER}/small.txt"));
    finish(stage, &server, 2);
    stage.expect(
        "the CONNECT (200, counted by Apache), and inside the tunnel the GET for /small.txt (200, by nginx)",
    );
}

fn upgrade(stage: &mut Stage) {
    let (_apache, _dir) = apache(stage, &["http2"], "Protocols h2c http/1.1");
    stage.program("curl --version");
    stage.settings("small.txt has 13 bytes");
    stage.record();
    stage.client(&format!("{CURL} --http2 http://{SERVER}:8000/small.txt"));
    stage.client(&format!(
        "{CURL} -H 'Connection: Upgrade' -H 'Upgrade: wire/1' http://{SERVER}:8000/small.txt"
    ));
    stage.expect("http 2");
    stage.expect("the first is answered with 101 Switching Protocols, then HTTP/2; the second with 200");
}
