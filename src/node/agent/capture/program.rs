//! Filters of our vocabulary, compiled for the kernel.
//!
//! A load behind the packet's end makes the kernel reject the packet: so no
//! length is checked here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::assembler::{self, Assembler, Label};
use super::bpf::{
    A_TO_X, ADD, ADD_X, AND, EQUAL, GREATER, Instruction, LOAD_BYTE, LOAD_BYTE_AT_X, LOAD_HALF,
    LOAD_HALF_AT_X, LOAD_IMMEDIATE, LOAD_MEMORY, LOAD_WORD_AT_X, OUTGOING, PACKET_TYPE_OFFSET,
    RETURN, SET_X, SHIFT_LEFT, STORE, X_TO_A,
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

/// IPv6 extension headers that are followed in a packet and in a quoted one.
const EXTENSION_HEADERS: usize = 5;

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

    /// Notes whether source or destination of the IPv4 header at X is a device's.
    fn match_ipv4(&mut self) {
        let addresses = std::mem::take(&mut self.devices_v4);
        self.match_at(|compiler, matched| {
            for offset in [12, 16] {
                compiler.go_if_ipv4(&addresses, offset, matched);
            }
        });
        self.devices_v4 = addresses;
    }

    /// Notes whether source or destination of the IPv6 header at X is a device's.
    fn match_ipv6(&mut self) {
        let addresses = std::mem::take(&mut self.devices_v6);
        self.match_at(|compiler, matched| {
            for offset in [8, 24] {
                compiler.go_if_ipv6(&addresses, offset, matched);
            }
        });
        self.devices_v6 = addresses;
    }

    fn match_at(&mut self, compare: impl FnOnce(&mut Self, Label)) {
        let (matched, done) = (self.assembler.label(), self.assembler.label());
        if !self.filter.devices.is_empty() {
            compare(self, matched);
            self.assembler.go(done);
        }
        self.assembler.place(matched);
        self.add(LOAD_IMMEDIATE, 1);
        self.add(STORE, MATCHED);
        self.assembler.place(done);
    }

    fn go_if_ipv4(&mut self, addresses: &[Ipv4Addr], offset: u32, label: Label) {
        self.add(LOAD_WORD_AT_X, offset);
        for address in addresses {
            self.assembler.go_if(EQUAL, address.to_bits(), label);
        }
    }

    fn go_if_ipv6(&mut self, addresses: &[Ipv6Addr], offset: u32, label: Label) {
        for address in addresses {
            let other = self.assembler.label();
            let octets = address.octets();
            // The last word differs most often, so it is compared first.
            for (word, place) in octets.chunks_exact(4).zip([0, 4, 8, 12]).rev() {
                let word = word.iter().fold(0, |word, byte| (word << 8) | u32::from(*byte));
                self.add(LOAD_WORD_AT_X, offset + place);
                self.assembler.go_unless(EQUAL, word, other);
            }
            self.assembler.go(label);
            self.assembler.place(other);
        }
    }

    /// Follows extension headers from X (RFC 8200, section 4; RFC 4302): X is
    /// then behind them. A fragment that is not the first goes to `fragment`.
    fn walk_extension_headers(&mut self, fragment: Label) {
        let done = self.assembler.label();
        for _ in 0..EXTENSION_HEADERS {
            let [options, authentication, fragmented, next] =
                std::array::from_fn(|_| self.assembler.label());
            self.add(LOAD_MEMORY, PROTOCOL);
            // Hop-by-hop options, routing, destination options.
            for header in [0, 43, 60] {
                self.assembler.go_if(EQUAL, header, options);
            }
            self.assembler.go_if(EQUAL, 51, authentication);
            self.assembler.go_if(EQUAL, 44, fragmented);
            self.assembler.go(done);
            // Length in units of 8 bytes beyond the first, or of 4 beyond two.
            for (label, beyond, shift) in [(options, 1, 3), (authentication, 2, 2)] {
                self.assembler.place(label);
                self.add(LOAD_BYTE_AT_X, 0);
                self.add(STORE, PROTOCOL);
                self.add(LOAD_BYTE_AT_X, 1);
                self.add(ADD, beyond);
                self.add(SHIFT_LEFT, shift);
                self.add(ADD_X, 0);
                self.add(A_TO_X, 0);
                self.assembler.go(next);
            }
            self.assembler.place(fragmented);
            self.add(LOAD_BYTE_AT_X, 0);
            self.add(STORE, PROTOCOL);
            self.add(LOAD_HALF_AT_X, 2);
            self.add(AND, 0xfff8);
            self.assembler.go_if(GREATER, 0, fragment);
            self.advance(8);
            self.assembler.place(next);
        }
        self.assembler.place(done);
    }

    /// ICMP errors (RFC 792), with X at the ICMP header.
    fn icmp(&mut self) {
        let error = self.assembler.label();
        self.add(LOAD_BYTE_AT_X, 0);
        // Unreachable, source quench, redirect, time exceeded, parameter problem.
        for kind in [3, 4, 5, 11, 12] {
            self.assembler.go_if(EQUAL, kind, error);
        }
        self.assembler.go(self.reject);
        self.assembler.place(error);
        self.advance(8);
        self.add(LOAD_BYTE_AT_X, 0);
        self.add(AND, 0xf0);
        self.assembler.go_unless(EQUAL, 0x40, self.reject);
        self.match_ipv4();
        self.require_match();
        self.add(LOAD_BYTE_AT_X, 9);
        self.require_transport();
        self.add(LOAD_HALF_AT_X, 6);
        self.add(AND, 0x1fff);
        self.assembler.go_if(GREATER, 0, self.accept);
        self.skip_ipv4_header();
        self.require_port();
    }

    /// ICMPv6 errors (RFC 4443), and NDP (RFC 4861), with X at the header.
    fn icmpv6(&mut self) {
        let (error, neighbour) = (self.assembler.label(), self.assembler.label());
        self.add(LOAD_BYTE_AT_X, 0);
        if self.filter.with_icmp_errors {
            // Unreachable, packet too big, time exceeded, parameter problem.
            for kind in [1, 2, 3, 4] {
                self.assembler.go_if(EQUAL, kind, error);
            }
        }
        if self.filter.with_neighbour_discovery {
            for kind in [135, 136] {
                self.assembler.go_if(EQUAL, kind, neighbour);
            }
        }
        self.assembler.go(self.reject);
        self.assembler.place(neighbour);
        if self.filter.with_neighbour_discovery {
            // The target address.
            let addresses = std::mem::take(&mut self.neighbours_v6);
            self.go_if_ipv6(&addresses, 8, self.accept);
            self.neighbours_v6 = addresses;
        }
        self.assembler.go(self.reject);
        self.assembler.place(error);
        if self.filter.with_icmp_errors {
            self.advance(8);
            self.add(LOAD_BYTE_AT_X, 0);
            self.add(AND, 0xf0);
            self.assembler.go_unless(EQUAL, 0x60, self.reject);
            self.match_ipv6();
            self.require_match();
            self.add(LOAD_BYTE_AT_X, 6);
            self.add(STORE, PROTOCOL);
            self.advance(40);
            self.walk_extension_headers(self.accept);
            self.add(LOAD_MEMORY, PROTOCOL);
            self.require_transport();
            self.require_port();
        }
        self.assembler.go(self.reject);
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
