//! The addresses of a sample, in each family.

use std::net::IpAddr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    pub fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }

    fn pick(self, v4: &str, v6: &str) -> IpAddr {
        match self {
            Self::V4 => v4.parse().unwrap(),
            Self::V6 => v6.parse().unwrap(),
        }
    }

    pub fn device(self) -> IpAddr {
        self.pick("192.0.2.7", "2001:db8::7")
    }

    pub fn other_device(self) -> IpAddr {
        self.pick("192.0.2.8", "2001:db8::8")
    }

    pub fn vip(self) -> IpAddr {
        self.pick("198.51.100.10", "2001:db8:100::10")
    }

    pub fn node(self) -> IpAddr {
        self.pick("198.51.100.4", "2001:db8:100::4")
    }

    pub fn pod(self) -> IpAddr {
        self.pick("203.0.113.16", "2001:db8:200::16")
    }

    pub(super) fn group(self) -> IpAddr {
        self.pick("224.0.0.251", "ff02::fb")
    }
}
