//! What was not there: silence, and what looks like it.

use super::CauseDocumentation;

pub const REQUEST_UNANSWERED: CauseDocumentation = CauseDocumentation {
    meaning: "Something was sent that needs an answer, and none came: no datagram and no ICMP error. It was lost or dropped, or the server did not answer. The finding also tells of follow-ups that nobody answered, of a socket that is no longer answered, and of requests that got no answer though others of the same socket did.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ \"startup.cfg\"\n192.0.2.7:41226 → 198.51.100.10:69  the same, a second later",
    proof: "A request of a protocol that answers, and silence that the capture went on for. Repeated twice or more: certain; once, with a second of silence: likely; a lone request, with two seconds: possible, or likely where the same is asked again under a new identity. Several requests of one client, from a socket each, that did not get to the pod as others did: likely. A drop that a datapath tells of itself: certain. Of IKE, QUIC, WireGuard, STUN and DHCP what opens a conversation, three times or more and nothing else: likely. Of a protocol that is not known the same packet three times or more, at the pace of retries: possible. Where the capture's filter would hide an answer from another address: likely at most. Where the capture says that it lost packets itself: possible at most.",
    disproof: "The answer took another interface or host than the captured one; a filter that hides answers from other addresses; a capture of one direction only; a request that the server ignores on purpose, such as a wrong SNMP community.",
    remedy_summary: "Capture at the pod's cable and at the uplink at the same time: what is at one and not at the other was lost between them. See whether anything serves the port.",
};

pub const FOLLOW_UP_MISSING: CauseDocumentation = CauseDocumentation {
    meaning: "The server answered, often again and again, and nothing more came from the client to this capture point. Seen from the pod alone, this is what the founding fault looks like: the client's next packet goes to another address and never gets here.",
    example: "192.0.2.7:41226 → 203.0.113.16:69  WRQ at the pod's cable\n203.0.113.16:32991 → 192.0.2.7:41226  OACK\n203.0.113.16:32991 → 192.0.2.7:41226  OACK again, three seconds later",
    proof: "A reply that has to be followed up, and no follow-up. Certain where the server repeated it; possible where it was sent once and a second of silence followed.",
    disproof: "A follow-up from another address or to another port that was not recognised; a capture that ended before the client could go on; a filter that hides it.",
    remedy_summary: "Capture at the node's uplink at the same time: it shows with which address the answer leaves and where the client sends what follows.",
};

pub const ONE_DIRECTION_CAPTURED: CauseDocumentation = CauseDocumentation {
    meaning: "Only one side's packets are in the capture, so who answered and how it went on cannot be told. No verdict is drawn from half of a conversation.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ \"startup.cfg\"\n192.0.2.7:41226 → 198.51.100.4:32991  DATA 1: somebody answered, and it was not captured",
    proof: "The client goes on at an endpoint from which no reply was captured (likely), or replies were captured and nothing that the client sent (possible). Or the client puts one new question after the other, faster than a timeout, and repeats none, in a protocol that has it repeat what is not answered (possible). Or the filter of the capture's command would have shown no answer, or, of TFTP, none from another address (likely).",
    disproof: "Packets of the other direction at the same point, in another file of the analysis.",
    remedy_summary: "Capture without a direction and without a filter by source or destination; if the other direction takes another interface, capture at all of them.",
};

pub const RETRANSMISSIONS_RECOVERED: CauseDocumentation = CauseDocumentation {
    meaning: "Packets were lost and sent again, and the exchange went on. Nothing is broken; it took longer, and loss on the path may be worth a look.",
    example: "192.0.2.7:41226 → 198.51.100.10:39873  DATA 1\n192.0.2.7:41226 → 198.51.100.10:39873  DATA 1 again, a second later\n198.51.100.10:39873 → 192.0.2.7:41226  ACK 1",
    proof: "Repeated packets in an exchange that went well. Copies of one datagram at two interfaces or from a mirror port do not count.",
    disproof: "The repeats are copies made by the capture itself; or the protocol sends everything twice by design.",
    remedy_summary: "None is needed. If it happens often, look for errors and drops on the interfaces of the path.",
};
