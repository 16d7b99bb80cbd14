//! Causes that lie in address translation on the cluster's side.

use super::CauseDocumentation;

pub const REPLY_SOURCE_TRANSLATED: CauseDocumentation = CauseDocumentation {
    meaning: "The answer left the cluster with a node's address. The pod answered from a new port, so connection tracking did not take the answer for part of the request's flow but for a new outgoing one, and masqueraded it like all that pods send out. TFTP allows that; a client with a connected socket does not get the answer.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ, on the uplink\n192.0.2.7:41226 → 203.0.113.16:69  the same, translated, at the pod\n203.0.113.16:32991 → 192.0.2.7:41226  OACK at the pod, from a new port\n198.51.100.4:32991 → 192.0.2.7:41226  the same on the uplink, with the node's address",
    proof: "A reply from an address that was not asked, and either a capture at the pod's cable shows that the pod sent it from its own address, or an entry of connection tracking states that its source was translated (certain), or an inventory says that the address is a node's (likely), or only the packets suggest it (possible).",
    disproof: "The answering process runs in the node's own network (hostNetwork) and was never translated; or the address is a second address of the server.",
    remedy_summary: "For TFTP: attach the kernel's helper to the service address. Else: translate the pod's answers to the service address, only where it is on the pod's node, or answer from the port that was asked.",
};

pub const REPLY_PORT_TRANSLATED: CauseDocumentation = CauseDocumentation {
    meaning: "The answer comes from the address asked but from another port, in a protocol that does not change ports. A translation gave the answer a new source port, most often because its entry had ended or another flow held the port.",
    example: "203.0.113.16:50000 → 192.0.2.7:161  GetRequest\n192.0.2.7:1024 → 203.0.113.16:50000  GetResponse, from port 1024\n203.0.113.16:50000 → 192.0.2.7:161  GetRequest, the same again",
    proof: "A reply from the address asked and another port than the protocol answers from, with the request's transaction identity where there is one.",
    disproof: "The protocol moves to a new port by design (TFTP, IKE from 500 to 4500); or the packet belongs to another exchange of that client.",
    remedy_summary: "Look at the translations of this flow on the node, and delete those that no longer hold. Let the responder answer from the port asked.",
};

pub const STALE_TRANSLATION: CauseDocumentation = CauseDocumentation {
    meaning: "One client socket gets no answer while new sockets to the same service do. Connection tracking remembers where the socket's first packet was sent: to a pod that has been replaced, or to no pod at all. Every packet keeps that entry alive, so a device that always sends from one port may stay cut off for days.",
    example: "192.0.2.7:123 → 198.51.100.10:123  NTP client, in vain: sent to a pod that is gone\n192.0.2.7:50123 → 198.51.100.10:123  NTP client from a new port\n198.51.100.10:123 → 192.0.2.7:50123  answered at once\n192.0.2.7:123 → 198.51.100.10:123  still in vain",
    proof: "At least two requests of a socket without an answer, and between them another socket that began later and was answered. Likely where the same sender's new socket works and the old one was answered before, or where the pod's capture shows the new flows and not the old one. Certain where all of that comes together; possible where the new socket was answered only after the old one was given up. Or a connection tracking table sends the socket to another pod than newer entries of the service: possible from the table alone, likely or certain where packets show its requests in vain.",
    disproof: "The old socket reaches the pod, and the pod does not answer it: then the server refuses the request. Or the new socket's requests fail as well, a little later. Or a list of conntrack entries shows that the old socket's entry points at a pod that is there.",
    remedy_summary: "Delete the entry (conntrack -D with the socket's ports); the next packet is translated anew. Update kube-proxy to a release that cleans up UDP entries by itself.",
};

pub const REQUEST_NOT_TRANSLATED: CauseDocumentation = CauseDocumentation {
    meaning: "The request reaches the service's address and goes no further. No rule sends the port to a pod: the service has no endpoint that is ready, does not exist in this family, or an old entry of connection tracking keeps the packets from being translated. The node then answers itself that nothing listens.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ \"startup.cfg\"\n198.51.100.10 → 192.0.2.7  ICMP port unreachable, quotes a packet to 198.51.100.10:69",
    proof: "ICMP port unreachable that quotes the request, from the asked address or from a node, while the asked address is a VIP or a service's. From the host alone likely where an inventory names the address, else possible; certain where other requests to the same endpoint were translated, or where the pod's cable was watched, is known to serve this, and shows none of these. Or, without an error, an unanswered entry of connection tracking that is not translated.",
    disproof: "The pod's cable shows the request: then it was translated, and the pod itself refused it; seen from the host that looks the same, because the refusal is translated back. Or the service is meant to run on the node itself, and has stopped.",
    remedy_summary: "See whether the Service has a ready endpoint and this family, whether the translation of the port exists on the node that holds the address, and delete old entries of connection tracking.",
};

pub const SENDER_TRANSLATED: CauseDocumentation = CauseDocumentation {
    meaning: "The pod sees a node or a gateway as the sender, not the device: the source was translated on the way in, as kube-proxy does under externalTrafficPolicy: Cluster. A collector of logs, flows or traps then files everything under the node. A server that answers from a new port answers the node, where nothing leads back to the device.",
    example: "192.0.2.7:50000 → 198.51.100.10:162  SNMP trap, on the uplink\n198.51.100.4:1024 → 203.0.113.16:162  the same at the pod, from the node",
    proof: "The same datagram with two sources, at two capture points or on its way through one interface, recognised by its transaction's identity; or an entry of connection tracking. Certain where it is known to have happened in the cluster, likely where a gateway may have done it. Where the protocol has no identity, a datagram with another source is not recognised, and nothing is claimed. An error for protocols without answers; elsewhere a warning, or only a remark where the exchange went well.",
    disproof: "The second address is another one of the device; or a relay or load balancer stands before the cluster and is meant to send in its own name.",
    remedy_summary: "For protocols without answers: externalTrafficPolicy: Local. Not for TFTP without its helper, where that setting turns one fault into another.",
};

pub const UNEXPECTED_OWN_SOURCE: CauseDocumentation = CauseDocumentation {
    meaning: "The cluster asks a device from a service address, a VIP, instead of the node's own address, or from a temporary IPv6 address (RFC 8981). The device may not know that address. An answer to the VIP goes to whichever node holds it, which need not be the one that asked; a temporary address is another one after a day.",
    example: "198.51.100.10:50000 → 192.0.2.7:161  GetRequest, from the VIP\n192.0.2.7:161 → 198.51.100.10:50000  GetResponse, to the node that holds the VIP",
    proof: "A request to a device whose source an inventory names as a VIP, or `ip addr` as temporary. Whether it is meant so is not in the packets: possible where it works, likely where no answer came.",
    disproof: "The VIP is set up as the egress address on purpose, and the device allows it; or the inventory is old, and the address is a node's by now.",
    remedy_summary: "Mark the service address as deprecated (preferred_lft 0) or keep it out of source selection; do not set the CNI's outgoing address to a VIP. Switch temporary addresses off on the nodes (use_tempaddr 0). Or allow it on the device.",
};

pub const MAPPING_EXPIRED: CauseDocumentation = CauseDocumentation {
    meaning: "Nothing was sent for longer than a translation is remembered, and then an answer came with another source. Connection tracking forgets a UDP flow without an answer after 30 s, and one with traffic both ways after 120 s. What is sent after that is a new flow, with a new translation or none.",
    example: "192.0.2.7:40000 → 198.51.100.10:123  NTP client\n198.51.100.10:123 → 192.0.2.7:40000  NTP server\n192.0.2.7:40000 → 198.51.100.10:123  NTP client, 200 s later\n198.51.100.4:1024 → 192.0.2.7:40000  NTP server, from another address and port",
    proof: "A pause of the length of those lifetimes between two packets of one socket, and behind it an answer with the request's transaction identity from an address or port that was not asked. Likely where answers before the pause came from whom the client asked; possible where the only answer came 30 s or more after the request.",
    disproof: "The answers before the pause had another source as well, or later ones without a pause have: then the translation does it always (reply_source_translated). Polling at long intervals from one port is no fault where the source stays the same.",
    remedy_summary: "Let the client send more often than the lifetime, or let the node remember longer (nf_conntrack_udp_timeout, nf_conntrack_udp_timeout_stream). Or let the server answer sooner.",
};
