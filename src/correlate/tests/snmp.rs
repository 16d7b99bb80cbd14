//! Questions and answers of SNMP.

use super::{Protocol, Says};

pub(super) fn ask(identity: u64) -> Says {
    Says::Ask { protocol: Protocol::Snmp, identity, question: 1 }
}

pub(super) fn answer(identity: u64) -> Says {
    Says::Answer { protocol: Protocol::Snmp, identity }
}
