//! Whether a packet is a device's.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::assembler::Label;
use super::super::bpf::{EQUAL, LOAD_IMMEDIATE, LOAD_WORD_AT_X, STORE};
use super::{Compiler, MATCHED};

impl Compiler<'_> {
    /// Notes whether source or destination of the IPv4 header at X is a device's.
    pub fn match_ipv4(&mut self) {
        let addresses = std::mem::take(&mut self.devices_v4);
        self.match_at(|compiler, matched| {
            for offset in [12, 16] {
                compiler.go_if_ipv4(&addresses, offset, matched);
            }
        });
        self.devices_v4 = addresses;
    }

    /// Notes whether source or destination of the IPv6 header at X is a device's.
    pub fn match_ipv6(&mut self) {
        let addresses = std::mem::take(&mut self.devices_v6);
        self.match_at(|compiler, matched| {
            for offset in [8, 24] {
                compiler.go_if_ipv6(&addresses, offset, matched);
            }
        });
        self.devices_v6 = addresses;
    }

    pub fn match_at(&mut self, compare: impl FnOnce(&mut Self, Label)) {
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

    pub fn go_if_ipv4(&mut self, addresses: &[Ipv4Addr], offset: u32, label: Label) {
        self.add(LOAD_WORD_AT_X, offset);
        for address in addresses {
            self.assembler.go_if(EQUAL, address.to_bits(), label);
        }
    }

    pub fn go_if_ipv6(&mut self, addresses: &[Ipv6Addr], offset: u32, label: Label) {
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
}
