//! What a line of any of the programs says.

use super::Program;
use super::dig_line::read_dig;
use super::end::End;
use super::openvpn_line::read_openvpn;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ComplaintLine {
    /// The program does not print it.
    Foreign,
    /// A run of dig begins: `; <<>> DiG 9.18.28 <<>> @192.0.2.1 example.com`.
    Banner,
    /// It says nothing about addresses.
    Own,
    /// No answer came that it could take.
    GivenUp,
    /// An answer was thrown away.
    Complaint { source: End, asked: End },
    /// An answer was taken. `is_told_always`: the program says so of each, as only
    /// dig does.
    Answered { server: End, is_told_always: bool },
    /// The program says whom it asks from here on, as only OpenVPN does.
    Asks { server: End },
    /// A complaint whose ends cannot be read, and why.
    Unreadable(&'static str),
}

/// What to say of a complaint that does not name both ends with their ports.
pub(super) const LACKS_ENDS: &str = "tells of an answer that was thrown away, but not both ends with address and port: it is cut, or a port is masked; paste the whole line";
const SAME_MASK: &str = "tells of an answer that was thrown away, and masks both addresses with the same word; give each a word of its own";

/// The program whose run begins here, where no command says so.
#[must_use]
pub fn find_program(text: &str) -> Option<Program> {
    match read_dig(text) {
        ComplaintLine::Banner | ComplaintLine::Complaint { .. } | ComplaintLine::Unreadable(_) => {
            return Some(Program::Dig);
        }
        _ => {}
    }
    match read_openvpn(text) {
        ComplaintLine::Answered { .. }
        | ComplaintLine::Asks { .. }
        | ComplaintLine::Complaint { .. }
        | ComplaintLine::Unreadable(_) => Some(Program::Openvpn),
        _ => None,
    }
}

/// Reads one line of a program.
pub(super) fn read_line(program: Program, text: &str) -> ComplaintLine {
    match program {
        Program::Dig => read_dig(text),
        Program::Openvpn => read_openvpn(text),
    }
}

/// A complaint about two ends. The programs ask and listen with sockets of one family.
pub(super) fn complaint(source: End, asked: End) -> ComplaintLine {
    if source.name().is_some_and(|name| Some(name) == asked.name()) {
        return ComplaintLine::Unreadable(SAME_MASK);
    }
    match (source.is_ipv6(), asked.is_ipv6()) {
        (Some(one), Some(other)) if one != other => ComplaintLine::Unreadable(LACKS_ENDS),
        _ => ComplaintLine::Complaint { source, asked },
    }
}
