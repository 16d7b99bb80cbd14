//! What cannot be read, or is cut.

use super::*;

#[test]
fn what_cannot_be_read_is_told_and_counted() {
    expect(
        "11:53:06.7 IP 192.0.2.1 > cfefecaa22e1: ICMP 192.0.2.1 udp port 49190 unreachable, length 61
11:53:06.8 IP6 2001:db8::1.5 > cfefecaa22e1.69: UDP, length 4
11:53:06.9 something else",
        &[
            "1 PortUnreachable - → cfefecaa22e1",
            "2 [2001:db8::1]:5 → [100::36:708d:5bf0:867f]:69 4 - → cfefecaa22e1",
            "fault line 3: expected `IP` or `IP6` and two addresses behind the time, as tcpdump prints them, and found something else",
            "3 other",
        ],
    );
}

#[test]
fn a_line_cut_behind_its_addresses_is_read_only_as_an_answer() {
    expect(
        "16:22:45.1 IP 192.0.2.2.44517 > 192.0.2.155.54: UDP, length 38
16:22:45.2 IP 192.0.2.155.54 > 192.0.2.2.44517:
16:22:45.3 IP 192.0.2.155.54 > 192.0.2.3.44517:
16:22:45.4 IP 192.0.2.155.54 > 192.0.2.2.445",
        &[
            "1 192.0.2.2:44517 → 192.0.2.155:54 38",
            "fault line 2: ends behind the addresses; taken for UDP of unknown length, as the line before between these sockets",
            "2 192.0.2.155:54 → 192.0.2.2:44517 0",
            "fault line 3: ends behind the addresses, where the protocol and length should follow; paste the whole line",
            "3 other",
            "unread",
            "fault line 4: ends within the addresses; paste the whole line",
            "4 other",
            "unread",
        ],
    );
}

#[test]
fn faults_are_bounded() {
    let text = "07:29:48.1 IP x.x.x.x.5 > b.6: UDP, length 4\n".repeat(150);
    let events = run(Origin::default(), &text);
    assert_eq!(events.iter().filter(|event| event.starts_with("fault")).count(), 101);
    assert_eq!(events.iter().filter(|event| event.ends_with("other")).count(), 150);
    assert!(events.contains(&"fault line 150: 50 more lines up to here could not be read".into()));
}

#[test]
fn walks_without_request_ids_claim_no_identity() {
    let text = "07:29:48.1 IP 192.0.2.1.5 > 192.0.2.2.161:  GetNextRequest(28)  .1.3.6.1
07:29:48.2 IP 192.0.2.2.161 > 192.0.2.1.5:  GetResponse(28)  .1.3.6.1.1=5
07:29:48.3 IP6 2001:db8::1.6 > 2001:db8::2.161:  GetRequest(28)  .1.3.6.1
07:29:48.4 IP6 2001:db8::2.161 > 2001:db8::1.6:  GetResponse(28)  .1.3.6.1=5";
    let identified: Vec<bool> = packets(text)
        .into_iter()
        .map(|packet| match packet.content {
            Content::Datagram(datagram) => {
                matches!(datagram.application, Application::Transaction(_))
            }
            Content::IcmpError(_)
            | Content::FragmentsLost(_)
            | Content::Discarded(_)
            | Content::Dropped(_)
            | Content::Neighbour(_)
            | Content::Segment(_) => false,
        })
        .collect();
    assert_eq!(identified, [false, false, true, true]);
}
