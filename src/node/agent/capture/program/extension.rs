//! IPv6 extension headers.

use super::super::assembler::Label;
use super::super::bpf::{
    A_TO_X, ADD, ADD_X, AND, EQUAL, GREATER, LOAD_BYTE_AT_X, LOAD_HALF_AT_X, LOAD_MEMORY,
    SHIFT_LEFT, STORE,
};
use super::{Compiler, PROTOCOL};

/// Extension headers that are followed in a packet and in a quoted one.
const EXTENSION_HEADERS: usize = 5;

impl Compiler<'_> {
    /// Follows extension headers from X (RFC 8200, section 4; RFC 4302): X is
    /// then behind them. A fragment that is not the first goes to `fragment`.
    pub fn walk_extension_headers(&mut self, fragment: Label) {
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
}
