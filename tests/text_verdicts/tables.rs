//! Short connection tracking tables, pasted for what is in them.

use replyscope::model::finding::{Cause, Verdict};

use crate::family::{FAMILIES, causes, read};

/// `device vip 58631 5060 [UNREPLIED] pod device 5060 58631`: an entry with `left` seconds
/// to live.
fn entry(left: u32, original: [&str; 4], is_replied: bool, reply: [&str; 4]) -> String {
    let [source, destination, source_port, destination_port] = original;
    let [reply_source, reply_destination, reply_source_port, reply_port] = reply;
    let unreplied = if is_replied { "" } else { "[UNREPLIED] " };
    format!(
        "udp      17 {left} src={source} dst={destination} sport={source_port} dport={destination_port} {unreplied}src={reply_source} dst={reply_destination} sport={reply_source_port} dport={reply_port} mark=0 use=1\n"
    )
}

#[test]
fn a_short_table_is_told_whatever_it_is_about() {
    let sip =
        entry(3, ["DEVICE", "VIP", "58631", "5060"], false, ["POD", "DEVICE", "5060", "58631"]);
    let sip_to_host =
        entry(3, ["DEVICE", "VIP", "5060", "5060"], false, ["VIP", "DEVICE", "5060", "5060"]);
    let just_sent =
        entry(30, ["DEVICE", "VIP", "58631", "5060"], false, ["POD", "DEVICE", "5060", "58631"]);
    let answered =
        entry(25, ["POD", "ROUTER", "40000", "53"], true, ["ROUTER", "NODE", "53", "40000"]);
    let unknown =
        entry(3, ["DEVICE", "OTHER", "33333", "8080"], false, ["POD", "DEVICE", "8080", "33333"]);
    let dns = entry(119, ["DEVICE", "VIP", "49469", "53"], true, ["POD", "DEVICE", "53", "49469"]);
    let apart =
        entry(29, ["VIP", "DEVICE", "53", "49469"], false, ["DEVICE", "VIP", "49469", "477"]);
    let unanswered = Some(Cause::RequestUnanswered);
    let cases = [
        ("sent on to a pod", sip.clone(), Verdict::Unanswered, unanswered),
        ("to the host", sip_to_host, Verdict::Unanswered, unanswered),
        ("sent just now", just_sent, Verdict::Inconclusive, None),
        ("answered", answered.clone(), Verdict::Symmetric, None),
        ("of no known protocol", unknown, Verdict::Inconclusive, None),
        ("both", [answered, sip].concat(), Verdict::Unanswered, unanswered),
        (
            "the answer is a flow of its own",
            [dns, apart].concat(),
            Verdict::Tolerated,
            Some(Cause::ReplyPortTranslated),
        ),
    ];
    for family in &FAMILIES {
        for (name, table, verdict, cause) in &cases {
            let report = read(&family.spell(&format!("$ conntrack -L -p udp\n{table}")));
            assert_eq!(report.verdict, *verdict, "{name} {}: {}", family.ip, report.headline);
            let expected: Vec<Cause> = cause.iter().copied().collect();
            assert_eq!(causes(&report), expected, "{name} {}", family.ip);
        }
    }
}

#[test]
fn of_a_long_table_not_everything_is_told() {
    for family in &FAMILIES {
        let mut table = String::from("$ conntrack -L -p udp\n");
        for port in 40_000..40_040 {
            let port = port.to_string();
            table.push_str(&entry(
                3,
                ["POD", "ROUTER", &port, "53"],
                false,
                ["ROUTER", "NODE", "53", &port],
            ));
        }
        let report = read(&family.spell(&table));
        assert!(report.devices.is_empty(), "{}", family.ip);
        let expected = "None of 40 entries of connection tracking is of a device";
        assert!(report.headline.starts_with(expected), "{}", report.headline);
    }
}

#[test]
fn what_the_kernel_does_with_a_request_is_told_by_its_entry() {
    let masqueraded =
        entry(3, ["POD", "ROUTER", "40000", "53"], false, ["ROUTER", "NODE", "53", "40000"]);
    let as_it_is =
        entry(3, ["DEVICE", "VIP", "5060", "5060"], false, ["VIP", "DEVICE", "5060", "5060"]);
    let sent_on =
        entry(3, ["DEVICE", "VIP", "58631", "5060"], false, ["POD", "DEVICE", "5060", "58631"]);
    for family in &FAMILIES {
        let (word, prefix) = if family.ip == "IP" { ("inet", 24) } else { ("inet6", 64) };
        let own = format!(
            "$ ip addr\n2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n    {word} VIP/{prefix} scope global eth0\n       valid_lft forever preferred_lft forever\n"
        );
        let cases = [
            ("masqueraded", "", &masqueraded, "sends it out with the source"),
            ("untranslated", "", &as_it_is, "for the node itself, or passed on as it is."),
            ("to the node", own.as_str(), &as_it_is, "it is for the node itself."),
            ("sent on", "", &sent_on, "sends the request on to"),
        ];
        for (name, inventory, table, expected) in cases {
            let text = format!("{inventory}$ conntrack -L -p udp\n{table}");
            let report = read(&family.spell(&text));
            let mut findings = report.devices.iter().flat_map(|device| &device.findings);
            let finding = findings.next().unwrap();
            let told = &finding.explanation;
            assert!(told.contains(expected), "{name} {}: {told}", family.ip);
            let commands = finding.remedies.iter().flat_map(|remedy| &remedy.commands);
            let asks_for_service =
                commands.into_iter().any(|command| command.contains("kubectl get services"));
            assert_eq!(asks_for_service, name != "masqueraded", "{name} {}", family.ip);
        }
    }
}
