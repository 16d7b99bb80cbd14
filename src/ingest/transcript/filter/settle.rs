//! What conditions say once the whole filter is known.

use crate::model::capture::{Condition, End, Side};

impl Condition {
    /// The opposite. Of one direction it is one direction still, as nobody knows which, only
    /// that the packets seen are of it; and what holds of both packets of an exchange or of
    /// none does so in the opposite, too. So `not` goes to the primitives (De Morgan).
    pub(super) fn negated(self) -> Self {
        let negate = |parts: Vec<Self>| parts.into_iter().map(Self::negated).collect();
        match self {
            Self::All(parts) => Self::Any(negate(parts)),
            Self::Any(parts) => Self::All(negate(parts)),
            Self::Not(part) => *part,
            same @ (Self::OneDirection | Self::Alike | Self::Unknown) => same,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The names of which only one side is asked for.
    pub(super) fn names(&self) -> Vec<(Side, String)> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::names).collect(),
            Self::Not(part) => part.names(),
            Self::End(side, End::Named(name)) => vec![(*side, name.clone())],
            _ => Vec::new(),
        }
    }

    /// Settles what names say: what is asked for on either side holds of an answer as it
    /// does of its request.
    pub(super) fn settle(&mut self, names: &[(Side, String)]) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.settle(names);
                }
            }
            Self::Not(part) => {
                part.settle(names);
                if **part == Self::Alike {
                    *self = Self::Alike;
                }
            }
            Self::End(side, End::Named(name)) => {
                let has = |wanted| names.iter().any(|(side, own)| *side == wanted && own == name);
                let is_alike = matches!(side, Side::Either | Side::Both)
                    || (has(Side::Source) && has(Side::Destination));
                if is_alike {
                    *self = Self::Alike;
                }
            }
            _ => {}
        }
    }
}
