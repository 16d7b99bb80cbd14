//! ICMP and ICMPv6 errors.

use super::CauseDocumentation;

pub const PORT_UNREACHABLE: CauseDocumentation = CauseDocumentation {
    meaning: "A host answered that no socket listens on the port to which a packet was sent. What it quotes is half of the diagnosis: a refused request means that the service is not there, a refused follow-up that the transfer's port is not at that address, a refused reply that the client no longer waits.",
    example: "192.0.2.7:41226 → 198.51.100.10:32991  DATA 1\n198.51.100.10 → 192.0.2.7  ICMP port unreachable, quotes a packet to 198.51.100.10:32991",
    proof: "ICMP type 3 code 3, or ICMPv6 type 1 code 4, that quotes a packet of this exchange. Certain where the quote shows both ports; likely where it was cut before them. Not claimed of traceroute probes, which want such errors.",
    disproof: "The exchange goes on after the error: then it did no harm, as when a client refuses a late copy of an answer that it had used.",
    remedy_summary: "By what is quoted: let something serve the port (request), end the change of address or port that misleads the client (follow-up), or let the client wait for longer (reply).",
};

pub const HOST_UNREACHABLE: CauseDocumentation = CauseDocumentation {
    meaning: "A router or node could not deliver a packet: it has no route, the next hop does not answer ARP or neighbour solicitations, or the packet has used up its hops (time exceeded), as it does where routers send it round in a loop. Rare errors count here too: protocol unreachable, a failed source route, a header that could not be read.",
    example: "203.0.113.16:50000 → 192.0.2.77:161  GetRequest\n198.51.100.4 → 203.0.113.16  ICMP host unreachable, quotes a packet to 192.0.2.77:161",
    proof: "ICMP type 3 other than codes 3, 4, 9, 10 and 13, type 11 code 0 or type 12, or ICMPv6 type 1 code 0, 2, 3 or 7, type 3 code 0 or type 4, that quotes a packet of this exchange. Where the exchange went on all the same, it is a remark only.",
    disproof: "A firewall rule that rejects with this kind: then the route and the neighbour are there, and a rule's counter grows.",
    remedy_summary: "On the host that reported it: see the route to the destination and the state of the next hop. If the next hop is the device itself, see whether it is switched on and in that network.",
};

pub const ADMIN_PROHIBITED: CauseDocumentation = CauseDocumentation {
    meaning: "A firewall or policy refused the packet and said so. It is a rule, not a fault of the path.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ \"startup.cfg\"\n198.51.100.4 → 192.0.2.7  ICMP administratively prohibited, quotes a packet to 198.51.100.10:69",
    proof: "ICMP type 3 code 9, 10 or 13, or ICMPv6 type 1 code 1, 5 or 6, that quotes a packet of this exchange. Where the exchange went on all the same, it is a remark only.",
    disproof: "Later packets of the same kind pass: then the rule is one of rate, or was changed meanwhile.",
    remedy_summary: "Find the rule on the host that sent the error (its counter grows with each attempt) and allow the flow there; look at network policies.",
};

pub const PACKET_TOO_BIG: CauseDocumentation = CauseDocumentation {
    meaning: "A datagram is larger than a link on the way can take, and it may not be fragmented there. The sender has to send less at once, and does not: it did not get the error, or does not act on it.",
    example: "203.0.113.16:32991 → 192.0.2.7:41226  DATA 1 (1428 bytes)\n198.51.100.4 → 203.0.113.16  ICMP fragmentation needed, quotes a packet to 192.0.2.7:41226",
    proof: "ICMP type 3 code 4, or ICMPv6 type 2, that quotes a packet of this exchange. Where the exchange went on all the same, it is a remark only. The error may be seen at the pod's cable only.",
    disproof: "The same block passes later in smaller datagrams or in fragments: then the sender has learnt the size.",
    remedy_summary: "Smaller blocks (TFTP's blksize, fewer values in an SNMP request), a larger MTU behind the reporting host, and no filter that drops these errors.",
};
