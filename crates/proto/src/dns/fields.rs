//! Fields of DNS events.

use wirebeat_model::{Class, Field, Kind, Unit, fields};

fields! {
    OWN:
    ID = Field::new("dns.id", Kind::Long, "The message's number, by which answer and query belong together.");
    TYPE = Field::new("dns.type", Kind::Keyword, "query when no answer was seen, else answer.");
    OP_CODE = Field::new("dns.op_code", Kind::Keyword, "QUERY, IQUERY, STATUS, NOTIFY, UPDATE.");
    RESPONSE_CODE = Field::new("dns.response_code", Kind::Keyword, "NOERROR, NXDOMAIN, SERVFAIL …, extended codes included.");
    HEADER_FLAGS = Field::new("dns.header_flags", Kind::Keyword, "The flags that are set: AA, TC, RD, RA, AD, CD, DO.");
    AUTHORITATIVE = Field::new("dns.flags.authoritative", Kind::Boolean, "The server is an authority for the name.");
    TRUNCATED = Field::new("dns.flags.truncated_response", Kind::Boolean, "Only the first part of the answer fits.");
    RECURSION_DESIRED = Field::new("dns.flags.recursion_desired", Kind::Boolean, "The server shall ask others.");
    RECURSION_AVAILABLE = Field::new("dns.flags.recursion_available", Kind::Boolean, "The server can ask others.");
    AUTHENTIC_DATA = Field::new("dns.flags.authentic_data", Kind::Boolean, "The server validated the data (DNSSEC).");
    CHECKING_DISABLED = Field::new("dns.flags.checking_disabled", Kind::Boolean, "The client does not want validation.");
    QUESTION_NAME = Field::new("dns.question.name", Kind::Keyword, "The name asked for, without its last dot.");
    QUESTION_TYPE = Field::new("dns.question.type", Kind::Keyword, "The record type asked for.");
    QUESTION_CLASS = Field::new("dns.question.class", Kind::Keyword, "The class asked for, nearly always IN.");
    QUESTION_ETLD = Field::new("dns.question.etld_plus_one", Kind::Keyword, "The public suffix of the name and one label more.");
    QUESTION_REGISTERED = Field::new("dns.question.registered_domain", Kind::Keyword, "The same, under its ECS name.");
    QUESTION_TLD = Field::new("dns.question.top_level_domain", Kind::Keyword, "The public suffix of the name, e.g. co.uk.");
    QUESTION_SUBDOMAIN = Field::new("dns.question.subdomain", Kind::Keyword, "What stands before the registered domain.");
    QUESTION_UNICAST = Field::new("dns.question.unicast_response", Kind::Boolean, "Multicast DNS: the answer may come to the asker alone (QU).");
    QUESTIONS = Field::new("dns.questions", Kind::Objects, "Every question, when there are several.");
    QUESTIONS_NAME = Field::new("dns.questions.name", Kind::Keyword, "The name asked for.");
    QUESTIONS_TYPE = Field::new("dns.questions.type", Kind::Keyword, "The record type asked for.");
    QUESTIONS_CLASS = Field::new("dns.questions.class", Kind::Keyword, "The class asked for.");
    ANSWERS_COUNT = Field::new("dns.answers_count", Kind::Long, "Records in the answer section; of a zone transfer, in all its messages.");
    AUTHORITIES_COUNT = Field::new("dns.authorities_count", Kind::Long, "Records in the authority section.");
    ADDITIONALS_COUNT = Field::new("dns.additionals_count", Kind::Long, "Records in the additional section, without OPT.");
    MESSAGES = Field::new("dns.messages", Kind::Long, "Messages the answer to a zone transfer came in.");
    RESOLVED_IP = Field::new("dns.resolved_ip", Kind::Ip, "Every address in the answers.");
    OPT_DO = Field::new("dns.opt.do", Kind::Boolean, "EDNS: DNSSEC records are welcome.");
    OPT_VERSION = Field::new("dns.opt.version", Kind::Keyword, "EDNS version.");
    OPT_UDP_SIZE = Field::new("dns.opt.udp_size", Kind::Long, "EDNS: the largest datagram the sender takes.").unit(Unit::Bytes);
    OPT_EXT_RCODE = Field::new("dns.opt.ext_rcode", Kind::Keyword, "EDNS: what the upper bits of the response code alone mean.");
    OPT_NSID = Field::new("dns.opt.nsid", Kind::Keyword, "EDNS: the server's name for itself, in hexadecimal (RFC 5001).");
    OPT_DAU = Field::new("dns.opt.dau", Kind::Keyword, "EDNS: DNSSEC algorithms understood (RFC 6975).");
    OPT_DHU = Field::new("dns.opt.dhu", Kind::Keyword, "EDNS: DS digests understood (RFC 6975).");
    OPT_N3U = Field::new("dns.opt.n3u", Kind::Keyword, "EDNS: NSEC3 hashes understood (RFC 6975).");
    OPT_SUBNET = Field::new("dns.opt.subnet", Kind::Keyword, "EDNS: the client's network as address/source/scope (RFC 7871).");
    OPT_EXPIRE = Field::new("dns.opt.expire", Kind::Long, "EDNS: how long a zone's secondary may go on serving it (RFC 7314).").unit(Unit::Seconds);
    OPT_COOKIE = Field::new("dns.opt.cookie", Kind::Keyword, "EDNS: client and server cookie, in hexadecimal (RFC 7873).");
    OPT_KEEPALIVE = Field::new("dns.opt.keepalive", Kind::Double, "EDNS: how long an idle TCP connection is kept (RFC 7828).").unit(Unit::Seconds);
    OPT_PADDING = Field::new("dns.opt.padding", Kind::Long, "EDNS: bytes of padding (RFC 7830).").unit(Unit::Bytes);
    OPT_LLQ = Field::new("dns.opt.llq", Kind::Keyword, "EDNS: long-lived query: version, opcode, error, id, lease (RFC 8764).");
    OPT_UL = Field::new("dns.opt.ul", Kind::Keyword, "EDNS: update lease in seconds (RFC 9664).");
    OPT_LOCAL = Field::new("dns.opt.local", Kind::Keyword, "EDNS: options without a field of their own, as code:0xdata.");
    OPT_EDE = Field::new("dns.opt.ede", Kind::Objects, "EDNS: extended errors (RFC 8914).");
    OPT_EDE_CODE = Field::new("dns.opt.ede.info_code", Kind::Long, "Number of the error.");
    OPT_EDE_PURPOSE = Field::new("dns.opt.ede.purpose", Kind::Keyword, "What the number means.");
    OPT_EDE_TEXT = Field::new("dns.opt.ede.extra_text", Kind::Keyword, "What the server says of it.");
}

/// The fields of the records in one section.
pub(super) struct RecordFields {
    pub(super) list: &'static Field,
    pub(super) name: &'static Field,
    pub(super) kind: &'static Field,
    pub(super) class: &'static Field,
    pub(super) ttl: &'static Field,
    pub(super) data: &'static Field,
    pub(super) cache_flush: &'static Field,
    pub(super) preference: &'static Field,
    pub(super) priority: &'static Field,
    pub(super) weight: &'static Field,
    pub(super) port: &'static Field,
    pub(super) target: &'static Field,
    pub(super) rname: &'static Field,
    pub(super) serial: &'static Field,
    pub(super) refresh: &'static Field,
    pub(super) retry: &'static Field,
    pub(super) expire: &'static Field,
    pub(super) minimum: &'static Field,
    pub(super) flags: &'static Field,
    pub(super) protocol: &'static Field,
    pub(super) algorithm: &'static Field,
    pub(super) key_tag: &'static Field,
    pub(super) digest_type: &'static Field,
    pub(super) type_covered: &'static Field,
    pub(super) labels: &'static Field,
    pub(super) original_ttl: &'static Field,
    pub(super) expiration: &'static Field,
    pub(super) inception: &'static Field,
    pub(super) signer_name: &'static Field,
    pub(super) type_bits: &'static Field,
    pub(super) hash: &'static Field,
    pub(super) iterations: &'static Field,
    pub(super) salt: &'static Field,
    pub(super) tag: &'static Field,
    pub(super) mandatory: &'static Field,
    pub(super) alpn: &'static Field,
    pub(super) ipv4hint: &'static Field,
    pub(super) ipv6hint: &'static Field,
    pub(super) ech: &'static Field,
}

macro_rules! record_fields {
    ($module:ident, $set:ident, $list:literal, $doc:literal) => {
        mod $module {
            use super::*;
            fields! {
                pub(super) FIELDS:
                LIST = Field::new($list, Kind::Objects, $doc);
                NAME = Field::new(concat!($list, ".name"), Kind::Keyword, "Whose record it is.");
                KIND = Field::new(concat!($list, ".type"), Kind::Keyword, "The record's type.");
                CLASS = Field::new(concat!($list, ".class"), Kind::Keyword, "The record's class.");
                TTL = Field::new(concat!($list, ".ttl"), Kind::Keyword, "Seconds it may be kept, as text.");
                DATA = Field::new(concat!($list, ".data"), Kind::Keyword, "What it says: an address, a name, a text; other types as a zone file writes them (RFC 3597 where a type is unknown).").class(Class::Payload);
                CACHE_FLUSH = Field::new(concat!($list, ".cache_flush"), Kind::Boolean, "Multicast DNS: it replaces what was known.");
                PREFERENCE = Field::new(concat!($list, ".preference"), Kind::Long, "MX, KX, NAPTR and others: the lowest is taken first.");
                PRIORITY = Field::new(concat!($list, ".priority"), Kind::Long, "SRV, URI, HTTPS, SVCB: the lowest is taken first.");
                WEIGHT = Field::new(concat!($list, ".weight"), Kind::Long, "SRV, URI: share among those of one priority.");
                PORT = Field::new(concat!($list, ".port"), Kind::Long, "SRV, HTTPS, SVCB: the service's port.");
                TARGET = Field::new(concat!($list, ".target"), Kind::Keyword, "HTTPS, SVCB: who serves it; a dot for the name itself.");
                RNAME = Field::new(concat!($list, ".rname"), Kind::Keyword, "SOA: the mailbox of who is responsible.");
                SERIAL = Field::new(concat!($list, ".serial"), Kind::Long, "SOA: the zone's version.");
                REFRESH = Field::new(concat!($list, ".refresh"), Kind::Long, "SOA: how often secondaries look.").unit(Unit::Seconds);
                RETRY = Field::new(concat!($list, ".retry"), Kind::Long, "SOA: how soon they look again after a failure.").unit(Unit::Seconds);
                EXPIRE = Field::new(concat!($list, ".expire"), Kind::Long, "SOA: when they give up.").unit(Unit::Seconds);
                MINIMUM = Field::new(concat!($list, ".minimum"), Kind::Long, "SOA: how long a denial may be kept.").unit(Unit::Seconds);
                FLAGS = Field::new(concat!($list, ".flags"), Kind::Keyword, "DNSKEY, NSEC3, CAA, NAPTR: flags.");
                PROTOCOL = Field::new(concat!($list, ".protocol"), Kind::Keyword, "DNSKEY: always 3.");
                ALGORITHM = Field::new(concat!($list, ".algorithm"), Kind::Keyword, "DNSKEY, DS, RRSIG: the signature's algorithm.");
                KEY_TAG = Field::new(concat!($list, ".key_tag"), Kind::Keyword, "DS, RRSIG: which key.");
                DIGEST_TYPE = Field::new(concat!($list, ".digest_type"), Kind::Keyword, "DS: the digest's algorithm.");
                TYPE_COVERED = Field::new(concat!($list, ".type_covered"), Kind::Keyword, "RRSIG: the type of the records it signs.");
                LABELS = Field::new(concat!($list, ".labels"), Kind::Keyword, "RRSIG: labels of the name as signed.");
                ORIGINAL_TTL = Field::new(concat!($list, ".original_ttl"), Kind::Keyword, "RRSIG: the records' time to live as signed.");
                EXPIRATION = Field::new(concat!($list, ".expiration"), Kind::Keyword, "RRSIG: valid until, YYYYMMDDHHMMSS.");
                INCEPTION = Field::new(concat!($list, ".inception"), Kind::Keyword, "RRSIG: valid from, YYYYMMDDHHMMSS.");
                SIGNER_NAME = Field::new(concat!($list, ".signer_name"), Kind::Keyword, "RRSIG: the zone that signed.");
                TYPE_BITS = Field::new(concat!($list, ".type_bits"), Kind::Keyword, "NSEC, NSEC3, CSYNC: types the name has.");
                HASH = Field::new(concat!($list, ".hash"), Kind::Keyword, "NSEC3: the hash of names.");
                ITERATIONS = Field::new(concat!($list, ".iterations"), Kind::Keyword, "NSEC3: how often it is applied again.");
                SALT = Field::new(concat!($list, ".salt"), Kind::Keyword, "NSEC3: its salt in hexadecimal, - for none.");
                TAG = Field::new(concat!($list, ".tag"), Kind::Keyword, "CAA: issue, issuewild, iodef …");
                MANDATORY = Field::new(concat!($list, ".mandatory"), Kind::Keyword, "HTTPS, SVCB: parameters a client must know.");
                ALPN = Field::new(concat!($list, ".alpn"), Kind::Keyword, "HTTPS, SVCB: protocols spoken.");
                IPV4HINT = Field::new(concat!($list, ".ipv4hint"), Kind::Ip, "HTTPS, SVCB: IPv4 addresses to try.");
                IPV6HINT = Field::new(concat!($list, ".ipv6hint"), Kind::Ip, "HTTPS, SVCB: IPv6 addresses to try.");
                ECH = Field::new(concat!($list, ".ech"), Kind::Keyword, "HTTPS, SVCB: keys for an encrypted ClientHello, base64.");
            }
            pub(super) static SET: RecordFields = RecordFields {
                list: &LIST, name: &NAME, kind: &KIND, class: &CLASS, ttl: &TTL, data: &DATA, cache_flush: &CACHE_FLUSH,
                preference: &PREFERENCE, priority: &PRIORITY, weight: &WEIGHT, port: &PORT, target: &TARGET,
                rname: &RNAME, serial: &SERIAL, refresh: &REFRESH, retry: &RETRY, expire: &EXPIRE, minimum: &MINIMUM,
                flags: &FLAGS, protocol: &PROTOCOL, algorithm: &ALGORITHM, key_tag: &KEY_TAG,
                digest_type: &DIGEST_TYPE, type_covered: &TYPE_COVERED, labels: &LABELS, original_ttl: &ORIGINAL_TTL,
                expiration: &EXPIRATION, inception: &INCEPTION, signer_name: &SIGNER_NAME, type_bits: &TYPE_BITS,
                hash: &HASH, iterations: &ITERATIONS, salt: &SALT, tag: &TAG, mandatory: &MANDATORY, alpn: &ALPN,
                ipv4hint: &IPV4HINT, ipv6hint: &IPV6HINT, ech: &ECH,
            };
        }
        pub(super) static $set: &RecordFields = &$module::SET;
    };
}

record_fields!(answers, ANSWERS, "dns.answers", "Records of the answer section.");
record_fields!(authorities, AUTHORITIES, "dns.authorities", "Records of the authority section (`include_authorities`).");
record_fields!(additionals, ADDITIONALS, "dns.additionals", "Records of the additional section, without OPT (`include_additionals`).");

const PER_SECTION: usize = 39;
const OWN_COUNT: usize = 48;

/// Every field of DNS events.
pub(super) static FIELDS: &[&Field] = &JOINED;

static JOINED: [&Field; OWN_COUNT + 3 * PER_SECTION] = {
    let lists = [OWN, answers::FIELDS, authorities::FIELDS, additionals::FIELDS];
    let mut out = [OWN[0]; OWN_COUNT + 3 * PER_SECTION];
    let (mut n, mut i) = (0, 0);
    while i < lists.len() {
        let mut j = 0;
        while j < lists[i].len() {
            // One too many or too few does not compile: it is out of bounds, or the assertion fails.
            out[n] = lists[i][j];
            n += 1;
            j += 1;
        }
        i += 1;
    }
    assert!(n == OWN_COUNT + 3 * PER_SECTION);
    out
};
