//! What the datagrams carry: messages that decoders of these protocols accept.

/// A TFTP request with one option (RFC 1350, RFC 2347). `opcode` is 1 to read, 2 to write.
pub fn tftp_request(opcode: u8, file: &str) -> Vec<u8> {
    [&[0, opcode], file.as_bytes(), b"\0octet\0blksize\x001400\0"].concat()
}

/// TFTP's answer to options.
pub fn tftp_options() -> Vec<u8> {
    b"\0\x06blksize\x001400\0".to_vec()
}

/// A TFTP block of `length` bytes.
pub fn tftp_block(block: u16, length: usize) -> Vec<u8> {
    [&[0, 3], block.to_be_bytes().as_slice(), &filler(length, block.into())].concat()
}

/// TFTP's acknowledgement of a block.
pub fn tftp_acknowledgement(block: u16) -> Vec<u8> {
    [&[0, 4], block.to_be_bytes().as_slice()].concat()
}

/// A DNS query for a TXT record, or its answer with a text of `answer` bytes.
pub fn dns(identity: u16, host: &str, answer: Option<usize>) -> Vec<u8> {
    const TXT_IN: [u8; 4] = [0, 16, 0, 1];
    let flags: [u8; 2] = if answer.is_some() { [0x81, 0x80] } else { [0x01, 0x00] };
    let mut bytes = identity.to_be_bytes().to_vec();
    bytes.extend(flags);
    bytes.extend([0, 1, 0, u8::from(answer.is_some()), 0, 0, 0, 0]);
    for label in [host, "example"] {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(TXT_IN);
    if let Some(length) = answer {
        let mut text = Vec::new();
        for part in filler(length, identity.into()).chunks(255) {
            text.push(part.len() as u8);
            text.extend(part);
        }
        bytes.extend([0xc0, 0x0c]);
        bytes.extend(TXT_IN);
        bytes.extend([0, 0, 0, 60]);
        bytes.extend((text.len() as u16).to_be_bytes());
        bytes.extend(text);
    }
    bytes
}

/// The kinds of SNMP messages, by their BER tag (RFC 3416, section 3).
#[derive(Clone, Copy)]
pub enum Snmp {
    Get = 0xa0,
    Response = 0xa2,
    Inform = 0xa6,
    Trap = 0xa7,
}

/// An SNMPv2c message whose one variable has a value of `length` bytes.
pub fn snmp(kind: Snmp, request: u32, length: usize) -> Vec<u8> {
    let name = element(0x06, &[0x2b, 6, 1, 2, 1, 1, 1, 0]);
    let value = if length == 0 {
        element(0x05, &[])
    } else {
        element(0x04, &filler(length, request.into()))
    };
    let variables = element(0x30, &element(0x30, &[name, value].concat()));
    let request = element(0x02, &(request & 0x7fff_ffff).to_be_bytes());
    let zero = element(0x02, &[0]);
    let unit = element(kind as u8, &[request, zero.clone(), zero, variables].concat());
    let community = element(0x04, b"public");
    element(0x30, &[element(0x02, &[1]), community, unit].concat())
}

/// A syslog line (RFC 3164) of about `length` bytes.
pub fn syslog(length: usize) -> Vec<u8> {
    [b"<134>switch: ".as_slice(), &filler(length, 134)].concat()
}

/// A NetFlow version 9 packet (RFC 3954), as far as its header.
pub fn netflow(length: usize) -> Vec<u8> {
    [&[0, 9, 0, 20], filler(length, 9).as_slice()].concat()
}

/// An NTP message (RFC 5905): the answer repeats the request's time as its origin.
pub fn ntp(stamp: u64, is_answer: bool) -> Vec<u8> {
    let mut bytes = vec![0; 48];
    bytes[0] = if is_answer { 0x24 } else { 0x23 };
    bytes[1] = u8::from(is_answer);
    let origin = if is_answer { 24 } else { 40 };
    bytes[origin..origin + 8].copy_from_slice(&stamp.to_be_bytes());
    if is_answer {
        bytes[40..48].copy_from_slice(&stamp.wrapping_add(1 << 20).to_be_bytes());
    }
    bytes
}

/// Text that compresses about as well as configurations do.
pub fn filler(length: usize, number: u64) -> Vec<u8> {
    const WORDS: &[u8] = b"interface GigabitEthernet0/0/1 description uplink no shutdown \
        ip address 192.0.2.1 255.255.255.0 neighbor route-map permit 10 changed state to up ";
    let start = (number as usize).wrapping_mul(31) % WORDS.len();
    let mut bytes: Vec<u8> = WORDS.iter().cycle().skip(start).take(length).copied().collect();
    // Every 40th byte differs, or all blocks would compress to nothing.
    for (index, byte) in bytes.iter_mut().step_by(40).enumerate() {
        *byte = (number as usize).wrapping_mul(97).wrapping_add(index * 13) as u8 | 0x20;
    }
    bytes
}

/// A BER element (X.690, section 8.1).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head: &[u8] = match length {
        0..128 => &[tag, length as u8],
        128..256 => &[tag, 0x81, length as u8],
        _ => &[tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content].concat()
}
