//! Many small images with text below them, in one picture.

use firebrick::data::InputShape;
use font8x8::{BASIC_FONTS, LATIN_FONTS, UnicodeFonts};
use image::{Rgb, RgbImage};

/// Side of a character, pixels.
const CHARACTER: usize = 8;

/// Pixels between cells.
const GAP: usize = 8;

/// Images that are smaller are enlarged by a whole factor to about this side, so that text fits below.
const COMFORTABLE: usize = 96;

/// About how wide a picture gets, pixels.
const WIDTH: usize = 1600;

const BACKGROUND: Rgb<u8> = Rgb([24, 24, 24]);
const TEXT: Rgb<u8> = Rgb([235, 235, 235]);

/// Two images and what is written below.
pub struct Cell {
    /// On the left: channels x height x width.
    pub original: Vec<u8>,
    /// On the right, of the same shape.
    pub trained: Vec<u8>,
    /// Below; what is too long for the cell is cut.
    pub lines: Vec<String>,
}

/// The cells, row by row; all images have the shape `shape`, of 1 or 3 channels.
pub fn grid(shape: InputShape, cells: &[Cell]) -> RgbImage {
    let scale = (COMFORTABLE / shape.width.max(shape.height)).max(1);
    let (width, height) = (shape.width * scale, shape.height * scale);
    let num_lines = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0);
    let cell_width = 2 * width + 2 + GAP;
    let cell_height = height + num_lines * (CHARACTER + 2) + 2 + GAP;
    let columns = (WIDTH / cell_width).clamp(1, cells.len().max(1));
    let rows = cells.len().div_ceil(columns);
    let size = |cells: usize, side: usize| (cells * side + GAP) as u32;
    let mut picture = RgbImage::from_pixel(size(columns, cell_width), size(rows, cell_height), BACKGROUND);
    for (number, cell) in cells.iter().enumerate() {
        let (left, top) = (GAP + number % columns * cell_width, GAP + number / columns * cell_height);
        draw_image(&mut picture, [left, top], shape, scale, &cell.original);
        draw_image(&mut picture, [left + width + 2, top], shape, scale, &cell.trained);
        for (line, text) in cell.lines.iter().enumerate() {
            let y = top + height + 3 + line * (CHARACTER + 2);
            draw_text(&mut picture, [left, y], text, (cell_width - GAP) / CHARACTER);
        }
    }
    picture
}

fn draw_image(
    picture: &mut RgbImage,
    [left, top]: [usize; 2],
    shape: InputShape,
    scale: usize,
    pixels: &[u8],
) {
    let plane = shape.height * shape.width;
    for y in 0..shape.height * scale {
        for x in 0..shape.width * scale {
            let place = y / scale * shape.width + x / scale;
            let colour = match shape.channels {
                3 => [0, 1, 2].map(|channel| pixels[channel * plane + place]),
                _ => [pixels[place]; 3],
            };
            picture.put_pixel((left + x) as u32, (top + y) as u32, Rgb(colour));
        }
    }
}

/// At most `most` characters; those that the font does not have are question marks.
fn draw_text(picture: &mut RgbImage, [left, top]: [usize; 2], text: &str, most: usize) {
    for (place, character) in text.chars().take(most).enumerate() {
        let glyph = BASIC_FONTS.get(character).or_else(|| LATIN_FONTS.get(character));
        let Some(rows) = glyph.or_else(|| BASIC_FONTS.get('?')) else { continue };
        for (y, row) in rows.into_iter().enumerate() {
            for x in (0..CHARACTER).filter(|x| (row >> x) & 1 == 1) {
                let x = left + place * CHARACTER + x;
                picture.put_pixel(x as u32, (top + y) as u32, TEXT);
            }
        }
    }
}
