//! Addresses and networks in queries. IPv4 is v4-mapped IPv6 throughout.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::EsError;

/// An address.
///
/// # Errors
/// `illegal_argument_exception`, as Elasticsearch words it.
pub fn address(text: &str) -> Result<u128, EsError> {
    let bad = || {
        let short: String = text.chars().take(100).collect();
        EsError::illegal(format!("'{short}' is not an IP string literal."))
    };
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => Ok(u128::from(v4.to_ipv6_mapped())),
        Ok(IpAddr::V6(v6)) => Ok(u128::from(v6)),
        Err(_) => Err(bad()),
    }
}

/// The first and the last address of a network, `10.0.0.0/8`.
///
/// # Errors
/// `illegal_argument_exception` when it is none.
pub fn network(text: &str) -> Result<(u128, u128), EsError> {
    let short = || text.chars().take(100).collect::<String>();
    let Some((base, length)) = text.split_once('/') else {
        return Err(EsError::illegal(format!("Expected [ip/prefix] but was [{}]", short())));
    };
    let first = address(base)?;
    let v4 = base.parse::<Ipv4Addr>().is_ok();
    let bad = || {
        EsError::illegal(format!(
            "Illegal prefix length [{}] in [{}]. Must be 0-32 for IPv4 ranges, 0-128 for IPv6 ranges",
            length.chars().take(20).collect::<String>(),
            short()
        ))
    };
    let bits: u32 = length.parse().map_err(|_| bad())?;
    let bits = match v4 {
        true if bits <= 32 => bits + 96,
        false if bits <= 128 => bits,
        _ => return Err(bad()),
    };
    let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
    Ok((first & mask, first & mask | !mask))
}

/// An address as Elasticsearch writes it.
pub fn write(address: u128) -> String {
    let v6 = Ipv6Addr::from(address);
    match v6.to_ipv4_mapped() {
        Some(v4) => v4.to_string(),
        None => v6.to_string(),
    }
}
