//! The filter language: words, precedence and qualifiers as in pcap-filter(7).

use super::FilterError;
use super::expr::{End, Expr, Net, Test, Transports};
use super::value;

/// Deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 64;
/// Longest expression, in words.
const MAX_WORDS: usize = 8192;

const SUPPORTED: &str = "supported are and/or/not, parentheses, [ip|ip6|arp|rarp|tcp|udp|sctp|ether] [src|dst] \
    host|net|port|portrange X, ip, ip6, arp, rarp, tcp, udp, sctp, icmp, icmp6, igmp, proto N, vlan [N], less N, greater N";

#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    column: usize,
}

/// What stood before a value, so that `port 80 or 443` can go on with it.
#[derive(Clone, Copy)]
struct Qualifier<'a> {
    proto: Option<&'a str>,
    end: End,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Proto,
}

struct Parser<'a> {
    words: Vec<Word<'a>>,
    at: usize,
    depth: usize,
    last: Option<Qualifier<'a>>,
    end_column: usize,
}

/// Reads an expression; an empty one holds for every packet.
pub(super) fn parse(text: &str) -> Result<Expr, FilterError> {
    let words = split(text)?;
    let end_column = text.chars().count() + 1;
    if words.is_empty() {
        return Ok(Expr::And(Vec::new()));
    }
    let mut parser = Parser { words, at: 0, depth: 0, last: None, end_column };
    let expr = parser.expression()?;
    match parser.peek() {
        None => Ok(expr),
        Some(word) if word.text == ")" => Err(error(word.column, "a parenthesis that was never opened")),
        Some(word) => {
            Err(error(word.column, format!("{:?} where and, or or the end was expected", word.text)))
        }
    }
}

fn error(column: usize, message: impl Into<String>) -> FilterError {
    FilterError { column, message: message.into() }
}

fn split(text: &str) -> Result<Vec<Word<'_>>, FilterError> {
    let mut words = Vec::new();
    let mut start = None;
    let mut chars = text.char_indices().zip(1..).peekable();
    while let Some(((at, c), column)) = chars.next() {
        let single = matches!(c, '(' | ')' | '!');
        let double = matches!(c, '&' | '|');
        if !(single || double || c.is_whitespace()) {
            start = start.or(Some((at, column)));
            continue;
        }
        if let Some((from, column)) = start.take() {
            words.push(Word { text: &text[from..at], column });
        }
        if single {
            words.push(Word { text: &text[at..=at], column });
        } else if double {
            if chars.next_if(|((_, next), _)| *next == c).is_none() {
                return Err(error(column, format!("a single {c}; arithmetic is not supported, {SUPPORTED}")));
            }
            words.push(Word { text: &text[at..at + 2], column });
        }
        if words.len() > MAX_WORDS {
            return Err(error(column, format!("more than {MAX_WORDS} words")));
        }
    }
    if let Some((from, column)) = start {
        words.push(Word { text: &text[from..], column });
    }
    Ok(words)
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Word<'a>> {
        self.words.get(self.at).copied()
    }

    fn peek_text(&self) -> &'a str {
        self.peek().map_or("", |w| w.text)
    }

    fn take(&mut self) -> Result<Word<'a>, FilterError> {
        let word = self.peek().ok_or_else(|| error(self.end_column, "the expression ends too early"))?;
        self.at += 1;
        Ok(word)
    }

    fn eat(&mut self, texts: &[&str]) -> Option<&'a str> {
        let word = self.peek().filter(|w| texts.contains(&w.text))?;
        self.at += 1;
        Some(word.text)
    }

    /// `and` and `or` have the same precedence and group from the left, as in libpcap.
    fn expression(&mut self) -> Result<Expr, FilterError> {
        let mut left = self.term()?;
        let (mut was_and, mut changes) = (None, 0);
        loop {
            let column = self.peek().map_or(self.end_column, |w| w.column);
            let is_and = match self.eat(&["and", "&&", "or", "||"]) {
                None => return Ok(left),
                Some(word) => matches!(word, "and" | "&&"),
            };
            // Each change makes the tree one level deeper.
            changes += usize::from(was_and.replace(is_and) != Some(is_and));
            if changes > MAX_DEPTH {
                return Err(error(
                    column,
                    format!("and and or change more than {MAX_DEPTH} times; use parentheses"),
                ));
            }
            let right = self.term()?;
            left = if is_and { left.and(right) } else { left.or(right) };
        }
    }

    fn term(&mut self) -> Result<Expr, FilterError> {
        let word = self.peek();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let column = word.map_or(self.end_column, |w| w.column);
            return Err(error(column, format!("nested more than {MAX_DEPTH} deep")));
        }
        let expr = if self.eat(&["not", "!"]).is_some() {
            self.term()?.negate()
        } else if self.eat(&["("]).is_some() {
            let inner = self.expression()?;
            if self.eat(&[")"]).is_none() {
                let column = self.peek().map_or(self.end_column, |w| w.column);
                return Err(error(column, "a closing parenthesis is missing"));
            }
            inner
        } else {
            self.primitive()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn primitive(&mut self) -> Result<Expr, FilterError> {
        let first = self.peek().ok_or_else(|| error(self.end_column, "the expression ends too early"))?;
        match first.text {
            "vlan" => {
                self.at += 1;
                let id = value::number(self.peek_text());
                if let Some(id) = id {
                    let word = self.take()?;
                    if id > 4095 {
                        return Err(error(word.column, "a VLAN id is at most 4095"));
                    }
                }
                return Ok(Expr::Test(Test::Vlan(id.map(|n| n as u16))));
            }
            "less" | "greater" => {
                self.at += 1;
                let word = self.take()?;
                let Some(n) = value::number(word.text) else {
                    return Err(error(word.column, format!("{:?} is not a number of bytes", word.text)));
                };
                return Ok(Expr::Test(if first.text == "less" { Test::AtMost(n) } else { Test::AtLeast(n) }));
            }
            _ => {}
        }
        let proto = self.eat(&["ether", "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp"]);
        if proto.is_none()
            && let Some(alone) = self.eat(&["icmp", "icmp6", "igmp"])
        {
            return Ok(Expr::Test(match alone {
                "icmp" => Test::Protocol { net: Net::V4, number: 1 },
                "igmp" => Test::Protocol { net: Net::V4, number: 2 },
                _ => Test::Protocol { net: Net::V6, number: 58 },
            }));
        }
        let end = self.end();
        let kind = match self.eat(&["host", "net", "port", "portrange", "proto"]) {
            Some("host") => Some(Kind::Host),
            Some("net") => Some(Kind::Net),
            Some("port") => Some(Kind::Port),
            Some("portrange") => Some(Kind::PortRange),
            Some(_) => Some(Kind::Proto),
            None => None,
        };
        if let (Some(proto), None, None) = (proto, end, kind) {
            return protocol(proto)
                .ok_or_else(|| error(first.column, "ether needs host, src, dst or proto behind it"));
        }
        let qualifier = match (proto, end, kind, self.last) {
            (None, None, None, Some(last)) if value::looks_like_value(first.text) => last,
            (None, None, None, _) if !value::looks_like_value(first.text) => {
                return Err(error(first.column, format!("{:?} is not supported; {SUPPORTED}", first.text)));
            }
            _ => Qualifier { proto, end: end.unwrap_or(End::Either), kind: kind.unwrap_or(Kind::Host) },
        };
        if qualifier.kind == Kind::Proto && end.is_some() {
            return Err(error(first.column, "proto has no src or dst"));
        }
        let word = self.take()?;
        self.last = Some(qualifier);
        let mask = if qualifier.kind == Kind::Net && self.eat(&["mask"]).is_some() {
            Some(self.take()?)
        } else {
            None
        };
        let at_word = |message: String| error(word.column, message);
        match qualifier.kind {
            Kind::Host if qualifier.proto == Some("ether") => {
                let address = value::mac(word.text).map_err(at_word)?;
                Ok(Expr::Test(Test::Mac { end: qualifier.end, address }))
            }
            Kind::Host => address(qualifier, value::host(word.text).map_err(at_word)?)
                .map_err(|m| error(first.column, m)),
            Kind::Net => {
                let net = value::net(word.text, mask.map(|m| m.text)).map_err(at_word)?;
                address(qualifier, net).map_err(|m| error(first.column, m))
            }
            Kind::Port | Kind::PortRange => {
                let range = value::ports(word.text, qualifier.kind == Kind::PortRange).map_err(at_word)?;
                let transports = match qualifier.proto {
                    None => Transports::ALL,
                    Some("tcp") => Transports::TCP,
                    Some("udp") => Transports::UDP,
                    Some("sctp") => Transports::SCTP,
                    Some(other) => {
                        return Err(error(
                            first.column,
                            format!("{other} has no ports; tcp, udp and sctp have"),
                        ));
                    }
                };
                Ok(Expr::Test(Test::Port { transports, end: qualifier.end, ranges: vec![range] }))
            }
            Kind::Proto => by_number(qualifier.proto, word.text).map_err(at_word),
        }
    }

    /// `src`, `dst`, `src or dst`, `src and dst`.
    fn end(&mut self) -> Option<End> {
        let first = self.eat(&["src", "dst"])?;
        let next = self.words.get(self.at..self.at + 2).unwrap_or(&[]);
        let other = if first == "src" { "dst" } else { "src" };
        let both = match next {
            [op, end] if end.text == other && matches!(op.text, "or" | "||") => Some(End::Either),
            [op, end] if end.text == other && matches!(op.text, "and" | "&&") => Some(End::Both),
            _ => None,
        };
        if both.is_some() {
            self.at += 2;
        }
        both.or(Some(if first == "src" { End::Src } else { End::Dst }))
    }
}

/// A protocol's name alone.
fn protocol(name: &str) -> Option<Expr> {
    let over_ip = |number| {
        let v4 = Expr::Test(Test::Protocol { net: Net::V4, number });
        v4.or(Expr::Test(Test::Protocol { net: Net::V6, number }))
    };
    Some(match name {
        "ip" => Expr::Test(Test::EtherType(0x0800)),
        "ip6" => Expr::Test(Test::EtherType(0x86dd)),
        "arp" => Expr::Test(Test::EtherType(0x0806)),
        "rarp" => Expr::Test(Test::EtherType(0x8035)),
        "tcp" => over_ip(6),
        "udp" => over_ip(17),
        "sctp" => over_ip(132),
        _ => return None,
    })
}

/// `[ip|ip6|ether] proto N`.
fn by_number(proto: Option<&str>, text: &str) -> Result<Expr, String> {
    if proto == Some("ether") {
        let number = value::ether_type(text)
            .ok_or_else(|| format!("{text:?} is not an EtherType from 1536 to 65535"))?;
        return Ok(Expr::Test(Test::EtherType(number)));
    }
    let number =
        value::protocol(text).ok_or_else(|| format!("{text:?} is not a protocol number from 0 to 255"))?;
    let v4 = Expr::Test(Test::Protocol { net: Net::V4, number });
    let v6 = Expr::Test(Test::Protocol { net: Net::V6, number });
    match proto {
        None => Ok(v4.or(v6)),
        Some("ip") => Ok(v4),
        Some("ip6") => Ok(v6),
        Some(other) => Err(format!("{other} proto is not supported; ip, ip6 and ether proto are")),
    }
}

/// A host or net; without `ip` or `arp` an IPv4 address is looked for in both, as libpcap does.
fn address(qualifier: Qualifier<'_>, net: value::Network) -> Result<Expr, String> {
    let end = qualifier.end;
    match net {
        value::Network::V4 { address, mask } => {
            let test = |net| Expr::Test(Test::V4 { net, end, address, mask });
            let (arp, rarp) = (Net::Arp(0x0806), Net::Arp(0x8035));
            match qualifier.proto {
                None => Ok(test(Net::V4).or(test(arp)).or(test(rarp))),
                Some("ip") => Ok(test(Net::V4)),
                Some("arp") => Ok(test(arp)),
                Some("rarp") => Ok(test(rarp)),
                Some(other) => Err(format!("{other} does not go with an IPv4 address; ip, arp and rarp do")),
            }
        }
        value::Network::V6 { address, mask } => match qualifier.proto {
            None | Some("ip6") => Ok(Expr::Test(Test::V6 { end, address, mask })),
            Some(other) => Err(format!("{other} does not go with an IPv6 address; ip6 does")),
        },
    }
}
