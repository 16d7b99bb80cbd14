//! Verdicts and causes from tcpdump's lines: each fault beside its near misses.

#[cfg(test)]
mod begun;
#[cfg(test)]
mod between;
#[cfg(test)]
mod family;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod folded;
#[cfg(test)]
#[path = "../support/folder.rs"]
mod folder;
#[cfg(test)]
mod guesses;
#[cfg(test)]
mod handshakes;
#[cfg(test)]
#[path = "../support/header.rs"]
mod header;
#[cfg(test)]
mod links;
#[cfg(test)]
mod masked;
#[cfg(test)]
mod midway;
#[cfg(test)]
mod named;
#[cfg(test)]
mod names;
#[cfg(test)]
mod neighbours;
#[cfg(test)]
mod overlays;
#[cfg(test)]
mod pauses;
#[cfg(test)]
mod polls;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod tables;
#[cfg(test)]
#[path = "../support/tcpdump.rs"]
mod tcpdump;
#[cfg(test)]
mod translators;
#[cfg(test)]
#[path = "../support/udp.rs"]
mod udp;
#[cfg(test)]
mod wireguard;
