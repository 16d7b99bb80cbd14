//! Questions and answers of DNS.

use super::{Protocol, Says};

pub(super) fn ask(identity: u64) -> Says {
    Says::Ask { protocol: Protocol::Dns, identity, question: 1 }
}

pub(super) fn answer(identity: u64) -> Says {
    Says::Answer { protocol: Protocol::Dns, identity }
}
