//! Where packets come from: the kernel's packet ring, capture files, devices, filters
