//! What is beside an address: on its link, and on the node's other links.

use super::interface::{Interface, InterfaceAddress};
use super::link::LinkKind;

/// What is beside an address: found once for each link, since a link may have
/// thousands of addresses.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    v4: Beside<'a>,
    v6: Beside<'a>,
    pub uplinks: Uplinks,
}

/// What a link has of one family.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// The node's own prefix beside a /32 or /128: permanent ones first.
    pub wider: Option<&'a InterfaceAddress>,
    /// An address from which the node would rather send than from a deprecated one.
    pub preferred: Option<&'a InterfaceAddress>,
}

impl<'a> Surroundings<'a> {
    /// What is on `interface`, of a node with these `uplinks`.
    pub fn of(interface: &'a Interface, uplinks: Uplinks) -> Self {
        let beside = |is_ipv4: bool| {
            let known = || {
                let of_family = move |entry: &&InterfaceAddress| {
                    entry.counts() && entry.prefixed.address.is_ipv4() == is_ipv4
                };
                interface.addresses.iter().filter(of_family)
            };
            Beside {
                wider: known()
                    .filter(|entry| !entry.prefixed.is_host() && entry.peer.is_none())
                    .min_by_key(|entry| (!entry.is_preferred(), entry.dynamic)),
                preferred: known().find(|entry| entry.is_preferred()),
            }
        };
        Self { v4: beside(true), v6: beside(false), uplinks }
    }

    /// What the link has of the family of `address`.
    pub const fn of_family(&self, address: &InterfaceAddress) -> Beside<'a> {
        if address.prefixed.address.is_ipv4() { self.v4 } else { self.v6 }
    }
}

/// Whether the node's links to the outside have addresses.
#[derive(Debug, Clone, Copy)]
pub struct Uplinks {
    printed: bool,
    have_ipv4: bool,
    have_ipv6: bool,
}

impl Uplinks {
    /// The uplinks among all links of one text.
    pub fn of(interfaces: &[Interface]) -> Self {
        let mut uplinks = Self { printed: false, have_ipv4: false, have_ipv6: false };
        for interface in interfaces.iter().filter(|link| link.kind() == LinkKind::Ordinary) {
            uplinks.printed = true;
            for entry in interface.addresses.iter().filter(|entry| entry.counts()) {
                uplinks.have_ipv4 |= entry.prefixed.address.is_ipv4();
                uplinks.have_ipv6 |= entry.prefixed.address.is_ipv6();
            }
        }
        uplinks
    }

    /// Whether other links were printed and none of them has an address of this
    /// family: routing on the host, where the node's own address is on `lo`.
    pub const fn lack_family_of(self, address: &InterfaceAddress) -> bool {
        let have = if address.prefixed.address.is_ipv4() { self.have_ipv4 } else { self.have_ipv6 };
        self.printed && !have
    }
}
