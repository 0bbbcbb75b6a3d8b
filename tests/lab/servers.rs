//! Real servers on loopback or inside a namespace: started, waited for, stopped by their ids.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Dir;
use super::netns::Namespace;
use super::process::Process;

const SOON: Duration = Duration::from_secs(20);

/// A server with its directory. Dropping it stops it.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) port: u16,
    dir: Dir,
}

impl Server {
    /// The server's own directory.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn start(dir: Dir, name: &str, port: u16, command: &mut Command) -> Self {
        let mut process = Process::start(name, command, &dir.join(&format!("{name}.log")));
        process.wait_listening(port, SOON);
        Self { process, port, dir }
    }
}

fn command(place: Option<&Namespace>, program: &str) -> Command {
    match place {
        Some(namespace) => namespace.command(program),
        None => Command::new(
            super::which(program).unwrap_or_else(|| panic!("no {program} here (cargo xtask setup)")),
        ),
    }
}

/// What nginx writes for each request, to compare with: its own count.
pub(crate) const NGINX_LOG: &str = "$request_method $request_uri $server_protocol $status body=$body_bytes_sent \
     sent=$bytes_sent got=$request_length connection=$connection request=$connection_requests";

/// nginx with a `server` block's content (without `listen`); `root` is the directory `www` of the server.
pub(crate) fn nginx(
    place: Option<&Namespace>,
    address: &str,
    port: u16,
    server: &str,
    files: &[(&str, &[u8])],
) -> Server {
    let dir = Dir::new("nginx");
    let d = dir.path().display().to_string();
    std::fs::create_dir(dir.join("www")).unwrap();
    for (name, content) in files {
        dir.write(&format!("www/{name}"), content);
    }
    // One worker: what the log says comes in the order of the wire.
    let conf = dir.write(
        "nginx.conf",
        format!(
            "daemon off; worker_processes 1; pid {d}/pid; error_log stderr; user root;\n\
             events {{ worker_connections 512; }}\n\
             http {{ log_format lab '{NGINX_LOG}'; access_log {d}/access.log lab; client_body_temp_path {d}/body; proxy_temp_path {d}/proxy;\n\
             fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s; default_type text/plain;\n\
             server {{ listen {address}:{port}; charset off; root {d}/www;\n{server}\n}} }}\n"
        ),
    );
    Server::start(dir, "nginx", port, command(place, "nginx").arg("-c").arg(conf).args(["-e", "stderr"]))
}

/// redis-server without persistence; `DEBUG` commands are allowed.
pub(crate) fn redis(place: Option<&Namespace>, address: &str, port: u16, options: &[&str]) -> Server {
    let dir = Dir::new("redis");
    let mut redis = command(place, "redis-server");
    redis.args(["--port", &port.to_string(), "--bind", address, "--save", "", "--appendonly", "no"]);
    redis
        .args(["--enable-debug-command", "yes", "--protected-mode", "no", "--dir"])
        .arg(dir.path())
        .args(options);
    Server::start(dir, "redis-server", port, &mut redis)
}

/// named with zones (name, zone file's text), authoritative only.
pub(crate) fn named(place: Option<&Namespace>, address: &str, port: u16, zones: &[(&str, &str)]) -> Server {
    let dir = Dir::new("named");
    let d = dir.path().display().to_string();
    let mut conf = format!(
        "options {{ directory \"{d}\"; listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }};\n\
         pid-file \"{d}/pid\"; session-keyfile \"{d}/session.key\"; recursion no; dnssec-validation no;\n\
         allow-transfer {{ any; }}; notify no; max-records-per-type 0; }};\ncontrols {{ }};\n"
    );
    for (zone, text) in zones {
        dir.write(&format!("{zone}.db"), text);
        conf.push_str(&format!("zone \"{zone}\" {{ type primary; file \"{d}/{zone}.db\"; }};\n"));
    }
    let conf = dir.write("named.conf", conf);
    Server::start(dir, "named", port, command(place, "named").args(["-g", "-n", "1", "-c"]).arg(conf))
}
