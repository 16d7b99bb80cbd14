//! Verdicts and causes from tcpdump's lines: each fault beside its near misses.

#[cfg(test)]
mod begun;
#[cfg(test)]
mod family;
#[cfg(test)]
#[path = "../support/folder.rs"]
mod folder;
#[cfg(test)]
mod handshakes;
#[cfg(test)]
#[path = "../support/header.rs"]
mod header;
#[cfg(test)]
mod links;
#[cfg(test)]
mod neighbours;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod requests;
#[cfg(test)]
#[path = "../support/tcpdump.rs"]
mod tcpdump;
#[cfg(test)]
#[path = "../support/udp.rs"]
mod udp;
