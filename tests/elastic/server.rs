//! A real server, started on loopback with a small heap and an empty data directory, and stopped.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::http::Client;
use crate::lab;
use crate::lab::Dir;
use crate::lab::process::Process;
use crate::servers::Kind;

/// How long a start may take on a machine that builds something meanwhile. On an idle one it is 10 s.
const START: Duration = Duration::from_secs(180);

/// A running server. Dropping it stops it.
pub(crate) struct Server {
    /// Which one.
    pub(crate) kind: Kind,
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    _process: Process,
    _dir: Dir,
    _lock: File,
}

impl Server {
    /// Starts one for a minute or two: a plain compiler is enough, and it starts and loads sooner.
    pub(crate) fn start(kind: Kind, root: &Path) -> Self {
        Self::with(kind, root, "-Xms512m -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    }

    /// Starts one with options of Java, without rights where we have any to give up, and waits until it answers.
    pub(crate) fn with(kind: Kind, root: &Path, java: &str) -> Self {
        let home = kind.home(root);
        // Two of them would take a gigabyte and both cores.
        let lock = File::create(root.join("target/servers/lock")).unwrap();
        lock.lock().unwrap();
        let dir = Dir::new(kind.name());
        for name in ["data", "logs", "tmp"] {
            std::fs::create_dir(dir.join(name)).unwrap();
        }
        copy(&home.join("config"), &dir.join("config"));
        // Its log of collections would go into the home directory, and the collector is chosen below.
        let options = dir.join("config/jvm.options");
        let text = std::fs::read_to_string(&options).unwrap();
        let kept: Vec<_> = text.lines().filter(|l| !l.contains("-Xlog") && !l.contains("UseG1GC")).collect();
        std::fs::write(&options, kept.join("\n") + "\n").unwrap();
        let (http, transport) = (lab::free_port(), lab::free_port());
        let (program, prefix) = match kind {
            Kind::Elasticsearch => ("bin/elasticsearch", "ES"),
            Kind::OpenSearch => ("bin/opensearch", "OPENSEARCH"),
        };
        let mut command = if lab::is_root() {
            lab::run(Command::new("chown").arg("-R").arg("nobody:nogroup").arg(dir.path()));
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]);
            command.arg(home.join(program));
            command
        } else {
            Command::new(home.join(program))
        };
        command
            .current_dir(dir.path())
            .env(format!("{prefix}_JAVA_HOME"), java_home())
            .env(format!("{prefix}_JAVA_OPTS"), format!("{java} -XX:-HeapDumpOnOutOfMemoryError"))
            .env(format!("{prefix}_PATH_CONF"), dir.join("config"))
            .env(format!("{prefix}_TMPDIR"), dir.join("tmp"))
            .arg("-Ediscovery.type=single-node")
            .arg("-Enetwork.host=127.0.0.1")
            .arg(format!("-Ehttp.port={http}"))
            .arg(format!("-Etransport.port={transport}"))
            .arg(format!("-Epath.data={}", dir.join("data").display()))
            .arg(format!("-Epath.logs={}", dir.join("logs").display()))
            .arg("-Ecluster.routing.allocation.disk.threshold_enabled=false");
        if kind == Kind::Elasticsearch {
            command.arg("-Expack.security.enabled=false");
        }
        let mut process = Process::start(kind.name(), &mut command, &dir.join("server.log"));
        let url = format!("http://127.0.0.1:{http}");
        let mut client = Client::new(&url);
        process.wait_for("answer to _cluster/health", START, |_| {
            std::thread::sleep(Duration::from_millis(100));
            client.send("GET", "/_cluster/health", None).is_ok_and(|answer| answer.status == 200)
        });
        Self { kind, url, _process: process, _dir: dir, _lock: lock }
    }
}

/// The directory of the Java that is in `PATH`.
fn java_home() -> PathBuf {
    let java = lab::which("java").expect("java (cargo xtask setup)");
    let java = std::fs::canonicalize(java).unwrap();
    java.parent().and_then(Path::parent).expect("bin/java").to_owned()
}

fn copy(from: &Path, to: &Path) {
    lab::run(Command::new("cp").arg("-r").arg(from).arg(to));
}
