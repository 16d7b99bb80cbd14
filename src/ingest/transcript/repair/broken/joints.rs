//! The ways to put the parts of a broken line together.

/// How parts were put together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Joints {
    /// Of the joints so many are without a space.
    pub together: usize,
    pub apart: usize,
    /// A word is whole only without the break.
    pub proves_width: bool,
}

impl Joints {
    pub const fn preference(self, prefers_together: bool) -> usize {
        if prefers_together { self.together } else { self.apart }
    }
}

/// All ways to put a line and its rest together: with and without spaces.
pub(super) fn candidates(text: &str, rest: &[&str]) -> impl Iterator<Item = (String, Joints)> {
    let ways = 1_usize << rest.len();
    (0..ways).map(move |way| {
        let mut joined = text.to_owned();
        let mut joints = Joints { together: 0, apart: 0, proves_width: false };
        for (at, part) in rest.iter().enumerate() {
            if way >> at & 1 == 0 {
                joints.together += 1;
                joints.proves_width = !joined.ends_with(' ') && !part.starts_with(' ');
                joined.push_str(part.trim_end());
            } else {
                joints.apart += 1;
                joined.truncate(joined.trim_end().len());
                joined.push(' ');
                joined.push_str(part.trim());
            }
        }
        (joined, joints)
    })
}
