//! Signatures of protocols over TCP.

use super::shared::{
    be16, be32, begins, begins_nocase, holds, is_http_request, is_kerberos, is_ldap, is_sip, is_stun,
    is_syslog, is_text, le32, rpc_call,
};

/// The protocol of a TCP stream, by what the client and the server say first.
pub(super) fn name(client: &[u8], server: &[u8]) -> Option<&'static str> {
    text(client, server).or_else(|| binary(client, server))
}

/// Protocols that speak in words.
fn text(c: &[u8], s: &[u8]) -> Option<&'static str> {
    // RFC 9113 §3.4.
    if c.starts_with(b"PRI * HTTP/2.0\r\n") {
        return Some("http2");
    }
    if is_http_request(c) || begins(s, &["HTTP/1.0 ", "HTTP/1.1 "]) {
        return Some("http");
    }
    // RFC 4253 §4.2.
    if begins(c, &["SSH-2.0-", "SSH-1."]) || begins(s, &["SSH-2.0-", "SSH-1."]) {
        return Some("ssh");
    }
    if is_sip(c) || is_sip(s) {
        return Some("sip");
    }
    // RFC 7826 §20.
    if begins(s, &["RTSP/1.0 ", "RTSP/2.0 "])
        || begins(c, &["OPTIONS ", "DESCRIBE ", "SETUP ", "PLAY "]) && holds(c, " rtsp://")
    {
        return Some("rtsp");
    }
    greeting(c, s).or_else(|| other_text(c, s))
}

/// Protocols in which the server speaks first.
fn greeting(c: &[u8], s: &[u8]) -> Option<&'static str> {
    // RFC 6143 §7.1.1.
    if s.starts_with(b"RFB 00") && s.get(7) == Some(&b'.') {
        return Some("vnc");
    }
    if s.starts_with(b"@RSYNCD: ") {
        return Some("rsync");
    }
    if s.starts_with(b"INFO {\"server_id\"") {
        return Some("nats");
    }
    // RFC 3501 §7.1.
    if begins(s, &["* OK ", "* OK [", "* PREAUTH ", "* BYE "]) {
        return Some("imap");
    }
    // RFC 1939: `+OK` is also Redis, so the client's word or the server's is needed.
    if s.starts_with(b"+OK")
        && (begins_nocase(c, &["CAPA\r", "USER ", "APOP ", "STLS\r", "AUTH ", "QUIT\r"])
            || holds(s, "POP")
            || holds(s, "Dovecot"))
    {
        return Some("pop3");
    }
    // RFC 5321 §4.2 and RFC 959 §5.4 greet alike.
    if begins(s, &["220 ", "220-"]) && is_text(s) {
        let smtp = begins_nocase(c, &["EHLO ", "HELO ", "LHLO "]) || holds(s, "SMTP");
        let upper = s.to_ascii_uppercase();
        let ftp =
            begins_nocase(c, &["USER ", "AUTH TLS", "AUTH SSL", "FEAT\r", "SYST\r"]) || holds(&upper, "FTP");
        if smtp || ftp {
            return Some(if smtp { "smtp" } else { "ftp" });
        }
    }
    None
}

fn other_text(c: &[u8], s: &[u8]) -> Option<&'static str> {
    // Arrays of bulk strings (Redis protocol specification): *2\r\n$3\r\n
    if is_resp(c) || c.eq_ignore_ascii_case(b"PING\r\n") && s.starts_with(b"+PONG") {
        return Some("redis");
    }
    if is_memcache_text(c, s) {
        return Some("memcache");
    }
    // RFC 6120 §4.2, with or without the declaration before.
    if begins(c, &["<stream:stream", "<?xml"]) && holds(c, "<stream:stream") {
        return Some("xmpp");
    }
    // RFC 1459 §4.1, §2.3: a client registers, or a server with a name answers.
    let irc_server =
        s.starts_with(b":") && (holds(s, " NOTICE ") || holds(s, " 001 ")) || s.starts_with(b"NOTICE AUTH ");
    if begins(c, &["NICK ", "CAP LS", "PASS ", "USER "])
        && (irc_server || c.starts_with(b"CAP LS") || holds(c, "\nUSER ") || holds(c, "\nNICK "))
    {
        return Some("irc");
    }
    // RFC 6587 §3.4.1 puts the length before.
    let counted = c.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
    if is_syslog(c) || counted > 0 && c.get(counted) == Some(&b' ') && is_syslog(&c[counted + 1..]) {
        return Some("syslog");
    }
    // git's pack protocol: four digits of length.
    if c.get(..4).is_some_and(|l| l.iter().all(u8::is_ascii_hexdigit))
        && begins(&c[4..], &["git-upload-pack /", "git-receive-pack /"])
    {
        return Some("git");
    }
    None
}

fn is_resp(c: &[u8]) -> bool {
    let number = |b: &[u8]| b.iter().take(7).take_while(|b| b.is_ascii_digit()).count();
    let Some(rest) = c.strip_prefix(b"*") else { return false };
    let n = number(rest);
    let Some(rest) = rest[n..].strip_prefix(b"\r\n$").filter(|_| n > 0) else { return false };
    let n = number(rest);
    n > 0 && rest[n..].starts_with(b"\r\n")
}

/// memcached's protocol.txt. Words alone could be anyone's: the answer must fit, or the command's form.
fn is_memcache_text(c: &[u8], s: &[u8]) -> bool {
    let line = c.split(|b| *b == b'\n').next().unwrap_or_default();
    if line.len() == c.len() || !line.ends_with(b"\r") || !is_text(line) {
        return false;
    }
    let words = line.trim_ascii().split(|b| *b == b' ').count();
    let answers = |list: &[&str]| begins(s, list);
    match c.split(|b| *b == b' ').next().unwrap_or_default() {
        b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => {
            let numbers = line.trim_ascii().split(|b| *b == b' ').skip(2).take(3);
            (5..=7).contains(&words)
                && numbers.clone().count() == 3
                && numbers.flatten().all(|b| b.is_ascii_digit() || *b == b'-')
        }
        b"get" | b"gets" | b"gat" | b"gats" => words >= 2 && answers(&["VALUE ", "END\r\n"]),
        b"delete" | b"incr" | b"decr" | b"touch" => answers(&["DELETED", "NOT_FOUND", "TOUCHED"]),
        b"mg" | b"ms" | b"md" | b"mn\r\n" => answers(&["VA ", "HD", "EN\r\n", "MN\r\n", "NS", "NF"]),
        _ => begins(c, &["stats\r\n", "version\r\n"]) && answers(&["STAT ", "VERSION "]),
    }
}

/// Protocols that speak in numbers.
fn binary(c: &[u8], s: &[u8]) -> Option<&'static str> {
    // RFC 8446 §5.1: a handshake record that begins with ClientHello, or the answer with ServerHello.
    let hello = |b: &[u8], kind| matches!(b, [0x16, 3, 0..=4, _, _, k, 0, ..] if *k == kind);
    if hello(c, 1) || hello(s, 2) {
        return Some("tls");
    }
    if c.starts_with(b"\x13BitTorrent protocol") {
        return Some("bittorrent");
    }
    // AMQP 0-9-1 §4.2.2, AMQP 1.0 §2.2: plain, TLS and SASL.
    if matches!(
        c,
        [b'A', b'M', b'Q', b'P', 0, 0, 9, 1, ..]
            | [b'A', b'M', b'Q', b'P', 0 | 2 | 3, 1, 0, 0, ..]
            | [b'A', b'M', b'Q', b'P', 1, 1, ..]
    ) {
        return Some("amqp");
    }
    if is_mqtt(c) {
        return Some("mqtt");
    }
    // RFC 5531 §11: the last fragment of a record.
    let record = be32(c, 0).is_some_and(|mark| (0x8000_0028..0x8010_0000).contains(&mark));
    if let Some(program) = c.get(4..).filter(|_| record).and_then(rpc_call) {
        return Some(program);
    }
    databases(c, s).or_else(|| windows(c, s)).or_else(|| others(c, s))
}

/// MQTT 3.1, 3.1.1 and 5 (§3.1): CONNECT, its length, the protocol's name and level.
fn is_mqtt(c: &[u8]) -> bool {
    let Some(rest) = c.strip_prefix(&[0x10]) else { return false };
    let digits = rest.iter().take(4).position(|b| b & 0x80 == 0);
    let Some(rest) = digits.and_then(|d| rest.get(d + 1..)) else { return false };
    matches!(
        rest,
        [0, 4, b'M', b'Q', b'T', b'T', 4 | 5, ..] | [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3, ..]
    )
}

fn databases(c: &[u8], s: &[u8]) -> Option<&'static str> {
    // MySQL's greeting: length, number 0, version 10, the server's version in digits; or an error in its place.
    if let [a, b, 0, 0, 10, major @ b'0'..=b'9', rest @ ..] = s {
        let len = usize::from(*a) | usize::from(*b) << 8;
        let dotted = rest.iter().take(2).any(|b| *b == b'.');
        if len > 40 && major.is_ascii_digit() && dotted {
            return Some("mysql");
        }
    }
    if let [len, 0, 0, 0, 0xff, low, high, rest @ ..] = s {
        let code = u16::from_le_bytes([*low, *high]);
        if (1000..4000).contains(&code)
            && usize::from(*len) > 3
            && is_text(&rest[..rest.len().min(usize::from(*len) - 3)])
        {
            return Some("mysql");
        }
    }
    // PostgreSQL §53.7: StartupMessage 3.0, SSLRequest, GSSENCRequest, CancelRequest.
    let pgsql = match (be32(c, 0), be32(c, 4)) {
        (Some(9..=10_000), Some(0x0003_0000)) => c.get(8).is_some_and(u8::is_ascii_lowercase),
        (Some(8), Some(80_877_103 | 80_877_104)) | (Some(16), Some(80_877_102)) => true,
        _ => false,
    };
    if pgsql {
        return Some("pgsql");
    }
    // MongoDB wire protocol: length, id, no id answered, OP_QUERY, OP_COMPRESSED or OP_MSG.
    let mongo = |b: &[u8], client: bool| {
        matches!(le32(b, 0), Some(20..=48_000_000))
            && matches!(le32(b, 12), Some(2004 | 2010 | 2012 | 2013))
            && le32(b, 8).is_some_and(|to| (to == 0) == client)
    };
    if mongo(c, true) && (s.is_empty() || mongo(s, false) || le32(s, 12) == Some(1)) {
        return Some("mongodb");
    }
    // CQL native protocol v3 to v5 §2: OPTIONS without a body, STARTUP with the version of CQL.
    if let [version @ 3..=5, 0..=0x1f, _, _, opcode, ..] = c {
        let options = *opcode == 5
            && be32(c, 5) == Some(0)
            && c.len() == 9
            && s.first().is_some_and(|v| *v == version | 0x80);
        if options || *opcode == 1 && holds(c, "CQL_VERSION") {
            return Some("cassandra");
        }
    }
    // Kafka: length, key, version, correlation, the client's name. A client begins with ApiVersions or Metadata.
    if let (Some(8..=10_000), Some(3 | 18), Some(0..=20)) = (be32(c, 0), be16(c, 4), be16(c, 6)) {
        let name =
            be16(c, 12).map(usize::from).and_then(|n| c.get(14..14 + n.min(40)).filter(|_| n > 0 && n < 256));
        if name.is_some_and(is_text) {
            return Some("kafka");
        }
    }
    // memcached's binary protocol: magic, a known opcode, lengths that agree, data type 0.
    let binary = |b: &[u8], magic: u8| {
        let (Some(key), Some(body)) = (be16(b, 2), be32(b, 8)) else { return false };
        b[0] == magic
            && b[1] <= 0x48
            && key <= 250
            && matches!(b[4], 0 | 4 | 8 | 20)
            && b[5] == 0
            && (u32::from(key) + u32::from(b[4])..=1 << 24).contains(&body)
    };
    if binary(c, 0x80) && (s.is_empty() && c.len() >= 24 || binary(s, 0x81)) {
        return Some("memcache");
    }
    // TDS (MS-TDS §2.2.3): PRELOGIN, last packet, channel 0; its first option is VERSION.
    if matches!(c, [0x12, 1, 0, _, 0, 0, 0 | 1, 0, 0, 0, _, 0, 6, 1, ..]) {
        return Some("tds");
    }
    None
}

/// SMB, RDP, LDAP, Kerberos.
fn windows(c: &[u8], s: &[u8]) -> Option<&'static str> {
    // MS-SMB2 §2.1: a length in 24 bits before each message.
    let smb = |b: &[u8]| matches!(b, [0, 0 | 1, _, _, 0xfd..=0xff, b'S', b'M', b'B', ..]);
    if smb(c) || smb(s) {
        return Some("smb");
    }
    // NetBIOS session request (RFC 1002 §4.3.2): two encoded names.
    if matches!(c, [0x81, 0, 0, 0x44, 0x20, ..]) {
        return Some("netbios-ssn");
    }
    // RDP (MS-RDPBCGR §2.2.1.1): TPKT, a connection request, a cookie or a negotiation request.
    if let [3, 0, 0, len, li, 0xe0, 0, 0, _, _, 0, rest @ ..] = c
        && len.checked_sub(5) == Some(*li)
        && (rest.starts_with(b"Cookie: ") || matches!(rest, [1, _, 8, 0, ..]))
    {
        return Some("rdp");
    }
    if is_ldap(c) {
        return Some("ldap");
    }
    if c.len() > 4 && be32(c, 0).is_some_and(|n| n < 1 << 20) && is_kerberos(&c[4..]) {
        return Some("kerberos");
    }
    None
}

fn others(c: &[u8], s: &[u8]) -> Option<&'static str> {
    if is_stun(c) {
        return Some("stun");
    }
    // RFC 1928 §3: methods offered, one chosen. Short, so both sides.
    if let ([5, n @ 1..=10, methods @ ..], [5, chosen, ..]) = (c, s) {
        let offered = methods.get(..usize::from(*n)).is_some_and(|m| m.iter().all(|m| *m < 10 || *m >= 0x80));
        if offered && methods.len() == usize::from(*n) && (methods.contains(chosen) || *chosen == 0xff) {
            return Some("socks5");
        }
    }
    // RFC 854, RFC 855: IAC and WILL, WONT, DO or DONT with an option; two of them, or nothing else.
    let iac = |b: &[u8]| matches!(b, [0xff, 0xfb..=0xfe, 0..=0x31, ..]);
    let telnet = |b: &[u8]| iac(b) && (b.len() == 3 || b.get(3..).is_some_and(iac));
    if telnet(s) || telnet(c) {
        return Some("telnet");
    }
    // RFC 4271 §4.1: a marker of ones, OPEN.
    if c.get(..16).is_some_and(|m| m.iter().all(|b| *b == 0xff)) && c.get(18) == Some(&1) {
        return Some("bgp");
    }
    // X11 §8: byte order, version 11.0.
    if matches!(c, [b'l', _, 11, 0, 0, 0, ..] | [b'B', _, 0, 11, 0, 0, ..]) && c.len() >= 12 {
        return Some("x11");
    }
    // Thrift's strict binary protocol, framed or not: version 1, a call, a method's name.
    let thrift = |b: &[u8]| {
        let name = be32(b, 4).map(|n| n as usize).filter(|n| (1..=64).contains(n));
        matches!(b, [0x80, 1, 0, 1 | 4, ..])
            && name.and_then(|n| b.get(8..8 + n.min(b.len().saturating_sub(8)))).is_some_and(is_text)
    };
    if thrift(c) || be32(c, 0).is_some_and(|n| n < 1 << 24) && thrift(&c[4..]) {
        return Some("thrift");
    }
    None
}
