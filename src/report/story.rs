//! The four facts of an exchange: who was asked, who answered, where the
//! follow-up went, and how it ended.

use super::ladder::{Tone, error_counts, has_asked_again};
use super::parties::{Parties, Party};
use super::wording::count;
use crate::model::finding::Verdict;
use crate::model::report::{Device, DeviceExchange};

/// One fact: an address or words, and whether it is where things went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fact<'a> {
    pub label: &'static str,
    pub party: Option<Party<'a>>,
    pub words: String,
    pub tone: Tone,
}

impl Fact<'_> {
    /// Whether this only says that there is nothing to say.
    pub(super) fn is_silent(&self) -> bool {
        self.party.is_none() && self.tone == Tone::Plain
    }
}

/// The facts of `exchange`, in the order in which they happened.
pub(super) fn facts<'a>(
    exchange: &'a DeviceExchange,
    device: &'a Device,
    parties: &Parties<'a>,
) -> [Fact<'a>; 4] {
    [
        asked(exchange, device, parties),
        answered(exchange, device, parties),
        followed_up(exchange, device, parties),
        ended(exchange, device, parties),
    ]
}

fn asked<'a>(exchange: &'a DeviceExchange, device: &'a Device, parties: &Parties<'a>) -> Fact<'a> {
    let is_client = device.addresses.contains(&exchange.client.address)
        || device.device == exchange.client.address;
    let label = if is_client { "The device asked" } else { "Asked" };
    match &exchange.request {
        Some(request) => Fact {
            label,
            party: Some(parties.at(request.destination, device)),
            words: request.first.clone(),
            tone: Tone::Plain,
        },
        None => unseen(label, "The capture begins after the request"),
    }
}

fn answered<'a>(
    exchange: &'a DeviceExchange,
    device: &'a Device,
    parties: &Parties<'a>,
) -> Fact<'a> {
    let label = "The answer came from";
    let asked = exchange.request.as_ref().map(|request| parties.at(request.destination, device));
    let is_changed = |reply: &&crate::model::report::ReplyPart| {
        exchange.has_changed()
            && asked.is_some_and(|asked| asked.address != reply.source.address && !asked.is_group())
    };
    let changed = exchange.replies.iter().find(is_changed);
    match changed.or(exchange.replies.first()) {
        None if exchange.verdict == Verdict::OneWay => unseen(label, "No answer is expected"),
        // Not captured is not the same as not sent.
        None if parties.is_tracked(exchange) => {
            Fact { tone: Tone::Bad, ..unseen(label, "Nobody, by connection tracking") }
        }
        None if exchange.verdict == Verdict::Inconclusive => unseen(label, "Not in this capture"),
        None => Fact { tone: Tone::Bad, ..unseen(label, "Nobody, in this capture") },
        Some(reply) => {
            let packets = packets(exchange, reply.packets, parties);
            let words = match changed {
                Some(_) => format!("not the address asked; {packets}"),
                None => packets,
            };
            let tone = if changed.is_some() { Tone::Changed } else { Tone::Plain };
            Fact { label, party: Some(parties.at(reply.source, device)), words, tone }
        }
    }
}

fn followed_up<'a>(
    exchange: &'a DeviceExchange,
    device: &'a Device,
    parties: &Parties<'a>,
) -> Fact<'a> {
    let label = "The follow-up went to";
    let strays = |part: &&crate::model::report::FollowUpPart| {
        exchange.has_changed()
            && !exchange.replies.is_empty()
            && !exchange.replies.iter().any(|reply| reply.source == part.destination)
    };
    let stray = exchange.follow_ups.iter().find(strays);
    match stray.or(exchange.follow_ups.first()) {
        None if parties.is_tracked(exchange) => unseen(label, "None, by connection tracking"),
        None => unseen(label, "None in this capture"),
        Some(part) => {
            let packets = packets(exchange, part.packets, parties);
            let (words, tone) = match (stray, exchange.verdict) {
                (None, _) => (packets, Tone::Plain),
                (Some(_), Verdict::Broken) => {
                    (format!("not to who answered; {packets}"), Tone::Bad)
                }
                (Some(_), _) => (format!("not to who answered; {packets}"), Tone::Changed),
            };
            Fact { label, party: Some(parties.at(part.destination, device)), words, tone }
        }
    }
}

fn ended<'a>(exchange: &'a DeviceExchange, device: &'a Device, parties: &Parties<'a>) -> Fact<'a> {
    let errors = error_counts(exchange);
    let (words, tone) = match (errors.first(), exchange.verdict) {
        (_, Verdict::Symmetric | Verdict::Tolerated | Verdict::Inconclusive)
            if exchange.error_answer.is_some() =>
        {
            let words = exchange.error_answer.as_deref().unwrap_or_default();
            (format!("Answered with {words}"), Tone::Bad)
        }
        (Some((error, from)), _) => {
            let more = if errors.len() > 1 { " and other errors" } else { "" };
            (
                format!("{error}{more} from {}", parties.party(*from, device).in_sentence()),
                Tone::Bad,
            )
        }
        (None, Verdict::Broken) if exchange.client_unknown => {
            ("The client threw the answer away".to_owned(), Tone::Bad)
        }
        (None, Verdict::Broken) if has_asked_again(exchange) => {
            ("The client asked again instead of going on".to_owned(), Tone::Bad)
        }
        (None, Verdict::Broken) => ("It stopped there".to_owned(), Tone::Bad),
        (None, Verdict::Rejected) => ("An ICMP error ended it".to_owned(), Tone::Bad),
        (None, Verdict::Unanswered) => ("No usable answer".to_owned(), Tone::Bad),
        (None, Verdict::Inconclusive) => ("The capture does not show it".to_owned(), Tone::Plain),
        (None, Verdict::Tolerated) if exchange.client_unknown => (
            "The client threw that answer away and took one from the address asked".to_owned(),
            Tone::Good,
        ),
        (None, Verdict::Tolerated) if is_alone(exchange) => {
            ("Answered; nothing shows that the client minded".to_owned(), Tone::Good)
        }
        (None, Verdict::Tolerated) => ("It went on all the same".to_owned(), Tone::Good),
        (None, Verdict::OneWay) => ("Sent; no answer is expected".to_owned(), Tone::Plain),
        (None, Verdict::Symmetric) => ("It works".to_owned(), Tone::Good),
    };
    Fact { label: "Result", party: None, words, tone }
}

/// How many packets; a table without counters knows of one at least.
fn packets(exchange: &DeviceExchange, packets: u64, parties: &Parties<'_>) -> String {
    let words = count(packets, "packet", "packets");
    if packets == 1 && parties.is_tracked(exchange) { format!("at least {words}") } else { words }
}

/// One request and its answer: whether it went on from there cannot be seen.
fn is_alone(exchange: &DeviceExchange) -> bool {
    exchange.follow_ups.is_empty()
        && exchange.request.as_ref().is_none_or(|request| request.packets <= 1)
}

fn unseen<'a>(label: &'static str, words: &str) -> Fact<'a> {
    Fact { label, party: None, words: words.to_owned(), tone: Tone::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_facts_tell_the_two_families_apart() {
        let report = samples::founding();
        let parties = Parties::new(&report);
        let told = |device: usize| {
            let device = &report.devices[device];
            facts(&device.exchanges[0], device, &parties).map(|fact| {
                let who = fact.party.map(|party| party.to_string()).unwrap_or_default();
                (who, fact.words, fact.tone)
            })
        };
        let fact = |who: &str, words: &str, tone| (who.to_owned(), words.to_owned(), tone);
        assert_eq!(
            told(0)[1..],
            [
                fact("node [2000::65:13]:32991", "not the address asked; 3 packets", Tone::Changed),
                fact("VIP [2000::65:21]:32991", "not to who answered; 3 packets", Tone::Bad),
                fact("", "ICMPv6 port unreachable ×3 from the VIP 2000::65:21", Tone::Bad),
            ]
        );
        assert_eq!(
            told(1)[1..],
            [
                fact("node 192.168.65.13:56284", "not the address asked; 3 packets", Tone::Changed),
                fact("node 192.168.65.13:56284", "3 packets", Tone::Plain),
                fact("", "It went on all the same", Tone::Good),
            ]
        );
    }

    #[test]
    fn a_reply_that_was_not_captured_is_no_missing_reply() {
        let mut report = samples::founding();
        for (verdict, words, tone) in [
            (Verdict::Inconclusive, "Not in this capture", Tone::Plain),
            (Verdict::Unanswered, "Nobody, in this capture", Tone::Bad),
        ] {
            let exchange = &mut report.devices[1].exchanges[0];
            exchange.replies.clear();
            exchange.verdict = verdict;
            let (parties, device) = (Parties::new(&report), &report.devices[1]);
            let [_, answered, ..] = facts(&device.exchanges[0], device, &parties);
            assert_eq!((answered.words.as_str(), answered.tone), (words, tone));
        }
    }

    #[test]
    fn an_error_as_answer_is_the_result() {
        let mut report = samples::founding();
        for device in 0..2 {
            let exchange = &mut report.devices[device].exchanges[0];
            exchange.verdict = Verdict::Symmetric;
            exchange.error_answer = Some("ERROR 3 \"disk full\"".to_owned());
            let (parties, device) = (Parties::new(&report), &report.devices[device]);
            let [.., result] = facts(&device.exchanges[0], device, &parties);
            assert_eq!(result.words, "Answered with ERROR 3 \"disk full\"");
        }
    }

    #[test]
    fn one_answer_alone_is_no_sign_that_it_went_on() {
        let mut report = samples::founding();
        let exchange = &mut report.devices[1].exchanges[0];
        exchange.follow_ups.clear();
        if let Some(request) = &mut exchange.request {
            request.packets = 1;
        }
        let (parties, device) = (Parties::new(&report), &report.devices[1]);
        let [.., result] = facts(&device.exchanges[0], device, &parties);
        assert_eq!(result.words, "Answered; nothing shows that the client minded");
    }
}
