//! Backups by TFTP (RFC 1350, options of RFC 2347): a server that answers from a
//! port of its own, and devices that go on where it answered, or do not.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

const ACK: u8 = 4;

/// Does what `words` say:
///
/// - `serve ADDRESS` takes backups until it is killed;
/// - `put SOURCE DESTINATION to-answerer|to-asked` makes one; fails where no
///   block is acknowledged;
/// - `ask SOURCE DESTINATION COUNT` asks for a file so many times, a second apart, and
///   expects no answer;
/// - `mute ADDRESS` takes requests until it is killed, and says nothing.
pub fn run(words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    match words[0] {
        "serve" => serve(words[1].parse().unwrap()),
        "put" => put(words[1].parse().unwrap(), words[2].parse().unwrap(), words[3] == "to-asked"),
        "ask" => ask(words[1], words[2], words[3].parse().unwrap()),
        "mute" => mute(words[1]),
        other => panic!("no helper is called {other}"),
    }
}

fn ask(source: &str, destination: &str, count: u32) {
    let socket = UdpSocket::bind(source).unwrap();
    for _ in 0..count {
        // An ICMP error to an earlier one is told here: that is no failure.
        let _ = socket.send_to(b"\0\x01startup.cfg\0octet\0", destination);
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn mute(address: &str) {
    let socket = UdpSocket::bind(address).unwrap();
    loop {
        let _ = socket.recv_from(&mut [0; 2_048]);
    }
}

fn serve(address: SocketAddr) {
    let socket = UdpSocket::bind(address).unwrap();
    let mut buffer = [0; 2_048];
    loop {
        // ICMP errors of earlier answers are told here.
        let Ok((_, client)) = socket.recv_from(&mut buffer) else { continue };
        std::thread::spawn(move || take_backup(SocketAddr::new(address.ip(), 0), client));
    }
}

fn take_backup(address: SocketAddr, client: SocketAddr) {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    let mut answer = b"\0\x06blksize\x00512\0".to_vec();
    let mut buffer = [0; 2_048];
    let mut misses = 0;
    let mut is_due = true;
    while misses < 4 {
        if is_due {
            // An earlier answer was refused, perhaps; this one may not be.
            let _ = socket.send_to(&answer, client);
        }
        match socket.recv_from(&mut buffer) {
            Ok((length, _)) if length >= 4 && buffer[1] == 3 => {
                answer = vec![0, ACK, buffer[2], buffer[3]];
                is_due = true;
                misses = 0;
                if length < 516 {
                    let _ = socket.send_to(&answer, client);
                    return;
                }
            }
            Ok(_) => is_due = false,
            Err(_) => {
                misses += 1;
                is_due = true;
            }
        }
    }
}

fn put(source: SocketAddr, asked: SocketAddr, is_stubborn: bool) {
    let socket = UdpSocket::bind(source).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1_500))).unwrap();
    socket.send_to(b"\0\x02startup.cfg\0octet\0blksize\x00512\0", asked).unwrap();
    let mut buffer = [0; 2_048];
    let mut acknowledged = 0_u16;
    for _ in 0..12 {
        let Ok((_, answerer)) = socket.recv_from(&mut buffer) else { continue };
        let to = if is_stubborn { SocketAddr::new(asked.ip(), answerer.port()) } else { answerer };
        if buffer[1] == ACK {
            acknowledged = u16::from_be_bytes([buffer[2], buffer[3]]);
        }
        if acknowledged == 3 {
            return;
        }
        let block = acknowledged + 1;
        let mut packet = vec![0, 3];
        packet.extend(block.to_be_bytes());
        packet.resize(if block == 3 { 104 } else { 516 }, b'#');
        let _ = socket.send_to(&packet, to);
    }
    panic!("{acknowledged} blocks were acknowledged");
}
