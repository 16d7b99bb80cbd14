//! A program that receives webhooks on loopback, and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use serde_json::Value;

/// How it answers.
#[derive(Clone, Copy)]
pub enum Manner {
    /// With these statuses, one after the other, and then with 200.
    Answers(&'static [u16]),
    /// Not at all: it takes requests and keeps the connections.
    Silent,
}

/// A request that came.
#[derive(Debug)]
pub struct Received {
    /// The request line's path and query.
    pub path: String,
    pub body: Value,
}

/// It receives until the test ends.
pub struct Hook {
    pub address: SocketAddr,
    received: Receiver<Received>,
}

impl Hook {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = channel();
        std::thread::spawn(move || serve(&listener, manner, &sender));
        Self { address, received }
    }

    /// The next request; it must come soon.
    pub fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// Whether none comes within this time.
    pub fn is_quiet_for(&self, time: Duration) -> bool {
        matches!(self.received.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }
}

fn serve(listener: &TcpListener, manner: Manner, received: &Sender<Received>) {
    let mut kept = Vec::new();
    let mut statuses = match manner {
        Manner::Answers(statuses) => statuses.iter(),
        Manner::Silent => [].iter(),
    };
    for connection in listener.incoming() {
        let mut connection = connection.unwrap();
        let _ = received.send(read(&connection));
        match manner {
            Manner::Silent => kept.push(connection),
            Manner::Answers(_) => {
                let status = statuses.next().unwrap_or(&200);
                // It may have gone.
                let _ = write!(
                    connection,
                    "HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
                );
            }
        }
    }
}

fn read(connection: &TcpStream) -> Received {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap().to_owned();
    assert!(line.starts_with("POST "), "{line}");
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let lower = line.to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Received { path, body: serde_json::from_slice(&body).unwrap() }
}
