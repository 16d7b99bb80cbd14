//! Filters of our vocabulary, compiled for the kernel.
//!
//! A load behind the packet's end makes the kernel reject the packet: so no
//! length is checked here.

mod addresses;
mod extension;
mod icmp;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::assembler::{self, Assembler, Label};
use super::bpf::{
    A_TO_X, ADD, ADD_X, AND, EQUAL, GREATER, Instruction, LOAD_BYTE, LOAD_BYTE_AT_X, LOAD_HALF,
    LOAD_HALF_AT_X, LOAD_IMMEDIATE, LOAD_MEMORY, OUTGOING, PACKET_TYPE_OFFSET, RETURN, SET_X,
    SHIFT_LEFT, STORE, X_TO_A,
};
use crate::node::wire::CaptureFilter;

/// Where the kernel's filter finds the network layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkLayer {
    /// Behind an Ethernet header and up to two VLAN tags: the outermost one is
    /// mostly in the packet's metadata instead.
    Ethernet,
    /// At the first byte: a socket without link headers.
    Network,
}

/// Whether packets that the host sends are captured. On a loopback link each
/// is seen as a received one, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    Captured,
    Skipped,
}

/// Which packets: a filter, or all.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    Filter(&'a CaptureFilter),
    Everything,
}

/// Addresses that one filter may name: four comparisons each, at four places.
pub const MAX_DEVICES: usize = 32;
pub const MAX_NEXT_HOPS: usize = 16;
pub const MAX_PORTS: usize = 64;

const UDP: u32 = 17;
const TCP: u32 = 6;
const ICMP: u32 = 1;
const ICMPV6: u32 = 58;

// Scratch memory.
/// Whether an address is a device's.
const MATCHED: u32 = 0;
/// The protocol, or IPv6's next header.
const PROTOCOL: u32 = 1;

/// Compiles a program that keeps the first `snap_length_bytes` of what is selected.
///
/// # Errors
///
/// Where the program would be too long for the kernel.
pub fn compile(
    selection: Selection<'_>,
    link: LinkLayer,
    outgoing: Outgoing,
    snap_length_bytes: u32,
) -> Result<Vec<Instruction>, assembler::Error> {
    let mut assembler = Assembler::default();
    let (accept, reject) = (assembler.label(), assembler.label());
    if outgoing == Outgoing::Skipped {
        assembler.add(LOAD_BYTE, PACKET_TYPE_OFFSET);
        assembler.go_if(EQUAL, OUTGOING, reject);
    }
    match selection {
        Selection::Everything => assembler.go(accept),
        Selection::Filter(filter) => {
            let mut compiler = Compiler::new(assembler, filter, accept, reject);
            compiler.compile(link);
            assembler = compiler.assembler;
        }
    }
    assembler.place(accept);
    assembler.add(RETURN, snap_length_bytes);
    assembler.place(reject);
    assembler.add(RETURN, 0);
    assembler.finish()
}

struct Compiler<'a> {
    assembler: Assembler,
    filter: &'a CaptureFilter,
    devices_v4: Vec<Ipv4Addr>,
    devices_v6: Vec<Ipv6Addr>,
    neighbours_v4: Vec<Ipv4Addr>,
    neighbours_v6: Vec<Ipv6Addr>,
    accept: Label,
    reject: Label,
    v4: Label,
    v6: Label,
    arp: Label,
    /// A fragment that is not the first: it has no ports.
    fragment: Label,
    datagram: Label,
}

/// The addresses of one family each.
fn split(addresses: impl Iterator<Item = IpAddr>) -> (Vec<Ipv4Addr>, Vec<Ipv6Addr>) {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for address in addresses {
        match address.to_canonical() {
            IpAddr::V4(address) => v4.push(address),
            IpAddr::V6(address) => v6.push(address),
        }
    }
    (v4, v6)
}

impl<'a> Compiler<'a> {
    fn new(
        mut assembler: Assembler,
        filter: &'a CaptureFilter,
        accept: Label,
        reject: Label,
    ) -> Self {
        let devices = filter.devices.iter().copied();
        let (devices_v4, devices_v6) = split(devices.clone());
        let (neighbours_v4, neighbours_v6) = split(devices.chain(filter.next_hops.iter().copied()));
        let [v4, v6, arp, fragment, datagram] = std::array::from_fn(|_| assembler.label());
        Self {
            assembler,
            filter,
            devices_v4,
            devices_v6,
            neighbours_v4,
            neighbours_v6,
            accept,
            reject,
            v4,
            v6,
            arp,
            fragment,
            datagram,
        }
    }

    fn compile(&mut self, link: LinkLayer) {
        // The kernel wants scratch memory to be written before it is read.
        self.add(LOAD_IMMEDIATE, 0);
        self.add(STORE, MATCHED);
        self.add(STORE, PROTOCOL);
        match link {
            LinkLayer::Ethernet => self.ethernet(),
            LinkLayer::Network => {
                self.add(SET_X, 0);
                self.add(LOAD_BYTE, 0);
                self.add(AND, 0xf0);
                self.assembler.go_if(EQUAL, 0x40, self.v4);
                self.assembler.go_if(EQUAL, 0x60, self.v6);
                self.assembler.go(self.reject);
            }
        }
        self.ipv4();
        self.ipv6();
        self.arp();
        self.fragment();
        self.datagram();
    }

    fn add(&mut self, code: u16, k: u32) {
        self.assembler.add(code, k);
    }

    /// Advances X by `bytes`.
    fn advance(&mut self, bytes: u32) {
        self.add(X_TO_A, 0);
        self.add(ADD, bytes);
        self.add(A_TO_X, 0);
    }

    /// EtherTypes and VLAN tags (IEEE 802.1Q). X is then where the network layer begins.
    fn ethernet(&mut self) {
        for tags in 0..=2 {
            let next = self.assembler.label();
            self.add(SET_X, 14 + 4 * tags);
            self.add(LOAD_HALF, 12 + 4 * tags);
            self.assembler.go_if(EQUAL, 0x0800, self.v4);
            self.assembler.go_if(EQUAL, 0x86dd, self.v6);
            self.assembler.go_if(EQUAL, 0x0806, self.arp);
            for tag in [0x8100, 0x88a8, 0x9100] {
                self.assembler.go_if(EQUAL, tag, next);
            }
            self.assembler.go(self.reject);
            self.assembler.place(next);
        }
        // A third tag.
        self.assembler.go(self.reject);
    }

    /// RFC 791, with X at the header.
    fn ipv4(&mut self) {
        self.assembler.place(self.v4);
        self.match_ipv4();
        self.add(LOAD_BYTE_AT_X, 9);
        self.add(STORE, PROTOCOL);
        self.add(LOAD_HALF_AT_X, 6);
        self.add(AND, 0x1fff);
        self.assembler.go_if(GREATER, 0, self.fragment);
        self.skip_ipv4_header();
        self.add(LOAD_MEMORY, PROTOCOL);
        self.go_to_datagram();
        if self.filter.with_icmp_errors {
            self.assembler.go_unless(EQUAL, ICMP, self.reject);
            self.icmp();
        } else {
            self.assembler.go(self.reject);
        }
    }

    /// RFC 8200, with X at the header.
    fn ipv6(&mut self) {
        self.assembler.place(self.v6);
        self.match_ipv6();
        self.add(LOAD_BYTE_AT_X, 6);
        self.add(STORE, PROTOCOL);
        self.advance(40);
        self.walk_extension_headers(self.fragment);
        self.add(LOAD_MEMORY, PROTOCOL);
        self.go_to_datagram();
        if self.filter.with_icmp_errors || self.filter.with_neighbour_discovery {
            self.assembler.go_unless(EQUAL, ICMPV6, self.reject);
            self.icmpv6();
        } else {
            self.assembler.go(self.reject);
        }
    }

    /// With the protocol in A.
    fn go_to_datagram(&mut self) {
        self.assembler.go_if(EQUAL, UDP, self.datagram);
        if self.filter.with_tcp {
            self.assembler.go_if(EQUAL, TCP, self.datagram);
        }
    }

    fn skip_ipv4_header(&mut self) {
        self.add(LOAD_BYTE_AT_X, 0);
        self.add(AND, 0x0f);
        self.add(SHIFT_LEFT, 2);
        self.add(ADD_X, 0);
        self.add(A_TO_X, 0);
    }

    /// ARP (RFC 826) for IPv4 over Ethernet: sender and target protocol address.
    fn arp(&mut self) {
        self.assembler.place(self.arp);
        if self.filter.with_neighbour_discovery {
            let addresses = std::mem::take(&mut self.neighbours_v4);
            for offset in [14, 24] {
                self.go_if_ipv4(&addresses, offset, self.accept);
            }
            self.neighbours_v4 = addresses;
        }
        self.assembler.go(self.reject);
    }

    fn fragment(&mut self) {
        self.assembler.place(self.fragment);
        if self.filter.with_fragments {
            self.require_match();
            self.add(LOAD_MEMORY, PROTOCOL);
            self.require_transport();
            self.assembler.go(self.accept);
        } else {
            self.assembler.go(self.reject);
        }
    }

    /// UDP or TCP, with X at its header.
    fn datagram(&mut self) {
        self.assembler.place(self.datagram);
        self.require_match();
        self.require_port();
    }

    fn require_match(&mut self) {
        self.add(LOAD_MEMORY, MATCHED);
        self.assembler.go_unless(EQUAL, 1, self.reject);
    }

    /// With the protocol in A.
    fn require_transport(&mut self) {
        let done = self.assembler.label();
        if self.filter.with_tcp {
            self.assembler.go_if(EQUAL, TCP, done);
        }
        self.assembler.go_unless(EQUAL, UDP, self.reject);
        self.assembler.place(done);
    }

    /// Ends: accepts where a port of the UDP or TCP header at X is one of the
    /// filter's, or where it names none.
    fn require_port(&mut self) {
        if self.filter.ports.is_empty() {
            self.assembler.go(self.accept);
            return;
        }
        for offset in [0, 2] {
            self.add(LOAD_HALF_AT_X, offset);
            for port in &self.filter.ports {
                self.assembler.go_if(EQUAL, u32::from(*port), self.accept);
            }
        }
        self.assembler.go(self.reject);
    }
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
