//! SNMP questions whose answers must name the same objects.

use std::collections::HashMap;

use crate::model::endpoint::Endpoint;
use crate::model::packet::{Application, Datagram, TransactionRole};
use crate::model::protocol::Protocol;

/// Client sockets whose last SNMP question is remembered.
const LIMIT_QUESTIONS: usize = 4_096;

/// The last question of each client socket, hashed.
#[derive(Debug, Default)]
pub struct Questions {
    asked: HashMap<Endpoint, u64>,
}

impl Questions {
    /// Without `-v` an SNMP answer shares only its objects with its request.
    /// Where they differ (a walk answers with the next object), the answer has
    /// no identity that could pair it, so none is claimed.
    pub fn check(&mut self, mut datagram: Datagram) -> Datagram {
        let Application::Transaction(transaction) = &datagram.application else {
            return datagram;
        };
        let protocol = transaction.protocol;
        let by_objects = matches!(protocol, Protocol::Snmp | Protocol::SnmpInform)
            && transaction.question == Some(transaction.identity);
        if !by_objects {
            return datagram;
        }
        if transaction.role == TransactionRole::Request {
            if self.asked.len() >= LIMIT_QUESTIONS {
                self.asked.clear();
            }
            self.asked.insert(datagram.flow.source, transaction.identity);
        } else if self.asked.get(&datagram.flow.destination) != Some(&transaction.identity) {
            datagram.application = Application::Plain(protocol);
        }
        datagram
    }
}
