//! What a capture is made of: how many dialogues, of which kinds, over how long.

use crate::dialogue::{Dialogue, Script, Size};
use crate::network::MAX_DEVICES;
use crate::random::draw_below;

/// One device in so many meets an asymmetry.
const ASYMMETRIC_EVERY: u64 = 100;

/// The kinds of captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// All protocols and TCP, frames of some 520 bytes.
    Mix,
    /// The same with the smallest messages: most work per byte.
    Small,
    /// Short dialogues, all of them within a minute.
    Live,
    /// The same spread over 24 hours.
    Churn,
}

impl Workload {
    /// The workload that is called `name`.
    pub fn find(name: &str) -> Option<Self> {
        Some(match name {
            "mix" => Self::Mix,
            "small" => Self::Small,
            "live" => Self::Live,
            "churn" => Self::Churn,
            _ => return None,
        })
    }

    /// Dialogues that begin in a capture of about `size_mib`.
    pub fn dialogues(self, size_mib: u64) -> u64 {
        let per_mib = match self {
            Self::Mix => 205,
            Self::Small => 1_200,
            Self::Live | Self::Churn => 2_300,
        };
        (size_mib * per_mib).min(match self {
            Self::Mix | Self::Small => u64::MAX,
            Self::Live | Self::Churn => 1_000_000,
        })
    }

    /// Devices that take part.
    pub fn devices(self, size_mib: u64) -> u64 {
        let per_mib = match self {
            Self::Mix => 4,
            Self::Small => 20,
            Self::Live | Self::Churn => 400,
        };
        (size_mib * per_mib).clamp(400, MAX_DEVICES)
    }

    /// Nanoseconds over which dialogues begin.
    pub fn span_ns(self) -> u64 {
        1_000_000_000
            * match self {
                Self::Mix => 1_200,
                Self::Small => 600,
                Self::Live => 60,
                Self::Churn => 86_400,
            }
    }

    /// TCP segments after each 1,000 datagrams.
    pub fn segments_per_thousand(self) -> u64 {
        match self {
            Self::Mix | Self::Small => 430,
            Self::Live | Self::Churn => 0,
        }
    }

    /// Size of the messages.
    pub fn size(self) -> Size {
        if self == Self::Mix { Size::Usual } else { Size::Small }
    }

    /// The dialogue with this number.
    pub fn dialogue(self, number: u64, devices: u64, seed: u64) -> Dialogue {
        let (device, round) = (number % devices, number / devices);
        let script = match asymmetry(device) {
            Some(script) if round == 0 => script,
            _ => self.script(draw_below(seed, number, 0, 1_000)),
        };
        Dialogue { script, device, number, round, size: self.size(), seed }
    }

    /// The script for a number of 0 to 999.
    fn script(self, share: u64) -> Script {
        match self {
            Self::Mix | Self::Small => match share {
                0..60 => Script::TftpWrite,
                60..110 => Script::TftpRead,
                110..360 => Script::SnmpPoll,
                360..400 => Script::SnmpTrap,
                400..440 => Script::SnmpInform,
                440..450 if self == Self::Mix => Script::DnsFragmented,
                440..670 => Script::Dns,
                670..850 => Script::Syslog,
                850..900 => Script::Netflow,
                900..990 => Script::Ntp,
                _ => Script::ClosedPort,
            },
            Self::Live | Self::Churn => match share {
                0..300 => Script::SnmpPoll,
                300..400 => Script::SnmpTrap,
                400..800 => Script::Dns,
                _ => Script::Ntp,
            },
        }
    }
}

/// The asymmetry that a device meets in its first dialogue.
pub fn asymmetry(device: u64) -> Option<Script> {
    let scripts = [Script::FollowUpToVip, Script::NodeAnswers, Script::ReplyIgnored];
    (device % ASYMMETRIC_EVERY == ASYMMETRIC_EVERY / 2)
        .then(|| scripts[(device / ASYMMETRIC_EVERY % 3) as usize])
}
