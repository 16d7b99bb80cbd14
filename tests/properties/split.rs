//! One cable's packets as several taps see them.

use super::frames::{Frames, RawFrame, find_ip};

impl Frames {
    /// As a tap with an interface for each direction: what the lower address of each pair
    /// sends, and what the higher one does.
    pub fn by_direction(&self) -> Self {
        assert_eq!(self.interfaces.len(), 1);
        let link_type = self.interfaces[0].1;
        let frames = self.frames.iter().map(|frame| {
            let ends = find_ends(&frame.bytes, link_type);
            let is_higher = ends.is_some_and(|(source, destination)| source > destination);
            RawFrame { interface: u32::from(is_higher), ..frame.clone() }
        });
        Self { frames: frames.collect(), interfaces: vec![(None, link_type); 2] }
    }

    /// The frames of each interface as a capture of its own, those without any left out.
    pub fn apart(&self) -> Vec<Self> {
        let interfaces = 0..u32::try_from(self.interfaces.len()).unwrap();
        let own = interfaces.map(|number| Self {
            interfaces: vec![(None, self.interfaces[number as usize].1)],
            frames: self
                .frames
                .iter()
                .filter(|frame| frame.interface == number)
                .map(|frame| RawFrame { interface: 0, ..frame.clone() })
                .collect(),
        });
        own.filter(|capture| !capture.frames.is_empty()).collect()
    }

    /// Whether it shows a datagram before and after its translation: then it is not one
    /// cable's, and which of the two an interface of its own would show is not known.
    pub fn shows_translation(&self) -> bool {
        const PASSING_NS: i64 = 50_000_000;
        let datagrams: Vec<_> = self
            .frames
            .iter()
            .filter_map(|frame| Some((frame.at_ns, find_datagram(frame, self.link_type(frame))?)))
            .collect();
        datagrams.iter().enumerate().any(|(place, (at_ns, (ends, payload)))| {
            let later = datagrams[place + 1..].iter();
            later.take_while(|(later_ns, _)| later_ns - at_ns <= PASSING_NS).any(
                |(_, (other_ends, other))| {
                    payload.len() > 8 && payload == other && ends != other_ends
                },
            )
        })
    }
}

/// The bytes of a source's address, and those of the destination's.
type Ends<'f> = (&'f [u8], &'f [u8]);

/// Source and destination of an IP packet, and who asks for whom with ARP.
fn find_ends(bytes: &[u8], link_type: u16) -> Option<Ends<'_>> {
    let Some(at) = find_ip(bytes, link_type) else {
        let arp = (link_type == 1).then_some(14)?;
        return Some((bytes.get(arp + 14..arp + 18)?, bytes.get(arp + 24..arp + 28)?));
    };
    let (from, length) = if bytes.get(at)? >> 4 == 4 { (at + 12, 4) } else { (at + 8, 16) };
    Some((bytes.get(from..from + length)?, bytes.get(from + length..from + 2 * length)?))
}

/// The addresses of a UDP datagram, and its payload; of one in a tunnel, those outside.
fn find_datagram(frame: &RawFrame, link_type: u16) -> Option<(Ends<'_>, &[u8])> {
    let bytes = frame.bytes.as_slice();
    let at = find_ip(bytes, link_type)?;
    let (protocol, udp_at) = match bytes.get(at)? >> 4 {
        4 => (bytes.get(at + 9)?, at + usize::from(bytes[at] & 15) * 4),
        _ => (bytes.get(at + 6)?, at + 40),
    };
    (*protocol == 17).then_some(())?;
    Some((find_ends(bytes, link_type)?, bytes.get(udp_at + 8..)?))
}
