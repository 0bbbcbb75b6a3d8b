//! Installs what building and testing need, and nothing that is there already.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// One Debian package that the build or a test needs.
pub(crate) struct Package {
    /// Its name in Debian.
    pub name: &'static str,
    /// The program whose presence says that it is installed.
    pub program: &'static str,
    /// What it is for.
    pub why: &'static str,
    /// Which tests are skipped without it.
    pub tests: &'static str,
}

const fn package(
    name: &'static str,
    program: &'static str,
    why: &'static str,
    tests: &'static str,
) -> Package {
    Package { name, program, why, tests }
}

/// What building alone needs.
pub(crate) const BUILD: &[Package] = &[
    package("gcc", "cc", "links the program and compiles zstd", "all"),
    package("libc6-dev", "ldd", "the C library's headers, for zstd", "all"),
];

/// Everything that is not a crate. A new real server for tests is one line here.
pub(crate) const PACKAGES: &[Package] = &[
    package("gcc", "cc", "links the program and compiles zstd", "all"),
    package("libc6-dev", "ldd", "the C library's headers, for zstd", "all"),
    package("iproute2", "ip", "network namespaces and veth pairs", "all with a live capture"),
    package("procps", "free", "a second opinion on memory, processes, uptime", "system"),
    package("bsdutils", "script", "a terminal to show a view in", "system"),
    package("util-linux", "nsenter", "runs a program inside a network namespace", "all with a live capture"),
    package("tcpdump", "tcpdump", "the second opinion on what is on the wire", "seed, xtask record"),
    package("tshark", "tshark", "the second opinion on what a packet means", "seed, xtask record"),
    package("docker.io", "dockerd", "a real Docker Engine", "seed"),
    package("iptables", "iptables", "Docker publishes ports with it", "seed"),
    package("nginx", "nginx", "a real HTTP server, also inside the containers", "seed, http"),
    package("curl", "curl", "a real HTTP client, also inside the containers", "seed, http"),
    package("apache2-utils", "ab", "ab, an HTTP load with a known count", "http"),
    package("redis-server", "redis-server", "a real Redis", "redis"),
    package("redis-tools", "redis-cli", "a Redis client and a load with a known count", "redis"),
    package("bind9", "named", "a real DNS server", "dns"),
    package("bind9-dnsutils", "dig", "a real DNS client", "dns"),
    package("netcat-openbsd", "nc", "sends bytes as they are: pipelines, inline commands", "http, redis"),
    package("iputils-ping", "ping", "ICMP with a known count", "icmp"),
    package("default-jdk-headless", "javac", "Java, for the real Elasticsearch and OpenSearch", "elastic"),
    package("maven", "mvn", "downloads Elasticsearch and OpenSearch", "elastic"),
    package("unzip", "unzip", "unpacks Elasticsearch and OpenSearch", "elastic"),
    package(
        "python3-pip",
        "pip3",
        "installs real clients of Elasticsearch, DuckDB and Polars",
        "elastic, interop",
    ),
    package("nodejs", "node", "real clients of Elasticsearch; builds and tests the front end", "elastic, ui"),
    package("npm", "npm", "installs them, and the front end's packages", "elastic, ui"),
    package("chromium", "chromium", "the browser that the front end is tested in", "ui"),
    package("tcpreplay", "tcpreplay", "puts a recorded capture on a wire", "replay"),
];

/// What only `cargo xtask record` needs.
pub(crate) const RECORD: &[Package] = &[
    package("ethtool", "ethtool", "turns offloads off, for frames as a cable has them", "xtask record"),
    package("bind9-utils", "dnssec-signzone", "signs a zone", "xtask record"),
    package("apache2", "apache2", "an HTTP server with CONNECT and Upgrade", "xtask record"),
];

const LOCK: &str = "/var/lock/wirebeat-apt.lock";
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// What is not installed.
pub(crate) fn missing(packages: &'static [Package]) -> Vec<&'static Package> {
    packages.iter().filter(|package| shell::which(package.program).is_none()).collect()
}

/// Installs what is missing. Without root, says what is missing and which tests will be skipped for it.
pub(crate) fn setup(packages: &'static [Package]) -> Result<()> {
    let wanted = missing(packages);
    if wanted.is_empty() {
        eprintln!("set-up: all {} packages are there", packages.len());
        return Ok(());
    }
    if !shell::is_root() {
        eprintln!("set-up: not root, so these stay missing and their tests are skipped:");
        for package in &wanted {
            eprintln!("  {:16} {}; skipped: {}", package.name, package.why, package.tests);
        }
        let names: Vec<_> = wanted.iter().map(|package| package.name).collect();
        eprintln!("  install them with: apt-get install --no-install-recommends {}", names.join(" "));
        return Ok(());
    }
    if shell::which("apt-get").is_none() {
        let names: Vec<_> = wanted.iter().map(|package| package.name).collect();
        bail!("no apt-get here; please install what these Debian packages hold: {}", names.join(" "));
    }
    // Two installations at once spoil each other's downloads: one lock for all check-outs on the machine.
    let lock = File::create(LOCK).with_context(|| format!("cannot create {LOCK}"))?;
    lock.lock().with_context(|| format!("cannot lock {LOCK}"))?;
    let wanted = missing(packages); // someone else may have installed it while we waited
    if wanted.is_empty() {
        return Ok(());
    }
    eprintln!("set-up: installing");
    for package in &wanted {
        eprintln!("  {:16} {}", package.name, package.why);
    }
    let _quiet = NoServices::new()?;
    install(&wanted).or_else(|error| {
        eprintln!("set-up: {error:#}; once more");
        install(&wanted)
    })?;
    match missing(packages).as_slice() {
        [] => Ok(()),
        rest => {
            let names: Vec<_> = rest.iter().map(|package| package.program).collect();
            bail!("installed, and still no sign of: {}", names.join(", "))
        }
    }
}

fn install(packages: &[&Package]) -> Result<()> {
    shell::run(apt().args(["-qq", "update"]))?;
    shell::run(
        apt()
            .args(["-qq", "-o", "Dpkg::Use-Pty=0", "install", "-y", "--no-install-recommends"])
            .args(packages.iter().map(|package| package.name)),
    )
}

fn apt() -> std::process::Command {
    let mut apt = shell::command("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=600"]);
    apt
}

/// While this lives, a package that is installed does not start its service.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn new() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("cannot write {POLICY}"))?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PACKAGES, RECORD};

    #[test]
    fn every_package_says_why() {
        for package in PACKAGES.iter().chain(RECORD) {
            assert!(!package.why.is_empty() && !package.tests.is_empty(), "{}", package.name);
        }
    }

    #[test]
    fn no_package_twice() {
        let mut names: Vec<_> = PACKAGES.iter().chain(RECORD).map(|package| package.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PACKAGES.len() + RECORD.len());
    }
}
