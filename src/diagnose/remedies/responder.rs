//! What a responder with several addresses can change.

use super::commands::{bracketed, ip};
use crate::diagnose::reading::Reading;
use crate::model::endpoint::Endpoint;
use crate::model::finding::Remedy;
use crate::model::protocol::Protocol;
use crate::model::topology::Role;

/// Binds the responder to the address that is asked.
#[must_use]
pub fn answer_from_asked(reading: &Reading<'_>, answerer: Endpoint) -> Remedy {
    let Some(asked) = reading.view.asked else {
        return Remedy {
            title: "Find out who owns the answering address".to_owned(),
            steps: vec!["On the nodes and on the server, look for the address.".to_owned()],
            commands: vec![format!(
                "{} -br addr show to {}",
                ip(answerer.address),
                answerer.address
            )],
        };
    };
    let address = bracketed(asked.address);
    let mut steps = Vec::new();
    // Shows whether the socket is on the wildcard address.
    let mut commands = vec![format!("ss -ulpn 'sport = :{}'", asked.port)];
    if reading.exchange.protocol == Protocol::Snmp {
        let scheme = if asked.address.is_ipv4() { "udp" } else { "udp6" };
        steps.push(format!(
            "net-snmp: in snmpd.conf name the address instead of the wildcard, `agentAddress {scheme}:{address}:{}`, separated by commas for each address that is asked, then restart snmpd.",
            asked.port
        ));
        steps.push(format!(
            "SONiC: add the address as an SNMP agent address; port {} is the default.",
            asked.port
        ));
        commands.push("grep -n agentAddress /etc/snmp/snmpd.conf".to_owned());
        commands.push(format!("config snmpagentaddress add {}", asked.address));
    } else {
        steps.push(format!(
            "Bind the server to {address}:{}, not to the wildcard address.",
            asked.port
        ));
        if reading.exchange.protocol == Protocol::Dns {
            steps.push(format!(
                "Where Docker publishes the port, name the address there: `-p {address}:{0}:{0}/udp`.",
                asked.port
            ));
        }
    }
    steps.push("A server of your own that stays on the wildcard address has to answer with the request's destination as source: IP_PKTINFO (IPv4), IPV6_RECVPKTINFO (IPv6).".to_owned());
    if reading.role_of(answerer.address) == Role::Unknown {
        steps.push(format!(
            "It is not known who owns {}: look on the server and on the nodes first. If it is a node's address, the answer was translated on its way out.",
            answerer.address
        ));
        commands.push(format!("{} -br addr show to {}", ip(answerer.address), answerer.address));
    }
    if asked.address.is_ipv6() {
        steps.push("If the answering address is a temporary one (RFC 8981), turn those off on that interface: net.ipv6.conf.IFACE.use_tempaddr=0.".to_owned());
    }
    steps.push("Not tried here.".to_owned());
    Remedy { title: format!("Let the responder answer from {}", asked.address), steps, commands }
}
