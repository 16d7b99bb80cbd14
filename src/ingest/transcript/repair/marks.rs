//! Tags, emphasis, arrows and brackets that stand within a packet's line.

use std::borrow::Cow;

use super::masks::join_masks;
use crate::ingest::tcpdump_text::is_address_side;

/// HTML's names of what is put around code, and those of forums and Jira.
const TAGS: &str = "a b blockquote br code color div em font h3 i kbd li mark noformat p pre \
    quote s samp size span strong td th tr tt u ul";

/// The line without them; as it is where it has none.
pub(super) fn remove_marks(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if let Some(untagged) = remove_tags(&text) {
        text = Cow::Owned(untagged);
    }
    if memchr::memchr3(b'<', b'[', b'{', text.as_bytes()).is_some()
        && let Cow::Owned(joined) = join_masks(&text)
    {
        text = Cow::Owned(joined);
    }
    if let Some(pointed) = replace_arrow(&text) {
        text = Cow::Owned(pointed);
    }
    if let Some(plain) = plain_sides(&text) {
        text = Cow::Owned(plain);
    }
    text
}

/// Names that forums put in square brackets. tcpdump does so with the flags of TCP:
/// `[S]`, `[P.]`, `[U]`.
const BRACKETED: [&str; 7] = ["b", "code", "color", "font", "i", "pre", "quote"];

/// Takes off `<b>`, `</code>`, `<pre class="x">`, `[code]`, `[/quote]`. Cells of a table
/// stay apart.
fn remove_tags(text: &str) -> Option<String> {
    if !text.contains(['<', '[', '{']) {
        return None;
    }
    let masks = find_masks(text);
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '[', '{']) {
        let (before, tag) = rest.split_at(at);
        kept.push_str(before);
        let is_mask = |behind: &str| {
            let written = tag.get(1..tag.len() - behind.len()).and_then(|it| it.strip_suffix('>'));
            tag.starts_with('<') && written.is_some_and(|name| masks.contains(&name))
        };
        if let Some((name, behind)) = find_tag(tag).filter(|(_, behind)| !is_mask(behind)) {
            if parts(name, behind) && !kept.is_empty() && !kept.ends_with(' ') {
                kept.push(' ');
            }
            rest = behind;
        } else {
            kept.push_str(tag.get(..1).unwrap_or_default());
            rest = tag.get(1..).unwrap_or_default();
        }
    }
    kept.push_str(rest);
    (kept.len() != text.len()).then_some(kept)
}

/// What looks like tags and stands for addresses that somebody masked: `<A>.57222 > `,
/// `<B>.53:`. Something would stand within a tag, and its end behind that.
fn find_masks(text: &str) -> Vec<&str> {
    /// More than a line has ends: each is looked for again.
    const LIMIT: usize = 8;
    let name = |at: usize| {
        let inside = text.get(at + 1..)?;
        let end = inside.bytes().position(|byte| !byte.is_ascii_alphanumeric())?;
        let (name, behind) = inside.split_at_checked(end)?;
        let ends_side = [">.", ">:", "> > "].iter().any(|end| behind.starts_with(end));
        ends_side.then_some(name).filter(|name| !name.is_empty())
    };
    let starts = memchr::memchr_iter(b'<', text.as_bytes());
    let mut masks: Vec<&str> = starts.filter_map(name).take(LIMIT).collect();
    masks.retain(|name| !text.contains(&format!("</{name}>")));
    masks
}

/// Whether a tag keeps apart what stands before it and behind it, as a page shows it.
/// `code` stands around whole lines, and around an address within one.
fn parts(name: &str, behind: &str) -> bool {
    const BLOCKS: [&str; 12] =
        ["blockquote", "br", "div", "h3", "li", "p", "pre", "quote", "td", "th", "tr", "ul"];
    BLOCKS.contains(&name) || (name == "code" && behind.starts_with(['<', '[']))
}

/// The name of the tag with which a text begins, and what stands behind it.
fn find_tag(text: &str) -> Option<(&'static str, &str)> {
    /// Longer tags stand around no packet.
    const LIMIT_BYTES: usize = 200;
    let end = match text.as_bytes().first() {
        Some(b'<') => b'>',
        Some(b'[') => b']',
        _ => b'}',
    };
    let tag = text.as_bytes();
    let at = memchr::memchr(end, tag.get(..=LIMIT_BYTES).unwrap_or(tag))?;
    let inside = text.get(1..at)?;
    let inside = inside.strip_prefix('/').unwrap_or(inside);
    let written = inside.split([' ', '=', '/', ':']).next()?;
    let name = written.to_ascii_lowercase();
    let name = TAGS.split(' ').find(|known| *known == name)?;
    let is_known = match end {
        b'>' => name != "noformat",
        b']' => BRACKETED.contains(&name),
        _ => matches!(name, "code" | "noformat"),
    };
    if !is_known {
        return None;
    }
    // `[b=1]` and `<a, b>` are of no page.
    let is_bare = inside.trim_end_matches('/').len() == name.len();
    let has_attributes = inside.contains('=') && !inside.contains(',');
    (is_bare || has_attributes).then_some((name, text.get(at + 1..)?))
}

/// `IP 192.0.2.9.5 -> 192.0.2.21.69: …`: tcpdump itself prints ` > `.
fn replace_arrow(text: &str) -> Option<String> {
    const ARROWS: [&str; 6] = [" -> ", " → ", " => ", " ⇒ ", " --> ", " \\> "];
    if text.contains(" > ") {
        return None;
    }
    let (at, arrow) = ARROWS
        .into_iter()
        .filter_map(|arrow| Some((text.find(arrow)?, arrow)))
        .min_by_key(|(at, _)| *at)?;
    let (before, behind) = (text.get(..at)?, text.get(at + arrow.len()..)?);
    let mut words = before.rsplit(char::is_whitespace);
    let has_source = words.next().is_some_and(|word| !word.is_empty());
    let is_named = has_source && words.next().is_some_and(|word| matches!(word, "IP" | "IP6"));
    is_named.then(|| format!("{before} > {behind}"))
}

/// Takes emphasis and brackets out of the sides of a packet line: `*192.0.2.13*.69`,
/// `192[.]0[.]2[.]13.69`.
fn plain_sides(text: &str) -> Option<String> {
    let (before, behind) = text.split_once(" > ")?;
    let source_at = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let (lead, source) = before.split_at_checked(source_at)?;
    let behind = behind.trim_start();
    let end = behind.find(char::is_whitespace).unwrap_or(behind.len());
    let (destination, rest) = behind.split_at_checked(end)?;
    let (from, to) = (plain_side(source), plain_side(destination));
    if from.is_none() && to.is_none() {
        return None;
    }
    let (from, to) = (from.as_deref().unwrap_or(source), to.as_deref().unwrap_or(destination));
    // What an ICMP error quotes was touched alike.
    let rest = without_brackets(rest);
    Some(format!("{lead}{from} > {to}{rest}"))
}

/// The side with an address, where it has none as it stands.
fn plain_side(side: &str) -> Option<String> {
    let (bare, colon) = side.strip_suffix(':').map_or((side, ""), |bare| (bare, ":"));
    if is_address_side(bare) {
        return None;
    }
    let plain = without_brackets(bare).replace(['*', '`', '"', '\''], "").replace("__", "");
    is_address_side(&plain).then(|| format!("{plain}{colon}"))
}

/// `192[.]0[.]2[.]13`, which no program makes a link of.
fn without_brackets(text: &str) -> String {
    text.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_out_of_packet_lines() {
        let ends = [
            ("IP", "192.0.2.9", "192.0.2.21", "192[.]0[.]2[.]9", "192[.]0[.]2[.]21"),
            ("IP6", "2001:db8::9", "2001:db8::21", "2001[:]db8[:][:]9", "2001[:]db8[:][:]21"),
        ];
        for (word, source, destination, bracketed, other) in ends {
            let plain =
                format!("07:29:48.654684 {word} {source}.41226 > {destination}.69: UDP, length 4");
            let cases = [
                format!("07:29:48.654684 {word} {source}.41226 -> {destination}.69: UDP, length 4"),
                format!("07:29:48.654684 {word} {source}.41226 → {destination}.69: UDP, length 4"),
                format!(
                    "07:29:48.654684 {word} {source}.41226 \\> {destination}.69: UDP, length 4"
                ),
                format!(
                    "07:29:48.654684 {word} *{source}*.41226 > `{destination}`.69: UDP, length 4"
                ),
                format!(
                    "07:29:48.654684 {word} __{source}__.41226 > {destination}.69: UDP, length 4"
                ),
                format!("07:29:48.654684 {word} {bracketed}.41226 > {other}.69: UDP, length 4"),
                format!(
                    "07:29:48.654684 {word} <b>{source}</b>.41226 > {destination}.69: UDP, length 4"
                ),
                format!("<pre><code class=\"x\">{plain}</code></pre>"),
                format!("<div>{plain}</div>"),
                format!("{plain}[/code]"),
                format!("[CODE]{plain}"),
                format!("{{code:title=a}}{plain}{{code}}"),
                plain.clone(),
            ];
            for text in cases {
                assert_eq!(remove_marks(&text).trim(), plain, "{text}");
            }
        }
    }

    #[test]
    fn what_tools_print_stays() {
        let cases = [
            "07:29:48.654684 IP 192.0.2.9.53 > 192.0.2.21.5: 100* [1au] 1/0/0 A 198.51.100.1 (43)",
            "07:29:48.654684 IP 192.0.*.*.53 > 192.0.2.21.5: UDP, length 4",
            "07:29:48.654684 IP 192.0.2.9.5 > 192.0.2.21.80: Flags [S], options [mss 1460,nop], length 0",
            "07:29:48.654684 IP 192.0.2.9.5 > 192.0.2.21.53: [bad udp cksum 0x1 -> 0x2!] 1+ A? a. (20)",
            "0.545306 port1 in 192.0.2.1.5 -> 192.0.2.2.69: udp 4",
            "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500",
            "<flow><meta direction=\"original\">",
            "[{\"ifname\": \"eth0\"}]",
            "{\"log\": 1}",
            "07:29:48.654684 IP <A>.57222 > <B>.53: 6+ A? a.example. (27)",
            "07:29:48.654684 IP6 <a> > <S>: ICMP6, destination unreachable, unreachable port, <a> udp port 5, length 83",
            "07:29:48.654684 IP <h3>.5 > 192.0.2.21.53: UDP, length 4",
            "a < b",
            "<",
            "[",
        ];
        for text in cases {
            assert_eq!(remove_marks(text), text);
        }
    }
}
