//! Packets to exchanges.
