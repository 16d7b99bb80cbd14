//! Sockets in a namespace: what a test starts of itself there.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::time::Instant;

/// Does what `words` say:
///
/// - `send SOURCE DESTINATION COUNT GAP_US BYTES` sends datagrams;
/// - `rate SOURCE DESTINATION COUNT PER_SECOND BYTES` sends them evenly, and
///   prints how many microseconds that took;
/// - `ask SOURCE DESTINATION` sends one and waits for the answer from anywhere;
/// - `keep SOURCE DESTINATION` is a TFTP client that sends what follows to the
///   address it asked, on the port that answered, until it is killed;
/// - `follow SOURCE DESTINATION` is one that sends it to who answered;
/// - `transfer ADDRESS` is a TFTP server: it sends two blocks, each until it is
///   acknowledged or three times in vain;
/// - `mute ADDRESS` takes datagrams and says nothing;
/// - `serve ADDRESS` answers each datagram from a new port, as TFTP does.
pub fn run(words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    match words[0] {
        "send" => {
            let socket = UdpSocket::bind(words[1]).unwrap();
            let payload = vec![b'x'; usize::try_from(number(5)).unwrap()];
            for _ in 0..number(3) {
                // An ICMP error to an earlier one is told here: that is no failure.
                let _ = socket.send_to(&payload, words[2]);
                std::thread::sleep(Duration::from_micros(number(4)));
            }
        }
        "rate" => {
            let socket = UdpSocket::bind(words[1]).unwrap();
            socket.connect(words[2]).unwrap();
            let payload = vec![b'x'; usize::try_from(number(5)).unwrap()];
            let (count, per_second) = (number(3), number(4));
            let began = Instant::now();
            for sent in 0..count {
                let due = Duration::from_nanos(sent * 1_000_000_000 / per_second);
                // Bursts of a few packets: sleeping for less is not possible.
                std::thread::sleep(due.saturating_sub(began.elapsed()));
                let _ = socket.send(&payload);
            }
            println!("took_us={}", began.elapsed().as_micros());
        }
        "ask" => {
            let socket = UdpSocket::bind(words[1]).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            socket.send_to(b"\0\x01file\0octet\0", words[2]).unwrap();
            let (_, from) = socket.recv_from(&mut [0; 2_000]).unwrap();
            println!("answered_from={from}");
        }
        "keep" | "follow" => {
            let asked: SocketAddr = words[2].parse().unwrap();
            let client: SocketAddr = words[1].parse().unwrap();
            for port in client.port()..=u16::MAX {
                let socket = UdpSocket::bind((client.ip(), port)).unwrap();
                socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                let _ = socket.send_to(b"\0\x01file\0octet\0", asked);
                let Ok((_, from)) = socket.recv_from(&mut [0; 2_000]) else { continue };
                let next = if words[0] == "keep" { asked.ip() } else { from.ip() };
                for number in [1, 2] {
                    let _ = socket.send_to(&[0, 4, 0, number], (next, from.port()));
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        }
        "transfer" => {
            let socket = UdpSocket::bind(words[1]).unwrap();
            let own = SocketAddr::new(socket.local_addr().unwrap().ip(), 0);
            let mut buffer = [0; 2_000];
            loop {
                let (_, from) = socket.recv_from(&mut buffer).unwrap();
                std::thread::spawn(move || transfer(own, from));
            }
        }
        "mute" => {
            let socket = UdpSocket::bind(words[1]).unwrap();
            loop {
                let _ = socket.recv_from(&mut [0; 2_000]);
            }
        }
        "serve" => {
            let socket = UdpSocket::bind(words[1]).unwrap();
            let own = SocketAddr::new(socket.local_addr().unwrap().ip(), 0);
            let mut buffer = [0; 2_000];
            loop {
                let (_, from) = socket.recv_from(&mut buffer).unwrap();
                let fresh = UdpSocket::bind(own).unwrap();
                let _ = fresh.send_to(b"\0\x03\0\x01data", from);
            }
        }
        other => panic!("no helper does {other}"),
    }
}

/// A file of 516 bytes in two blocks (RFC 1350).
fn transfer(own: SocketAddr, client: SocketAddr) {
    let socket = UdpSocket::bind(own).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    for (number, length) in [(1_u8, 512), (2, 4)] {
        let block = [&[0, 3, 0, number][..], &vec![b'd'; length]].concat();
        let is_taken = (0..3).any(|_| {
            let _ = socket.send_to(&block, client);
            socket.recv_from(&mut [0; 2_000]).is_ok()
        });
        if !is_taken {
            return;
        }
    }
}
