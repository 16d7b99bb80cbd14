//! Interfaces of a stream that begins anew now and then, as a window numbers them.

/// Interfaces that one window knows. Pods come and go, and their cables with them.
pub const MAX_INTERFACES: usize = 256;

/// Descriptions that are kept of one section: it has one for each ring.
const MAX_DESCRIPTIONS: usize = 4 * MAX_INTERFACES;

/// The interfaces that a window's packets name. Those that are described alike are one:
/// of another capture, or of another ring of the same.
#[derive(Debug, Default)]
pub struct Interfaces {
    /// The description of each, by its number here.
    kept: Vec<Vec<u8>>,
    /// The description of each interface of the stream's section, by its number there.
    described: Vec<Vec<u8>>,
    /// The number here of each interface of the stream's section, where there is room for it.
    numbers: Vec<Option<u32>>,
}

/// There is no number left.
#[derive(Debug)]
pub struct Full;

impl Interfaces {
    /// Another section describes its own interfaces.
    pub fn begin_section(&mut self) {
        self.described.clear();
        self.numbers.clear();
    }

    /// Takes the next description of the section.
    ///
    /// # Errors
    ///
    /// Where it is a new one and all numbers are taken.
    pub fn add(&mut self, description: &[u8]) -> Result<(), Full> {
        if self.described.len() < MAX_DESCRIPTIONS {
            self.described.push(description.to_vec());
        }
        let is_known = self.kept.iter().any(|known| known == description);
        if !is_known && self.kept.len() >= MAX_INTERFACES {
            return Err(Full);
        }
        let number = self.number_of(description);
        self.numbers.push(number);
        Ok(())
    }

    /// Forgets those of earlier sections. Those of this section keep their places in it,
    /// because its packets name them by these.
    pub fn number_anew(&mut self) {
        self.kept.clear();
        let described = std::mem::take(&mut self.described);
        self.numbers = described.iter().map(|one| self.number_of(one)).collect();
        self.described = described;
    }

    /// The number here of an interface of the section.
    pub fn find_number(&self, in_section: usize) -> Option<u32> {
        self.numbers.get(in_section).copied().flatten()
    }

    /// By their numbers here.
    pub fn descriptions(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.kept.iter().map(Vec::as_slice)
    }

    /// The number here of the interface that is described so; `None` where a single
    /// section has more interfaces than there is room for.
    fn number_of(&mut self, description: &[u8]) -> Option<u32> {
        let known = self.kept.iter().position(|known| known == description);
        if known.is_none() && self.kept.len() >= MAX_INTERFACES {
            return None;
        }
        let number = known.unwrap_or_else(|| {
            self.kept.push(description.to_vec());
            self.kept.len() - 1
        });
        u32::try_from(number).ok()
    }
}
