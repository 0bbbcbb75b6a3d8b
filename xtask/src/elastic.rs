//! The real Elasticsearch and OpenSearch that judge our API, and real clients: downloads the servers' artefacts from
//! Maven, once, and unpacks them under `target/servers`, installs the clients under `target/clients`.
//! `tests/elastic/server.rs` and `clients.rs` run them.
//!
//! These are the distributions that plugin authors test with: the servers themselves, without most modules. What we
//! need beyond that: OpenSearch gets its scripting language and its geo aggregations, which are artefacts of their own;
//! Elasticsearch gets a plugin of ours that answers `GET /` (`tests/elastic/stub`).

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

#[path = "../../tests/elastic/servers.rs"]
mod servers;

use servers::{CLIENTS, ENGINES, Kind, READY};

use crate::shell;

/// One file in Maven's repository.
struct Artefact {
    group: &'static str,
    name: &'static str,
    version: &'static str,
    kind: &'static str,
    sha256: &'static str,
}

impl Artefact {
    fn file(&self) -> String {
        format!("{}-{}.{}", self.name, self.version, self.kind)
    }
}

const fn artefact(
    group: &'static str,
    name: &'static str,
    version: &'static str,
    kind: &'static str,
    sha256: &'static str,
) -> Artefact {
    Artefact { group, name, version, kind, sha256 }
}

const ELASTICSEARCH: Artefact = artefact(
    "org.elasticsearch.distribution.integ-test-zip",
    "elasticsearch",
    "8.19.5",
    "zip",
    "5d3a8f63f66d828a24d29f88819bf2c6e695d124c470da3ab92a5d6cc1397785",
);
const OPENSEARCH: Artefact = artefact(
    "org.opensearch.distribution.integ-test-zip",
    "opensearch",
    "2.19.6",
    "zip",
    "71d6d8b1c637f3faecda0752b184b1cc526fc6eaad59ec1408c6327bb00b9293",
);

/// A module of OpenSearch: its name, its class, what its code may do, its files.
struct Module {
    name: &'static str,
    class: &'static str,
    policy: &'static str,
    files: &'static [Artefact],
}

const ASM: &str = "org.ow2.asm";
const PLUGIN: &str = "org.opensearch.plugin";

const MODULES: &[Module] = &[
    Module {
        name: "lang-painless",
        class: "org.opensearch.painless.PainlessPlugin",
        policy: "grant {\n  permission java.lang.RuntimePermission \"createClassLoader\";\n  \
                 permission java.lang.RuntimePermission \"getClassLoader\";\n};\n",
        files: &[
            artefact(
                PLUGIN,
                "lang-painless",
                "2.19.6",
                "jar",
                "e71e6c7ef99a6f5958cd0b25367acf472cc52cd49d29e13084c5ff0b5931f717",
            ),
            artefact(
                PLUGIN,
                "opensearch-scripting-painless-spi",
                "2.19.6",
                "jar",
                "84e545b968151739f1915cfd2db24bf873edfd317d2848b87b61d0d60ec70869",
            ),
            artefact(
                "org.antlr",
                "antlr4-runtime",
                "4.13.1",
                "jar",
                "54665d2838cc66458343468efc539e454fc95b46a8a04b13c6ac43fc9be63505",
            ),
            artefact(
                ASM,
                "asm",
                "9.7",
                "jar",
                "adf46d5e34940bdf148ecdd26a9ee8eea94496a72034ff7141066b3eea5c4e9d",
            ),
            artefact(
                ASM,
                "asm-analysis",
                "9.7",
                "jar",
                "7bc6bcbc21379948a0c8c467fb0f864206e5b818f6bc0b546872f5c9f941556f",
            ),
            artefact(
                ASM,
                "asm-commons",
                "9.7",
                "jar",
                "389bc247958e049fc9a0408d398c92c6d370c18035120395d4cba1d9d9304b7a",
            ),
            artefact(
                ASM,
                "asm-tree",
                "9.7",
                "jar",
                "62f4b3bc436045c1acb5c3ba2d8ec556ec3369093d7f5d06c747eb04b56d52b1",
            ),
            artefact(
                ASM,
                "asm-util",
                "9.7",
                "jar",
                "37a6414d36641973f1af104937c95d6d921b2ddb4d612c66c5a9f2b13fc14211",
            ),
        ],
    },
    Module {
        name: "geo",
        class: "org.opensearch.geo.GeoModulePlugin",
        policy: "",
        files: &[artefact(
            PLUGIN,
            "geo",
            "2.19.6",
            "jar",
            "ef64aafe284bd228475cb519795258a43cb378c86d25da68ae47b3d743ff4725",
        )],
    },
];

/// Downloads and unpacks what is not there yet. Without Java, Maven, pip or npm it says what will be skipped.
pub(crate) fn elastic() -> Result<()> {
    servers()?;
    clients()
}

/// Whether all these programs are there; says which are not, and what is skipped without them.
fn present(programs: &[&str], skipped: &str) -> bool {
    let absent: Vec<_> = programs.iter().copied().filter(|p| shell::which(p).is_none()).collect();
    if !absent.is_empty() {
        eprintln!("servers: no {}: {skipped} is skipped", absent.join(", "));
    }
    absent.is_empty()
}

fn clients() -> Result<()> {
    let root = shell::root();
    let base = root.join("target/clients");
    for client in CLIENTS.iter().chain([&ENGINES]).filter(|client| !client.installed(&root)) {
        if !present(&[client.installer], "what real clients of Elasticsearch do") {
            return Ok(());
        }
        let home = client.home(&root);
        if home.exists() {
            fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
        }
        fs::create_dir_all(&base).with_context(|| format!("cannot create {}", base.display()))?;
        let mut command = shell::command(client.installer);
        match client.installer {
            "npm" => command
                .args(["install", "--silent", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"])
                .arg("--prefix"),
            _ => command.args(["install", "--quiet", "--target"]),
        };
        shell::run(command.arg(&home).args(client.packages))?;
        fs::write(home.join(READY), "").context("cannot write the mark")?;
    }
    Ok(())
}

fn servers() -> Result<()> {
    let root = shell::root();
    let kinds = [Kind::Elasticsearch, Kind::OpenSearch];
    if kinds.iter().all(|kind| kind.installed(&root)) {
        eprintln!("servers: Elasticsearch and OpenSearch are there");
        return Ok(());
    }
    if !present(&["javac", "mvn", "unzip", "sha256sum"], "what Elasticsearch has to judge") {
        return Ok(());
    }
    let base = root.join("target/servers");
    let download = base.join("download");
    fs::create_dir_all(&download).with_context(|| format!("cannot create {}", download.display()))?;
    let lock = File::create(base.join("set-up.lock")).context("target/servers/set-up.lock")?;
    lock.lock().context("target/servers/set-up.lock")?;
    fetch(&base, &download)?;
    for kind in kinds {
        let home = kind.home(&root);
        if kind.installed(&root) {
            continue; // someone else was there while we waited
        }
        if home.exists() {
            fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
        }
        let zip = match kind {
            Kind::Elasticsearch => &ELASTICSEARCH,
            Kind::OpenSearch => &OPENSEARCH,
        };
        ensure!(zip.version == kind.version(), "{}: two versions", kind.name());
        shell::run(shell::command("unzip").arg("-q").arg(download.join(zip.file())).arg("-d").arg(&base))?;
        match kind {
            Kind::Elasticsearch => stub(&home)?,
            Kind::OpenSearch => modules(&home, &download)?,
        }
        fs::write(home.join(READY), "").context("cannot write the mark")?;
    }
    fs::remove_dir_all(&download).with_context(|| format!("cannot remove {}", download.display()))
}

/// One call of Maven for all files, and their checksums.
fn fetch(base: &Path, download: &Path) -> Result<()> {
    let all: Vec<&Artefact> =
        [&ELASTICSEARCH, &OPENSEARCH].into_iter().chain(MODULES.iter().flat_map(|m| m.files)).collect();
    let mut items = String::new();
    for a in &all {
        let _ = writeln!(
            items,
            "<artifactItem><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version><type>{}</type>\
             </artifactItem>",
            a.group, a.name, a.version, a.kind
        );
    }
    let pom = base.join("pom.xml");
    let text = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\n\
         <groupId>wirebeat</groupId><artifactId>servers</artifactId><version>1</version><packaging>pom</packaging>\n\
         <build><plugins><plugin><groupId>org.apache.maven.plugins</groupId>\n\
         <artifactId>maven-dependency-plugin</artifactId><version>3.7.1</version>\n\
         <configuration><artifactItems>\n{items}</artifactItems></configuration></plugin></plugins></build></project>\n"
    );
    fs::write(&pom, text).with_context(|| format!("cannot write {}", pom.display()))?;
    shell::run(
        shell::command("mvn")
            .args(["-B", "-q", "-f"])
            .arg(&pom)
            .arg("dependency:copy")
            .arg(format!("-DoutputDirectory={}", download.display())),
    )?;
    let sums: String = all.iter().map(|a| format!("{}  {}\n", a.sha256, a.file())).collect();
    let list = download.join("sums");
    fs::write(&list, sums).with_context(|| format!("cannot write {}", list.display()))?;
    shell::run(
        shell::command("sha256sum").current_dir(download).args(["--check", "--quiet", "--strict", "sums"]),
    )
}

/// Gives OpenSearch the modules that its distribution leaves out.
fn modules(home: &Path, download: &Path) -> Result<()> {
    for module in MODULES {
        let folder = home.join("modules").join(module.name);
        fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        for file in module.files {
            let name = file.file();
            fs::copy(download.join(&name), folder.join(&name)).with_context(|| name.clone())?;
        }
        describe(&folder, module.name, module.class, "opensearch", "11", OPENSEARCH.version)?;
        if !module.policy.is_empty() {
            fs::write(folder.join("plugin-security.policy"), module.policy).context("policy")?;
        }
    }
    Ok(())
}

/// Compiles our plugin for Elasticsearch.
fn stub(home: &Path) -> Result<()> {
    let folder = home.join("plugins/stub");
    let classes = home.join("stub-classes");
    fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let path = home.join("lib").join("*");
    shell::run(
        shell::command("javac")
            .args(["--release", "17", "-cp"])
            .arg(path)
            .arg("-d")
            .arg(&classes)
            .arg("tests/elastic/stub/StubPlugin.java"),
    )?;
    shell::run(
        shell::command("jar").arg("cf").arg(folder.join("stub.jar")).arg("-C").arg(&classes).arg("."),
    )?;
    describe(&folder, "stub", "stub.StubPlugin", "elasticsearch", "17", ELASTICSEARCH.version)
}

fn describe(folder: &Path, name: &str, class: &str, server: &str, java: &str, version: &str) -> Result<()> {
    let text = format!(
        "description={name}\nversion={version}\nname={name}\nclassname={class}\njava.version={java}\n\
         {server}.version={version}\nextended.plugins=\nhas.native.controller=false\n"
    );
    fs::write(folder.join("plugin-descriptor.properties"), text).context("plugin-descriptor.properties")
}
