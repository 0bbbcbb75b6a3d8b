//! What messages are called. Where the peer has a name it is the same (its library's, gopacket's).

use std::io::Write as _;

use super::codec::Version;

/// A type's name, and those of its codes; no codes where the type makes no use of them.
type Names = (&'static str, &'static [&'static str]);

/// RFC 792, 1122 §3.2.2, 1256, 1812 §5.2.7.1, 8335.
fn v4(kind: u8) -> Option<Names> {
    Some(match kind {
        0 => ("EchoReply", &[]),
        3 => (
            "DestinationUnreachable",
            &[
                "Net",
                "Host",
                "Protocol",
                "Port",
                "FragmentationNeeded",
                "SourceRoutingFailed",
                "NetUnknown",
                "HostUnknown",
                "SourceIsolated",
                "NetAdminProhibited",
                "HostAdminProhibited",
                "NetTOS",
                "HostTOS",
                "CommAdminProhibited",
                "HostPrecedence",
                "PrecedenceCutoff",
            ],
        ),
        4 => ("SourceQuench", &[]),
        5 => ("Redirect", &["Net", "Host", "TOS+Net", "TOS+Host"]),
        8 => ("EchoRequest", &[]),
        9 => ("RouterAdvertisement", &[]),
        10 => ("RouterSolicitation", &[]),
        11 => ("TimeExceeded", &["TTLExceeded", "FragmentReassemblyTimeExceeded"]),
        12 => ("ParameterProblem", &["PointerIndicatesError", "MissingOption", "BadLength"]),
        13 => ("TimestampRequest", &[]),
        14 => ("TimestampReply", &[]),
        15 => ("InfoRequest", &[]),
        16 => ("InfoReply", &[]),
        17 => ("AddressMaskRequest", &[]),
        18 => ("AddressMaskReply", &[]),
        // Ours from here: the peer shows numbers.
        42 => ("ExtendedEchoRequest", &[]),
        43 => (
            "ExtendedEchoReply",
            &["NoError", "MalformedQuery", "NoSuchInterface", "NoSuchTableEntry", "MultipleInterfaces"],
        ),
        _ => return None,
    })
}

/// RFC 4443, 4861, 2710, 3810, 3122, 4286, 6275, 3971, 6550, 8335.
fn v6(kind: u8) -> Option<Names> {
    Some(match kind {
        1 => (
            "DestinationUnreachable",
            &[
                "NoRouteToDst",
                "AdminProhibited",
                "BeyondScopeOfSrc",
                "AddressUnreachable",
                "PortUnreachable",
                "SrcAddressFailedPolicy",
                "RejectRouteToDst",
            ],
        ),
        2 => ("PacketTooBig", &[]),
        3 => ("TimeExceeded", &["HopLimitExceeded", "FragmentReassemblyTimeExceeded"]),
        4 => ("ParameterProblem", &["ErroneousHeaderField", "UnrecognizedNextHeader", "UnrecognizedIPv6Option"]),
        128 => ("EchoRequest", &[]),
        129 => ("EchoReply", &[]),
        133 => ("RouterSolicitation", &[]),
        134 => ("RouterAdvertisement", &[]),
        135 => ("NeighborSolicitation", &[]),
        136 => ("NeighborAdvertisement", &[]),
        137 => ("Redirect", &[]),
        // Ours from here: the peer shows numbers.
        130 => ("MulticastListenerQuery", &[]),
        131 => ("MulticastListenerReport", &[]),
        132 => ("MulticastListenerDone", &[]),
        138 => ("RouterRenumbering", &[]),
        139 => ("NodeInformationQuery", &[]),
        140 => ("NodeInformationResponse", &[]),
        141 => ("InverseNeighborSolicitation", &[]),
        142 => ("InverseNeighborAdvertisement", &[]),
        143 => ("MulticastListenerReportV2", &[]),
        144 => ("HomeAgentAddressDiscoveryRequest", &[]),
        145 => ("HomeAgentAddressDiscoveryReply", &[]),
        146 => ("MobilePrefixSolicitation", &[]),
        147 => ("MobilePrefixAdvertisement", &[]),
        151 => ("MulticastRouterAdvertisement", &[]),
        152 => ("MulticastRouterSolicitation", &[]),
        153 => ("MulticastRouterTermination", &[]),
        155 => ("RPLControl", &[]),
        160 => ("ExtendedEchoRequest", &[]),
        161 => (
            "ExtendedEchoReply",
            &["NoError", "MalformedQuery", "NoSuchInterface", "NoSuchTableEntry", "MultipleInterfaces"],
        ),
        _ => return None,
    })
}

/// Writes type and code as `EchoRequest`, `TimeExceeded(HopLimitExceeded)`, `Redirect(Code: 9)` or `200(0)`.
pub(super) fn write(version: Version, kind: u8, code: u8, out: &mut Vec<u8>) {
    let names = match version {
        Version::V4 => v4(kind),
        Version::V6 => v6(kind),
    };
    // Writing to a Vec cannot fail.
    let _ = match names {
        None => write!(out, "{kind}({code})"),
        Some((name, codes)) => match codes.get(usize::from(code)) {
            Some(code) => write!(out, "{name}({code})"),
            None if codes.is_empty() && code == 0 => write!(out, "{name}"),
            None => write!(out, "{name}(Code: {code})"),
        },
    };
}
