//! What Wireshark will show of an exchange, where that misleads.

use super::parties::Parties;
use crate::model::protocol::Protocol;
use crate::model::report::{Device, DeviceExchange};

/// What to know before one opens a capture of this exchange in Wireshark.
///
/// Its TFTP dissector keys a transfer by both addresses and leaves open only
/// the server's port (`conversation_new` in packet-tftp.c). A transfer
/// answered from another address is plain UDP to it, and so is hidden by its
/// `tftp` filter; a follow-up to the address asked is shown.
pub(super) fn find_caution(
    exchange: &DeviceExchange,
    device: &Device,
    parties: &Parties<'_>,
) -> Option<String> {
    let asked = exchange.request.as_ref()?.destination;
    let reply = exchange.replies.iter().find(|reply| reply.source.address != asked.address)?;
    if exchange.protocol != Protocol::Tftp {
        return None;
    }
    let answerer = parties.party(reply.source.address, device).in_sentence();
    let strays = exchange.follow_ups.iter().any(|part| part.destination.address == asked.address);
    let shown = if strays {
        "it shows the request and the misdirected follow-up, and hides the answer"
    } else {
        "it shows the request and hides the answer and all that follows"
    };
    Some(format!(
        "Do not filter by the word tftp in Wireshark: {shown}. To Wireshark, packets from {answerer} \
         are plain UDP, because it ties a transfer to the address that was asked. Filter by address and port:"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_caution_says_what_the_filter_hides() {
        let report = samples::founding();
        let parties = Parties::new(&report);
        let told = |device: usize| {
            find_caution(&report.devices[device].exchanges[0], &report.devices[device], &parties)
                .unwrap()
        };
        assert!(told(0).contains("misdirected follow-up"), "{}", told(0));
        assert!(told(1).contains("all that follows"), "{}", told(1));
    }
}
