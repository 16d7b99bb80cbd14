//! What BSD systems and macOS print between a packet's time and its addresses.

use super::pf_log::find_logged;
use crate::model::capture::Direction;

/// Where a packet was seen, in the words of a packet filter or of macOS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remark<'a> {
    pub interface: &'a str,
    pub direction: Option<Direction>,
    pub rest: &'a str,
}

/// `rule 5/0(match): block in on em0: ` of `tcpdump -e -i pflog0`, and
/// `(en0, proc tftp:123, out, so) ` of macOS' `tcpdump -k`.
pub fn find_remark(text: &str) -> Option<Remark<'_>> {
    find_rule(text).or_else(|| find_metadata(text))
}

fn find_rule(text: &str) -> Option<Remark<'_>> {
    let logged = find_logged(text)?;
    let direction = find_direction(logged.direction);
    Some(Remark { interface: logged.interface, direction, rest: logged.rest })
}

fn find_metadata(text: &str) -> Option<Remark<'_>> {
    let (inside, rest) = text.strip_prefix('(')?.split_once(") ")?;
    let mut items = inside.split(", ");
    let interface = items.next().filter(|name| !name.is_empty() && !name.contains(' '))?;
    let direction = items.find_map(find_direction)?;
    Some(Remark { interface, direction: Some(direction), rest: rest.trim_start() })
}

fn find_direction(word: &str) -> Option<Direction> {
    match word {
        "in" => Some(Direction::In),
        "out" => Some(Direction::Out),
        _ => None,
    }
}
