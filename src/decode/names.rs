//! Interfaces that link headers name instead of numbering them.

/// Interfaces that are told apart; more than any host has.
const LIMIT_NAMES: usize = 1_024;
/// Numbers of names begin here, above all that kernels give out.
const FIRST_NUMBER: u32 = 1 << 31;

/// Names, numbered in order of appearance.
#[derive(Debug, Default)]
pub(super) struct InterfaceNames {
    names: Vec<Box<str>>,
}

impl InterfaceNames {
    /// The number that stands for `name`; `None` where there are too many.
    pub fn number(&mut self, name: &str) -> Option<u32> {
        let known = self.names.iter().position(|known| **known == *name);
        let position = known.or_else(|| {
            let is_new = self.names.len() < LIMIT_NAMES;
            is_new.then(|| {
                self.names.push(name.into());
                self.names.len() - 1
            })
        })?;
        Some(FIRST_NUMBER + u32::try_from(position).ok()?)
    }

    /// The name that a number stands for.
    pub fn find(&self, number: u32) -> Option<&str> {
        let position = usize::try_from(number.checked_sub(FIRST_NUMBER)?).ok()?;
        self.names.get(position).map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_numbers_up_to_a_limit() {
        let mut names = InterfaceNames::default();
        let numbers = ["em0", "igb1.7", "em0"].map(|name| names.number(name));
        assert_eq!(numbers, [Some(FIRST_NUMBER), Some(FIRST_NUMBER + 1), Some(FIRST_NUMBER)]);
        assert_eq!(names.find(FIRST_NUMBER + 1), Some("igb1.7"));
        assert_eq!((names.find(2), names.find(FIRST_NUMBER + 2)), (None, None));
        let all: Vec<_> = (0..2_000).map(|n| names.number(&n.to_string())).collect();
        assert_eq!(all.iter().flatten().count(), LIMIT_NAMES - 2);
    }
}
