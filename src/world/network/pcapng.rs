//! Bytes of a pcapng file.
//!
//! One section with an interface for each link, a block that gives addresses their names, and a block
//! for each packet. Packets are whole IP packets (link type RAW), times are nanoseconds since 1970.
//!
//! # Source
//! draft-ietf-opsawg-pcapng, sections 4.1 (section header), 4.2 (interface), 4.3 (packet) and 4.5 (names).

pub(super) mod headers;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

/// Writes a file, block by block.
#[derive(Debug)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins a file.
    pub(super) fn new() -> Self {
        let mut writer = Self { bytes: Vec::new() };
        writer.block(SECTION, |block| {
            block.word(BYTE_ORDER);
            // Version 1.0, and a section whose length is not told.
            block.half(1);
            block.half(0);
            block.long(u64::MAX);
            block
                .option(USER_APPLICATION, concat!("parcae ", env!("CARGO_PKG_VERSION")).as_bytes());
            block.end_of_options();
        });
        writer
    }

    /// Adds an interface; they are counted from 0, and all come before the first packet.
    pub(super) fn interface(&mut self, name: &str) {
        self.block(INTERFACE, |block| {
            block.half(LINK_RAW);
            block.half(0);
            // Packets are whole, whatever their length.
            block.word(0);
            block.option(INTERFACE_NAME, name.as_bytes());
            block.option(TIME_RESOLUTION, &[9]);
            block.end_of_options();
        });
    }

    /// Adds the names of addresses.
    pub(super) fn names(&mut self, names: &[(IpAddr, &str)]) {
        self.block(NAMES, |block| {
            for (address, name) in names {
                let mut record = match address {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                let kind = if address.is_ipv4() { 1 } else { 2 };
                record.extend_from_slice(name.as_bytes());
                record.push(0);
                block.option(kind, &record);
            }
            block.end_of_options();
        });
    }

    /// Adds a packet.
    pub(super) fn packet(&mut self, interface: u32, nanos: u64, packet: &[u8], comment: &str) {
        self.block(PACKET, |block| {
            block.word(interface);
            block.word((nanos >> 32) as u32);
            block.word((nanos & 0xffff_ffff) as u32);
            block.word(length(packet));
            block.word(length(packet));
            block.padded(packet);
            block.option(COMMENT, comment.as_bytes());
            block.end_of_options();
        });
    }

    /// Returns the file.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes a block around its body: type and length before it, the length again behind it.
    fn block(&mut self, kind: u32, body: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.word(kind);
        self.word(0);
        body(self);
        let total = length(&self.bytes[start..]) + 4;
        self.bytes[start + 4..start + 8].copy_from_slice(&total.to_le_bytes());
        self.word(total);
    }

    fn half(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn word(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn long(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes bytes, and zeros up to a multiple of 4.
    fn padded(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let rest = bytes.len().next_multiple_of(4) - bytes.len();
        self.bytes.extend_from_slice(&[0; 3][..rest]);
    }

    /// Writes an option; one longer than 65,535 bytes is cut there.
    fn option(&mut self, code: u16, value: &[u8]) {
        let count = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.half(code);
        self.half(count);
        self.padded(&value[..count.into()]);
    }

    fn end_of_options(&mut self) {
        self.word(0);
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a block is shorter than 4 GiB")
}

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const PACKET: u32 = 6;

const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const LINK_RAW: u16 = 101;

const COMMENT: u16 = 1;
const INTERFACE_NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const USER_APPLICATION: u16 = 4;
