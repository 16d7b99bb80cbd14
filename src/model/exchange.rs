//! Exchanges: one client socket's conversation, as the packets show it.
