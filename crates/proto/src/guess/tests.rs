//! First bytes as standards give them.

use wirebeat_model::Transport;

use super::guess_name;

fn tcp(client: &[u8], server: &[u8]) -> Option<&'static str> {
    guess_name(Transport::TCP, client, server)
}

fn udp(client: &[u8]) -> Option<&'static str> {
    guess_name(Transport::UDP, client, b"")
}

#[test]
fn words() {
    for (client, server, name) in [
        ("GET / HTTP/1.1\r\n", "", "http"),
        ("", "HTTP/1.1 200 OK\r\n", "http"),
        ("CONNECT a.example:443 HTTP/1.1\r\n", "", "http"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "http2"),
        ("", "SSH-2.0-OpenSSH_9.6p1\r\n", "ssh"),
        ("INVITE sip:bob@biloxi.example.com SIP/2.0\r\n", "", "sip"),
        ("DESCRIBE rtsp://server.example.com/fizzle/foo RTSP/1.0\r\n", "", "rtsp"),
        ("EHLO foo.com\r\n", "220 foo.com Simple Mail Transfer Service Ready\r\n", "smtp"),
        ("", "220 mx.example ESMTP Postfix\r\n", "smtp"),
        ("USER anonymous\r\n", "220 Service ready\r\n", "ftp"),
        ("", "220 (vsFTPd 3.0.3)\r\n", "ftp"),
        ("CAPA\r\n", "+OK ready\r\n", "pop3"),
        ("", "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n", "pop3"),
        ("a001 LOGIN SMITH SESAME\r\n", "* OK IMAP4rev1 Service Ready\r\n", "imap"),
        ("*2\r\n$4\r\nLLEN\r\n$6\r\nmylist\r\n", "+OK\r\n", "redis"),
        ("set k 0 0 3\r\nabc\r\n", "", "memcache"),
        ("get k\r\n", "VALUE k 0 3\r\n", "memcache"),
        ("<?xml version='1.0'?><stream:stream to='example.com'", "", "xmpp"),
        ("NICK Wiz\r\nUSER guest 0 * :Ronnie Reagan\r\n", "", "irc"),
        ("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47", "", "syslog"),
        ("<34>Oct 11 22:14:15 mymachine su: failed", "", "syslog"),
        ("", "RFB 003.008\n", "vnc"),
        ("0033git-upload-pack /project.git\0host=myserver.com\0", "", "git"),
    ] {
        assert_eq!(tcp(client.as_bytes(), server.as_bytes()), Some(name), "{client:?} {server:?}");
        // Heard the other way round.
        assert_eq!(tcp(server.as_bytes(), client.as_bytes()), Some(name), "{client:?} {server:?}");
    }
    for nothing in
        ["", "GETTING", "hello\r\n", "+OK\r\n", "220 \r\n", "get it\r\n", "<999>1 x", "USER a\r\n", "* hm"]
    {
        assert_eq!(tcp(nothing.as_bytes(), b""), None, "{nothing:?}");
        assert_eq!(tcp(b"", nothing.as_bytes()), None, "{nothing:?}");
    }
}

#[test]
fn numbers_over_tcp() {
    let cases: [(&[u8], &[u8], &str); 27] = [
        // RFC 8446 §4.1.2; RFC 8448 §3.
        (b"\x16\x03\x01\x00\xc4\x01\x00\x00\xc0\x03\x03\xcb\x34", b"", "tls"),
        (b"", b"\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03", "tls"),
        (b"\x13BitTorrent protocol\x00\x00", b"", "bittorrent"),
        (b"AMQP\x00\x00\x09\x01", b"", "amqp"),
        (b"AMQP\x03\x01\x00\x00", b"", "amqp"),
        (b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04DIGI", b"", "mqtt"),
        (b"\x80\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3\x00\x00\x00\x03\x00\x00\x00\x00", b"", "nfs"),
        (b"", b"\x4a\x00\x00\x00\x0a5.7.44-log\x00\x08\x00\x00\x00", "mysql"),
        (b"", b"\x45\x00\x00\x00\xff\x6a\x04Host '10.0.0.1' is not allowed", "mysql"),
        (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"N", "pgsql"),
        (b"\x00\x00\x00\x29\x00\x03\x00\x00user\x00postgres\x00", b"", "pgsql"),
        (b"\x3f\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00", b"", "mongodb"),
        (b"\x04\x00\x00\x00\x05\x00\x00\x00\x00", b"\x84\x00\x00\x00\x06\x00\x00\x00\x38", "cassandra"),
        (b"\x04\x00\x00\x01\x01\x00\x00\x00\x16\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0", b"", "cassandra"),
        (b"\x00\x00\x00\x16\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07rdkafka\x00", b"", "kafka"),
        (b"\x80\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00Hello", b"", "memcache"),
        (b"\x12\x01\x00\x2f\x00\x00\x01\x00\x00\x00\x1a\x00\x06\x01\x00\x20", b"", "tds"),
        (b"\x00\x00\x00\x45\xffSMBr\x00", b"", "smb"),
        (b"\x00\x00\x00\xa4\xfeSMB\x40\x00", b"", "smb"),
        (b"\x03\x00\x00\x2c\x27\xe0\x00\x00\x00\x00\x00Cookie: mstshash=eltons\r\n\x01\x00\x08\x00", b"", "rdp"),
        (b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", b"", "ldap"),
        (b"\x05\x01\x00", b"\x05\x00", "socks5"),
        (b"", b"\xff\xfd\x18\xff\xfd\x20", "telnet"),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 29, 1, 4], b"", "bgp"),
        (b"l\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00", b"", "x11"),
        (b"\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x01\x00", b"", "thrift"),
        (b"\x00\x00\x00\xb0\x6a\x81\xad\x30\x81\xaa\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a", b"", "kerberos"),
    ];
    for (client, server, name) in cases {
        assert_eq!(tcp(client, server), Some(name), "{client:x?} {server:x?}");
    }
}

#[test]
fn numbers_over_udp() {
    // RFC 9001 appendix A.2: version 1, an id of 8 bytes, none of its own.
    assert_eq!(
        udp(b"\xc0\x00\x00\x00\x01\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\x00\x00\x44\x9e"),
        Some("quic")
    );
    assert_eq!(
        udp(b"\xd0\x6b\x33\x43\xcf\x08\x83\x94\xc8\xf0\x3e\x51\x57\x08\x00\x00\x44\x9e"),
        Some("quic")
    );
    // RFC 5769 §2.1.
    assert_eq!(
        udp(b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"),
        Some("stun")
    );
    let mut ntp = [0; 48];
    ntp[0] = 0x23;
    assert_eq!(udp(&ntp), Some("ntp"));
    ntp[1] = 77;
    assert_eq!(udp(&ntp), None);
    let mut dhcp = [0; 64];
    dhcp[..8].copy_from_slice(&[1, 1, 6, 0, 0x39, 0x03, 0xf3, 0x26]);
    dhcp[28..34].copy_from_slice(&[0, 5, 0x3c, 4, 0x8d, 0x59]);
    assert_eq!(udp(&dhcp), Some("dhcpv4"));
    let dhcpv6 =
        b"\x01\x10\x08\x74\x00\x01\x00\x0a\x00\x03\x00\x01\x08\x00\x27\xfe\x8f\x95\x00\x08\x00\x02\x00\x00";
    assert_eq!(udp(dhcpv6), Some("dhcpv6"));
    assert_eq!(udp(b"\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04"), Some("snmp"));
    assert_eq!(udp(b"\x00\x01rfc1350.txt\x00octet\x00"), Some("tftp"));
    assert_eq!(udp(b"\x00\x01rfc1350.txt\x00other\x00"), None);
    assert_eq!(udp(b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"), Some("ssdp"));
    assert_eq!(udp(b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), Some("bittorrent"));
    assert_eq!(udp(b"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7a\x01\x00\x00\x6e"), Some("dtls"));
    assert_eq!(udp(b"\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01"), Some("netbios-ns"));
    // RFC 2865 §7.1.
    let radius = b"\x01\x00\x00\x38\x0f\x40\x3f\x94\x73\x97\x80\x57\xbd\x83\xd5\xcb\x98\xf4\x22\x7a\x01\x06nemo\x02\x12\x0d\xbe\x70\x8d\x93\xd4\x13\xce\x31\x96\xe4\x3f\x78\x2a\x0a\xee\x04\x06\xc0\xa8\x01\x10\x05\x06\x00\x00\x00\x03";
    assert_eq!(udp(radius), Some("radius"));
    let ike = b"\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x00\x00\x00\x00\x00\x21\x20\x22\x08";
    assert_eq!(udp(ike), Some("ike"));
    assert_eq!(udp(&[&[0; 4][..], ike].concat()), Some("ike"));
    assert_eq!(
        guess_name(
            Transport::UDP,
            &[&[1, 0, 0, 0][..], &[7; 144]].concat(),
            &[&[2, 0, 0, 0][..], &[7; 88]].concat()
        ),
        Some("wireguard")
    );
    assert_eq!(guess_name(Transport::ICMP, radius, b""), None);
}

#[test]
fn chance_has_no_name() {
    let mut x = 0x2545_f491_4f6c_dd1d_u64;
    let mut named = 0;
    for i in 0..200_000 {
        let mut bytes = [0_u8; 64];
        for b in &mut bytes {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            *b = x as u8;
        }
        let (a, b) = bytes.split_at(i % 64);
        named += usize::from(tcp(a, b).is_some()) + usize::from(guess_name(Transport::UDP, a, b).is_some());
    }
    assert!(named < 5, "{named}");
    assert_eq!((tcp(&[0; 64], &[0; 64]), udp(&[0; 64]), tcp(&[0xff; 64], &[])), (None, None, None));
}
