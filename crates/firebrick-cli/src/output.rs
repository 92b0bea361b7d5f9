//! Standard output, where results go; a reader that leaves early is no error.

use std::io::{self, Write};
use std::path::Path;

use comfy_table::{CellAlignment, ContentLineStyle, LineStyle, Table, TableStyle};
use firebrick::component::text;
use firebrick::train::run_folder::checkpoint_around;

use crate::message::Failure;

/// Writes `text` and a line end to standard output.
///
/// # Errors
///
/// [`Failure::Output`]; a closed pipe is one that is reported as success.
pub fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(Failure::Output)
}

/// Writes a JSON value in one line.
///
/// # Errors
///
/// As [`line`].
pub fn json(value: &serde_json::Value) -> Result<(), Failure> {
    line(value)
}

/// Refuses a name that promises another format than the one that is written.
///
/// # Errors
///
/// Names the file and the ending that it should have.
pub fn refuse_ending(path: &Path, ending: &str) -> Result<(), Failure> {
    if path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending)) {
        return Ok(());
    }
    let text = format!(
        "--out {}: expected a name that ends in .{ending}, the format that is written",
        text::path(path)
    );
    Err(Failure::usage(text))
}

/// Refuses to write where something is: a file that is there may be somebody's only copy.
///
/// # Errors
///
/// Names the file and says how to choose another: by `flag`.
pub fn refuse_existing(path: &Path, flag: &str) -> Result<(), Failure> {
    if let Some(checkpoint) = checkpoint_around(path) {
        let text = format!(
            "{}: lies in the checkpoint {}, which another file would make worthless",
            text::path(path),
            text::path(&checkpoint)
        );
        return Err(Failure::storage(text).hint(format!("name a file elsewhere with {flag}")));
    }
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let text = format!("{}: expected no file of this name, found one", text::path(path));
    Err(Failure::storage(text).hint(format!("name another with {flag}, or remove it")))
}

/// How a column's cells stand.
#[derive(Debug, Clone, Copy)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// No frames: a line below the header is enough.
const TABLE_STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none())
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none());

/// A table for people; `columns` are its header and how their cells stand.
pub fn table(columns: &[(&str, Align)], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(TABLE_STYLE);
    table.set_header(columns.iter().map(|(name, _)| *name));
    table.add_rows(rows);
    for (column, (_, align)) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        column.set_cell_alignment(match align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        });
    }
    table.trim_fmt()
}

/// `name  value` lines, the values aligned.
pub fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<(&str, String)> = pairs.into_iter().collect();
    let width = pairs.iter().map(|(name, _)| name.len()).fold(0, usize::max);
    let lines: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name:width$}  {value}").trim_end().to_owned()).collect();
    lines.join("\n")
}
