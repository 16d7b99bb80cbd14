use std::collections::BTreeMap;
use std::net::IpAddr;

use etherparse::PacketBuilder;
use uuid::Uuid;

use super::*;
use crate::analysis::{Analysis, Limits};
use crate::model::finding::Verdict;
use crate::model::report::Report;
use crate::model::time::Timestamp;

/// Devices of each family; each asks from so many sockets.
const DEVICES: u16 = 300;
const SOCKETS: u16 = 30;

/// Devices that ask in vain, are answered by another address, or as they should be.
fn capture() -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    file.extend([0; 8]);
    file.extend([0, 0, 4, 0, 101, 0, 0, 0]);
    let mut at = 0;
    let mut push = |source: (IpAddr, u16), destination: (IpAddr, u16), payload: &[u8]| {
        let builder = match (source.0, destination.0) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                PacketBuilder::ipv4(source.octets(), destination.octets(), 64)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                PacketBuilder::ipv6(source.octets(), destination.octets(), 64)
            }
            _ => unreachable!("both ends are of one family"),
        };
        let mut frame = Vec::new();
        builder.udp(source.1, destination.1).write(&mut frame, payload).unwrap();
        let length = u32::try_from(frame.len()).unwrap();
        at += 1_000;
        for field in [at / 1_000_000, at % 1_000_000, length, length] {
            file.extend(field.to_le_bytes());
        }
        file.extend(frame);
    };
    for socket in 0..SOCKETS {
        for device in 0..DEVICES {
            let [high, low] = device.to_be_bytes();
            let families: [(IpAddr, IpAddr, IpAddr); 2] = [
                ([198, 18, high, low].into(), [198, 51, 100, 7].into(), [203, 0, 113, 9].into()),
                (
                    [0x2001, 0xdb8, 0, 1, 0, 0, 0, device].into(),
                    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into(),
                    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 9].into(),
                ),
            ];
            for (client, asked, other) in families {
                let client = (client, 20_000 + socket);
                push(client, (asked, 5_007), &[1, high, low]);
                match device % 7 {
                    0 => push(client, (asked, 5_007), &[1, high, low]),
                    1 => push((other, 5_007), client, &[2, high, low]),
                    _ => push((asked, 5_007), client, &[2, high, low]),
                }
            }
        }
    }
    file
}

fn report(cores: usize, limits: Limits) -> Report {
    let mut analysis = Analysis::new(limits);
    analysis.read_capture("host.pcap", None, &mut capture().as_slice()).unwrap();
    let devices = "name,address\nswitch1,198.18.0.1\nswitch1,2001:db8:0:1::1\nswitch2,198.18.0.2\n";
    analysis.read_inventory("devices.csv", &mut devices.as_bytes()).unwrap();
    let header = report::Header { id: Uuid::nil(), title: None, created_at: Timestamp::EPOCH };
    analysis.finish_on(Cores::exactly(cores), header).unwrap()
}

#[test]
fn on_several_cores_the_report_is_that_of_one() {
    // Once with the room for all exchanges, once where some rooms are full soon.
    let narrow = Limits {
        exchanges_per_device: 3,
        well_exchanges_listed: 500,
        other_exchanges_listed: 700,
        ..Limits::default()
    };
    let wide = Limits { well_exchanges_listed: 100_000, ..Limits::default() };
    for limits in [narrow, wide] {
        let one = report(1, limits);
        assert!(usize::from(DEVICES) * usize::from(SOCKETS) * 2 > 4 * LOOKED_AT);
        let verdicts: BTreeMap<Verdict, u64> = one.summary.verdicts.clone();
        assert!(verdicts.len() > 1, "{verdicts:?}");
        let told: usize = one.devices.iter().map(|device| device.exchanges.len()).sum();
        assert!(told > 600, "{told}");
        let one = serde_json::to_string(&one).unwrap();
        for cores in [2, 3, 4] {
            let several = serde_json::to_string(&report(cores, limits)).unwrap();
            assert!(one == several, "on {cores} cores");
        }
    }
}
