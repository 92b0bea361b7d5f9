//! Whether a JPEG file is whole.
//!
//! The decoder that the `image` crate uses takes a file that was cut anywhere behind its header, and fills the rest of
//! the picture with grey. A whole file has a marker of its end behind the last scan, in baseline and in progressive
//! files alike. One that lacks nothing but these last two bytes is refused, too: without decoding the picture twice
//! it cannot be told from one that was cut earlier, and PIL, with which such data sets were made, refuses it as well.
//!
//! # Source
//! ITU-T T.81, B.1.1 and B.2.1.

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Refuses a JPEG file whose end is missing.
///
/// # Errors
///
/// What is missing, in words.
pub(super) fn check_whole(bytes: &[u8]) -> Result<(), &'static str> {
    let markers = Markers { bytes, position: 0 };
    let mut num_scans = 0;
    for marker in markers {
        match marker {
            END_OF_IMAGE if num_scans == 0 => return Err("a file without a picture in it"),
            END_OF_IMAGE => return Ok(()),
            START_OF_SCAN => num_scans += 1,
            _ => {}
        }
    }
    Err("a file that was cut off: it has no end")
}

/// True for a file whose header says that its picture comes in several scans over all of it.
pub(super) fn is_progressive(bytes: &[u8]) -> bool {
    let frames = [0xc2, 0xc6, 0xca, 0xce];
    let mut header = Markers { bytes, position: 0 }.take_while(|marker| *marker != START_OF_SCAN);
    header.any(|marker| frames.contains(&marker))
}

/// The markers of a file, in order, without those inside a scan and without what stands in segments.
struct Markers<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Iterator for Markers<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let rest = self.bytes.get(self.position..)?;
            self.position += rest.iter().position(|byte| *byte == 0xff)?;
            // Any number of fill bytes may stand in front of a marker.
            let rest = &self.bytes[self.position..];
            let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
            let marker = *rest.get(fill)?;
            self.position += fill + 1;
            match marker {
                // A byte 0xff of a scan, restarts, and markers that stand alone.
                0x00 | 0x01 | 0xd0..=0xd7 => {}
                START_OF_IMAGE | END_OF_IMAGE => return Some(marker),
                _ => {
                    let length = self.bytes.get(self.position..self.position + 2)?;
                    self.position += usize::from(u16::from_be_bytes([length[0], length[1]]));
                    return Some(marker);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check_whole, is_progressive};

    /// A start, a segment with an end marker in it (as a thumbnail has), a frame, a scan with a stuffed byte and a
    /// restart, fill bytes, and the end.
    const WHOLE: &[u8] =
        b"\xff\xd8\xff\xe1\0\x06a\xff\xd9b\xff\xc0\0\x03c\xff\xda\0\x03d1\xff\0\x32\xff\xd03\xff\xff\xd9";

    #[test]
    fn a_whole_file_and_what_stands_behind_it() {
        assert_eq!(check_whole(WHOLE), Ok(()));
        assert_eq!(check_whole(&[WHOLE, b"\xff\xd8 a second picture"].concat()), Ok(()));
        assert!(!is_progressive(WHOLE));
    }

    #[test]
    fn cut_anywhere() {
        for cut in 0..WHOLE.len() {
            assert!(check_whole(&WHOLE[..cut]).is_err(), "cut at {cut}");
        }
        let zeros = [&WHOLE[..WHOLE.len() - 5], &[0; 4096]].concat();
        assert!(check_whole(&zeros).is_err(), "the tail was never written");
    }

    #[test]
    fn an_end_without_a_scan_or_inside_a_segment() {
        assert_eq!(check_whole(b"\xff\xd8\xff\xd9"), Err("a file without a picture in it"));
        assert!(check_whole(b"\xff\xd8\xff\xda\0\x06a\xff\xd9b1234").is_err());
    }

    #[test]
    fn several_scans() {
        let two = b"\xff\xd8\xff\xc2\0\x03c\xff\xda\0\x03d12\xff\xc4\0\x03e\xff\xda\0\x03f34\xff\xd9";
        assert_eq!(check_whole(two), Ok(()));
        assert!(is_progressive(two));
        assert!(check_whole(&two[..two.len() - 12]).is_err(), "between the scans");
    }
}
