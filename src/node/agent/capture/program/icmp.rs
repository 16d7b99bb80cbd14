//! Errors that quote a device's packet, and neighbour discovery.

use super::super::bpf::{AND, EQUAL, GREATER, LOAD_BYTE_AT_X, LOAD_HALF_AT_X, LOAD_MEMORY, STORE};
use super::{Compiler, PROTOCOL};

impl Compiler<'_> {
    /// ICMP errors (RFC 792), with X at the ICMP header.
    pub fn icmp(&mut self) {
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
    pub fn icmpv6(&mut self) {
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
}
