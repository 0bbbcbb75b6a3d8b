//! Classic BPF: instructions, and an assembler with labels.
//!
//! The machine is the kernel's (`Documentation/networking/filter.rst`): accumulator, index register, sixteen cells,
//! jumps only forward, so every program ends. Loads beyond the packet end the program with 0.

/// One instruction, laid out as the kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Insn {
    pub(crate) code: u16,
    pub(crate) jt: u8,
    pub(crate) jf: u8,
    pub(crate) k: u32,
}

/// Longest program the kernel takes (`BPF_MAXINSNS`).
pub(crate) const MAX_INSNS: usize = 4096;

// Classes, sizes, modes and operations (linux/bpf_common.h).
pub(crate) const LD: u16 = 0x00;
pub(crate) const LDX: u16 = 0x01;
pub(crate) const ST: u16 = 0x02;
pub(crate) const STX: u16 = 0x03;
pub(crate) const ALU: u16 = 0x04;
pub(crate) const JMP: u16 = 0x05;
pub(crate) const RET: u16 = 0x06;
pub(crate) const MISC: u16 = 0x07;
pub(crate) const W: u16 = 0x00;
pub(crate) const H: u16 = 0x08;
pub(crate) const B: u16 = 0x10;
pub(crate) const IMM: u16 = 0x00;
pub(crate) const ABS: u16 = 0x20;
pub(crate) const IND: u16 = 0x40;
pub(crate) const MEM: u16 = 0x60;
pub(crate) const LEN: u16 = 0x80;
pub(crate) const ADD: u16 = 0x00;
pub(crate) const MUL: u16 = 0x20;
pub(crate) const AND: u16 = 0x50;
pub(crate) const LSH: u16 = 0x60;
pub(crate) const RSH: u16 = 0x70;
pub(crate) const XOR: u16 = 0xa0;
pub(crate) const JA: u16 = 0x00;
pub(crate) const JEQ: u16 = 0x10;
pub(crate) const JGT: u16 = 0x20;
pub(crate) const JGE: u16 = 0x30;
pub(crate) const JSET: u16 = 0x40;
pub(crate) const X: u16 = 0x08;
pub(crate) const TAX: u16 = 0x00;
pub(crate) const TXA: u16 = 0x80;

/// Where ancillary data lies (`SKF_AD_OFF`), and what of it is used.
pub(crate) const AD: u32 = (-0x1000_i32) as u32;
pub(crate) const AD_PROTOCOL: u32 = AD;
pub(crate) const AD_PKTTYPE: u32 = AD + 4;
pub(crate) const AD_IFINDEX: u32 = AD + 8;
pub(crate) const AD_HATYPE: u32 = AD + 28;
pub(crate) const AD_VLAN_TAG: u32 = AD + 44;
pub(crate) const AD_VLAN_TAG_PRESENT: u32 = AD + 48;
/// Offsets from here count from the network header (`SKF_NET_OFF`).
pub(crate) const NET: u32 = (-0x10_0000_i32) as u32;
/// Offsets from here count from the link header (`SKF_LL_OFF`).
pub(crate) const LINK: u32 = (-0x20_0000_i32) as u32;

/// A place in a program that jumps lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(usize);

#[derive(Clone, Copy)]
enum Op {
    Plain { code: u16, k: u32 },
    Jump { code: u16, k: u32, yes: Label, no: Label, yes_far: bool, no_far: bool },
    Goto(Label),
    Here(Label),
}

/// A program under construction.
#[derive(Default)]
pub(crate) struct Builder {
    ops: Vec<Op>,
    labels: usize,
}

impl Builder {
    /// A new label, to be placed later with [`Builder::here`].
    pub(crate) fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Places a label at the next instruction.
    pub(crate) fn here(&mut self, label: Label) {
        self.ops.push(Op::Here(label));
    }

    /// Any instruction that is not a conditional jump.
    pub(crate) fn op(&mut self, code: u16, k: u32) {
        self.ops.push(Op::Plain { code, k });
    }

    /// Jumps to `yes` or `no` by comparing the accumulator with `k` (or the index register, with [`X`] in `test`).
    pub(crate) fn jump(&mut self, test: u16, k: u32, yes: Label, no: Label) {
        self.ops.push(Op::Jump { code: JMP | test, k, yes, no, yes_far: false, no_far: false });
    }

    /// Jumps to `yes` if the test holds and goes on with the next instruction if not.
    pub(crate) fn jump_if(&mut self, test: u16, k: u32, yes: Label) {
        let next = self.label();
        self.jump(test, k, yes, next);
        self.here(next);
    }

    /// Goes on with the next instruction if the test holds and jumps to `no` if not.
    pub(crate) fn jump_unless(&mut self, test: u16, k: u32, no: Label) {
        let next = self.label();
        self.jump(test, k, next, no);
        self.here(next);
    }

    /// Jumps always.
    pub(crate) fn goto(&mut self, label: Label) {
        self.ops.push(Op::Goto(label));
    }

    /// Resolves the labels. `None` when the program is too long for the kernel, or jumps backwards.
    pub(crate) fn assemble(mut self) -> Option<Vec<Insn>> {
        if self.ops.len() > MAX_INSNS * 4 {
            return None;
        }
        let mut places = vec![0; self.labels];
        // Conditional jumps reach 255 instructions; one that does not gets an unconditional jump behind it.
        // That moves others apart, so repeat until nothing changes.
        loop {
            let mut at = 0;
            for op in &self.ops {
                if let Op::Here(label) = op {
                    *places.get_mut(label.0)? = at;
                }
                at += size(op);
            }
            if at > MAX_INSNS {
                return None;
            }
            let mut changed = false;
            let mut at = 0;
            for op in &mut self.ops {
                if let Op::Jump { yes, no, yes_far, no_far, .. } = op {
                    for (label, far) in [(*yes, yes_far), (*no, no_far)] {
                        if !*far && places[label.0].saturating_sub(at + 1) > 255 {
                            *far = true;
                            changed = true;
                        }
                    }
                }
                at += size(op);
            }
            if !changed {
                break;
            }
        }
        let mut out: Vec<Insn> = Vec::new();
        for op in &self.ops {
            let next = out.len() + 1;
            match *op {
                Op::Here(_) => {}
                Op::Plain { code, k } => out.push(Insn { code, jt: 0, jf: 0, k }),
                Op::Goto(label) => out.push(ja(places[label.0], next)?),
                Op::Jump { code, k, yes, no, yes_far, no_far } => {
                    let near = |label: Label| u8::try_from(places[label.0].checked_sub(next)?).ok();
                    let jt = if yes_far { 0 } else { near(yes)? };
                    let jf = if no_far { u8::from(yes_far) } else { near(no)? };
                    out.push(Insn { code, jt, jf, k });
                    if yes_far {
                        out.push(ja(places[yes.0], out.len() + 1)?);
                    }
                    if no_far {
                        out.push(ja(places[no.0], out.len() + 1)?);
                    }
                }
            }
        }
        Some(out)
    }
}

fn size(op: &Op) -> usize {
    match op {
        Op::Here(_) => 0,
        Op::Plain { .. } | Op::Goto(_) => 1,
        Op::Jump { yes_far, no_far, .. } => 1 + usize::from(*yes_far) + usize::from(*no_far),
    }
}

fn ja(target: usize, next: usize) -> Option<Insn> {
    Some(Insn { code: JMP | JA, jt: 0, jf: 0, k: u32::try_from(target.checked_sub(next)?).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::machine;

    #[test]
    fn far_jumps_arrive() {
        for gap in [0, 254, 255, 256, 1000] {
            let mut b = Builder::default();
            let (yes, no) = (b.label(), b.label());
            b.op(LD | W | LEN, 0);
            b.jump(JEQ, 7, yes, no);
            for _ in 0..gap {
                b.op(LD | IMM, 0);
            }
            b.here(no);
            b.op(RET, 1);
            for _ in 0..gap {
                b.op(LD | IMM, 0);
            }
            b.here(yes);
            b.op(RET, 2);
            let program = b.assemble().unwrap();
            let frame = |wire_len| wirebeat_model::Frame {
                time: wirebeat_model::Time(0),
                link: wirebeat_model::LinkType::Ethernet,
                device: 0,
                wire_len,
                vlan: None,
                data: &[],
            };
            assert_eq!(machine::run(&program, &frame(7)), 2, "gap {gap}");
            assert_eq!(machine::run(&program, &frame(8)), 1, "gap {gap}");
        }
    }

    #[test]
    fn too_long_and_backwards_are_refused() {
        let mut b = Builder::default();
        for _ in 0..=MAX_INSNS {
            b.op(RET, 0);
        }
        assert!(b.assemble().is_none());
        let mut b = Builder::default();
        let back = b.label();
        b.here(back);
        b.goto(back);
        assert!(b.assemble().is_none());
    }
}
