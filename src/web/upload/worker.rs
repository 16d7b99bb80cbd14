//! The thread that owns an analysis, and the queue that feeds it.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender};

use super::super::chunks::{ChunkReader, Fault, Next, Source};
use super::super::error::Error;
use super::gather::Gather;
use super::turn::Turn;
use crate::analysis::{Analysis, ReportHeader};
use crate::model::capture::CapturePoint;
use crate::model::cluster::ClusterFacts;
use crate::model::input::InputError;
use crate::model::report::Report;
use crate::store::CaptureBlobs;

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
    /// Bytes of the input that were not sent yet.
    gather: Gather,
}

/// How long bytes wait for others that come with them.
const GATHER_TIME: Duration = Duration::from_millis(20);

impl Feed {
    pub fn new(pieces: Sender<Piece>) -> Self {
        // As many as the queue and the store hold, and one that is read.
        let gather = Gather::new(pieces.max_capacity() + 4);
        Self { pieces, gather }
    }

    /// Waits until there is room.
    ///
    /// # Errors
    ///
    /// [`Error::CutOff`] where the analysis has ended; it knows why.
    pub async fn send(&mut self, piece: Piece) -> Result<(), Error> {
        self.send_rest().await?;
        self.gather.end_input();
        self.queue(piece).await
    }

    /// Sends what was read of an input, once there is much of it. What it was read into is
    /// free again then.
    ///
    /// # Errors
    ///
    /// As [`Feed::send`].
    pub async fn send_bytes(&mut self, mut read: Bytes) -> Result<(), Error> {
        while !read.is_empty() {
            if let Some(block) = self.gather.take(&mut read) {
                self.queue(Piece::Bytes(block)).await?;
            }
        }
        Ok(())
    }

    /// What `next` reads of an input. Where it is slow to come, what was read before is
    /// sent meanwhile.
    ///
    /// # Errors
    ///
    /// As [`Feed::send`].
    pub async fn wait_for<T>(&mut self, next: impl Future<Output = T>) -> Result<T, Error> {
        let mut next = pin!(next);
        if self.gather.has_bytes() {
            if let Ok(read) = tokio::time::timeout(GATHER_TIME, next.as_mut()).await {
                return Ok(read);
            }
            self.send_rest().await?;
        }
        Ok(next.await)
    }

    async fn send_rest(&mut self) -> Result<(), Error> {
        match self.gather.take_rest() {
            Some(rest) => self.queue(Piece::Bytes(rest)).await,
            None => Ok(()),
        }
    }

    async fn queue(&mut self, piece: Piece) -> Result<(), Error> {
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

/// The other end of the queue. The turn is held while there is work, and given to
/// others while the sender is waited for.
#[derive(Debug)]
pub struct Pieces {
    queue: Receiver<Piece>,
    turn: Turn,
}

impl Pieces {
    pub const fn new(queue: Receiver<Piece>, turn: Turn) -> Self {
        Self { queue, turn }
    }

    /// Waits for the next piece, and then for a turn. Those that have pieces take
    /// turns as well, so that a fast sender does not keep a processor to itself.
    fn next_piece(&mut self) -> Option<Piece> {
        self.turn.give_back();
        let piece = self.queue.blocking_recv();
        self.turn.take();
        piece
    }
}

/// Analyses what comes through the queue until [`Piece::Finish`].
///
/// # Errors
///
/// Where an input cannot be analysed or kept, or the queue ends before that.
/// The captures written so far are removed then.
pub fn analyse(
    mut pieces: Pieces,
    mut analysis: Analysis,
    mut captures: CaptureBlobs,
) -> Result<(Report, CaptureBlobs), Error> {
    let mut parts = Vec::new();
    while let Some(piece) = pieces.next_piece() {
        match piece {
            Piece::Device { address, name } => analysis.name_device(address, &name),
            Piece::Begin { label, kind: Kind::Capture { point } } => {
                let file = captures.create()?;
                let mut input = ChunkReader::new(Part(&mut pieces), Some(file));
                let read = analysis.read_capture(&label, point.clone(), &mut input);
                finish_part(input, read)?;
                parts.push((label, point));
            }
            Piece::Begin { label, kind: Kind::Inventory } => {
                let mut input = ChunkReader::new(Part(&mut pieces), None);
                let read = analysis.read_inventory(&label, &mut input);
                finish_part(input, read)?;
            }
            Piece::Cluster(cluster) => analysis.add_cluster(*cluster),
            Piece::Bytes(_) | Piece::End => {}
            Piece::Finish(header) => {
                read_in_order(&mut analysis, &parts, &captures)?;
                return Ok((analysis.finish(header)?, captures));
            }
        }
    }
    Err(Error::CutOff)
}

/// Reads the captures once more, from their files, where they came in another order than
/// they were taken and that makes a difference.
fn read_in_order(
    analysis: &mut Analysis,
    parts: &[(String, Option<CapturePoint>)],
    captures: &CaptureBlobs,
) -> Result<(), Error> {
    let Some(order) = analysis.find_order_to_read_again() else { return Ok(()) };
    analysis.begin_again();
    for part in order {
        let Some((label, point)) = parts.get(part) else { continue };
        analysis.read_capture(label, point.clone(), &mut captures.open(part)?)?;
    }
    Ok(())
}

/// One part of the body.
struct Part<'a>(&'a mut Pieces);

impl Source for Part<'_> {
    fn next(&mut self) -> Next {
        match self.0.next_piece() {
            Some(Piece::Bytes(chunk)) => Next::Bytes(chunk),
            Some(Piece::End) => Next::End,
            Some(
                Piece::Device { .. } | Piece::Begin { .. } | Piece::Cluster(_) | Piece::Finish(_),
            )
            | None => Next::Gone,
        }
    }
}

/// Reads a part to its end where it can be analysed.
fn finish_part(
    mut input: ChunkReader<Part<'_>>,
    read: Result<(), InputError>,
) -> Result<(), Error> {
    if read.is_ok() {
        input.read_rest();
    }
    match input.finish().1 {
        Err(Fault::Store(error)) => Err(error.into()),
        Err(Fault::Gone) => Err(Error::CutOff),
        Ok(()) => Ok(read?),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::channel;
    use tokio::time::timeout;

    use super::*;
    use crate::store::WHOLE_BYTES;

    fn bytes_of(piece: Option<Piece>) -> Bytes {
        match piece {
            Some(Piece::Bytes(bytes)) => bytes,
            other => unreachable!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_came_is_sent_while_more_is_waited_for() {
        let (pieces, mut queue) = channel(4);
        let mut feed = Feed::new(pieces);
        feed.send_bytes(Bytes::from_static(b"slow")).await.unwrap();
        assert!(queue.try_recv().is_err());
        // The sender sends no more before what it has sent is analysed.
        let next = timeout(Duration::from_secs(30), queue.recv());
        let arrived = feed.wait_for(next).await.unwrap().unwrap();
        assert_eq!(bytes_of(arrived), "slow");
        // With nothing to send, nothing but the sender is waited for.
        assert!(feed.wait_for(std::future::ready(true)).await.unwrap());
        assert!(queue.try_recv().is_err());
    }

    #[tokio::test]
    async fn bytes_come_before_what_follows_on_them() {
        let (pieces, mut queue) = channel(4);
        let mut feed = Feed::new(pieces);
        feed.send_bytes(vec![7; WHOLE_BYTES + 1].into()).await.unwrap();
        feed.send(Piece::End).await.unwrap();
        assert_eq!(bytes_of(queue.recv().await).len(), WHOLE_BYTES);
        assert_eq!(bytes_of(queue.recv().await).len(), 1);
        assert!(matches!(queue.recv().await, Some(Piece::End)));
        drop(queue);
        let sent = feed.send_bytes(vec![7; WHOLE_BYTES].into()).await;
        assert!(matches!(sent, Err(Error::CutOff)));
    }
}
