//! The thread that owns an analysis, and the queue that feeds it.

use std::io::{self, Read};
use std::net::IpAddr;

use bytes::{Buf, Bytes};
use tokio::sync::mpsc::{Receiver, Sender};

use super::super::error::Error;
use crate::analysis::{Analysis, Limits, ReportHeader};
use crate::model::capture::CapturePoint;
use crate::model::cluster::ClusterFacts;
use crate::model::progress::Counts;
use crate::model::report::Report;
use crate::store::{self, BlobWriter, CaptureBlobs};

/// What an input is.
#[derive(Debug)]
pub enum Kind {
    Capture { point: Option<CapturePoint> },
    Inventory,
}

/// What the queue holds, in the order of the body.
#[derive(Debug)]
pub enum Piece {
    Device {
        address: IpAddr,
        name: String,
    },
    Begin {
        label: String,
        kind: Kind,
    },
    Bytes(Bytes),
    End,
    /// What a live cluster says of itself.
    Cluster(Box<ClusterFacts>),
    Finish(ReportHeader),
}

/// The end of the queue into which the request's body goes.
#[derive(Debug)]
pub struct Feed {
    pieces: Sender<Piece>,
}

impl Feed {
    pub fn new(pieces: Sender<Piece>) -> Self {
        Self { pieces }
    }

    /// Waits until there is room.
    ///
    /// # Errors
    ///
    /// [`Error::CutOff`] where the analysis has ended; it knows why.
    pub async fn send(&mut self, piece: Piece) -> Result<(), Error> {
        self.pieces.send(piece).await.map_err(|_| Error::CutOff)
    }

    /// Sends what clusters say, and that all is said.
    ///
    /// # Errors
    ///
    /// As [`Feed::send`], and where `clusters` is an error.
    pub async fn finish(
        &mut self,
        clusters: Result<Vec<ClusterFacts>, Error>,
        header: ReportHeader,
    ) -> Result<(), Error> {
        for cluster in clusters? {
            self.send(Piece::Cluster(Box::new(cluster))).await?;
        }
        self.send(Piece::Finish(header)).await
    }
}

/// Analyses what comes through the queue until [`Piece::Finish`].
///
/// # Errors
///
/// Where an input cannot be analysed or kept, or the queue ends before that.
/// The captures written so far are removed then.
pub fn analyse(
    mut queue: Receiver<Piece>,
    limits: Limits,
    counts: Counts,
    mut captures: CaptureBlobs,
) -> Result<(Report, CaptureBlobs), Error> {
    let mut analysis = Analysis::new(limits).counting_into(counts);
    while let Some(piece) = queue.blocking_recv() {
        match piece {
            Piece::Device { address, name } => analysis.name_device(address, &name),
            Piece::Begin { label, kind: Kind::Capture { point } } => {
                let mut input = PartReader::new(&mut queue, Some(captures.create()?));
                let result = analysis.read_capture(&label, point, &mut input);
                input.finish(result.map_err(Error::from))?;
            }
            Piece::Begin { label, kind: Kind::Inventory } => {
                let mut input = PartReader::new(&mut queue, None);
                let result = analysis.read_inventory(&label, &mut input);
                input.finish(result.map_err(Error::from))?;
            }
            Piece::Cluster(cluster) => analysis.add_cluster(*cluster),
            Piece::Bytes(_) | Piece::End => {}
            Piece::Finish(header) => return Ok((analysis.finish(header)?, captures)),
        }
    }
    Err(Error::CutOff)
}

/// One part of the body as a reader, which writes what it reads to the
/// capture's file.
struct PartReader<'a> {
    queue: &'a mut Receiver<Piece>,
    chunk: Bytes,
    has_ended: bool,
    file: Option<BlobWriter>,
    fault: Option<Error>,
}

impl<'a> PartReader<'a> {
    fn new(queue: &'a mut Receiver<Piece>, file: Option<BlobWriter>) -> Self {
        Self { queue, chunk: Bytes::new(), has_ended: false, file, fault: None }
    }

    /// Reads what the analysis left, so that the file is whole. A fault of
    /// the queue or the file explains what the analysis says, not the reverse.
    fn finish(mut self, result: Result<(), Error>) -> Result<(), Error> {
        if result.is_ok() {
            while self.fault.is_none() && !self.has_ended {
                self.next_chunk();
            }
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        result?;
        self.file.map_or(Ok(()), BlobWriter::finish)?;
        Ok(())
    }

    /// Takes the next chunk, notes the part's end, or notes a fault.
    fn next_chunk(&mut self) {
        match self.queue.blocking_recv() {
            Some(Piece::Bytes(chunk)) => {
                let written: Result<(), store::Error> =
                    self.file.as_mut().map_or(Ok(()), |file| file.write(&chunk));
                self.fault = written.err().map(Error::from);
                self.chunk = chunk;
            }
            Some(Piece::End) => self.has_ended = true,
            Some(
                Piece::Device { .. } | Piece::Begin { .. } | Piece::Cluster(_) | Piece::Finish(_),
            )
            | None => {
                self.fault = Some(Error::CutOff);
            }
        }
    }
}

impl Read for PartReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.chunk.has_remaining() {
            if self.fault.is_some() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            if self.has_ended {
                return Ok(0);
            }
            self.next_chunk();
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    fn queue_of(pieces: Vec<Piece>) -> Receiver<Piece> {
        let (sender, receiver) = mpsc::channel(pieces.len().max(1));
        for piece in pieces {
            sender.try_send(piece).unwrap();
        }
        receiver
    }

    fn bytes(text: &'static str) -> Piece {
        Piece::Bytes(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn a_part_ends_where_its_sender_ends_it() {
        let mut queue =
            queue_of(vec![bytes("ab"), bytes(""), bytes("cde"), Piece::End, bytes("f")]);
        let mut reader = PartReader::new(&mut queue, None);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcde");
        assert!(reader.finish(Ok(())).is_ok());
    }

    #[test]
    fn a_part_that_is_cut_off_is_no_part() {
        let mut queue = queue_of(vec![bytes("ab")]);
        let mut reader = PartReader::new(&mut queue, None);
        assert!(reader.read_to_string(&mut String::new()).is_err());
        assert!(matches!(reader.finish(Ok(())), Err(Error::CutOff)));
    }

    #[test]
    fn what_the_analysis_leaves_is_read_to_the_end() {
        let mut queue = queue_of(vec![bytes("ab"), bytes("cd"), Piece::End, bytes("next")]);
        let reader = PartReader::new(&mut queue, None);
        assert!(reader.finish(Ok(())).is_ok());
        assert!(matches!(queue.try_recv(), Ok(Piece::Bytes(next)) if next == "next"));
    }
}
