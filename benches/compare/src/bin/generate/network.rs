//! Who is there: devices outside, a VIP, nodes and pods of a cluster.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Devices that have room in 198.18.0.0/15, the network for benchmarks (RFC 2544).
pub const MAX_DEVICES: u64 = 100_000;

/// The address family of a device: one in three has IPv6.
pub fn is_v6(device: u64) -> bool {
    device / 7 % 3 == 2
}

/// A device's own address.
pub fn device(device: u64) -> IpAddr {
    let number = device as u32 + 1;
    if is_v6(device) {
        let (high, low) = ((number >> 16) as u16, number as u16);
        Ipv6Addr::new(0x2001, 0xdb8, 0xde, 0, 0, 0, high, low).into()
    } else {
        Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + number).into()
    }
}

/// The service address that devices ask.
pub fn vip(is_v6: bool) -> IpAddr {
    pick(is_v6, Ipv4Addr::new(192, 0, 2, 21), 0x21)
}

/// The node behind the VIP: what answers where the translation is missing.
pub fn node(is_v6: bool) -> IpAddr {
    pick(is_v6, Ipv4Addr::new(192, 0, 2, 13), 0x13)
}

/// One of 64 pods that poll devices.
pub fn poller(is_v6: bool, number: u64) -> IpAddr {
    let number = (number % 64) as u8;
    pick(is_v6, Ipv4Addr::new(203, 0, 113, 10 + number), 0x100 + u16::from(number))
}

/// One of 250 web clients: their TCP is noise.
pub fn web_client(number: u64) -> IpAddr {
    Ipv4Addr::new(198, 51, 100, 1 + (number % 250) as u8).into()
}

fn pick(is_v6: bool, v4: Ipv4Addr, v6: u16) -> IpAddr {
    if is_v6 { Ipv6Addr::new(0x2001, 0xdb8, 0x65, 0, 0, 0, 0, v6).into() } else { v4.into() }
}
