//! Which packets are wanted: a subset of libpcap's filter language, compiled to classic BPF.
//!
//! The subset: `and`, `or`, `not` (`&&`, `||`, `!`; the first two of equal precedence, grouping from the left),
//! parentheses, `[ip|ip6|arp|rarp|ether] [src|dst] host|net X`, `[tcp|udp|sctp] [src|dst] port N`, `portrange N-M`,
//! `src or dst`, `src and dst`, `net X mask M`, the names `ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp`,
//! `[ip|ip6|ether] proto N`, `vlan [N]`, `less N`, `greater N`, and `port 80 or 443` for a value that goes on with the
//! qualifiers of the one before.
//!
//! Two differences from libpcap, both because the kernel takes a VLAN tag out of a frame before a filter sees it:
//! every test looks through up to three tags (libpcap's `tcp` does not match a tagged frame of a file), and `vlan`
//! does not change what stands behind it (`vlan 5` asks for an outer or next inner tag of that id).

pub(crate) mod bpf;
pub(crate) mod compile;
pub(crate) mod expr;
pub(crate) mod machine;
mod parse;
mod value;

use std::sync::Arc;

use thiserror::Error;
use wirebeat_model::Frame;

use bpf::{Builder, Insn, RET};
use expr::{End, Expr, Net, Test, Transports};

/// A compiled filter, for the kernel (live) and for frames in user space (files). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Filter {
    text: Arc<str>,
    expr: Arc<Expr>,
    program: Arc<[Insn]>,
}

/// Why a filter expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("filter, column {column}: {message}")]
pub struct FilterError {
    /// Where in the expression, counted in characters from 1.
    pub column: usize,
    /// What is wrong and what is supported.
    pub message: String,
}

/// What the enabled protocols need, from which [`Filter::ports`] is made.
///
/// VLAN tags need no mention (Packetbeat's `with_vlans`): a filter looks through them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// TCP ports.
    pub tcp: Vec<u16>,
    /// UDP ports.
    pub udp: Vec<u16>,
    /// Whether ICMP and ICMPv6 are wanted.
    pub icmp: bool,
    /// IP protocols that are wanted whole, e.g. 47 (GRE) to see tunnels.
    pub protocols: Vec<u8>,
}

impl Filter {
    /// Compiles an expression; an empty one lets everything through.
    ///
    /// # Errors
    ///
    /// [`FilterError`] with the column of the first word that is not understood, or when the program would exceed the
    /// kernel's 4,096 instructions.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::compile(text.trim_end(), parse::parse(text)?)
    }

    /// Lets through what the enabled protocols need, and every IP fragment, because only the first of a packet shows
    /// its ports.
    ///
    /// # Errors
    ///
    /// [`FilterError`] when there are too many ports for the kernel.
    pub fn ports(ports: &Ports) -> Result<Self, FilterError> {
        let mut parts = Vec::new();
        let mut words = Vec::new();
        for (name, transports, list) in
            [("tcp", Transports::TCP, &ports.tcp), ("udp", Transports::UDP, &ports.udp)]
        {
            if !list.is_empty() {
                let ranges = list.iter().map(|p| (*p, *p)).collect();
                parts.push(Expr::Test(Test::Port { transports, end: End::Either, ranges }));
                words.extend(list.iter().map(|p| format!("{name} port {p}")));
            }
        }
        if ports.icmp {
            parts.push(Expr::Test(Test::Protocol { net: Net::V4, number: 1 }));
            parts.push(Expr::Test(Test::Protocol { net: Net::V6, number: 58 }));
            words.extend(["icmp".to_owned(), "icmp6".to_owned()]);
        }
        for number in &ports.protocols {
            parts.push(Expr::Test(Test::Protocol { net: Net::V4, number: *number }));
            parts.push(Expr::Test(Test::Protocol { net: Net::V6, number: *number }));
            words.push(format!("proto {number}"));
        }
        parts.push(Expr::Test(Test::Fragment));
        words.push("(IP fragments)".to_owned());
        Self::compile(&words.join(" or "), Expr::Or(parts))
    }

    fn compile(text: &str, expr: Expr) -> Result<Self, FilterError> {
        let mut b = Builder::default();
        let (yes, no) = (b.label(), b.label());
        compile::prologue(&mut b);
        compile::condition(&mut b, &expr, yes, no);
        b.here(yes);
        b.op(RET, u32::MAX);
        b.here(no);
        b.op(RET, 0);
        let program = b.assemble().ok_or_else(|| FilterError {
            column: 1,
            message: format!(
                "too long for the kernel: it would take more than {} instructions",
                bpf::MAX_INSNS
            ),
        })?;
        Ok(Self { text: text.into(), expr: Arc::new(expr), program: program.into() })
    }

    /// The expression.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the filter lets `frame` through: the same program that the kernel runs, in user space.
    pub fn matches(&self, frame: &Frame<'_>) -> bool {
        machine::run(&self.program, frame) != 0
    }

    /// How many instructions the program has.
    pub fn instructions(&self) -> usize {
        self.program.len()
    }

    pub(crate) fn expr(&self) -> &Expr {
        &self.expr
    }
}
