//! DNS from BIND to dig and nsupdate.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::{CLIENT, Recording, SERVER, SERVER6, Stage};
use crate::lab::process::Process;
use crate::lab::{self};

pub(crate) const RECORDINGS: &[Recording] = &[
    recording("dns/types", "One question for each of many record types, over UDP.", types),
    recording("dns/edns", "EDNS: cookie, client subnet, NSID, padding, buffer sizes, none at all.", edns),
    recording("dns/errors", "NXDOMAIN, no data, REFUSED, NOTIMP, FORMERR.", errors),
    recording(
        "dns/truncated",
        "A large answer: truncated over UDP, whole over TCP, whole in IP fragments.",
        truncated,
    ),
    recording("dns/tcp", "Questions over TCP: one on its connection, and three on one connection.", tcp),
    recording(
        "dns/axfr",
        "A zone transfer of 1,502 records in three messages, and an IXFR that answers with the SOA alone.",
        axfr,
    ),
    recording(
        "dns/dnssec",
        "A signed zone: RRSIG, DNSKEY, DS, NSEC, NSEC3PARAM, denial of existence.",
        dnssec,
    ),
    recording("dns/update", "Dynamic update: add, delete, a failed prerequisite; SOA before them.", update),
    recording("dns/ipv6", "Questions over IPv6, UDP and TCP.", ipv6),
    recording("dns/reverse", "PTR for IPv4 and IPv6 addresses.", reverse),
];

const fn recording(name: &'static str, about: &'static str, make: fn(&mut Stage)) -> Recording {
    // Fragments after the first have no ports: let all through.
    Recording { name, about, filter: "ip or (ip6 and (udp or tcp))", make }
}

const ZONE: &str = r#"$TTL 300
$ORIGIN z.test.
@       SOA     ns hostmaster 2024010101 3600 600 86400 60
        NS      ns
        MX      10 mail
        MX      20 mail2
        TXT     "v=spf1 -all" "second string"
        CAA     0 issue "ca.test"
ns      A       198.51.100.1
        AAAA    2001:db8::1
www     A       198.51.100.10
        A       198.51.100.11
        AAAA    2001:db8::10
alias   CNAME   www
chain   CNAME   alias
mail    A       198.51.100.20
mail2   A       198.51.100.21
*.wild  A       198.51.100.30
_sip._udp       SRV     10 60 5060 www
_25._tcp.mail   TLSA    3 1 1 ( 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B56664C5D3D6 )
sip     NAPTR   100 10 "u" "E2U+sip" "!^.*$!sip:info@z.test!" .
svc     HTTPS   1 . alpn="h2,h3" ipv4hint=198.51.100.10 ipv6hint=2001:db8::10
_dns    SVCB    1 ns alpn="dot" port=853
loc     LOC     52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
host    HINFO   "PC" "Linux"
        SSHFP   4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF123456789
        RP      admin.z.test. txt.z.test.
dname   DNAME   www.z.test.
long    TXT     "a text with \"quotes\", a \\ backslash, a \007 bell and \195\164"
sub     NS      ns.sub
ns.sub  A       198.51.100.40
"#;

const REVERSE: &str = "$TTL 300\n@ SOA ns.z.test. hostmaster.z.test. 1 3600 600 86400 60\n NS ns.z.test.\n";

/// named with z.test, the reverse zones and, if asked for, a signed s.test; then the recording starts.
fn start(stage: &mut Stage, extra: &str, signed: bool) -> Process {
    let d = stage.dir.path().display().to_string();
    let mut zone = ZONE.to_owned();
    for n in 0..250 {
        let _ = writeln!(zone, "many A 192.0.2.{n}");
    }
    for n in 0..1222 {
        let _ = writeln!(zone, "h{n} A 192.0.2.{}", n % 250);
    }
    stage.dir.write("z.test.db", zone);
    stage.dir.write("4.db", format!("{REVERSE}10 PTR www.z.test.\n"));
    let nibbles = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0";
    stage.dir.write("6.db", format!("{REVERSE}{nibbles} PTR www.z.test.\n"));
    let mut zones = format!(
        "zone \"z.test\" {{ type primary; file \"z.test.db\"; {extra} }};\n\
         zone \"100.51.198.in-addr.arpa\" {{ type primary; file \"4.db\"; }};\n\
         zone \"8.b.d.0.1.0.0.2.ip6.arpa\" {{ type primary; file \"6.db\"; }};\n"
    );
    if signed {
        sign(stage.dir.path());
        zones.push_str("zone \"s.test\" { type primary; file \"s.test.db.signed\"; };\n");
        stage.settings("s.test signed with ECDSAP256SHA256, NSEC; n3.s.test is an unsigned delegation");
    }
    let conf = stage.dir.write(
        "named.conf",
        format!(
            "options {{ directory \"{d}\"; listen-on {{ {SERVER}; }}; listen-on-v6 {{ {SERVER6}; }}; pid-file \"pid\";\n\
             session-keyfile \"session.key\"; recursion no; dnssec-validation no; allow-transfer {{ any; }}; notify no;\n\
             max-records-per-type 0; server-id \"wire-1\"; version \"wire 1\"; minimal-responses no; querylog yes;\n\
             check-names primary ignore; max-udp-size 4096; edns-udp-size 4096; }};\ncontrols {{ }};\n{zones}"
        ),
    );
    let mut command = stage.server.command("named");
    command.args(["-g", "-n", "1", "-c"]).arg(conf);
    let mut named = Process::start("named", &mut command, &stage.dir.join("named.log"));
    named.wait_for_log("running", std::time::Duration::from_secs(20));
    stage.program("named -v");
    stage.program("dig -v");
    stage.settings(&format!("zone z.test (and 250 A records for many.z.test, h0 to h1221):\n{ZONE}"));
    // Neighbour discovery beforehand keeps it out of the capture.
    for address in [SERVER, SERVER6] {
        lab::run(stage.client.command("ping").args(["-c", "1", "-W", "2", address]));
    }
    stage.record();
    named
}

fn sign(dir: &Path) {
    let mut zone = "$TTL 300\n$ORIGIN s.test.\n@ SOA ns.z.test. hostmaster.z.test. 1 3600 600 86400 60\n NS ns.z.test.\n".to_owned();
    zone.push_str("www A 198.51.100.50\n*.wild TXT \"any\"\nsub NS ns.z.test.\n");
    zone.push_str("sub DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE5E7D1B9C2A5D9E1F0A3B4C5D\n");
    let _ = std::fs::write(dir.join("s.test.db"), zone);
    let script = "dnssec-keygen -q -a ECDSAP256SHA256 -n ZONE s.test && dnssec-keygen -q -a ECDSAP256SHA256 -f KSK -n ZONE s.test \
                  && cat K*.key >> s.test.db && dnssec-signzone -S -o s.test s.test.db";
    lab::run(Command::new("bash").args(["-c", &format!("cd '{}' && {script}", dir.display())]));
}

/// named's own log of queries, without times and pointers.
fn finish(stage: &mut Stage, named: &Process, expected: &[String]) {
    std::thread::sleep(std::time::Duration::from_millis(100));
    let log = named.log();
    let queries: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once("query: ").or_else(|| line.split_once("updating zone ")))
        .map(|(_, query)| query)
        .collect();
    stage.counted(&format!("named's query log, {} lines\n{}", queries.len(), queries.join("\n")));
    for line in expected {
        stage.expect(line);
    }
}

/// One dig for each line, its short answer noted.
fn dig(stage: &mut Stage, lines: &[&str]) -> String {
    for line in lines {
        stage.client(&format!(
            "dig @{SERVER} +tries=1 +noall +answer +comments {line} | grep -vE '^$|^;; Got'"
        ));
    }
    format!("dns {}", lines.len())
}

fn types(stage: &mut Stage) {
    let named = start(stage, "", false);
    let count = dig(
        stage,
        &[
            "www.z.test A",
            "www.z.test AAAA",
            "z.test MX",
            "z.test TXT",
            "z.test NS",
            "z.test SOA",
            "z.test CAA",
            "_sip._udp.z.test SRV",
            "_25._tcp.mail.z.test TLSA",
            "sip.z.test NAPTR",
            "svc.z.test HTTPS",
            "_dns.z.test SVCB",
            "loc.z.test LOC",
            "host.z.test HINFO",
            "host.z.test SSHFP",
            "host.z.test RP",
            "chain.z.test A",
            "x.dname.z.test A",
            "x.wild.z.test A",
            "long.z.test TXT",
            "host.z.test ANY +notcp",
            "WwW.Z.tEsT A",
            "version.bind CH TXT",
            "host.sub.z.test A",
        ],
    );
    finish(
        stage,
        &named,
        &[count, "the last one is a referral: no answer, authority and additional".to_owned()],
    );
}

fn edns(stage: &mut Stage) {
    let named = start(stage, "", false);
    let count = dig(
        stage,
        &[
            "www.z.test A +noedns",
            "www.z.test A +nocookie",
            "www.z.test A +cookie",
            "www.z.test A +subnet=192.0.2.0/24",
            "www.z.test A +subnet=2001:db8::/48",
            "www.z.test A +nsid",
            "www.z.test A +expire",
            "www.z.test A +padding=64",
            "www.z.test A +bufsize=512 +dnssec",
            "www.z.test A +ednsopt=65001:cafe",
            "www.z.test A +edns=1 +noednsnegotiation",
            "www.z.test A +noad +cd +rd",
            "www.z.test A +norecurse",
        ],
    );
    finish(
        stage,
        &named,
        &[count, "the one with edns=1 is answered BADVERS, an extended response code".to_owned()],
    );
}

fn errors(stage: &mut Stage) {
    let named = start(stage, "", false);
    let count = dig(
        stage,
        &[
            "absent.z.test A",
            "www.z.test MX",
            "other.test A",
            "www.z.test A +opcode=status",
            "www.z.test A +opcode=7",
            "z.test A +header-only",
        ],
    );
    finish(stage, &named, &[count]);
}

fn truncated(stage: &mut Stage) {
    let named = start(stage, "", false);
    for options in ["+noedns +ignore", "+noedns", "+bufsize=4096 +ignore"] {
        stage.client(&format!(
            "dig @{SERVER} +tries=1 {options} many.z.test A | grep -E 'flags|MSG SIZE|Truncated|SERVER'"
        ));
    }
    finish(stage, &named, &[
        "dns 4: truncated; truncated, then 250 answers over TCP; 250 answers in 4,085 bytes, three IP fragments".to_owned(),
    ]);
}

fn tcp(stage: &mut Stage) {
    let named = start(stage, "", false);
    dig(stage, &["+tcp www.z.test A"]);
    stage.client(&format!("dig @{SERVER} +tcp +keepopen +short www.z.test A z.test MX absent.z.test A"));
    finish(stage, &named, &["dns 4 on 2 connections".to_owned()]);
}

fn axfr(stage: &mut Stage) {
    let named = start(stage, "", false);
    stage.client(&format!("dig @{SERVER} z.test AXFR | tail -4"));
    stage.client(&format!("dig @{SERVER} z.test IXFR=2024010101 +notcp | tail -6"));
    finish(stage, &named, &["dns 2: the AXFR is one transaction of three messages".to_owned()]);
}

fn dnssec(stage: &mut Stage) {
    let named = start(stage, "", true);
    let count = dig(
        stage,
        &[
            "www.s.test A +dnssec",
            "s.test DNSKEY +dnssec",
            "sub.s.test DS +dnssec",
            "absent.s.test A +dnssec",
            "www.s.test MX +dnssec",
            "x.wild.s.test TXT +dnssec",
            "s.test NSEC",
            "s.test RRSIG +notcp",
            "s.test SOA +dnssec +cd",
        ],
    );
    finish(stage, &named, &[count]);
}

fn update(stage: &mut Stage) {
    let named = start(stage, &format!("allow-update {{ {CLIENT}; }};"), false);
    stage.client(&format!("printf 'server {SERVER}\\nupdate add new.z.test 60 A 192.0.2.99\\nupdate add new.z.test 60 TXT \"x y\"\\nsend\\n' | nsupdate"));
    stage.client(&format!(
        "printf 'server {SERVER}\\nzone z.test\\nupdate delete new.z.test A\\nsend\\n' | nsupdate"
    ));
    stage.client(&format!(
        "printf 'server {SERVER}\\nzone z.test\\nprereq nxdomain www.z.test\\nupdate add www.z.test 60 A 192.0.2.98\\nsend\\n' \
         | nsupdate 2>&1 || true"
    ));
    dig(stage, &["new.z.test ANY +notcp"]);
    finish(stage, &named, &["dns 5: SOA, three updates (NOERROR, NOERROR, YXDOMAIN), one query".to_owned()]);
}

fn ipv6(stage: &mut Stage) {
    let named = start(stage, "", false);
    for options in ["", "+tcp"] {
        stage.client(&format!("dig @{SERVER6} +tries=1 {options} +short www.z.test AAAA"));
    }
    finish(stage, &named, &["dns 2".to_owned()]);
}

fn reverse(stage: &mut Stage) {
    let named = start(stage, "", false);
    let count = dig(stage, &["-x 198.51.100.10", "-x 2001:db8::10", "-x 198.51.100.200"]);
    finish(stage, &named, &[count]);
}
