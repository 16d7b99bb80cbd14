//! Connection tracking tables made by hand, in both families.

use std::net::IpAddr;

use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::Cause;
use replyscope::model::report::{Device, DeviceFinding, Report};

use crate::header::header;

/// The addresses of a scenario, in one family.
#[derive(Debug, Clone, Copy)]
pub struct Net {
    pub device: &'static str,
    pub vip: &'static str,
    pub node: &'static str,
    pub pod: &'static str,
    pub other_pod: &'static str,
}

pub const NETS: [Net; 2] = [
    Net {
        device: "192.0.2.7",
        vip: "198.51.100.10",
        node: "198.51.100.4",
        pod: "203.0.113.16",
        other_pod: "203.0.113.44",
    },
    Net {
        device: "2001:db8::7",
        vip: "2001:db8:100::10",
        node: "2001:db8:100::4",
        pod: "2001:db8:200::16",
        other_pod: "2001:db8:200::44",
    },
];

pub const REPLIED: &str = "";
pub const UNREPLIED: &str = "[UNREPLIED] ";

/// One entry: what is sent, and what is expected back.
pub fn entry(
    expires_in_s: u32,
    there: [(&str, u16); 2],
    mark: &str,
    back: [(&str, u16); 2],
) -> String {
    let tuple = |[(source, sport), (destination, dport)]: [(&str, u16); 2]| {
        format!("src={source} dst={destination} sport={sport} dport={dport}")
    };
    format!("udp      17 {expires_in_s} {} {mark}{} mark=0 use=1\n", tuple(there), tuple(back))
}

impl Net {
    /// A request of the device to the VIP that is sent on to `pod`.
    pub fn request(self, client: u16, port: u16, mark: &str, pod: &str) -> String {
        entry(
            20,
            [(self.device, client), (self.vip, port)],
            mark,
            [(pod, port), (self.device, client)],
        )
    }

    /// The pod's answer from a new port, which leaves as `left`.
    pub fn reply(self, client: u16, mark: &str, left: &str) -> String {
        entry(
            25,
            [(self.pod, 40_001), (self.device, client)],
            mark,
            [(self.device, client), (left, 40_001)],
        )
    }

    /// What the device sends to the VIP after that.
    pub fn follow_up(self, client: u16) -> String {
        entry(
            25,
            [(self.device, client), (self.vip, 40_001)],
            UNREPLIED,
            [(self.vip, 40_001), (self.device, client)],
        )
    }

    pub fn founding(self) -> String {
        self.follow_up(41_226)
            + &self.request(41_226, 69, UNREPLIED, self.pod)
            + &self.reply(41_226, UNREPLIED, self.node)
    }
}

pub fn analyse(text: &str) -> Report {
    analyse_with(text, None)
}

pub fn analyse_with(text: &str, inventory: Option<&str>) -> Report {
    let mut analysis = Analysis::new(Limits::default());
    if let Some(inventory) = inventory {
        analysis.read_inventory("facts.txt", &mut inventory.as_bytes()).unwrap();
    }
    analysis.read_capture("conntrack.txt", None, &mut text.as_bytes()).unwrap();
    analysis.finish(header()).unwrap()
}

pub fn device<'a>(report: &'a Report, address: &str) -> &'a Device {
    let address: IpAddr = address.parse().unwrap();
    report
        .devices
        .iter()
        .find(|device| device.device == address)
        .unwrap_or_else(|| panic!("{address} is not among {:#?}", report.devices))
}

pub fn finding(device: &Device, cause: Cause) -> Option<&DeviceFinding> {
    device.findings.iter().find(|finding| finding.cause == cause)
}
