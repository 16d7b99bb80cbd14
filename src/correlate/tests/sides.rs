//! Which side of an exchange is the device.

use super::*;

#[test]
fn the_device_is_the_side_that_the_protocol_says() {
    let cases = [
        (Protocol::Snmp, "192.0.2.1:4000 > 198.51.100.5:161", "198.51.100.5"),
        (Protocol::Snmp, "[2001:db8::1]:4000 > [2001:db8::5]:161", "2001:db8::5"),
        (Protocol::Ntp, "192.0.2.1:123 > 198.51.100.5:123", "192.0.2.1"),
        (Protocol::Dns, "[2001:db8::1]:4000 > [2001:db8::5]:53", "2001:db8::1"),
    ];
    for (protocol, line, device) in cases {
        let ask = Says::Ask { protocol, identity: 1, question: 1 };
        let exchange = only_exchange(&[(0, line, ask)]);
        assert_eq!(exchange.device, device.parse::<IpAddr>().unwrap(), "{line}");
    }
}
