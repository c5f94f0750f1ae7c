//! The picture that hands a seed to an authenticator app: a QR code as PNG.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

/// Light modules around the code, as ISO 18004 asks.
const QUIET: i32 = 4;
/// Pixels of a module.
const SCALE: usize = 5;

/// A text as a QR code in a PNG of one bit a pixel; none when the text is too long for one, which is
/// past 2,300 bytes.
pub(crate) fn png(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = usize::try_from(code.size() + 2 * QUIET).ok()? * SCALE;
    let mut pixels = Zeroizing::new(Vec::with_capacity(side * (side / 8 + 2)));
    for y in 0..side {
        // No filter.
        pixels.push(0);
        for byte in 0..side.div_ceil(8) {
            let bits = (0..8).map(|bit| is_light(&code, byte * 8 + bit, y));
            pixels.push(bits.fold(0, |byte, light| byte << 1 | u8::from(light)));
        }
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&pixels).ok()?;
    let packed = Zeroizing::new(packed.finish().ok()?);
    let length = u32::try_from(side).ok()?.to_be_bytes();
    // Bit depth 1, greyscale, and the only methods of compression, filter and interlace.
    let header = [&length[..], &length, &[1, 0, 0, 0, 0]].concat();
    let mut file = Zeroizing::new(b"\x89PNG\r\n\x1a\n".to_vec());
    chunk(&mut file, *b"IHDR", &header)?;
    chunk(&mut file, *b"IDAT", &packed)?;
    chunk(&mut file, *b"IEND", &[])?;
    Some(file)
}

fn is_light(code: &QrCode, x: usize, y: usize) -> bool {
    let module = |pixel: usize| i32::try_from(pixel / SCALE).map_or(-1, |place| place - QUIET);
    !code.get_module(module(x), module(y))
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) -> Option<()> {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    file.extend_from_slice(&u32::try_from(data.len()).ok()?.to_be_bytes());
    file.extend_from_slice(&kind);
    file.extend_from_slice(data);
    file.extend_from_slice(&crc.sum().to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Reads the picture back, module by module.
    #[test]
    fn the_picture_shows_the_code() {
        let text = "otpauth://totp/Amazon%20Web%20Services:a@123456789012?secret=ABC";
        let file = png(text).unwrap();
        assert!(file.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
        assert!(file.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"));
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).unwrap();
        let side = usize::try_from(code.size() + 2 * QUIET).unwrap() * SCALE;
        assert_eq!(file[16..20], u32::try_from(side).unwrap().to_be_bytes());
        let begin = file.windows(4).position(|part| part == b"IDAT").unwrap() + 4;
        let mut pixels = Vec::new();
        flate2::read::ZlibDecoder::new(&file[begin..]).read_to_end(&mut pixels).unwrap();
        let row = side.div_ceil(8) + 1;
        assert_eq!(pixels.len(), row * side);
        for y in 0..side {
            assert_eq!(pixels[y * row], 0);
            for x in 0..side {
                let light = pixels[y * row + 1 + x / 8] >> (7 - x % 8) & 1 == 1;
                assert_eq!(light, is_light(&code, x, y), "{x},{y}");
            }
        }
        // The upper left finder: a dark ring around a light one around a dark square.
        for (place, light) in [(0, true), (4, false), (5, true), (6, false), (8, false), (11, true)]
        {
            assert_eq!(is_light(&code, place * SCALE, 7 * SCALE), light, "{place}");
        }
    }

    #[test]
    fn a_text_too_long_has_no_picture() {
        assert!(png(&"a".repeat(3000)).is_none());
    }
}
