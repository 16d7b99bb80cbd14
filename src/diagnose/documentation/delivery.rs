//! Causes that two capture points show together.

use super::CauseDocumentation;

pub const REQUEST_NOT_DELIVERED: CauseDocumentation = CauseDocumentation {
    meaning: "The request was seen at one capture point and never at the next one on its way, though the capture there was running. It was dropped in between, or sent to another place: by a firewall rule, a network policy, the reverse path filter, or a translation that leads elsewhere.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ on the uplink, four times\n192.0.2.9:50001 → 203.0.113.16:69  another device's WRQ at the pod's cable, meanwhile",
    proof: "The request at the nearer point, no view of the exchange at the further one, no answer anywhere, and a sign that the further capture would have shown it: other requests to the same endpoint crossed both points (certain), the same service was seen there at another address (likely), or it merely saw packets at that time (possible). Clocks are compared by what both points saw.",
    disproof: "A request at the further point under another client address; another pod that serves the same address, whose cable was not captured; a capture filter there that hides this client; a capture that began later or dropped packets.",
    remedy_summary: "On the host between the two points, repeat the request and see which rule's counter grows; look at network policies, at the reverse path filter, and at where connection tracking sends the flow.",
};

pub const FOLLOW_UP_NOT_DELIVERED: CauseDocumentation = CauseDocumentation {
    meaning: "The client was answered and went on at the right address and port, but what it sent never got to the server, which repeats its answer. The translation covers the request's port and not the one that the transfer moved to, or a rule lets only the first port through.",
    example: "198.51.100.10:39873 → 192.0.2.7:41226  OACK on the uplink\n192.0.2.7:41226 → 198.51.100.10:39873  DATA 1 on the uplink, four times\n203.0.113.16:39873 → 192.0.2.7:41226  OACK at the pod's cable, four times; no DATA there",
    proof: "Follow-ups to the endpoint that answered at the nearer point, none at the further one, and there the server's reply is repeated after the first of them was sent. Certain where both sides repeat themselves, else likely.",
    disproof: "Follow-ups at the further point under another client address or port; a capture there that ended before the first follow-up.",
    remedy_summary: "See on the node whether connection tracking leads from that port to the pod; allow the server's new ports or related packets; for TFTP, attach the kernel's helper.",
};

pub const REPLY_NOT_FORWARDED: CauseDocumentation = CauseDocumentation {
    meaning: "The server answered, its answers are on its own cable, and none of them was seen at the next point towards the client, which still asks. They were dropped on the way out, or left by an interface that was not captured.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ on the uplink, four times\n192.0.2.7:41226 → 203.0.113.16:69  WRQ at the pod's cable\n203.0.113.16:39873 → 192.0.2.7:41226  OACK at the pod's cable; nothing on the uplink",
    proof: "The exchange is at both points; replies are at the server's side and none at the client's, where the capture went on. Certain where the client repeated its request there and the server its reply; else likely.",
    disproof: "The answer on the uplink under an address that was not recognised as its source; an answer that left by another interface, to a client that then was content; a filter at the nearer point that hides answers, such as one for the service's address alone.",
    remedy_summary: "See on the node which rule or policy counts the answer: to a firewall an answer from a new port is a new flow. See by which interface it would leave.",
};

pub const FRAGMENTS_LOST: CauseDocumentation = CauseDocumentation {
    meaning: "The server answered with a datagram too large for one packet, and not all of its IP fragments were seen. A client cannot use a part, so it asks again. Or the client's own request or block is as large: then the server cannot use it, and does not answer.",
    example: "203.0.113.16:50000 → 192.0.2.7:161  GetBulkRequest\n192.0.2.7:161 → 203.0.113.16:50000  first fragment, 272 of 648 bytes; the rest never\n203.0.113.16:50000 → 192.0.2.7:161  GetBulkRequest again",
    proof: "Fragments of replies that never became whole, and requests sent again after them; or fragments of what the client sent, and nothing new that came back. Likely: what this point did not see may have gone by it. Certain where the receiver says itself that it waited in vain (ICMP type 11 code 1, ICMPv6 type 3 code 1).",
    disproof: "A capture filter on ports: later fragments have none, so it hides them. A client that was content with the answers.",
    remedy_summary: "Make answers, requests or blocks smaller than the path, or let fragments pass: firewalls and some translations drop those without ports.",
};

pub const NEIGHBOUR_UNRESOLVED: CauseDocumentation = CauseDocumentation {
    meaning: "On the last link, or on the way to the next router, a host looks for the link-layer address of its neighbour and nobody answers. Packets for that neighbour wait for a few seconds, are then dropped, and the host reports them as unreachable. The neighbour is switched off, unplugged, in another VLAN, or was never on that link.",
    example: "198.51.100.4 → broadcast  ARP: who has 192.0.2.7\n198.51.100.4 → broadcast  ARP: who has 192.0.2.7, a second later\n198.51.100.4 → broadcast  ARP: who has 192.0.2.7, the third time\n198.51.100.4 → 203.0.113.16  ICMP host unreachable, quotes a packet to 192.0.2.7:161",
    proof: "ARP requests or neighbour solicitations for an address, with no sign of it after them, and something that ties them to the exchange: ICMP host unreachable for a packet to that address, from the host that asked (certain) or from another (likely); the same from a host that looked for nobody else in vain (the next hop, likely); requests that reach a node and do not leave it while it looks for their destination; or a client that is heard and that the node cannot find, to answer it. The last two take three questions and a second of silence.",
    disproof: "The neighbour answers later in the capture, or an answer went where the capture could not see it: answers are addressed to the asker alone. Questions of other hosts, announcements, and probes for an address of one's own are no sign of a fault.",
    remedy_summary: "See whether the neighbour is there, in that network and VLAN; see whether the prefix or the route that makes the host look for it on this link is right.",
};
