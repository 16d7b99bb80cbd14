//! Classic BPF, put together with labels instead of counted jumps.

use super::bpf::{self, Instruction};

/// Where a jump leads; placed once, after all jumps to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(usize);

/// Why there is no program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the filter is too long for the kernel: {instructions} instructions of {limit}")]
    TooLong { instructions: usize, limit: usize },
    /// A fault of the compiler.
    #[error("the filter's program jumps to nowhere")]
    Jump,
}

/// A program in the making. Jumps lead forward only: that is all that classic
/// BPF has, and why its programs always end.
#[derive(Debug, Default)]
pub struct Assembler {
    lines: Vec<Line>,
    /// The line of each label.
    places: Vec<Option<usize>>,
}

#[derive(Debug, Clone, Copy)]
enum Line {
    Instruction(Instruction),
    Jump(Label),
}

impl Assembler {
    /// A label that has no place yet.
    pub fn label(&mut self) -> Label {
        self.places.push(None);
        Label(self.places.len() - 1)
    }

    /// Says that `label` is here.
    pub fn place(&mut self, label: Label) {
        if let Some(place) = self.places.get_mut(label.0) {
            *place = Some(self.lines.len());
        }
    }

    /// Adds an instruction that does not jump.
    pub fn add(&mut self, code: u16, k: u32) {
        self.lines.push(Line::Instruction(Instruction { code, jt: 0, jf: 0, k }));
    }

    /// Goes to `label`.
    pub fn go(&mut self, label: Label) {
        self.lines.push(Line::Jump(label));
    }

    /// Goes to `label` where the accumulator fulfils `test` with `k`.
    ///
    /// A conditional jump has 8 bits, an unconditional one 32: so the test
    /// only jumps over the jump, and no distance is too far.
    pub fn go_if(&mut self, test: u16, k: u32, label: Label) {
        self.lines.push(Line::Instruction(Instruction { code: test, jt: 0, jf: 1, k }));
        self.go(label);
    }

    /// Goes to `label` where it does not.
    pub fn go_unless(&mut self, test: u16, k: u32, label: Label) {
        self.lines.push(Line::Instruction(Instruction { code: test, jt: 1, jf: 0, k }));
        self.go(label);
    }

    /// The program.
    ///
    /// # Errors
    ///
    /// Where the kernel would refuse it for its length.
    pub fn finish(self) -> Result<Vec<Instruction>, Error> {
        if self.lines.len() > bpf::MAX_INSTRUCTIONS {
            return Err(Error::TooLong {
                instructions: self.lines.len(),
                limit: bpf::MAX_INSTRUCTIONS,
            });
        }
        let resolve = |(at, line): (usize, &Line)| match line {
            Line::Instruction(instruction) => Ok(*instruction),
            Line::Jump(label) => {
                let place = self.places.get(label.0).copied().flatten();
                let distance = place.and_then(|place| place.checked_sub(at + 1));
                let distance = distance.and_then(|distance| u32::try_from(distance).ok());
                distance.map_or(Err(Error::Jump), |k| {
                    Ok(Instruction { code: bpf::JUMP, jt: 0, jf: 0, k })
                })
            }
        };
        self.lines.iter().enumerate().map(resolve).collect()
    }
}
