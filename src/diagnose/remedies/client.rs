//! What the asking side can change.

use std::net::IpAddr;

use crate::diagnose::reading::Reading;
use crate::model::endpoint::Endpoint;
use crate::model::exchange::PayloadReplies;
use crate::model::finding::Remedy;
use crate::model::protocol::Protocol;
use crate::model::topology::Role;

/// Sends follow-ups where the answer came from.
#[must_use]
pub fn follow_the_answerer(reading: &Reading<'_>, answerer: Endpoint) -> Remedy {
    let who = reading.client_word();
    Remedy {
        title: format!("Correct {who}: send follow-ups to the endpoint that answered"),
        steps: vec![
            format!(
                "RFC 1350 section 4: the transfer goes on between the two ports of the first exchange, so the client has to take address and port from the answer, here {answerer}, and not only the port."
            ),
            "Ask the vendor for a TFTP client that does so, and repeat the capture with it. Not tried here.".to_owned(),
        ],
        commands: Vec::new(),
    }
}

/// Takes answers from any source.
#[must_use]
pub fn accept_any_source(reading: &Reading<'_>, answerer: Endpoint) -> Remedy {
    let client = reading.exchange.client.address;
    let in_cluster = matches!(reading.role_of(client), Role::Pod | Role::Node | Role::Service)
        || !reading.exchange.device_is_client();
    let snmp = reading.exchange.protocol == Protocol::Snmp;
    let mut steps = vec![format!(
        "Let {} use an unconnected socket and match answers by their transaction, so that it takes them from {} as well.",
        reading.client_word(),
        answerer.address
    )];
    if snmp && in_cluster {
        steps.push("gosnmp: `UseUnconnectedUDPSocket: true`. Telegraf: `unconnected_udp_socket = true` in `[[inputs.snmp]]`, then restart it.".to_owned());
    }
    steps.push("This trusts answers from any address: prefer the responder's own setting where you can change it. Not tried here.".to_owned());
    Remedy {
        title: "Or let the client accept answers from another address".to_owned(),
        steps,
        commands: Vec::new(),
    }
}

/// Lets answers come back to the socket that asked.
#[must_use]
pub fn answer_to_own_source(reading: &Reading<'_>, sent: &PayloadReplies) -> Remedy {
    let client = reading.exchange.client;
    Remedy {
        title: format!("Let the answer come back to {client}, which asked"),
        steps: vec![
            format!(
                "On {}: switch on `rport` (RFC 3581; often called symmetric response routing), and let it send from the port on which it listens, here {}.",
                reading.client_word(),
                sent.destination.port
            ),
            "Or on the server: answer to the packet's source always. Asterisk pjsip: `force_rport = yes` and `rewrite_contact = yes` at the endpoint. Kamailio: `force_rport()`. FreeSWITCH: `apply-nat-acl`, or `NDLB-force-rport` in the profile.".to_owned(),
            "Where the node's SIP helper rewrites Via for one family only, see which of its modules is loaded. Not tried here.".to_owned(),
        ],
        commands: vec![
            format!("ss -uln 'sport = :{}'", sent.destination.port),
            "lsmod | grep -E 'nf_(conntrack|nat)_sip'".to_owned(),
        ],
    }
}

/// Uses one source address for the whole exchange.
#[must_use]
pub fn keep_one_source(reading: &Reading<'_>, source: IpAddr) -> Remedy {
    let asked_from = reading.exchange.client.address;
    let mut steps = vec![format!(
        "Set one source address for this protocol on the device, {asked_from} or {source}; many systems call it `source-interface`."
    )];
    if source.is_ipv6() {
        steps.push("If the second address is a temporary one (RFC 8981), turn those off on that interface: net.ipv6.conf.IFACE.use_tempaddr=0.".to_owned());
    }
    steps.push("Not tried here.".to_owned());
    Remedy {
        title: "Keep one source address for the whole exchange".to_owned(),
        steps,
        commands: Vec::new(),
    }
}

/// Keeps the socket open until the answer is there.
#[must_use]
pub fn wait_longer(reading: &Reading<'_>) -> Remedy {
    let port = reading.exchange.client.port;
    Remedy {
        title: "See whether the client still waits when the answer comes".to_owned(),
        steps: vec![
            "Compare the time from request to reply with the client's timeout, and raise the timeout if the reply is later.".to_owned(),
            "On the client, look which process holds the port while a request is open. Not tried here.".to_owned(),
        ],
        commands: vec![format!("ss -uanp 'sport = :{port}'")],
    }
}
