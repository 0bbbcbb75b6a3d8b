//! Where packets come from: the kernel's packet ring, capture files, devices, filters.

#![deny(unsafe_op_in_unsafe_fn)]

pub mod device;
pub mod file;
pub mod filter;
pub mod live;
mod netlink;
mod ring;
mod sys;
