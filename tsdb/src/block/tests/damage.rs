//! Bytes that are not what was written: every bit, every length. It is told, nothing panics, and
//! no other data are ever given than were written.

use super::*;
use crate::disk::Disk;

/// Opens and reads all of a block with such bytes.
fn read_changed(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let disk = SimDisk::new(1);
    disk.create(&path()).unwrap().append(bytes).unwrap();
    let block = Block::open(&disk, &path())?;
    let read = content(&block);
    let verified = block.verify();
    assert_eq!(read.is_ok(), verified.is_ok(), "{verified:?}");
    assert_eq!(disk.files()[&path()], bytes, "the file is not changed");
    read
}

#[test]
fn every_flipped_bit_is_detected() {
    let bytes = written().files().remove(&path()).unwrap();
    assert!(read_changed(&bytes).is_ok());
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let refused = read_changed(&changed);
        assert!(matches!(refused, Err(Error::Corrupt { .. })), "bit {bit}: {refused:?}");
    }
}

#[test]
fn every_truncation_and_every_longer_file_is_detected() {
    let bytes = written().files().remove(&path()).unwrap();
    for len in 0..bytes.len() {
        assert!(matches!(read_changed(&bytes[..len]), Err(Error::Corrupt { .. })), "{len}");
        let mut zeroed = bytes[..len].to_vec();
        zeroed.resize(bytes.len(), 0);
        if zeroed != bytes {
            assert!(matches!(read_changed(&zeroed), Err(Error::Corrupt { .. })), "{len}");
        }
    }
    assert!(read_changed(&[&bytes[..], &[0]].concat()).is_err());
    assert!(read_changed(&[&bytes[..], &bytes[..]].concat()).is_err());
}

#[test]
fn files_of_others_are_named() {
    let bytes = written().files().remove(&path()).unwrap();
    let mut later = bytes.clone();
    later[8] = 2;
    let rows = [
        (b"something else entirely".to_vec(), 0, "a block (it is none"),
        (later, 0, "a block of version 1"),
        (bytes[..bytes.len() - 1].to_vec(), bytes.len() as u64 - 1, "cut off"),
        (bytes[..20].to_vec(), 20, "cut off"),
        (Vec::new(), 0, "a block (it is none"),
    ];
    for (bytes, at, text) in rows {
        let Err(Error::Corrupt { path: own, offset, what }) = read_changed(&bytes) else {
            panic!("{text}");
        };
        assert_eq!((own, offset), (path(), at), "{text}");
        assert!(what.contains(text), "{what}");
    }
}

/// Bytes of the file `at` a place changed, and the checksums made good again: somebody crafted it.
fn crafted(bytes: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out[at] = value;
    let footer = out.len() - 156;
    for section in 0..7 {
        let row = footer + section * 20;
        let number = |at: usize| u64::from_le_bytes(out[at..at + 8].try_into().unwrap()) as usize;
        let (offset, length) = (number(row), number(row + 8));
        if let Some(range) = out.get(offset..offset.saturating_add(length)) {
            let crc = crc32c::crc32c(range).to_le_bytes();
            out[row + 16..row + 20].copy_from_slice(&crc);
        }
    }
    let end = out.len() - 4;
    let crc = crc32c::crc32c(&out[footer..end]).to_le_bytes();
    out[end..].copy_from_slice(&crc);
    out
}

#[test]
fn crafted_bytes_do_not_panic() {
    let bytes = written().files().remove(&path()).unwrap();
    assert_eq!(crafted(&bytes, 0, bytes[0]), bytes, "the sums are found");
    let disk = SimDisk::new(1);
    disk.create(&path()).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for at in 0..bytes.len() - 4 {
        for value in [0, 1, 3, 0x7f, 0x80, 0xff] {
            disk.overwrite(&path(), crafted(&bytes, at, value));
            match Block::open(&disk, &path()) {
                Ok(block) => {
                    opened += 1;
                    let _ = (content(&block), block.verify(), block.find(&labels("job=a")));
                    let _ = (block.label_values("job"), block.view().unwrap().pairs_hash(0, 0));
                    let _ = block.view().unwrap().has_labels(0, 0, &labels("job=a"));
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(opened > 1000 && refused > 1000, "{opened} {refused}");
}
