//! Headings between captures, as people write them into forum posts and issues.

/// Whether a line is the heading of a capture: short, or marked as one, it names a place and
/// says nothing of a packet. `In the pod (eth0):`, `**Host:**`, `then on node3`.
pub(super) fn names_place(text: &str) -> bool {
    /// Without a colon behind it, or marks around it, a heading is not longer.
    const PLAIN_WORDS: usize = 3;
    const MARKED_WORDS: usize = 8;
    /// Capture, container, host, node, interface.
    const CHINESE: [&str; 5] = ["抓包", "容器", "主机", "节点", "网卡"];
    if CHINESE.iter().any(|place| text.contains(place)) {
        return true;
    }
    let trimmed = text.trim();
    let is_marked = trimmed.trim_end_matches(['*', '_', '#', '=', ' ']).ends_with(':')
        || trimmed.starts_with(['#', '=', '*']);
    let lower = trimmed.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.take(MARKED_WORDS + 1).collect();
    words.len() <= if is_marked { MARKED_WORDS } else { PLAIN_WORDS }
        && words.iter().any(|word| is_place(word))
        && !words.iter().any(|word| is_of_packet(word))
}

/// Whether a word is said of a packet and its sender.
fn is_of_packet(word: &str) -> bool {
    const STEMS: &str = "request repl answer respon send sent ask retr ack data error get icmp \
        reject refus address port packet";
    word == "ip" || STEMS.split(' ').any(|stem| word.starts_with(stem))
}

/// Whether a word names where one captures: a kind of place, perhaps with a number, or an
/// interface.
fn is_place(word: &str) -> bool {
    const PLACES: &str = "pod container host node worker master interface bridge switch router \
        firewall device vm machine uplink namespace server client";
    const INTERFACES: &str = "eth ens eno enp cali veth cni bond docker flannel";
    let is_interface = INTERFACES.split(' ').any(|lead| {
        word.strip_prefix(lead).is_some_and(|rest| rest.contains(|c: char| c.is_ascii_digit()))
    });
    let kind = word.trim_end_matches(|c: char| c.is_ascii_digit());
    PLACES.split(' ').any(|place| place == kind) || is_interface
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_what_happens_there() {
        let cases = [
            ("then in the pod", false),
            ("then the client waits", false),
            ("On the host (ens3):", true),
            ("In the pod (eth0):", true),
            ("Inside the tftp container:", true),
            ("Capture from the pod:", true),
            ("on node3", true),
            ("Pod eth0:", true),
            ("node3:", true),
            ("## Host", true),
            ("### Pod", true),
            ("**Host:**", true),
            ("__Server__:", true),
            ("=== Switch ===", true),
            ("Pod side", true),
            ("Pod-side capture:", true),
            ("Master node", true),
            ("Auf dem Host:", true),
            ("Auf dem Server:", true),
            ("Server reply:", false),
            ("# client request", false),
            ("node address!", false),
            ("在主机网卡上抓包", true),
            ("Server answers from the node address (!!):", false),
            ("# reply from node ip", false),
            ("# follow up to vip", false),
            ("Client sends the request:", false),
            ("Client replies to VIP:", false),
            ("and gets", false),
            ("// icmp", false),
            ("^^^^^ wrong source", false),
            ("(more packets)", false),
            ("{noformat}", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(names_place(text), expected, "{text}");
        }
    }
}
