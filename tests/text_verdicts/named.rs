//! Hosts that have a name and no address, in one text or in one of several.

use replyscope::analysis::{Analysis, Limits};
use replyscope::model::finding::Verdict;
use replyscope::model::report::Report;

use crate::header::header;

/// Analyses texts, each a capture of its own.
fn report_on(texts: &[&str]) -> Report {
    let mut analysis = Analysis::new(Limits::default());
    for (number, text) in texts.iter().enumerate() {
        let name = format!("text{number}");
        analysis.read_capture(&name, None, &mut text.as_bytes()).unwrap();
    }
    analysis.finish(header()).unwrap()
}

#[test]
fn a_name_in_capitals_is_a_hosts_that_may_talk_to_itself() {
    for family in ["IP", "IP6"] {
        for host in ["SERVER01", "server01", "WS-0815.EXAMPLE.NET"] {
            let asks = "C=\"public\" GetRequest(28) system.sysUpTime.0";
            let answers = "C=\"public\" GetResponse(31) system.sysUpTime.0=1000";
            let text = format!(
                "11:55:29.390000 {family} {host}.40000 > {host}.snmp:  {asks}\n11:55:29.391000 {family} {host}.snmp > {host}.40000:  {answers}\n11:55:30.390000 {family} {host}.40010 > switch7.snmp:  {asks}\n11:55:30.391000 {family} switch7.snmp > {host}.40010:  {answers}\n11:55:40.390000 {family} {host}.40011 > switch8.snmp:  {asks}\n11:55:45.390000 {family} {host}.40011 > switch8.snmp:  {asks}\n11:55:50.390000 {family} {host}.40011 > switch8.snmp:  {asks}\n11:56:50.390000 {family} {host}.40012 > switch7.snmp:  {asks}\n"
            );
            let report = report_on(&[&text]);
            assert_eq!(report.captures[0].datagrams, 8, "{host}: {report:#?}");
            assert_eq!(report.verdict, Verdict::Unanswered, "{host} {family}");
            let names: Vec<_> =
                report.devices.iter().filter_map(|one| one.name.as_deref()).collect();
            assert!(names.contains(&"switch7") && names.contains(&"switch8"), "{names:?}");
        }
    }
}

/// The founding transfer at both interfaces of a node, by addresses.
const NODE_LINES: &str = "\
11:55:29.391000 eth0  In  IP DEVICE.41226 > VIP.69: TFTP, length 58, WRQ \"startup_1.cfg\" octet
11:55:29.391100 cali1 Out IP DEVICE.41226 > POD.69: TFTP, length 58, WRQ \"startup_1.cfg\" octet
11:55:29.401000 cali1 In  IP POD.32991 > DEVICE.41226: UDP, length 35
11:55:29.401100 eth0  Out IP ANSWERER.32991 > DEVICE.41226: UDP, length 35
11:55:29.431000 eth0  In  IP DEVICE.41226 > VIP.32991: UDP, length 516
";

#[test]
fn names_in_one_capture_leave_the_interfaces_of_another_together() {
    let v4 = [
        ("DEVICE", "192.0.2.7"),
        ("VIP", "198.51.100.21"),
        ("POD", "203.0.113.16"),
        ("NODE", "198.51.100.13"),
    ];
    let v6 = [
        ("DEVICE", "2001:db8::7"),
        ("VIP", "2001:db8:100::21"),
        ("POD", "2001:db8:200::16"),
        ("NODE", "2001:db8:100::13"),
    ];
    for (ip, addresses) in [("IP", v4), ("IP6", v6)] {
        let spell = |text: &str, answerer: &str| {
            let text = text.replace(" IP ", &format!(" {ip} ")).replace("ANSWERER", answerer);
            addresses.iter().fold(text, |text, (word, address)| text.replace(word, address))
        };
        for (answerer, name) in [("VIP", "vip"), ("NODE", "node3")] {
            let node = spell(NODE_LINES, answerer);
            let far = format!(
                "11:55:29.390000 IP DEVICE.41226 > vip.tftp: TFTP, length 58, WRQ \"startup_1.cfg\" octet\n11:55:29.420000 IP {name}.32991 > DEVICE.41226: UDP, length 35\n11:55:29.430000 IP DEVICE.41226 > vip.32991: UDP, length 516\n"
            );
            let far = spell(&far, answerer);
            let alone = report_on(&[&node]);
            for texts in [[far.as_str(), node.as_str()], [node.as_str(), far.as_str()]] {
                let report = report_on(&texts);
                let device = &report.devices[0];
                assert_eq!(device.exchanges.len(), 2, "{ip} {answerer}: {report:#?}");
                let translations: Vec<_> = device
                    .exchanges
                    .iter()
                    .flat_map(|exchange| &exchange.translations)
                    .map(|found| (found.before, found.after))
                    .collect();
                let expected: Vec<_> = alone.devices[0].exchanges[0]
                    .translations
                    .iter()
                    .map(|found| (found.before, found.after))
                    .collect();
                assert!(!expected.is_empty(), "{alone:#?}");
                assert_eq!(translations, expected, "{ip} {answerer}");
            }
        }
    }
}
