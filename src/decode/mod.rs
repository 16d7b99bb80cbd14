//! A frame's bytes to a [`Packet`](crate::model::packet::Packet).
