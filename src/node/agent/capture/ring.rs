//! A packet socket and the memory that it shares with the kernel: TPACKET_V3,
//! the kernel's `Documentation/networking/packet_mmap.rst`.
//!
//! The one module of the crate that lifts the lint on unsafe code. What the
//! blocks hold is read from plain bytes, in [`block`](super::block).

use std::io;
use std::os::fd::AsRawFd as _;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::block::{self, RingPacket};
use super::bpf::Instruction;
use super::pcapng::Counts;
use super::program::LinkLayer;

/// Bytes of one block: the kernel hands over whole blocks.
const BLOCK_BYTES: usize = 256 << 10;

/// The kernel wants to hear of a frame's size, and then has no use for it.
const FRAME_BYTES: u32 = 2_048;

/// After how long the kernel hands over a block that is not full.
pub const RETIRE_TIME: Duration = Duration::from_millis(50);

/// Who owns a block: `TP_STATUS_KERNEL`, `TP_STATUS_USER`.
const KERNEL: u32 = 0;
const USER: u32 = 1;

/// A packet socket on one interface, with its ring.
#[derive(Debug)]
pub struct Ring {
    socket: Socket,
    memory: NonNull<u8>,
    blocks: usize,
    /// The block that the kernel fills next.
    next: usize,
}

// SAFETY: the memory belongs to this ring alone, and `&mut self` is needed to
// read it; a mapping is not bound to a thread.
unsafe impl Send for Ring {}

impl Ring {
    /// Opens a socket on the interface with this kernel index. Packets come
    /// once `program` has let them pass: it is attached before the socket is
    /// bound, so none slips in unfiltered.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses: without CAP_NET_RAW, or where the interface is gone.
    pub fn open(
        interface_index: u32,
        link: LinkLayer,
        program: &[Instruction],
        memory_bytes: usize,
    ) -> io::Result<Self> {
        let kind = match link {
            LinkLayer::Ethernet => Type::RAW,
            LinkLayer::Network => Type::DGRAM,
        };
        // Protocol 0: nothing is received before the bind.
        let socket = Socket::new(Domain::PACKET, kind, Some(Protocol::from(0)))?;
        let program: Vec<SockFilter> =
            program.iter().map(|one| SockFilter::new(one.code, one.jt, one.jf, one.k)).collect();
        socket.attach_filter(&program)?;
        set_option(&socket, libc::PACKET_VERSION, &libc::tpacket_versions::TPACKET_V3)?;
        let blocks = (memory_bytes / BLOCK_BYTES).max(2);
        let length = blocks * BLOCK_BYTES;
        let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let request = libc::tpacket_req3 {
            tp_block_size: u32::try_from(BLOCK_BYTES).map_err(too_large)?,
            tp_block_nr: u32::try_from(blocks).map_err(too_large)?,
            tp_frame_size: FRAME_BYTES,
            tp_frame_nr: u32::try_from(length).map_err(too_large)? / FRAME_BYTES,
            tp_retire_blk_tov: u32::try_from(RETIRE_TIME.as_millis()).map_err(too_large)?,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        set_option(&socket, libc::PACKET_RX_RING, &request)?;
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let memory = NonNull::new(memory.cast::<u8>())
            .ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        // From here on a failure unmaps, too.
        let ring = Self { socket, memory, blocks, next: 0 };
        ring.bind(interface_index)?;
        Ok(ring)
    }

    fn bind(&self, interface_index: u32) -> io::Result<()> {
        let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let protocol = u16::try_from(libc::ETH_P_ALL).map_err(invalid)?;
        let address = libc::sockaddr_ll {
            sll_family: u16::try_from(libc::AF_PACKET).map_err(invalid)?,
            sll_protocol: protocol.to_be(),
            sll_ifindex: i32::try_from(interface_index).map_err(invalid)?,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let length = libc::socklen_t::try_from(size_of_val(&address)).map_err(invalid)?;
        // SAFETY: the address is a whole sockaddr_ll, as a packet socket expects,
        // of that length, and lives until the call returns.
        let result =
            unsafe { libc::bind(self.socket.as_raw_fd(), (&raw const address).cast(), length) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Hands over the packets of one block that the kernel has finished;
    /// whether there was one.
    pub fn read_block(&mut self, take: &mut dyn FnMut(RingPacket<'_>)) -> bool {
        let offset = self.next * BLOCK_BYTES;
        // SAFETY: `next` is less than `blocks`, and the mapping has that many blocks.
        let block = unsafe { self.memory.add(offset) };
        // SAFETY: as above: the status is a field of the block.
        let status = unsafe { block.add(block::STATUS_OFFSET) };
        // SAFETY: the field is 32 bits, aligned as blocks are, within the mapping,
        // which outlives `self`; the kernel and we only access it atomically.
        let status = unsafe { AtomicU32::from_ptr(status.cast::<u32>().as_ptr()) };
        if status.load(Ordering::Acquire) & USER == 0 {
            return false;
        }
        // SAFETY: the block is within the mapping, and is ours until we hand it
        // back below: the kernel does not write to it meanwhile.
        let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr(), BLOCK_BYTES) };
        block::read(bytes, take);
        status.store(KERNEL, Ordering::Release);
        self.next = (self.next + 1) % self.blocks;
        true
    }

    /// What was received and dropped since the last call.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn take_counts(&self) -> io::Result<Counts> {
        let mut counts = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut length = libc::socklen_t::try_from(size_of_val(&counts))
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        // SAFETY: the kernel writes at most `length` bytes, which is the size of the struct.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut counts).cast(),
                &raw mut length,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        // The kernel adds the dropped ones to tp_packets itself.
        Ok(Counts { received: counts.tp_packets.into(), dropped: counts.tp_drops.into() })
    }

    /// Why the socket no longer receives, if it does not: the interface went away or down.
    pub fn take_error(&self) -> Option<io::Error> {
        self.socket.take_error().unwrap_or_else(Some)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping is of this length and nobody has a reference into it:
        // those that `read_block` makes end with it.
        unsafe { libc::munmap(self.memory.as_ptr().cast(), self.blocks * BLOCK_BYTES) };
    }
}

/// Waits until one of the rings has a block, or for `timeout`. Whether each
/// ring's socket has an error to tell is in the result, in their order.
///
/// # Errors
///
/// Where the kernel refuses; an interruption by a signal is none.
pub fn wait<'a>(rings: impl Iterator<Item = &'a Ring>, timeout: Duration) -> io::Result<Vec<bool>> {
    let mut waiting: Vec<libc::pollfd> = rings
        .map(|ring| libc::pollfd { fd: ring.socket.as_raw_fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let count = libc::nfds_t::try_from(waiting.len()).map_err(invalid)?;
    let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the array has `count` elements and lives until the call returns.
    let result = unsafe { libc::poll(waiting.as_mut_ptr(), count, milliseconds) };
    if result < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(waiting.iter().map(|one| one.revents & (libc::POLLERR | libc::POLLNVAL) != 0).collect())
}

fn set_option<T>(socket: &Socket, option: libc::c_int, value: &T) -> io::Result<()> {
    let length = libc::socklen_t::try_from(size_of::<T>())
        .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: the kernel reads `length` bytes, which is the size of `value`.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            ptr::from_ref(value).cast(),
            length,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
