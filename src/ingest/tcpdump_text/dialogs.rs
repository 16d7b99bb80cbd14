//! SIP requests and their answers where only first lines are printed.
//!
//! Without `-v` tcpdump prints neither Call-ID nor CSeq, which pair them (RFC 3261 section
//! 8.1.3.5). What is left is who asked whom, and the order: a client's requests to a
//! server are mostly answered in the order in which they were sent.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use super::application::{is_keep_alive, keep_alive};
use crate::model::endpoint::Endpoint;
use crate::model::identity::hash_words;
use crate::model::packet::{Application, Datagram, PayloadAddress, Transaction, TransactionRole};
use crate::model::protocol::Protocol;

/// Clients whose requests are remembered.
const LIMIT_CLIENTS: usize = 4_096;
/// Of each of them the latest.
const LIMIT_REQUESTS: usize = 8;
/// Where SIP is served (RFC 3261 section 18.1.1).
const SIP_PORT: u16 = 5060;

/// The latest requests of each client.
#[derive(Debug, Default)]
pub struct Dialogs {
    requests: HashMap<IpAddr, VecDeque<Asked>>,
    /// Requests so far, to tell them apart.
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    client: Endpoint,
    server: Endpoint,
    /// Its first line, hashed.
    start: u64,
    identity: u64,
    is_answered: bool,
}

impl Dialogs {
    /// Gives a message of which the first line alone was printed what pairs it. An answer
    /// to no request that is known stays without.
    pub fn check(&mut self, mut datagram: Datagram) -> Datagram {
        if datagram.application == Application::Plain(Protocol::Sip)
            && is_keep_alive(datagram.length)
        {
            datagram.application = keep_alive();
            return datagram;
        }
        let Application::Transaction(message) = &mut datagram.application else {
            return datagram;
        };
        if message.protocol != Protocol::Sip || message.question != Some(message.identity) {
            return datagram;
        }
        let (source, destination) = (datagram.flow.source, datagram.flow.destination);
        message.question = None;
        match message.role {
            TransactionRole::Request => self.ask(message, source, destination),
            TransactionRole::Reply => {
                let found = self.find(source, destination);
                // Two answers to nothing known are not each other's repetition.
                message.identity = found.unwrap_or_else(|| self.next_identity());
            }
            TransactionRole::Notification | TransactionRole::Unread => {}
        }
        datagram
    }

    fn ask(&mut self, message: &mut Transaction, client: Endpoint, server: Endpoint) {
        if client.port != SIP_PORT {
            message.reply_to = Some(Box::new(PayloadAddress::UNREAD_SIP));
        }
        let start = message.identity;
        // A client repeats what nobody has answered (RFC 3261 section 17.1).
        let again = self.requests.get(&client.address).and_then(|asked| {
            asked.iter().find(|asked| {
                !asked.is_answered
                    && (asked.client, asked.server, asked.start) == (client, server, start)
            })
        });
        if let Some(again) = again {
            message.identity = again.identity;
            return;
        }
        message.identity = self.next_identity();
        if self.requests.len() >= LIMIT_CLIENTS {
            self.requests.clear();
        }
        let asked = self.requests.entry(client.address).or_default();
        if asked.len() >= LIMIT_REQUESTS {
            asked.pop_front();
        }
        let identity = message.identity;
        asked.push_back(Asked { client, server, start, identity, is_answered: false });
    }

    /// The request that `server` answers with a message to `client`: the oldest without an
    /// answer, else the latest.
    fn find(&mut self, server: Endpoint, client: Endpoint) -> Option<u64> {
        let asked = self.requests.get_mut(&client.address)?;
        let by_server = |asked: &&mut Asked| asked.server.address == server.address;
        // From another address only the socket that asked tells.
        let by_socket = |asked: &&mut Asked| asked.client == client;
        let is_of_server = asked.iter_mut().any(|asked| by_server(&asked));
        let mut candidates: Vec<&mut Asked> = asked
            .iter_mut()
            .filter(|asked| if is_of_server { by_server(asked) } else { by_socket(asked) })
            .collect();
        let open = candidates.iter().position(|asked| !asked.is_answered);
        let place = open.or_else(|| candidates.len().checked_sub(1))?;
        let found = candidates.get_mut(place)?;
        found.is_answered = true;
        Some(found.identity)
    }

    fn next_identity(&mut self) -> u64 {
        self.count += 1;
        hash_words(&["SIP", &self.count.to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::tcpdump_text::read_sip;
    use crate::model::endpoint::FlowKey;

    /// The identity of what `source` says to `destination`.
    fn identity(dialogs: &mut Dialogs, source: &str, destination: &str, start: &str) -> u64 {
        let end = |text: &str| Endpoint::from(text.parse::<std::net::SocketAddr>().unwrap());
        let datagram = dialogs.check(Datagram {
            flow: FlowKey::udp(end(source), end(destination)),
            length: 0,
            fingerprint: None,
            is_cut: false,
            application: read_sip(&format!("SIP: {start}"), &[]),
        });
        match datagram.application {
            Application::Transaction(message) => {
                assert_eq!(message.question, None);
                message.identity
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_are_paired_in_the_order_of_the_requests() {
        for [phone, server, elsewhere, other] in [
            ["198.51.100.9:31000", "203.0.113.5:5060", "198.51.100.9:5060", "203.0.113.6:5060"],
            [
                "[2001:db8::9]:31000",
                "[2001:db8:1::5]:5060",
                "[2001:db8::9]:5060",
                "[2001:db8:1::6]:5060",
            ],
        ] {
            let dialogs = &mut Dialogs::default();
            let (register, options) = ("REGISTER sip:a SIP/2.0", "OPTIONS sip:a SIP/2.0");
            let first = identity(dialogs, phone, server, register);
            assert_eq!(identity(dialogs, phone, server, register), first, "sent again");
            let second = identity(dialogs, phone, server, options);
            assert_ne!(first, second);
            let trying = "SIP/2.0 100 Trying";
            assert_eq!(identity(dialogs, server, elsewhere, trying), first);
            assert_eq!(identity(dialogs, server, phone, "SIP/2.0 200 OK"), second);
            assert_eq!(identity(dialogs, server, phone, "SIP/2.0 200 OK"), second);
            let third = identity(dialogs, phone, server, register);
            assert_ne!(third, first, "the first was answered");
            assert_eq!(identity(dialogs, other, phone, "SIP/2.0 200 OK"), third);
            let unknown = identity(dialogs, other, elsewhere, "SIP/2.0 200 OK");
            assert!(![first, second, third].contains(&unknown));
        }
    }

    #[test]
    fn what_is_too_short_for_a_message_keeps_a_translation_alive() {
        for client in ["192.0.2.9:5062", "[2001:db8::9]:5062"] {
            for (length, expected) in [(4, true), (2, true), (0, false), (300, false)] {
                let client = Endpoint::from(client.parse::<std::net::SocketAddr>().unwrap());
                let datagram = Dialogs::default().check(Datagram {
                    flow: FlowKey::udp(client, Endpoint::new(client.address, 5060)),
                    length,
                    fingerprint: None,
                    is_cut: false,
                    application: Application::Plain(Protocol::Sip),
                });
                assert_eq!(datagram.application == keep_alive(), expected, "{client} {length}");
            }
        }
    }

    #[test]
    fn requests_from_other_ports_may_name_the_usual_one() {
        for (client, expected) in [("192.0.2.9:31000", true), ("[2001:db8::9]:5060", false)] {
            let client = Endpoint::from(client.parse::<std::net::SocketAddr>().unwrap());
            let server = Endpoint::new(client.address, 5060);
            let datagram = Dialogs::default().check(Datagram {
                flow: FlowKey::udp(client, server),
                length: 0,
                fingerprint: None,
                is_cut: false,
                application: read_sip("SIP: REGISTER sip:a SIP/2.0", &[]),
            });
            let Application::Transaction(message) = datagram.application else { panic!() };
            assert_eq!(message.reply_to.is_some(), expected, "{client}");
        }
    }
}
