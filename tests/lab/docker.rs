//! A Docker Engine of our own, in a network namespace of its own: the "host".
//!
//! dockerd has its own data, state, socket and mount namespace, so neither another engine on the machine nor its
//! containers, bridges and packet filter rules are touched, and everything goes with the namespace. The image is
//! made of the machine's own nginx and curl and the libraries they load: nothing is pulled.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::netns::Namespace;
use super::process::Process;
use super::reaper::Undo;
use super::{Dir, run, serial, try_run, wait_until, which};

/// The size of the page at `/`.
pub(crate) const PAGE: u64 = 10_554;
/// The size of the file at `/large`.
pub(crate) const LARGE: u64 = 5 * 1024 * 1024;
/// The host's address outside, where ports are published.
pub(crate) const HOST: &str = "198.51.100.1";
/// The address of the visitor outside.
pub(crate) const VISITOR: &str = "198.51.100.2";
/// The programs that this needs.
pub(crate) const NEEDS: &[&str] = &[
    "ip",
    "nsenter",
    "unshare",
    "dockerd",
    "containerd",
    "iptables",
    "nginx",
    "curl",
    "ldd",
    "tcpdump",
    "tshark",
];

const IMAGE: &str = "lab";

/// The engine, its host and a visitor outside (`eth0` to `eth0`, the host's default route).
pub(crate) struct Engine {
    dockerd: Option<Process>,
    undo: Option<Undo>,
    /// The control group above all containers: what is left in it when the engine is gone is ended by its ids.
    group: String,
    pub(crate) visitor: Namespace,
    pub(crate) host: Namespace,
    dir: Dir,
}

impl Engine {
    /// Starts the engine and imports the image; what stands in the way comes back as text.
    pub(crate) fn start() -> Result<Self, String> {
        let dir = Dir::new("docker");
        let host = Namespace::new("host");
        let visitor = Namespace::new("visitor");
        host.link("eth0", &[&format!("{HOST}/24")], &visitor, "eth0", &[&format!("{VISITOR}/24")]);
        host.ip(&format!("route add default via {VISITOR}"));
        let group = format!("wirebeat-lab-{}-{}", std::process::id(), serial());
        let mut engine = Self { dockerd: None, undo: None, group, visitor, host, dir };
        engine.launch("overlay2").or_else(|error| {
            // A file system without overlay (a container's own root, for one) still can do copies.
            engine.launch("vfs").map_err(|other| format!("with overlay2: {error}\nwith vfs: {other}"))
        })?;
        engine.import()?;
        Ok(engine)
    }

    /// `docker ARGS`; panics when it fails.
    pub(crate) fn docker(&self, args: &[&str]) -> String {
        run(self.client().args(args)).trim_end().to_owned()
    }

    /// `docker ARGS` in the background.
    pub(crate) fn docker_spawn(&self, args: &[&str]) -> Child {
        let mut client = self.client();
        client.args(args).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        client.spawn().expect("cannot start docker")
    }

    /// Runs a container in the background that serves [`PAGE`] at `/` and [`LARGE`] at `/large`, and answers with
    /// its address once it listens.
    pub(crate) fn serve(&self, name: &str, options: &[&str]) -> String {
        let mut args = vec!["run", "-d", "--name", name];
        args.extend(options);
        args.extend([IMAGE, "/usr/sbin/nginx", "-c", "/etc/nginx.conf", "-e", "stderr"]);
        self.docker(&args);
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}} {{.State.Pid}}";
        let answer = self.docker(&["inspect", "-f", format, name]);
        let (address, pid) = answer.split_once(' ').expect("docker inspect: address and pid");
        let pid: u32 = pid.parse().expect("docker inspect: a pid");
        wait_until("nginx in its container", Duration::from_secs(20), || super::process::listens(pid, 80));
        address.to_owned()
    }

    /// The arguments of `docker run --rm … curl URL`; it prints status and size.
    pub(crate) fn curl(url: &str) -> Vec<&str> {
        Self::curl_in("bridge", url)
    }

    /// The same in another of Docker's networks.
    pub(crate) fn curl_in<'a>(network: &'a str, url: &'a str) -> Vec<&'a str> {
        let mut args = vec!["run", "--rm", "--network", network, IMAGE, "/usr/bin/curl"];
        args.extend(CURL);
        args.push(url);
        args
    }

    /// One visit from outside; answers with status and size.
    pub(crate) fn visit(&self, url: &str) -> String {
        run(self.visitor.command("curl").args(CURL).arg(url))
    }

    /// `docker ARGS` as words, for somebody else to run.
    pub(crate) fn command(&self, args: &[&str]) -> Vec<String> {
        let client = self.client();
        let set = client.get_envs().filter_map(|(name, value)| {
            Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy()))
        });
        let mut words: Vec<String> = std::iter::once("env".to_owned()).chain(set).collect();
        words.push(client.get_program().to_string_lossy().into_owned());
        words.extend(args.iter().map(|&arg| arg.to_owned()));
        words
    }

    fn socket(&self) -> String {
        format!("unix://{}/sock", self.dir.path().display())
    }

    fn client(&self) -> Command {
        // Debian's client first: it fits Debian's engine.
        let debian = Path::new("/usr/bin/docker");
        let client = if debian.exists() { Some(debian.to_path_buf()) } else { which("docker") };
        let mut command = Command::new(client.unwrap_or_else(|| PathBuf::from("docker")));
        command.env("DOCKER_HOST", self.socket()).env("DOCKER_CONFIG", self.dir.join("client"));
        command.env("DOCKER_CONTEXT", "default");
        command
    }

    fn launch(&mut self, driver: &str) -> Result<(), String> {
        let d = self.dir.path().display().to_string();
        self.dir.write("daemon.json", "{}"); // the machine's own /etc/docker/daemon.json is not for us
        // nsenter and not `ip netns exec`: that one hides /sys/fs/cgroup. The mount namespace of its own lets the
        // containers' mounts end with the daemon.
        let script = format!(
            "mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup; \
             exec dockerd --config-file '{d}/daemon.json' --data-root '{d}/data' --exec-root '{d}/exec' \
             --pidfile '{d}/pid' --host '{}' --storage-driver {driver} --group root \
             --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /{}",
            self.socket(),
            self.group
        );
        let netns = format!("--net=/run/netns/{}", self.host.name());
        let mut command = Command::new("nsenter");
        command.args([&netns, "unshare", "--mount", "bash", "-c", &script]);
        let log = self.dir.join(&format!("dockerd-{driver}.log"));
        let mut dockerd = Process::start("dockerd", &mut command, &log);
        let started = std::time::Instant::now();
        while !dockerd.log().contains("API listen on") {
            if !dockerd.runs() || started.elapsed() > Duration::from_secs(60) {
                let text = dockerd.log();
                let tail = text.lines().rev().take(10).collect::<Vec<_>>();
                return Err(format!(
                    "dockerd does not start: {}",
                    tail.into_iter().rev().collect::<Vec<_>>().join("\n")
                ));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.dockerd = Some(dockerd);
        // Noted last, so done first: containers go while their engine still runs.
        let socket = self.socket();
        self.undo = Some(Undo::new(&format!(
            "export DOCKER_HOST={socket}; c=$(docker ps -aq) && [ -n \"$c\" ] && docker rm -f $c; \
             kill $(cat '{0}/pid'); for i in {{1..100}}; do [ -e '{0}/pid' ] || break; sleep 0.1; done; {1}",
            self.dir.path().display(),
            end_group(&self.group)
        )));
        Ok(())
    }

    fn import(&self) -> Result<(), String> {
        let root = self.dir.join("root");
        let make = |dir: &str| fs::create_dir_all(root.join(dir)).unwrap();
        ["etc", "srv", "run", "tmp", "var/log/nginx", "var/lib/nginx"].into_iter().for_each(make);
        let mut files = BTreeSet::new();
        for program in ["nginx", "curl"] {
            let path = which(program).ok_or_else(|| format!("no {program} here"))?;
            let libraries = try_run(Command::new("ldd").arg(&path))?;
            files
                .extend(libraries.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from));
            // Under one name wherever the machine has it.
            let inside = if program == "nginx" { "usr/sbin/nginx" } else { "usr/bin/curl" };
            make(inside.rsplit_once('/').unwrap().0);
            fs::copy(&path, root.join(inside)).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        for file in &files {
            let copy = root.join(file.strip_prefix("/").unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(file, copy).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        let write = |name: &str, content: &[u8]| fs::write(root.join(name), content).unwrap();
        write("etc/passwd", b"root:x:0:0:root:/:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n");
        write("etc/group", b"root:x:0:\nnogroup:x:65534:\n");
        write("etc/nginx.conf", NGINX_CONF.as_bytes());
        write("srv/index.html", &page());
        write("srv/large", &vec![0x57; LARGE as usize]);
        let tar = self.dir.join("image.tar");
        try_run(Command::new("tar").arg("-cf").arg(&tar).arg("-C").arg(&root).arg("."))?;
        try_run(self.client().arg("import").arg(&tar).arg(IMAGE))?;
        fs::remove_dir_all(&root).ok();
        fs::remove_file(&tar).ok();
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(dockerd) = self.dockerd.take() {
            if let Ok(containers) = try_run(self.client().args(["ps", "-aq"])) {
                let _ = try_run(self.client().args(["rm", "-f"]).args(containers.split_whitespace()));
            }
            let _ = dockerd.stop(Duration::from_secs(30));
            let _ = Command::new("bash").args(["-c", &end_group(&self.group)]).status();
        }
        self.undo = None;
    }
}

/// Shell: ends the processes of a control group, by their ids, and removes it; both versions of control groups.
fn end_group(name: &str) -> String {
    format!(
        "for i in {{1..50}}; do d=$(find /sys/fs/cgroup -depth -type d -path '*/{name}*'); [ -z \"$d\" ] && break; \
         p=$(for x in $d; do cat $x/cgroup.procs; done | sort -u); [ -n \"$p\" ] && kill -KILL $p; \
         rmdir $d 2>/dev/null; sleep 0.1; done"
    )
}

const CURL: &[&str] = &[
    "--silent",
    "--show-error",
    "--max-time",
    "20",
    "--output",
    "/dev/null",
    "--write-out",
    "%{http_code} %{size_download}",
];

const NGINX_CONF: &str =
    "daemon off; worker_processes 1; pid /run/nginx.pid; error_log stderr; user nobody nogroup;
events { worker_connections 512; }
http { access_log off; default_type text/html; server { listen 80; root /srv; } }
";

/// A page of exactly [`PAGE`] bytes.
fn page() -> Vec<u8> {
    let mut page = b"<!DOCTYPE html>\n<title>A page</title>\n".to_vec();
    while page.len() < PAGE as usize {
        page.extend(b"<p>It works.</p>\n");
    }
    page.truncate(PAGE as usize);
    page
}
