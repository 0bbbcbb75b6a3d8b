//! Ordered bytes to transactions: the protocol trait, what protocols share, one folder per protocol
