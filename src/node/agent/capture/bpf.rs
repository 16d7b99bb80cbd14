//! The instructions of classic BPF that filters are made of: the kernel's
//! `Documentation/networking/filter.rst`, `include/uapi/linux/filter.h`.

/// `BPF_MAXINSNS`.
pub const MAX_INSTRUCTIONS: usize = 4_096;

/// `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    pub code: u16,
    /// Instructions skipped where a test holds.
    pub jt: u8,
    /// Instructions skipped where it does not.
    pub jf: u8,
    pub k: u32,
}

// A is the accumulator, X the index, M the scratch memory; `k` the operand.
/// A = 8 bits at k.
pub const LOAD_BYTE: u16 = 0x30;
/// A = 16 bits at k.
pub const LOAD_HALF: u16 = 0x28;
/// A = 32 bits at X + k.
pub const LOAD_WORD_AT_X: u16 = 0x40;
/// A = 16 bits at X + k.
pub const LOAD_HALF_AT_X: u16 = 0x48;
/// A = 8 bits at X + k.
pub const LOAD_BYTE_AT_X: u16 = 0x50;
/// A = k.
pub const LOAD_IMMEDIATE: u16 = 0x00;
/// A = M\[k\].
pub const LOAD_MEMORY: u16 = 0x60;
/// X = k.
pub const SET_X: u16 = 0x01;
/// M\[k\] = A.
pub const STORE: u16 = 0x02;
/// X = A.
pub const A_TO_X: u16 = 0x07;
/// A = X.
pub const X_TO_A: u16 = 0x87;
/// A += k.
pub const ADD: u16 = 0x04;
/// A += X.
pub const ADD_X: u16 = 0x0c;
/// A &= k.
pub const AND: u16 = 0x54;
/// A <<= k.
pub const SHIFT_LEFT: u16 = 0x64;
/// Skips k instructions.
pub const JUMP: u16 = 0x05;
/// Whether A == k.
pub const EQUAL: u16 = 0x15;
/// Whether A > k, unsigned.
pub const GREATER: u16 = 0x25;
/// Ends; keeps the first k bytes of the packet, or none of it where k is 0.
pub const RETURN: u16 = 0x06;

/// `SKF_AD_OFF + SKF_AD_PKTTYPE`: loads what the packet is to this host,
/// [`OUTGOING`] among others, instead of its bytes.
pub const PACKET_TYPE_OFFSET: u32 = 0xffff_f004;
/// `PACKET_OUTGOING`.
pub const OUTGOING: u32 = 4;
