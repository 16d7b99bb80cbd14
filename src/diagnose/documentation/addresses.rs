//! Causes that lie in an address or port that a side did not expect.

use super::CauseDocumentation;

pub const FOLLOW_UP_TO_REQUEST_ADDRESS: CauseDocumentation = CauseDocumentation {
    meaning: "The client asked one address and was answered from another, and what it sent next went to the address that it had asked, at the port that had answered. It read the answer and took only the port from it. Nothing listens on that port at the address asked, so the exchange ends there. TFTP clients do this that remember the server's address and not the answer's.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ \"startup.cfg\"\n198.51.100.4:32991 → 192.0.2.7:41226  OACK, from another address than the one asked\n192.0.2.7:41226 → 198.51.100.10:32991  DATA 1, the answer's port at the address asked\n198.51.100.10 → 192.0.2.7  ICMP port unreachable, quotes a packet to 198.51.100.10:32991",
    proof: "A reply from an address that was not asked, and after it a packet from the same client socket to the address asked, with the reply's source port. Only who has read the reply knows that port, so the finding is certain. Where the request is not in the capture, it takes the refusal by ICMP and a repeated reply, and the finding is likely.",
    disproof: "The client's packet was sent before the reply arrived; or it goes to the address that answered; or the server listens on that port at both addresses, and the exchange goes on, which makes it harmless.",
    remedy_summary: "Let the answer leave with the address that was asked: the kernel's TFTP helper on the service address, source translation to the service address where it is on the pod's node, or a server that answers from one port. Or correct the client: RFC 1350 section 4 ties the transfer to the answer's address and port.",
};

pub const FOLLOW_UP_TO_REQUEST_PORT: CauseDocumentation = CauseDocumentation {
    meaning: "The right address, but the wrong port: the client goes on at the port that takes requests, though another port answered. A TFTP server moves each transfer to a new port, and takes nothing but requests on port 69.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ \"startup.cfg\"\n198.51.100.10:32991 → 192.0.2.7:41226  OACK\n192.0.2.7:41226 → 198.51.100.10:69  DATA 1, at the port asked, not the one that answered",
    proof: "A reply from another port than the one asked, and after it a packet that is no request, sent to the port asked. The exchange does not go on.",
    disproof: "The server answers from port 69 itself (a single-port server); or the packet is a repeated request, which belongs there.",
    remedy_summary: "Correct the client, or run a server that stays on the port asked, such as dnsmasq with tftp-single-port.",
};

pub const REPLY_IGNORED: CauseDocumentation = CauseDocumentation {
    meaning: "An answer came from an address or port that the client had not asked, and the client asks again as if nothing had come. Its socket is connected to the address asked, or the program compares sources: the kernel or the program throws the answer away without a word.",
    example: "203.0.113.16:50000 → 192.0.2.7:161  GetRequest\n192.0.2.8:161 → 203.0.113.16:50000  GetResponse, from the agent's other address\n203.0.113.16:50000 → 192.0.2.7:161  GetRequest, the same again",
    proof: "A changed reply that carries the request's own transaction identity, and after it the same transaction asked again: certain where it was asked again twice or more, or the reply was refused as well; once: likely. The same question under a new identity, or no identity in the protocol: likely or possible. A reply from the address and port asked, after which the client asks the same again: possible, since the reply may also have been lost behind this capture point. Or the client's own words (dig: reply from unexpected source; OpenVPN: Incoming packet rejected): certain, or likely where an address is masked.",
    disproof: "The second request left before the answer was there (a delay longer than the client's timeout); or the client asks regularly, and the second request is the next round.",
    remedy_summary: "Let the answer come from the address asked: bind the responder to it, or end the translation that changes it. Or let the client use an unconnected socket.",
};

pub const REPLY_REJECTED: CauseDocumentation = CauseDocumentation {
    meaning: "The client itself refused the answer: its host sent ICMP port unreachable that quotes the answer. That happens where the socket is connected to the address asked, because to the kernel no socket then expects a packet from another one.",
    example: "203.0.113.16:50000 → 192.0.2.7:161  GetRequest\n192.0.2.8:161 → 203.0.113.16:50000  GetResponse, from another address\n203.0.113.16 → 192.0.2.8  ICMP port unreachable, quotes a packet to 203.0.113.16:50000",
    proof: "ICMP port unreachable that quotes a reply from an address or port that was not asked. The quote names both ends: certain from the client's own address, likely from another, which a translation may have given it. Of TCP a reset of the SYN's answer: certain.",
    disproof: "The refusal quotes a reply from the address asked: then the client had closed its socket, and the cause is port_unreachable. Or the client got the same answer before, and refuses only a late copy.",
    remedy_summary: "As for reply_ignored: the answer has to come from the address asked, or the client's socket must not be connected.",
};

pub const CLIENT_SOURCE_CHANGED: CauseDocumentation = CauseDocumentation {
    meaning: "The client asks from one of its addresses and goes on from another. The server knows only the first, so it does not take what comes from the second, and goes on answering the first.",
    example: "192.0.2.7:41226 → 198.51.100.10:69  WRQ \"startup.cfg\"\n198.51.100.10:32991 → 192.0.2.7:41226  OACK\n192.0.2.8:41226 → 198.51.100.10:32991  DATA 1, from the device's other address\n198.51.100.10:32991 → 192.0.2.8:41226  ERROR 5 \"Unknown transfer ID\"",
    proof: "A packet to the endpoint that answered, with the client's port and another source address, and no progress after it. A device list that gives both addresses to one device makes it surer.",
    disproof: "Another device uses the same port by chance, with a transfer of its own to that server; or the packets of the first address go on as well.",
    remedy_summary: "Set one source address for the protocol on the device. For IPv6, see whether the second address is a temporary one.",
};

pub const REPLY_SOURCE_NOT_REQUESTED: CauseDocumentation = CauseDocumentation {
    meaning: "The answer comes from an address that was not asked, and nothing shows that it was translated on the way. The responder has several addresses and listens on all of them; its kernel chooses the source of the answer by the route back.",
    example: "203.0.113.16:50000 → 192.0.2.7:161  GetRequest\n192.0.2.8:161 → 203.0.113.16:50000  GetResponse, from the agent's other address",
    proof: "A reply from another address than the one asked. With the request's transaction identity in it, certain. Not claimed of groups, of protocols that move by design, or of a socket that talks to many servers. A Teredo server that tests a client's NAT answers so on purpose: a remark.",
    disproof: "The source is a node's address, or a capture at the pod shows that the pod answered from its own: then the answer was translated (reply_source_translated). Or the client asked that address, too.",
    remedy_summary: "Bind the responder to the address that is asked, one socket for each address, or let it answer from the request's destination (IP_PKTINFO, IPV6_RECVPKTINFO).",
};

pub const FAMILIES_DIFFER: CauseDocumentation = CauseDocumentation {
    meaning: "The same service works in one address family and fails in the other. Set side by side, the two exchanges are alike up to one step, and the fault is at that step: what differs in configuration there is the cause.",
    example: "192.0.2.7:58631 → 198.51.100.10:69  IPv4: WRQ\n198.51.100.4:56284 → 192.0.2.7:58631  IPv4: OACK from the node\n192.0.2.7:58631 → 198.51.100.4:56284  IPv4: DATA to the node, works\n[2001:db8::7]:41226 → [2001:db8:100::10]:69  IPv6: WRQ\n[2001:db8:100::4]:32991 → [2001:db8::7]:41226  IPv6: OACK from the node\n[2001:db8::7]:41226 → [2001:db8:100::10]:32991  IPv6: DATA to the VIP, fails: the first step that differs",
    proof: "Two exchanges of one protocol and port, one of each family, of which one failed and the other did not. Certain where a device list gives both addresses to one device; likely where both ask for the same file within 15 minutes, at addresses of one node, or, where no inventory names the node, at service addresses seen at one capture point; possible where the file names differ only in their digits.",
    disproof: "Another device of the failing family works with the same service, or the exchange fails in the other family as well at another time; or the two are of devices with different software, so that the device differs and not the family.",
    remedy_summary: "Follow the finding that tells why the failing exchange failed, and compare the rules of both families: services that are not dual stack, translation or helpers that are set for one family.",
};

pub const REPLY_TO_PAYLOAD_ADDRESS: CauseDocumentation = CauseDocumentation {
    meaning: "The answer goes to the address or port that the request names in its text, not to where the request came from. SIP does so: without rport in the Via header the server answers to the port that stands there. A client behind a translation is not reached that way, because only the socket that asked has an entry.",
    example: "192.0.2.7:1024 → 198.51.100.10:5060  REGISTER, Via: SIP/2.0/UDP 192.0.2.7:5062\n198.51.100.10:5060 → 192.0.2.7:5062  200 OK, to the port in Via\n192.0.2.7:1024 → 198.51.100.10:5060  REGISTER, the same again",
    proof: "An answer with the request's Call-ID and CSeq that goes to the address or port of its Via, which is not the request's source: certain, or likely where the text does not print the Via. It is an error only where the client refuses the answer by ICMP, or asks again twice or more though it came; else a remark.",
    disproof: "The client listens on that port on purpose and goes on after the answer; or the request is repeated because the answer came later than the client waits.",
    remedy_summary: "Let the client send rport (RFC 3581) and send from the port on which it listens, or let the server answer to the packet's source always.",
};
